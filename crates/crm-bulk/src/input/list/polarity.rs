//! What `yes` means under a header: to receive marketing, or to receive none.

use super::{
    vocabulary::{spelled, way},
    wish::Wish,
};

/// How words begin after which `yes` means out, and those after which it means in.
const OUT: [&str; 5] = ["optout", "unsub", "dnd", "dnc", "suppress"];
const IN: [&str; 3] = ["consent", "subscri", "optin"];
/// Those of them that may be denied: who is not on a list of those who opted out has not opted in.
const OUT_OF_A_PERSON: [&str; 2] = ["optout", "unsub"];
/// How words begin that withdraw a consent, whatever other words are with them.
const TAKES_BACK: [&str; 10] =
    ["withdr", "revo", "declin", "refus", "reject", "remov", "cancel", "stop", "deni", "deny"];
/// Those of them that speak by themselves as well of appointments, estimates and rows.
const OF_ANYTHING: [&str; 7] = ["declin", "refus", "reject", "remov", "cancel", "deni", "deny"];
const FILLS: [&str; 4] = ["is", "was", "has", "been"];
/// Words that reverse the meaning of the rest.
const NOT: [&str; 7] = ["not", "no", "non", "never", "donot", "cannot", "without"];
/// How words begin that speak of a wish only above a column of yes and no, as those of
/// [`TAKES_BACK`] do.
const BLOCKS: [&str; 3] = ["block", "blacklist", "exclu"];
const OFFERS: [&str; 3] = ["marketing", "newsletter", "mailing"];
/// Likewise, beside what somebody may be reached by.
const LETS: [&str; 8] = ["allow", "permi", "receiv", "agree", "accept", "want", "wish", "ok"];
/// Words that speak of a wish above a column of yes and no where nothing else is said: nobody knows
/// what was allowed.
const LEAVES: [&str; 10] = [
    "allow",
    "allowed",
    "permit",
    "permitted",
    "agree",
    "agreed",
    "accept",
    "accepted",
    "ok",
    "okay",
];
const MAY: [&str; 2] = ["can", "may"];
const REACHES: [&str; 7] =
    ["contact", "message", "market", "promotion", "communicat", "solicit", "advertis"];
/// Likewise, behind `do not`.
const ASKED: [&str; 5] = ["disturb", "send", "receiv", "want", "reach"];
/// Words beside which nobody can say what `yes` means.
const UNCLEAR: [&str; 19] = [
    "reverse",
    "reversed",
    "reversal",
    "exempt",
    "exempted",
    "exemption",
    "off",
    "pending",
    "sent",
    "expired",
    "lifted",
    "cleared",
    "deleted",
    "resubscribe",
    "resubscribed",
    "resubscription",
    "unblocked",
    "scrub",
    "scrubbed",
];
/// Likewise, beside the word of a wish: what somebody may do or did once is not what he wishes.
const UNCLEAR_OF_WISHES: [&str; 12] = [
    "can",
    "may",
    "should",
    "allow",
    "allowed",
    "permit",
    "was",
    "were",
    "number",
    "count",
    "double",
    "confirmed",
];

/// What a header says about the word `yes` under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Polarity {
    /// By words that speak of a consent, whatever the cells are.
    pub(super) sure: Option<Wish>,
    /// By words that may speak of something else, unless all cells are yes or no.
    pub(super) of_flags: Option<Wish>,
    /// Whether it speaks of a wish in a way that can be read as its opposite, as `Opt-out removed`.
    pub(super) is_unclear: bool,
    /// Whether it has the word of a consent, whether or not that is clear.
    pub(super) names_wish: bool,
    /// Whether it has a word of being left alone.
    pub(super) names_out: bool,
}

