//! The lists that are kept here: values that stand for none, domains of throw-away addresses, and
//! words of a memo that ask not to be contacted. Thresholds add to each.

use std::collections::HashSet;

use crm_values::digits;

use crate::thresholds::Thresholds;

/// Numbers that are typed where a number is asked for. A digit repeated is one too.
const NUMBERS: [&str; 10] = [
    "1234567",
    "1234567890",
    "0123456789",
    "9876543210",
    "1231231234",
    "1231234567",
    "1112223333",
    "5551234567",
    "5555551234",
    "5551212",
];

/// What is before the `@` of addresses that are typed where an address is asked for.
const NAMES: [&str; 27] = [
    "noemail",
    "no-email",
    "no.email",
    "no_email",
    "nomail",
    "no-mail",
    "noaddress",
    "none",
    "no",
    "na",
    "n/a",
    "nobody",
    "noone",
    "nothing",
    "notgiven",
    "notprovided",
    "noreply",
    "no-reply",
    "donotreply",
    "do-not-reply",
    "declined",
    "refused",
    "unknown",
    "fake",
    "test",
    "asdf",
    "xxx",
];

/// Texts that are typed in place of a value.
const TEXTS: [&str; 16] = [
    "-",
    "--",
    "?",
    "x",
    "xx",
    "xxx",
    "na",
    "n/a",
    "none",
    "no",
    "no phone",
    "no number",
    "no email",
    "no e-mail",
    "unknown",
    "tbd",
];

/// Services whose addresses anybody reads for some minutes. A list of our own: the crate with
/// thousands of them has a licence that `deny.toml` refuses.
const THROW_AWAY: [&str; 45] = [
    "10minutemail.com",
    "10minutemail.net",
    "armyspy.com",
    "burnermail.io",
    "cuvox.de",
    "dayrep.com",
    "discard.email",
    "dispostable.com",
    "einrot.com",
    "emailondeck.com",
    "fakeinbox.com",
    "fleckens.hu",
    "getnada.com",
    "grr.la",
    "guerrillamail.biz",
    "guerrillamail.com",
    "guerrillamail.net",
    "guerrillamail.org",
    "gustr.com",
    "inboxkitten.com",
    "jourrapide.com",
    "mail-temp.com",
    "mailcatch.com",
    "maildrop.cc",
    "mailinator.com",
    "mailnesia.com",
    "mintemail.com",
    "moakt.com",
    "mohmal.com",
    "mytemp.email",
    "nada.email",
    "rhyta.com",
    "sharklasers.com",
    "spam4.me",
    "spamgourmet.com",
    "superrito.com",
    "teleworm.us",
    "temp-mail.org",
    "tempail.com",
    "tempmail.com",
    "tempr.email",
    "throwawaymail.com",
    "trashmail.com",
    "wegwerfmail.de",
    "yopmail.com",
];

/// What a memo says of somebody who wants to be left alone, as [`plain`] words.
const WISHES: [&str; 44] = [
    "do not call",
    "do not phone",
    "do not ring",
    "do not text",
    "do not sms",
    "do not contact",
    "do not email",
    "do not e mail",
    "do not mail",
    "do not write",
    "do not disturb",
    "do not solicit",
    "do not message",
    "dont call",
    "dont phone",
    "dont ring",
    "dont text",
    "dont sms",
    "dont contact",
    "dont email",
    "dont e mail",
    "dont mail",
    "dont message",
    "never call",
    "never text",
    "never contact",
    "stop calling",
    "stop texting",
    "stop emailing",
    "no calls",
    "no phone calls",
    "no texts",
    "no text",
    "no texting",
    "no sms",
    "no emails",
    "no marketing",
    "no solicitation",
    "no contact",
    "opt out",
    "opted out",
    "unsubscribe",
    "unsubscribed",
    "dnc",
];

/// The lists of one audit.
#[derive(Debug)]
pub(crate) struct Words {
    /// Numbers as digits; names with their `@`; whole addresses and other texts in lower case.
    placeholders: HashSet<String>,
    throw_away: HashSet<String>,
    wishes: Vec<String>,
}

