//! Words by which a header or a cell that is no status says that somebody came back, so that being left
//! alone may be over.

use std::sync::LazyLock;

use super::{
    parts::Parts,
    vocabulary::{Way, spelled, way},
};

/// Parts of words of which one is in every text that is looked at; hardly any cell of a list has one.
static PARTS: LazyLock<Parts> = LazyLock::new(|| {
    Parts::of(&[
        "back", "again", "resub", "re-sub", "reopt", "re-opt", "re opt", "keep", "reinstat",
        "error", "mistake", "opt", "dn", "unsub", "undo", "stop",
    ])
});
/// How many bytes of a text are looked at.
const LONGEST: usize = 2_000;
/// Words that end a wish to be left alone, beside its word: `opt-out removed`.
const ENDS: [&str; 20] = [
    "removed",
    "reversed",
    "reversal",
    "cancelled",
    "canceled",
    "revoked",
    "rescinded",
    "lifted",
    "cleared",
    "undo",
    "undone",
    "expired",
    "expiry",
    "expiration",
    "expire",
    "end",
    "ended",
    "voided",
    "withdrawn",
    "deleted",
];
/// How the words begin of a wish to be left alone.
const OUT: [&str; 6] = ["optout", "unsub", "dnc", "dnd", "suppress", "block"];
/// How the words begin of what is done to come back.
const COMES: [&str; 7] = ["opt", "subscrib", "sign", "add", "put", "join", "enrol"];
/// What somebody asks for again.
const ASKS: [&str; 8] = ["want", "wants", "wanted", "wish", "wishes", "like", "likes", "ok"];
const NOT: [&str; 6] = ["not", "no", "never", "donot", "stop", "cannot"];
/// What was done or said by mistake.
const DONE: [&str; 6] = ["stop", "marked", "entered", "added", "sent", "flagged"];
/// Words by which a row of a list is over, above a yes or a date; and those by which it is not.
const OVER: [&str; 6] = ["deleted", "removed", "expired", "expire", "expiration", "expiry"];
const IN_FORCE: [&str; 3] = ["active", "enabled", "valid"];
/// What may stand beside these words.
const FILLS: [&str; 9] = ["is", "row", "record", "entry", "date", "at", "on", "dnc", "time"];

/// Whether a text says that somebody came back, or that a wish to be left alone is over.
pub(super) fn says_return(text: &str) -> bool {
    let letters = text.to_ascii_lowercase();
    if text.len() > LONGEST || !PARTS.are_in(&letters) {
        return false;
    }
    letters.split([',', ';', '|', '.', '!', '?', '\n']).any(|part| {
        let words = spelled(part);
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        is_return(&words)
    })
}

fn is_return(words: &[&str]) -> bool {
    let begins = |word: &str, of: &[&str]| of.iter().any(|start| word.starts_with(start));
    let has = |of: &[&str]| words.iter().any(|word| of.contains(word));
    let has_like = |of: &[&str]| words.iter().any(|word| begins(word, of));
    let follow = |pair: [&str; 2]| words.windows(2).any(|two| two == pair);
    let is_denied = has(&NOT);
    let is_put_back = words.windows(2).enumerate().any(|(at, two)| {
        let next = words.get(at + 2);
        begins(two[0], &["add", "put"])
            && two[1] == "back"
            && next.is_none_or(|next| ["in", "on", "to"].contains(next))
    });
    let comes_back = is_put_back || (follow(["back", "in"]) && has_like(&COMES));
    let comes_again = has_like(&["resubscri", "reoptin", "reinstat"])
        || follow(["re", "optin"])
        || follow(["re", "subscribe"])
        || (has(&["again"]) && (has_like(&["optin", "subscrib"]) || has(&ASKS)));
    let stays = follow(["keep", "subscribed"])
        || words.windows(2).any(|two| two[0] == "donot" && begins(two[1], &["optout", "unsub"]))
        || words.windows(3).any(|three| three[..2] == ["no", "longer"] && begins(three[2], &OUT))
        || asks_not_to_stop(words);
    let by_mistake =
        follow(["in", "error"]) || has(&["mistake", "mistakenly", "accident", "accidentally"]);
    let is_undone = has_like(&OUT) && has(&ENDS);
    (!is_denied && (comes_back || comes_again))
        || stays
        || (by_mistake && (has_like(&OUT) || has(&DONE)))
        || (is_undone && words.len() <= 6 && !is_denied)
}

/// Whether somebody asks not to stop, and speaks of nothing else: the water may not stop either.
fn asks_not_to_stop(words: &[&str]) -> bool {
    let is_besides = |word: &&&str| {
        way(word).is_some_and(|way| way != Way::Elsewhere)
            || ["please", "me", "message", "sending", "contacting", "messaging"].contains(*word)
    };
    let told: Vec<_> = words.iter().filter(|word| !is_besides(word)).collect();
    told == [&"donot", &"stop"]
}