impl Polarity {
    pub(super) fn of(header: &str) -> Self {
        let words = spelled(header);
        let first = |starts: &[&str]| words.iter().position(|word| begins(word, starts));
        let has = |starts: &[&str]| first(starts).is_some();
        let is_one_of = |of: &[&str]| words.iter().any(|word| of.contains(&word.as_str()));
        let (out, consent) = (first(&OUT), first(&IN));
        // A number is not meant by the `No.` behind another word.
        let negates = |(at, word): (usize, &String)| {
            (NOT.contains(&word.as_str()) && (word != "no" || at == 0)).then_some(at)
        };
        let negations: Vec<_> = words.iter().enumerate().filter_map(negates).collect();
        let reaches = words.iter().any(|word| way(word).is_some()) || has(&REACHES);
        let is_asked = words.windows(2).any(|pair| {
            let [word, next] = pair else { return false };
            word == "donot"
                && (way(next).is_some() || begins(next, &REACHES) || begins(next, &ASKED))
        });
        let takes_back = has(&TAKES_BACK);
        let blocks = takes_back || has(&BLOCKS);
        let names_wish = out.is_some() || consent.is_some() || is_asked;
        // What stands for yes and no, as in `Opted out (0 = yes)`.
        let is_alone =
            takes_back && words.iter().all(|w| begins(w, &OF_ANYTHING) || FILLS.contains(&&**w));
        let is_odd = header.contains('=')
            || is_alone
            || is_one_of(&UNCLEAR)
            || (names_wish && is_one_of(&UNCLEAR_OF_WISHES));
        let sure = match (out, consent, negations.as_slice()) {
            _ if is_odd => None,
            (Some(_), None, []) if !blocks => Some(Wish::Out),
            // As in `Do Not Call (DNC)`.
            (Some(out), None, [_]) if !blocks && is_asked && words[out] == "dnc" => Some(Wish::Out),
            (Some(out), None, [not]) if !blocks && not < &out => {
                let is_denied = ["not", "never"].contains(&words[*not].as_str())
                    && begins(&words[out], &OUT_OF_A_PERSON);
                is_denied.then_some(Wish::In)
            }
            (None, Some(_), []) if blocks => Some(Wish::Out),
            (None, Some(_), []) => Some(Wish::In),
            (None, Some(consent), [not]) if !blocks && not < &consent => Some(Wish::Out),
            (None, None, [_]) if !blocks && (is_asked || says_no_marketing(&words)) => {
                Some(Wish::Out)
            }
            (None, None, []) if !blocks && says_accepts_marketing(&words) => Some(Wish::In),
            _ => None,
        };
        let is_leave = is_one_of(&LEAVES)
            && words.iter().all(|word| LEAVES.contains(&&**word) || FILLS.contains(&&**word));
        let lets = has(&LETS) || is_one_of(&MAY);
        let of_flags = match negations.as_slice() {
            _ if is_odd || names_wish => None,
            [] if blocks => Some(Wish::Out),
            [_] if reaches && !blocks => Some(Wish::Out),
            [] if has(&OFFERS) || (lets && reaches) => Some(Wish::In),
            [] if is_leave || is_one_of(&["permission"]) => Some(Wish::In),
            _ => None,
        };
        let speaks = names_wish || blocks || (reaches && !negations.is_empty());
        // Of both wishes, it is the cells that say which.
        let is_of_both = out.is_some() && consent.is_some() && negations.is_empty() && !blocks;
        let is_known = sure.or(of_flags).is_some() || (is_of_both && !is_odd);
        let names_out = out.is_some() || is_asked || blocks;
        Self {
            sure,
            of_flags,
            is_unclear: is_leave || (speaks && !is_known),
            names_wish,
            names_out,
        }
    }
}

fn begins(word: &str, starts: &[&str]) -> bool {
    starts.iter().any(|start| word.starts_with(start))
}

fn says_no_marketing(words: &[String]) -> bool {
    words.windows(2).any(|pair| pair == ["no", "marketing"])
}

fn says_accepts_marketing(words: &[String]) -> bool {
    words.windows(2).any(|pair| pair == ["accept", "marketing"])
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
                 Does not want marketing|Do not mail|Can't Text|Can’t Call|Cant email|Cannot text|\
                 Without Consent|Consent Denied|Doesnt Accept Marketing|Isn't subscribed|\
                 Do Not Call (DNC)|No consent|Hasn't opted in|Opt Out (Email)|No longer subscribed|\
                 Unsubscribed (Y/N)|D.N.C.|D.N.D.|Revocation|Withdrawal|Exclusion|Opt-out indicator",
            ),
            (
                Wish::In,
                "Consent|Accepts Marketing|Opt-In|Subscribed?|Newsletter|Allow SMS|OK to text|\
                 Receives Email|Permission to email|Marketing Emails|Accepts SMS Marketing|Can Call|\
                 Wants marketing|Mailing list|Not opted out|Never unsubscribed|emailoptin|Permission|\
                 Permission granted",
            ),
        ] {
            for header in headers.split('|') {
                let Polarity { sure, of_flags, is_unclear, .. } = Polarity::of(header.trim());
                assert_eq!(sure.or(of_flags), Some(wish), "{header}");
                assert!(!is_unclear, "{header}");
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
            let Polarity { sure, of_flags, is_unclear, names_wish, names_out } =
                Polarity::of(header);
            assert_eq!((sure, of_flags), (None, None), "{header}");
            assert!(!is_unclear && !names_wish && !names_out, "{header}");
        }
    }

    #[test]
    fn what_can_be_read_as_its_opposite_is_not_known() {
        let headers = "Not on DNC|Not DNC|Not in DNC|No DNC|Non-DNC|non_dnc|\
             Not on Do Not Call list|Removed from DNC|DNC Removed|DNC Removal|Do Not Call Removed|\
             Remove Do Not Call|Not Suppressed|Not Blocked|Not Blacklisted|Not Removed|Not Revoked|\
             Not Withdrawn|Consent Not Withdrawn|Opt-out removed|Opt-out Withdrawn|Opt-out Revoked|\
             Opt-out Cancelled|Unsubscribe Cancelled|Unsubscribe revoked|No opt out|No unsubscribe|\
             No Marketing Opt Out|Can Opt Out|May Opt Out|Opt-Out Allowed|Opt-out sent|\
             Opt-Out Message Sent|Number of Opt Outs|Opt-In Sent|Opt-In Email Sent|Double Opt-In|\
             Opt-in Confirmed|Was subscribed|Opted Out (0=yes)|Opt In? (N = opted in)|DNC (removed)|\
             Opt Out (reversed)|Opt Out Pending|Do not unsubscribe|Exempt from DNC|Off DNC|\
             DNC scrubbed|DNC Scrub|Cancelled|Is declined|Removed|Rejected";
        for header in headers.split('|') {
            let Polarity { sure, of_flags, is_unclear, .. } = Polarity::of(header);
            assert_eq!((sure, of_flags, is_unclear), (None, None, true), "{header}");
        }
        for header in ["Resubscribed", "Resubscribe"] {
            let Polarity { sure, of_flags, .. } = Polarity::of(header);
            assert_eq!((sure, of_flags), (None, None), "{header}");
        }
    }
}
