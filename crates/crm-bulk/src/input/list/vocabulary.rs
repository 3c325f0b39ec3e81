//! The words by which headers, cells and names of files speak of wishes.

use std::{collections::HashMap, sync::LazyLock};

use super::words::{singular, split};

/// What a word names by which somebody is reached; see [`Channels`](super::channels::Channels).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Texts,
    Calls,
    /// A telephone, whether for texts or for calls.
    Numbers,
    Faxes,
    Addresses,
    /// What reaches nobody by a number or an e-mail address, or what is no message at all.
    Elsewhere,
}

/// The words of each way, in the singular. Mail alone is a letter.
const WAYS: [(Way, &[&str]); 6] = [
    (Way::Texts, &["sms", "mms", "rcs", "text", "txt", "texting", "twilio"]),
    (
        Way::Calls,
        &[
            "call",
            "calling",
            "voice",
            "voicemail",
            "robocall",
            "dial",
            "dialing",
            "dialer",
            "autodialer",
            "telemarketing",
            "dnc",
        ],
    ),
    (
        Way::Numbers,
        &["phone", "telephone", "mobile", "mobilephone", "cell", "cellphone", "tel", "landline"],
    ),
    (Way::Faxes, &["fax", "telefax", "facsimile"]),
    (Way::Addresses, &["email", "emailing", "newsletter", "mailinglist", "mailchimp", "sendgrid"]),
    (
        Way::Elsewhere,
        &[
            "mail",
            "directmail",
            "post",
            "postal",
            "postcard",
            "letter",
            "mailer",
            "catalog",
            "catalogue",
            "brochure",
            "print",
            "push",
            "webpush",
            "app",
            "inapp",
            "browser",
            "web",
            "chat",
            "webchat",
            "livechat",
            "whatsapp",
            "wechat",
            "viber",
            "telegram",
            "messenger",
            "facebook",
            "instagram",
            "linkedin",
            "tiktok",
            "twitter",
            "social",
            "door",
            "doorhanger",
            "visit",
            "service",
            "cookie",
            "photo",
            "recording",
            "arbitration",
            "autopay",
            "paperless",
        ],
    ),
];

/// Words of wishes.
const WISHES: [&str; 58] = [
    "optout",
    "optin",
    "donot",
    "dnd",
    "subscribe",
    "subscribed",
    "subscriber",
    "subscription",
    "subscribing",
    "resubscribe",
    "resubscribed",
    "nonsubscribed",
    "unsub",
    "unsubscribe",
    "unsubscribed",
    "unsubscriber",
    "unsubscribing",
    "unsubscription",
    "consent",
    "consented",
    "suppress",
    "suppressed",
    "suppression",
    "withdraw",
    "withdrawn",
    "withdrew",
    "withdrawal",
    "revoke",
    "revoked",
    "revocation",
    "decline",
    "declined",
    "refuse",
    "refus",
    "refused",
    "reject",
    "rejected",
    "remove",
    "removed",
    "removal",
    "cancel",
    "canceled",
    "cancelled",
    "stop",
    "stopped",
    "block",
    "blocked",
    "blacklist",
    "blacklisted",
    "exclude",
    "excluded",
    "exclusion",
    "accept",
    "accepted",
    "agree",
    "agreed",
    "permission",
    "permitted",
];

/// Words that say nothing of what a wish is about.
const PLAIN: &str = "a an the is are was has have had been be all any every everything only to from of for \
    by in out on and or with via not no non never dont don longer do doe did does i me my we us our you \
    your they them please can may should ok okay allow allowed permit want wanted wish like send sent \
    sending bulk receive received receiving get getting contact contacted contactable reach customer client \
    person people lead subscriber recipient user member audience message messaging communication \
    communicate market marketing promotion promotional promo offer deal advertising advertisement ad \
    campaign solicit solicitation disturb news update status state flag preference preferred list channel \
    medium global globally overall general current currently latest express written explicit double single \
    confirmed address new ads opt opted opting action keyword response reply event hs number information added last \
    first most recent original effective without cannot should off sent pending reverse reversed reversal exempt \
    exempted exemption expired lifted cleared deleted denied deny were count unblocked scrub scrubbed \
    choice selection setting indicator ind boolean granted given";

/// Words of headers that refer to a wish but contain something else: when, by whom, why.
const ABOUT: [&str; 26] = [
    "date",
    "dt",
    "ts",
    "datetime",
    "day",
    "time",
    "timestamp",
    "when",
    "at",
    "on",
    "by",
    "type",
    "source",
    "reason",
    "campaign",
    "title",
    "id",
    "name",
    "code",
    "method",
    "ip",
    "url",
    "link",
    "count",
    "other",
    "kind",
];

