//! What `yes` means under a header: to receive marketing, or to receive none.

use super::{wish::Wish, words::all_words};

/// How words begin after which `yes` means out, and those after which it means in.
const OUT: [&str; 13] = [
    "optout",
    "optedout",
    "opt out ",
    "opted out ",
    "unsub",
    "dnd ",
    "dnc ",
    "donot",
    "do not ",
    "suppress",
    "not subscri",
    "no marketing ",
    "no longer subscri",
];
const IN: [&str; 7] =
    ["consent", "subscri", "optin ", "optedin ", "opt in ", "opted in ", "accept marketing "];
/// The beginnings of words that withdraw a consent, whatever other words are with them.
const TAKES_BACK: [&str; 8] =
    ["withdr", "revok", "declin", "refus", "reject", "remov", "cancel", "stop"];
/// Words that reverse the meaning of the rest.
const NOT: [&str; 7] = ["not", "no", "non", "never", "dont", "don", "without"];
/// How words begin that speak of a wish only above a column of yes and no, as those of
/// [`TAKES_BACK`] do.
const BLOCKS: [&str; 3] = ["block", "blacklist", "exclud"];
const OFFERS: [&str; 3] = ["marketing", "newsletter", "mailing"];
/// Likewise, beside what somebody may be reached by.
const LETS: [&str; 10] =
    ["allow", "permi", "receiv", "agree", "accept", "want", "wish", "ok ", "can ", "may "];
const REACHES: [&str; 12] = [
    "email",
    "mail",
    "sms",
    "text",
    "call",
    "phone",
    "contact",
    "message",
    "marketing",
    "promotion",
    "newsletter",
    "fax",
];

/// What a header says about the word `yes` under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Polarity {
    /// By words that speak of a consent, whatever the cells are.
    pub(super) sure: Option<Wish>,
    /// By words that may speak of something else, unless all cells are yes or no.
    pub(super) of_flags: Option<Wish>,
}

impl Polarity {
    pub(super) fn of(header: &str) -> Self {
        let words = all_words(header);
        let spaced = format!(" {} ", words.join(" "));
        let has = |parts: &[&str]| {
            let mut parts = parts.iter();
            parts.any(|part| spaced.contains(&format!(" {part}")))
        };
        // A number is not meant by the `No.` behind another word.
        let (first, others) = words.split_first().map_or(("", &[][..]), |(f, o)| (f, o));
        let negates = |word: &str| NOT.contains(&word);
        let is_negated = negates(first) || others.iter().any(|w| w != "no" && negates(w));
        let takes_back = has(&TAKES_BACK);
        let sure = match (has(&OUT), has(&IN)) {
            (true, _) => Some(Wish::Out),
            (false, true) if is_negated || takes_back => Some(Wish::Out),
            (false, true) => Some(Wish::In),
            (false, false) => None,
        };
        let of_flags = if takes_back || has(&BLOCKS) || (is_negated && has(&REACHES)) {
            Some(Wish::Out)
        } else if has(&OFFERS) || (has(&LETS) && has(&REACHES)) {
            Some(Wish::In)
        } else {
            None
        };
        Self { sure, of_flags }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_what_yes_means_below_it() {
        for (wish, headers) in [
            (
                Wish::Out,
                "Opted Out|HasOptedOutOfEmail|doNotEmail|DND|Unsubscribed|Not subscribed|No Email|\
                 No marketing emails|Never email|Don't email|Dont contact|Blocked|Blacklisted|Stop|\
                 Declined marketing|Revoked|Removed from list|Consent withdrawn|Withdrawn consent|\
                 Refuses marketing|Not opted in|Excluded|Stop SMS",
            ),
            (
                Wish::In,
                "Consent|Accepts Marketing|Opt-In|Subscribed?|Newsletter|Allow SMS|OK to text|\
                 Receives Email|Permission to email|Marketing Emails|Accepts SMS Marketing|Can Call|\
                 Wants marketing|Mailing list",
            ),
        ] {
            for header in headers.split('|') {
                let Polarity { sure, of_flags } = Polarity::of(header.trim());
                assert_eq!(sure.or(of_flags), Some(wish), "{header}");
            }
        }
        for header in ["Has Mobile", "Verified Email", "Private", "No.", "Mobile No.", "Can swim"] {
            let none = Polarity { sure: None, of_flags: None };
            assert_eq!(Polarity::of(header), none, "{header}");
        }
    }
}
