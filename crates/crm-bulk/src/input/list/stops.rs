//! Words by which a cell that is no status says that somebody wants to be left alone.

use std::sync::LazyLock;

use super::{
    channels::Channels,
    parts::Parts,
    status::Status,
    vocabulary::{Way, spelled, way},
    wish::Wish,
};

/// Parts of words of which one is in every text that is looked at; hardly any cell of a list has one.
static PARTS: LazyLock<Parts> = LazyLock::new(|| {
    Parts::of(&[
        "opt",
        "sub",
        "stop",
        "dn",
        "d.n",
        "remov",
        "not",
        "no ",
        "n't",
        "n\u{2019}t",
        "dont",
        "longer",
        "more",
        "revo",
        "withdr",
        "suppress",
        "block",
        "blacklist",
        "exclu",
        "never",
        "cease",
        "lose my",
        "me off",
    ])
});
/// How many bytes of a text are looked at.
const LONGEST: usize = 2_000;
/// What the words of somebody are parted by.
const ENDS: [char; 10] = [',', ';', '|', '.', '!', '?', '\n', '\r', '(', ')'];
/// Words that name a wish to be left alone by themselves.
const STOPS: [&str; 12] = [
    "optout",
    "unsub",
    "unsubscribe",
    "unsubscribed",
    "unsubscribing",
    "unsubscription",
    "dnc",
    "dnd",
    "stopall",
    "suppressed",
    "blacklist",
    "blacklisted",
];
/// Likewise, as the only word of a text.
const SOLE: [&str; 8] =
    ["stopped", "blocked", "excluded", "removed", "remove", "revoked", "withdrawn", "cease"];
/// What stands behind a `stop` that is no wish, and before it: `will stop by`, `bus stop`.
const BEHIND_STOP: [&str; 9] = ["by", "in", "at", "off", "over", "shop", "sign", "valve", "light"];
const BEFORE_STOP: [&str; 6] = ["bu", "bus", "one", "pit", "door", "non"];
/// What stands before a wish that is another's, or nobody's: `reply STOP to opt out`.
const OFFERS: [&str; 12] =
    ["reply", "text", "txt", "type", "send", "write", "can", "may", "could", "how", "never", "not"];
/// What stands before the `to` of a wish: `asked to stop`.
const ASKS: [&str; 13] = [
    "ask",
    "asked",
    "asking",
    "want",
    "wanted",
    "wish",
    "wished",
    "request",
    "requested",
    "like",
    "need",
    "prefer",
    "told",
];
/// What somebody is not to do, beside what they may be reached by.
const REACHES: [&str; 12] = [
    "contact",
    "send",
    "disturb",
    "market",
    "marketing",
    "solicit",
    "message",
    "receive",
    "want",
    "reach",
    "bother",
    "subscribe",
];
/// What somebody is removed from.
const LISTS: [&str; 5] = ["list", "mailinglist", "database", "marketing", "campaign"];
const ME: [&str; 5] = ["me", "us", "him", "her", "them"];
/// Words of a header below which `yes` is a complaint.
const COMPLAINTS: [&str; 4] = ["spam", "complaint", "complained", "abuse"];
const YES: [&str; 6] = ["yes", "true", "y", "x", "✓", "✔"];
/// Words of headers of what somebody sent, and of what happened: below either a keyword is a wish.
const SENT: [&str; 6] = ["keyword", "reply", "response", "message", "answer", "body"];
const HAPPENED: [&str; 2] = ["event", "action"];
/// Words of headers of what somebody noted.
const NOTES: [&str; 6] = ["note", "comment", "remark", "memo", "text", "sms"];
/// Words of headers and cells by which a list of changes takes a row off another list.
const CHANGES: [&str; 5] = ["action", "change", "operation", "op", "transaction"];
const TAKEN_OFF: [&str; 6] = ["delete", "deleted", "del", "d", "remove", "removed"];

/// What a header says of the cells below it that are no statuses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Remarks {
    /// That a yes is a complaint.
    complain: bool,
    /// That they are the very words that somebody sent.
    pub(super) are_sent: bool,
    /// That they are about what somebody sent, or what happened.
    are_events: bool,
    /// That they are what somebody noted, of which a reply may be all.
    are_notes: bool,
    /// That they say what is to be done with a row.
    are_changes: bool,
}

impl Remarks {
    /// Of a header that says nothing.
    pub(super) const NONE: Self = Self {
        complain: false,
        are_sent: false,
        are_events: false,
        are_notes: false,
        are_changes: false,
    };

    pub(super) fn below(header: &str) -> Self {
        let words = spelled(header);
        let has = |of: &[&str]| words.iter().any(|word| of.contains(&word.as_str()));
        // Not so `Message Id` and `Reply Address`.
        let are_sent = words.last().is_some_and(|word| SENT.contains(&word.as_str()));
        Self {
            complain: has(&COMPLAINTS),
            are_sent,
            are_events: has(&SENT) || has(&HAPPENED),
            are_notes: has(&NOTES),
            are_changes: has(&CHANGES),
        }
    }