/// What is one word, however it is spelled.
const PHRASES: &[Phrase] = &[
    (&["opt", "in", "out"], "status"),
    (&["opt", "out", "in"], "status"),
    (&["isn", "t"], "not"),
    (&["isnt"], "not"),
    (&["wasn", "t"], "not"),
    (&["wasnt"], "not"),
    (&["aren", "t"], "not"),
    (&["arent"], "not"),
    (&["hasn", "t"], "not"),
    (&["hasnt"], "not"),
    (&["haven", "t"], "not"),
    (&["havent"], "not"),
    (&["doesn", "t"], "donot"),
    (&["didn", "t"], "donot"),
    (&["won", "t"], "donot"),
    (&["doesnt"], "donot"),
    (&["didnt"], "donot"),
    (&["can", "t"], "cannot"),
    (&["can", "not"], "cannot"),
    (&["cant"], "cannot"),
    (&["y", "n"], "flag"),
    (&["yes", "no"], "flag"),
    (&["true", "false"], "flag"),
    (&["mobile", "app"], "app"),
    (&["mobile", "push"], "push"),
    (&["call", "recording"], "recording"),
    (&["d", "n", "c"], "dnc"),
    (&["d", "n", "d"], "dnd"),
    (&["comm"], "communication"),
    (&["msg"], "message"),
    (&["e", "mail"], "email"),
    (&["voice", "mail"], "voicemail"),
    (&["direct", "mail"], "directmail"),
    (&["postal", "mail"], "directmail"),
    (&["paper", "mail"], "directmail"),
    (&["physical", "mail"], "directmail"),
    (&["snail", "mail"], "directmail"),
    (&["mailing", "list"], "mailinglist"),
    (&["opt", "out"], "optout"),
    (&["opted", "out"], "optout"),
    (&["opting", "out"], "optout"),
    (&["optedout"], "optout"),
    (&["opt", "in"], "optin"),
    (&["opt", "ins"], "optin"),
    (&["opted", "in"], "optin"),
    (&["opting", "in"], "optin"),
    (&["optedin"], "optin"),
    (&["do", "not"], "donot"),
    (&["doe", "not"], "donot"),
    (&["don", "t"], "donot"),
    (&["dont"], "donot"),
    (&["what", "app"], "whatsapp"),
    (&["in", "app"], "inapp"),
    (&["we", "chat"], "wechat"),
    (&["re", "subscribed"], "resubscribed"),
    (&["mobile", "phone"], "mobilephone"),
    (&["cell", "phone"], "cellphone"),
];

/// All words that are known, with the way that each names. Lists have millions of cells.
static WORDS: LazyLock<HashMap<&str, Option<Way>>> = LazyLock::new(|| {
    let ways = WAYS.iter().flat_map(|(way, words)| words.iter().map(|word| (*word, Some(*way))));
    let others = WISHES.iter().chain(&ABOUT).copied().chain(PLAIN.split_whitespace());
    let glued = PHRASES.iter().filter_map(|(phrase, _)| match phrase {
        [word] => Some(*word),
        _ => None,
    });
    let others = others.chain(glued).map(|word| (word, None));
    // What names a way names it, even if it also says something else.
    others.chain(ways).collect()
});

/// A phrase, and the one word for it.
type Phrase = (&'static [&'static str], &'static str);

/// The phrases by their first words.
static BEGINNINGS: LazyLock<HashMap<&str, Vec<Phrase>>> = LazyLock::new(|| {
    let mut all = HashMap::<_, Vec<_>>::new();
    for phrase in PHRASES {
        all.entry(phrase.0[0]).or_default().push(*phrase);
    }
    all
});

/// How many letters a word has at most that is taken for several without blanks.
const LONGEST: usize = 32;

/// The words of a text as one spells them: `smsOptedOut`, `SMS_OPT_OUT` and `sms-optout` are alike.
pub(super) fn spelled(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    // What stands in parentheses counts: `Opt Out (Postal)`.
    for word in split(&text.replace(['(', ')'], " ")) {
        // `Invoice` is not `in voice`.
        let parts = parts(&word).filter(|parts| parts.len() == 1 || parts.iter().any(is_told));
        let parts = parts.unwrap_or_else(|| vec![singular(&word)]);
        words.extend(parts.into_iter().map(str::to_owned));
    }
    let mut all = Vec::new();
    let mut rest = &words[..];
    while let Some((first, others)) = rest.split_first() {
        let is_next = |phrase: &[&str]| {
            phrase.len() <= rest.len() && phrase.iter().zip(rest).all(|(a, b)| a == b)
        };
        let mut phrases = BEGINNINGS.get(first.as_str()).into_iter().flatten();
        match phrases.find(|(phrase, _)| is_next(phrase)) {
            Some((phrase, word)) => {
                all.push((*word).to_owned());
                rest = &rest[phrase.len()..];
            }
            None => {
                all.push(first.clone());
                rest = others;
            }
        }
    }
    all
}