impl Words {
    pub(crate) fn new(thresholds: &Thresholds) -> Self {
        let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        let names = NAMES.iter().map(|name| format!("{name}@"));
        let more = thresholds.placeholders.iter().map(|text| {
            let text = text.trim().to_lowercase();
            let is_number = !text.contains(char::is_alphabetic) && !text.contains('@');
            let digits = digits(&text);
            if is_number && !digits.is_empty() { digits } else { text }
        });
        let domains = thresholds.throw_away_domains.iter();
        let domains = domains.map(|domain| domain.trim().trim_start_matches('@').to_lowercase());
        let wishes = owned(&WISHES).into_iter().chain(thresholds.wishes.iter().cloned());
        Self {
            placeholders: owned(&NUMBERS)
                .into_iter()
                .chain(owned(&TEXTS))
                .chain(names)
                .chain(more)
                .collect(),
            throw_away: owned(&THROW_AWAY).into_iter().chain(domains).collect(),
            wishes: wishes
                .map(|wish| plain(&wish))
                .filter(|wish| !wish.trim().is_empty())
                .collect(),
        }
    }

    /// Whether a value stands for none.
    pub(crate) fn is_placeholder(&self, value: &str) -> bool {
        let text = value.trim();
        if text.contains('@') {
            let text = text.to_lowercase();
            let name = text.split_inclusive('@').next().unwrap_or_default();
            return self.placeholders.contains(name) || self.placeholders.contains(&text);
        }
        if text.contains(char::is_alphabetic) || !text.contains(|c: char| c.is_ascii_digit()) {
            return self.placeholders.contains(&text.to_lowercase());
        }
        let digits = digits(text);
        // With the country code of North America, or without.
        let national = digits.strip_prefix('1').filter(|rest| rest.len() == 10);
        [Some(&*digits), national].into_iter().flatten().any(|digits| {
            let is_one_digit =
                digits.len() >= 7 && digits.bytes().all(|b| digits.starts_with(char::from(b)));
            is_one_digit || self.placeholders.contains(digits)
        })
    }

    /// Whether an address, by its key, is of a service for addresses to throw away, or below one.
    pub(crate) fn is_throw_away(&self, key: &str) -> bool {
        let mut domain = key.rsplit_once('@').map(|(_, domain)| domain);
        while let Some(whole) = domain {
            if self.throw_away.contains(whole) {
                return true;
            }
            domain = whole.split_once('.').map(|(_, parent)| parent);
        }
        false
    }

    /// The words of a memo that ask not to be contacted.
    pub(crate) fn wish(&self, memo: &str) -> Option<&str> {
        let memo = plain(memo);
        self.wishes.iter().find(|wish| memo.contains(*wish)).map(|wish| wish.trim())
    }
}

/// The words of a text in lower case with a blank around each: apostrophes join, every other
/// character that is no letter and no digit parts.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len() + 2);
    plain.push(' ');
    for character in text.chars().filter(|c| !matches!(c, '\'' | '\u{2019}')) {
        if character.is_alphanumeric() {
            plain.extend(character.to_lowercase());
        } else if !plain.ends_with(' ') {
            plain.push(' ');
        }
    }
    if !plain.ends_with(' ') {
        plain.push(' ');
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_stands_for_none_is_known_however_it_is_written() {
        let words = Words::new(&Thresholds {
            placeholders: vec!["(818) 200-9999".into(), "Office@".into()],
            ..Thresholds::default()
        });
        for value in [
            "(123) 456-7890",
            "+1 123 456 7890",
            "000-000-0000",
            "1 (999) 999-9999",
            "NoEmail@Anything.example",
            "n/a",
            " None ",
            "?",
            "818-200-9999",
            "office@shop.example",
        ] {
            assert!(words.is_placeholder(value), "{value}");
        }
        for value in ["8182001111", "nora@shop.example", "222", "noemails.com", "x7", ""] {
            assert!(!words.is_placeholder(value), "{value}");
        }
    }

    #[test]
    fn a_throw_away_address_is_known_by_its_domain_and_those_above() {
        let words = Words::new(&Thresholds {
            throw_away_domains: vec!["@Bin.example".into()],
            ..Thresholds::default()
        });
        assert!(words.is_throw_away("a@mailinator.com"));
        assert!(words.is_throw_away("a@eu.mailinator.com"));
        assert!(words.is_throw_away("a@bin.example"));
        assert!(!words.is_throw_away("a@notmailinator.com"));
        assert!(!words.is_throw_away("mailinator.com"));
    }

    #[test]
    fn a_memo_asks_in_words_not_in_parts_of_words() {
        let words = Words::new(&Thresholds {
            wishes: vec!["ne pas appeler".into()],
            ..Thresholds::default()
        });
        for memo in ["DO NOT CALL!", "pls don’t text", "wife: no-texts.", "DNC", "Ne pas appeler"]
        {
            assert!(words.wish(memo).is_some(), "{memo}");
        }
        for memo in ["do call", "Gate code 4411", "dncx", "he said: not calling back", ""] {
            assert_eq!(words.wish(memo), None, "{memo}");
        }
    }
}
