//! What `yes` means under a header: to receive marketing, or to receive none.

use super::{
    vocabulary::{spelled, way},
    wish::Wish,
};

/// How words begin after which `yes` means out, and those after which it means in.
const OUT: [&str; 5] = ["optout", "unsub", "dnd ", "dnc ", "suppress"];
const IN: [&str; 5] = ["consent", "subscri", "resubscri", "optin ", "accept marketing "];
/// Words that mean out together, and those that mean in.
const OUT_TOGETHER: [&str; 3] = ["not subscri", "no marketing ", "no longer subscri"];
const IN_TOGETHER: [&str; 4] = ["not optout", "never optout", "not unsub", "never unsub"];
/// The beginnings of words that withdraw a consent, whatever other words are with them.
const TAKES_BACK: [&str; 8] =
    ["withdr", "revok", "declin", "refus", "reject", "remov", "cancel", "stop"];
/// Words that reverse the meaning of the rest.
const NOT: [&str; 6] = ["not", "no", "non", "never", "donot", "without"];
/// How words begin that speak of a wish only above a column of yes and no, as those of
/// [`TAKES_BACK`] do.
const BLOCKS: [&str; 3] = ["block", "blacklist", "exclud"];
const OFFERS: [&str; 3] = ["marketing", "newsletter", "mailing"];
/// Likewise, beside what somebody may be reached by.
const LETS: [&str; 10] =
    ["allow", "permi", "receiv", "agree", "accept", "want", "wish", "ok ", "can ", "may "];
const REACHES: [&str; 7] =
    ["contact", "message", "market", "promotion", "communicat", "solicit", "advertis"];
/// Likewise, behind `do not`.
const ASKED: [&str; 5] = ["disturb", "send", "receiv", "want", "reach"];

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
        let words = spelled(header);
        let spaced = format!(" {} ", words.join(" "));
        let has = |parts: &[&str]| {
            let mut parts = parts.iter();
            parts.any(|part| spaced.contains(&format!(" {part}")))
        };
        let reaches = words.iter().any(|word| way(word).is_some()) || has(&REACHES);
        // A number is not meant by the `No.` behind another word.
        let (first, others) = words.split_first().map_or(("", &[][..]), |(f, o)| (f, o));
        let negates = |word: &str| NOT.contains(&word);
        let is_negated = negates(first) || others.iter().any(|w| w != "no" && negates(w));
        let takes_back = has(&TAKES_BACK);
        let sure = match (has(&OUT), has(&IN)) {
            _ if has(&OUT_TOGETHER) => Some(Wish::Out),
            _ if has(&IN_TOGETHER) => Some(Wish::In),
            (true, _) => Some(Wish::Out),
            (false, true) if is_negated || takes_back => Some(Wish::Out),
            (false, true) => Some(Wish::In),
            (false, false) if has(&["donot "]) && (reaches || has(&ASKED)) => Some(Wish::Out),
            (false, false) => None,
        };
        let of_flags = if takes_back || has(&BLOCKS) || (is_negated && reaches) {
            Some(Wish::Out)
        } else if has(&OFFERS) || (has(&LETS) && reaches) {
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
                 Refuses marketing|Not opted in|Excluded|Stop SMS|SMSOptOut|smsoptout|donotsend|\
                 Does not want marketing|Do not mail",
            ),
            (
                Wish::In,
                "Consent|Accepts Marketing|Opt-In|Subscribed?|Newsletter|Allow SMS|OK to text|\
                 Receives Email|Permission to email|Marketing Emails|Accepts SMS Marketing|Can Call|\
                 Wants marketing|Mailing list|Not opted out|Never unsubscribed|emailoptin",
            ),
        ] {
            for header in headers.split('|') {
                let Polarity { sure, of_flags } = Polarity::of(header.trim());
                assert_eq!(sure.or(of_flags), Some(wish), "{header}");
            }
        }
        for header in [
            "Has Mobile",
            "Verified Email",
            "Private",
            "No.",
            "Mobile No.",
            "Can swim",
            "Do Not Fold",
        ] {
            let none = Polarity { sure: None, of_flags: None };
            assert_eq!(Polarity::of(header), none, "{header}");
        }
    }
}