/// Whether a word beside which others may stand without blanks speaks of a wish.
fn is_told(word: &&str) -> bool {
    const BESIDES: [&str; 8] =
        ["dont", "dnc", "do", "status", "channel", "message", "marketing", "accept"];
    word.starts_with("opt") || WISHES.contains(word) || BESIDES.contains(word)
}

/// Words that stand together without blanks, as in `smsoptout`; none where a part is not known.
fn parts(word: &str) -> Option<Vec<&str>> {
    if let Some(word) = known(word) {
        return Some(vec![word]);
    }
    if word.len() > LONGEST {
        return None;
    }
    let ends = (2..word.len()).rev().filter(|end| word.is_char_boundary(*end));
    ends.map(|end| word.split_at(end)).find_map(|(first, rest)| {
        let mut all = vec![known(first)?];
        all.extend(parts(rest)?);
        Some(all)
    })
}

/// A word in the singular, if it is known.
fn known(word: &str) -> Option<&str> {
    Some(singular(word)).filter(|word| WORDS.contains_key(word))
}

/// Whether a word is known; the letter after an apostrophe says nothing.
pub(super) fn is_known(word: &str) -> bool {
    ["i", "s"].contains(&word) || WORDS.contains_key(word)
}

/// Whether a word at the end of a header says that its column holds something else than a wish.
pub(super) fn is_about(word: &str) -> bool {
    ABOUT.contains(&word)
}

/// Ways that are no message.
const NO_MESSAGES: [&str; 9] =
    ["app", "web", "browser", "service", "cookie", "photo", "recording", "arbitration", "autopay"];
/// Words that name a way, and in a cell as often something else: where somebody comes from, what is
/// done for them.
const AMBIGUOUS: [&str; 12] = [
    "social",
    "facebook",
    "instagram",
    "linkedin",
    "tiktok",
    "twitter",
    "chat",
    "door",
    "visit",
    "print",
    "catalog",
    "dnc",
];

/// Whether words speak of something that is no message beside a way to reach somebody, as `Recording
/// of calls`.
pub(super) fn is_no_message(words: &[String]) -> bool {
    let is_one = |word: &String| NO_MESSAGES.contains(&word.as_str());
    words.iter().any(is_one) && words.iter().any(|word| !is_one(word) && way(word).is_some())
}

/// Whether a word in a cell names a way to reach somebody, and hardly anything else.
pub(super) fn names_way(word: &str) -> bool {
    way(word).is_some() && !NO_MESSAGES.contains(&word) && !AMBIGUOUS.contains(&word)
}

/// What a word names by which somebody is reached.
pub(super) fn way(word: &str) -> Option<Way> {
    *WORDS.get(word)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_however_they_are_spelled() {
        for (spelling, words) in [
            ("SMS Opt-Out|smsOptOut|SMSOptOut|sms_opt_out|smsoptout|SMS Opted Out", "sms optout"),
            ("DoNotCall|do not call|donotcall|DO_NOT_CALL|Don't call|dont-call", "donot call"),
            ("E-mail|eMail|Email|EMAIL|e_mails|EMail", "email"),
            ("HasOptedOutOfEmail|hasoptedoutofemail", "has optout of email"),
            ("hasOptedOutOfSMS|hasoptedoutofsms", "has optout of sms"),
            ("DoNotMail|do_not_mails", "donot mail"),
            ("WhatsApp|whats app|WHATSAPP", "whatsapp"),
            ("optoutdate|OptOut_Date|Opt-out date", "optout date"),
            ("Accepts SMS|acceptssms", "accept sms"),
            ("Opt Out (SMS)|opt-out/sms", "optout sms"),
            ("Pool opt-out", "pool optout"),
            ("Invoices Opt Out", "invoice optout"),
            ("Can't Text|Can’t text|cant text", "cannot text"),
            ("Notes", "note"),
        ] {
            for spelling in spelling.split('|') {
                assert_eq!(spelled(spelling).join(" "), words, "{spelling}");
            }
        }
    }
}