/// What a header says of a row of a list of people who opted out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Returns {
    /// Whether a yes or a date below it says that somebody came back.
    comes_back: bool,
    /// Whether a yes or a date in the past says that the row is over.
    is_over: bool,
    /// Whether a no does.
    is_in_force: bool,
}

impl Returns {
    /// Of a header that says nothing.
    pub(super) const NONE: Self = Self { comes_back: false, is_over: false, is_in_force: false };

    pub(super) fn below(header: &str) -> Self {
        let words = spelled(header);
        let is_plain = |of: &[&str]| {
            words.iter().any(|word| of.contains(&word.as_str()))
                && words
                    .iter()
                    .all(|word| [of, &FILLS].iter().any(|all| all.contains(&word.as_str())))
        };
        let is_restored =
            words.first().is_some_and(|word| ["restored", "unblocked"].contains(&word.as_str()));
        Self {
            comes_back: says_return(header) || is_restored,
            is_over: is_plain(&OVER),
            is_in_force: is_plain(&IN_FORCE),
        }
    }

    /// Whether a cell below it says that somebody came back.
    pub(super) fn say(self, cell: &str) -> bool {
        self.comes_back && !is_no(cell)
    }

    /// Whether a cell below it says that its row is over; `is_past` tells a date that is not to come.
    pub(super) fn end(self, cell: &str, is_past: impl Fn(&str) -> bool) -> bool {
        let is = |words: &[&str]| words.iter().any(|word| cell.trim().eq_ignore_ascii_case(word));
        (self.is_over && (is(&["yes", "y", "true", "1", "x"]) || is_past(cell)))
            || (self.is_in_force && is(&["no", "n", "false", "0", "inactive"]))
    }
}

/// Whether a cell says no or nothing.
fn is_no(cell: &str) -> bool {
    const NO: [&str; 12] =
        ["", "no", "n", "false", "f", "0", "off", "none", "never", "n/a", "na", "null"];
    let text = cell.trim().trim_matches('-').to_lowercase();
    NO.contains(&text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_that_somebody_came_back_or_nothing_of_it() {
        for text in "opted back in 11/20|re-opted in|Opted back in|resubscribed by phone|please add back|\
             changed his mind, opt him back in|wants texts again|opt in again|Do not opt out|\
             Mistake - keep subscribed|STOP - sent by mistake|entered in error|opted out by mistake|\
             DNC removed|opt-out reversed|unsubscribe cancelled|undo opt out|Reinstated|\
             no longer opted out|Don't stop|please don\u{2019}t stop texting me!|\
             DO NOT STOP"
            .split('|')
        {
            assert!(says_return(text), "{text}");
        }
        for text in "called back|will be back in May|back door|opt-out|Opted out|STOP|do not call again|\
             never contact again|do not add back|no longer wants texts|likes us|asked again to stop|\
             Text STOP to end|unsubscribed|DNC|keep gate closed|restored heat|left again|\
             please remove from list|option|added back porch light|water won't stop running|\
             don't stop by before 9|do not stop at the gate|no longer interested"
            .split('|')
        {
            assert!(!says_return(text), "{text}");
        }
    }

    #[test]
    fn a_header_says_what_its_cells_end() {
        for header in "Opted Back In|Re-opt-in date|Resubscribed Date|Opt In Again|Reinstated|\
             Restored On|Opt-Out Cancelled|Opt-Out Revoked|Removed from DNC|DNC End Date|DNC Removed|\
             Unblocked"
            .split('|')
        {
            let returns = Returns::below(header);
            assert!(returns.say("Yes") && returns.say("2026-05-01"), "{header}");
            assert!(!returns.say("No") && !returns.say("") && !returns.say(" - "), "{header}");
        }
        for header in "Opted Out|Opt-In Date|Status|Date|Notes|Subscribed|Unsubscribed At|Consent|\
             Opt-Out Date|Do Not Call|Removed|Cancel Date|Callback|Feedback"
            .split('|')
        {
            assert!(!Returns::below(header).say("Yes"), "{header}");
        }
        let past = |text: &str| text == "2026-01-05";
        for (header, cell, ends) in [
            ("Deleted", "Yes", true),
            ("Deleted At", "2026-01-05", true),
            ("Expires", "2026-01-05", true),
            ("Expiration Date", "2030-01-05", false),
            ("Active", "No", true),
            ("Is Active", "0", true),
            ("Active", "Yes", false),
            ("Deleted", "No", false),
            ("Customer Active", "No", false),
        ] {
            assert_eq!(Returns::below(header).end(cell, past), ends, "{header}: {cell}");
        }
    }
}