    /// What a cell says of a value that is reached by `of`, if it speaks of a wish: neither where
    /// somebody is said not to be subscribed, which is no stop either.
    pub(super) fn say(self, cell: &str, of: Channels) -> Option<Wish> {
        let cell = cell.trim();
        if cell.is_empty() {
            return None;
        }
        let known = Status::in_remark(cell, of);
        if known == Some(Wish::In) || (self.are_events && is_event_of_in(cell)) {
            return Some(Wish::In);
        }
        let is_keyword = self.are_events && Status::KEYWORD.read(cell) == Some(Wish::Out);
        let says_out = is_keyword || (known == Some(Wish::Out) && !is_offer(cell));
        if says_out || asks(cell, of) || is_complaint(cell, self.complain) {
            return Some(Wish::Out);
        }
        is_none(cell).then_some(Wish::Neither)
    }

    /// What the reason of a wish says, in the same way: there, one word is enough.
    pub(super) fn say_why(self, cell: &str, of: Channels) -> Option<Wish> {
        match Status::in_reason(cell) {
            Some(Wish::Out) => Some(Wish::Out),
            _ => self.say(cell, of),
        }
    }

    /// Whether a cell is the keyword or the event by which somebody comes back; a yes answers anything.
    pub(super) fn answer_in(self, cell: &str) -> bool {
        let may_be = self.are_events || self.are_notes;
        may_be && is_event_of_in(cell) && !YES.contains(&&*cell.trim().to_lowercase())
    }

    /// Whether a row is that of a list of changes and takes its value off the other list.
    pub(super) fn take_off(self, cell: &str) -> bool {
        self.are_changes && TAKEN_OFF.contains(&cell.trim().to_lowercase().as_str())
    }
}

/// Whether a cell says that somebody is not subscribed, which is no stop either.
pub(super) fn is_none(cell: &str) -> bool {
    let may_be = cell.len() < 30 && cell.to_lowercase().contains("subscri");
    may_be && Status::in_reason(cell) == Some(Wish::Neither)
}

/// Whether somebody asks anywhere in a text to be left alone at a value that is reached by `of`.
fn asks(text: &str, of: Channels) -> bool {
    if text.len() > LONGEST {
        return false;
    }
    let letters = text.to_lowercase();
    if !PARTS.are_in(&letters) {
        return false;
    }
    letters.replace("d.n.c", "dnc").split(ENDS).any(|part| {
        let words = spelled(part);
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let is_stop = (0..words.len()).any(|at| is_stop(&words, at)) || is_no(&words);
        is_stop && is_about(&words, of)
    })
}

/// Whether words say no to what somebody may be reached by and nothing else, as `No calls, please`.
fn is_no(words: &[&str]) -> bool {
    let [first, rest @ ..] = words else { return false };
    let is_plain = |word: &&str| ["please", "and", "or", "message", "marketing"].contains(word);
    let is_way = |word: &&str| way(word).is_some_and(|way| way != Way::Elsewhere);
    *first == "no"
        && rest.iter().any(is_way)
        && rest.iter().all(|word| (is_way(word) && *word != "voicemail") || is_plain(word))
}

/// Whether words about a wish are about a value that is reached by `of`.
fn is_about(words: &[&str], of: Channels) -> bool {
    // By what somebody says it is not what it is about: `opted out via text`.
    let said = words.iter().take_while(|word| !["via", "through", "by"].contains(word));
    // Nobody writes `DNC` of calls alone.
    let named: Vec<_> =
        said.filter(|word| **word != "dnc").map(|word| (*word).to_owned()).collect();
    Channels::of_words(&named).meet(of)
}

/// Whether the word there begins a wish to be left alone.
fn is_stop(words: &[&str], at: usize) -> bool {
    let (before, behind) = (&words[..at], &words[at + 1..]);
    let next = behind.first().copied().unwrap_or_default();
    let follows = |of: &[&str]| behind.iter().take(4).any(|word| of.contains(word));
    let is_reach = |word: &&str| {
        REACHES.contains(word)
            || way(word).is_some_and(|way| way != Way::Elsewhere)
            || *word == "mail"
    };
    let reaches = || behind.iter().take(3).any(is_reach);
    match words[at] {
        "stop" if BEHIND_STOP.contains(&next) => false,
        "stop" => {
            let is_other = before.last().is_some_and(|word| BEFORE_STOP.contains(word));
            !is_other && !is_offered(before)
        }
        word if STOPS.contains(&word) => !["no", "false"].contains(&next) && !is_offered(before),
        word if words.len() == 1 && SOLE.contains(&word) => true,
        "remove" | "removed" => ME.contains(&next) || follows(&LISTS),
        "donot" => reaches() && !is_offered(before),
        "never" => is_reach(&next) && next != "subscribe",
        "cease" => behind.contains(&"desist"),
        "lose" => behind.starts_with(&["my", "number"]),
        "no" if next == "longer" => behind.iter().skip(1).take(3).any(|word| {
            is_reach(word) || word.starts_with("subscri") || ["interested", "optin"].contains(word)
        }),
        "no" => next == "marketing" || (next == "more" && reaches()),
        "take" | "leave" => {
            ME.contains(&next) && behind.get(1).is_some_and(|word| ["off", "alone"].contains(word))
        }
        "revoke" | "revoked" | "withdraw" | "withdrew" | "withdrawn" => {
            words.iter().any(|word| ["consent", "permission"].contains(word))
        }
        _ => false,
    }
}

