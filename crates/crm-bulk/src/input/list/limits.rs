//! Which columns say by their cells about what channels their rows are.

use super::{
    polarity::Polarity,
    vocabulary::{spelled, way},
};

/// Whether the cells below a header say about what channels their rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limits {
    Surely,
    /// If one of them names a channel.
    IfNamed,
    /// Nobody can say, if one of them names a channel.
    Perhaps,
    /// By what somebody came or likes to be reached is not what the wish is about.
    Never,
}

const CHANNELS: [&str; 2] = ["channel", "medium"];
const KINDS: [&str; 2] = ["type", "kind"];
/// What says nothing else, alone.
const NEUTRAL: [&str; 6] = ["type", "kind", "category", "list", "platform", "media"];
/// What the channel or the type is of that a wish is about.
const MESSAGES: [&str; 4] = ["message", "messaging", "communication", "notification"];
/// Words of headers of how a wish or somebody came in.
const HOW: [&str; 9] =
    ["source", "origin", "form", "by", "booking", "booked", "acquisition", "referral", "utm"];
/// Words of headers of what somebody likes or is, and of what was done with them.
const OF_SOMEBODY: [&str; 14] = [
    "prefer",
    "preferred",
    "preference",
    "favorite",
    "favourite",
    "best",
    "lead",
    "customer",
    "sale",
    "last",
    "next",
    "activity",
    "campaign",
    "device",
];

impl Limits {
    pub(super) fn of(header: &str) -> Self {
        let words = spelled(header);
        let is_one = |word: &String, of: &[&str]| of.contains(&word.as_str());
        let has = |of: &[&str]| words.iter().any(|word| is_one(word, of));
        if has(&HOW) || words.iter().any(|word| way(word).is_some()) {
            return Self::Never;
        }
        let names_wish = Polarity::of(header).names_wish;
        let is_last = |of: &[&str]| words.last().is_some_and(|last| is_one(last, of));
        match words.as_slice() {
            // By what somebody opted out is not of what.
            _ if has(&["method", "mode", "via"]) && names_wish => Self::Never,
            _ if names_wish && is_last(&CHANNELS) => Self::Surely,
            _ if has(&OF_SOMEBODY) => Self::Never,
            [sole] if is_one(sole, &CHANNELS) => Self::Surely,
            [sole] if is_one(sole, &NEUTRAL) => Self::IfNamed,
            [first, rest @ ..] if is_one(first, &CHANNELS) => {
                let is_named = rest.iter().all(|word| is_one(word, &["type", "kind", "name"]));
                if is_named { Self::Surely } else { Self::Perhaps }
            }
            [of @ .., _] if is_last(&CHANNELS) || is_last(&KINDS) => {
                if of.iter().all(|word| is_one(word, &MESSAGES) || word == "optout") {
                    Self::Surely
                } else if names_wish {
                    Self::IfNamed
                } else {
                    Self::Perhaps
                }
            }
            _ => Self::Perhaps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_whether_its_cells_limit_their_rows() {
        for (limits, headers) in [
            (
                Limits::Surely,
                "Channel|channels|Medium|Message Type|Communication Type|Messaging Channel|\
                 Opt-Out Type|optout_channel|Consent Channel|Channel Type|channel_name|\
                 Comm Type|msg_type|Last opt-out channel|Unsubscribed channel",
            ),
            (Limits::IfNamed, "Type|List|Kind|Platform|Media|Subscription Type|Consent Type"),
            (
                Limits::Perhaps,
                "Contact Method|contactMethod|Method|Contact Type|Event Type|Contact Via|Audience|\
                 Marketing Channel|Notes|Disposition||x",
            ),
            (
                Limits::Never,
                "Preferred Channel|Preferred Contact Method|Contact Preference|Lead Channel|\
                 Customer Type|Opt-out method|Consent mode|Source|Lead source channel|utm_medium|\
                 Phone Type|Email type|Last activity|Best way to reach",
            ),
        ] {
            for header in headers.split('|') {
                assert_eq!(Limits::of(header), limits, "{header}");
            }
        }
    }
}