/// Whether a text tells how somebody may ask to be left alone.
fn is_offer(text: &str) -> bool {
    let words = spelled(text);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let is_word = |word: &str| word == "stop" || STOPS.contains(&word);
    (0..words.len()).any(|at| is_word(words[at]) && is_offered(&words[..at]))
}

/// Whether what stands before a wish says that somebody may utter it, or did not.
fn is_offered(before: &[&str]) -> bool {
    match before {
        [.., asks, "to"] => !ASKS.contains(asks),
        ["to"] => true,
        [.., last] => OFFERS.contains(last),
        [] => false,
    }
}

/// Whether a cell is a complaint, by itself or where a yes is one.
fn is_complaint(cell: &str, is_yes_one: bool) -> bool {
    let is = |words: &[&str]| words.iter().any(|word| cell.eq_ignore_ascii_case(word));
    let is_yes = || is(&YES) || cell.parse::<u64>().is_ok_and(|times| times > 0);
    is(&["spam", "spam complaint", "marked as spam", "reported as spam"])
        || (is_yes_one && is_yes())
}

/// Whether a cell is that of somebody's answer, or of an event, by which they come back.
fn is_event_of_in(cell: &str) -> bool {
    let is_back = || spelled(cell).iter().any(|word| word.starts_with("resubscribe"));
    cell.len() <= 30 && (Status::KEYWORD.read(cell) == Some(Wish::In) || is_back())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_to_be_left_alone_is_seen_anywhere_in_a_text() {
        for text in "Do Not Call|DO NOT CALL|Do Not Text|DNC requested|dnc - do not call|remove from list|\
            opted-out 3/1|Unsubscribe me|stop texting|vip, unsubscribed|DNC; vip|Not opted in|\
            no longer subscribed|Stop please|STOP\nSent from my iPhone|please stop|asked to stop|STOP!!!|\
            take me off your list|no more texts|Please don't contact me again|revoked her consent|D.N.C.|D.N.C. per owner|No SMS|no calls, please|No texts or calls|\
            Stopped|Blocked|never call again|cease and desist|cease & desist sent|lose my number!|\
            customer wants to opt out|opted out via web form|marked as spam|ＳＴＯＰ"
            .split('|')
        {
            let wish = Remarks::NONE.say(text, Channels::NUMBERS);
            assert_eq!(wish, Some(Wish::Out), "{text}");
        }
        for text in "will stop by on Tuesday|bus stop|Reply STOP to opt out|Text STOP to unsubscribe|\
            You can opt out at any time|click here to unsubscribe|never opted out|has not unsubscribed|\
            do not mail|opted out of e-mail|Remove the old heater|no email on file|likes us|DNC: no|\
            option B|no email|no answer|no voicemail|no phone service|no mobile app|\
            never answers|blocked drain|stopped up sink|excluded from warranty|subdivision|notes|he is no longer at home"
            .split('|')
        {
            let wish = Remarks::NONE.say(text, Channels::NUMBERS);
            assert_ne!(wish, Some(Wish::Out), "{text}");
        }
    }

    #[test]
    fn a_header_says_what_a_yes_and_a_keyword_below_it_mean() {
        for (header, cell, wish) in [
            ("Marked as Spam", "Yes", Some(Wish::Out)),
            ("Complaint", "TRUE", Some(Wish::Out)),
            ("Spam complaints", "2", Some(Wish::Out)),
            ("Spam complaints", "0", None),
            ("Complaint", "no cooling", None),
            ("Reply", "QUIT", Some(Wish::Out)),
            ("Message body", "end", Some(Wish::Out)),
            ("Notes", "end", None),
            ("Keyword", "START", Some(Wish::In)),
            ("Event", "group_resubscribe", Some(Wish::In)),
            ("Notes", "start", None),
        ] {
            let said = Remarks::below(header).say(cell, Channels::NUMBERS);
            assert_eq!(said, wish, "{header}: {cell}");
        }
        let takes_off = |header: &str, cell: &str| Remarks::below(header).take_off(cell);
        assert!(takes_off("Action", "Delete") && takes_off("Change", "D"));
        assert!(!takes_off("Action", "Add") && !takes_off("Notes", "delete"));
    }
}
