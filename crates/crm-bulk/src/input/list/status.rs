//! What a row says that its person wishes.

use super::roles::words;

/// What a row says of a number or an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// To receive no marketing.
    Out,
    /// To receive marketing.
    In,
    /// Nothing: the status is blank, pending, or that of an address that does not work.
    Neither,
    /// The list has no column for it: the command alone says what is meant.
    Unsaid,
}

/// Which values of a row a status speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    Numbers,
    Addresses,
    All,
}

/// A column that says what people wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) channel: Channel,
    /// What `yes` means by the header; `None` where it says nothing.
    yes: Option<Wish>,
}

/// Texts without case, blanks and punctuation.
const OUT: [&str; 19] = [
    "optout",
    "optedout",
    "out",
    "unsubscribed",
    "unsubscribe",
    "stop",
    "stopall",
    "end",
    "cancel",
    "quit",
    "arret",
    "revoke",
    "revoked",
    "dnc",
    "dnd",
    "donotcontact",
    "suppressed",
    "complaint",
    "complained",
];
const IN: [&str; 8] = [
    "optin",
    "optedin",
    "in",
    "subscribed",
    "subscribe",
    "start",
    "unstop",
    "resubscribed",
];
const NEITHER: [&str; 8] = [
    "",
    "neversubscribed",
    "nonsubscribed",
    "notsubscribed",
    "pending",
    "bounced",
    "cleaned",
    "unconfirmed",
];
const YES: [&str; 5] = ["yes", "true", "1", "y", "on"];
const NO: [&str; 5] = ["no", "false", "0", "n", "off"];

/// How words of headers begin after which `yes` means out, and those after which it means in. The
/// first go first: `opted out of consent`.
const YES_IS_OUT: [&str; 12] = [
    "optout",
    "optedout",
    "opt out ",
    "opted out ",
    "unsub",
    "dnd ",
    "donot",
    "do not ",
    "dnc ",
    "suppress",
    "not subscri",
    "no marketing ",
];
const YES_IS_IN: [&str; 7] = [
    "consent",
    "subscri",
    "optin ",
    "optedin ",
    "opt in ",
    "opted in ",
    "accept marketing ",
];
/// Words of headers that speak of a wish but hold something else: when, by whom, why.
const ABOUT: [&str; 17] = [
    "date",
    "time",
    "timestamp",
    "at",
    "on",
    "by",
    "type",
    "source",
    "reason",
    "campaign",
    "title",
    "method",
    "ip",
    "url",
    "link",
    "count",
    "other",
];

fn squeezed(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// Whether a text is a flag rather than a value: columns of nothing else are not read for numbers
/// or addresses.
pub(super) fn is_flag(text: &str) -> bool {
    let text = squeezed(text);
    let lists: [&[&str]; 5] = [&OUT, &IN, &NEITHER, &YES, &NO];
    lists.iter().any(|words| words.contains(&text.as_str()))
}

impl Status {
    /// Whether a header is that of a status, and of which.
    pub(super) fn of(header: &str) -> Option<Self> {
        let words = words(header);
        let is_about = |word: &String| ABOUT.contains(&word.as_str());
        if words.last().is_some_and(is_about)
            || words.iter().any(|word| word == "date" || word == "reason")
        {
            return None;
        }
        let spaced = format!(" {} ", words.join(" "));
        let has = |parts: &[&str]| {
            parts
                .iter()
                .any(|part| spaced.contains(&format!(" {part}")))
        };
        let yes = if has(&YES_IS_OUT) {
            Some(Wish::Out)
        } else if has(&YES_IS_IN) {
            Some(Wish::In)
        } else {
            None
        };
        let is_status = yes.is_some() || matches!(spaced.trim(), "status" | "keyword");
        is_status.then(|| Self::named(&words, yes))
    }

    /// The status of a column that the user says is one.
    pub(super) fn said(header: &str) -> Self {
        Self::of(header).unwrap_or_else(|| Self::named(&words(header), None))
    }

    fn named(words: &[String], yes: Option<Wish>) -> Self {
        let has = |parts: &[&str]| words.iter().any(|word| parts.contains(&word.as_str()));
        let mail = has(&["email", "mail", "emails"]);
        let numbers = has(&[
            "sms", "phone", "text", "mobile", "call", "cell", "voice", "fax", "tel",
        ]);
        let channel = match (mail, numbers) {
            (true, false) => Channel::Addresses,
            (false, true) => Channel::Numbers,
            _ => Channel::All,
        };
        Self { channel, yes }
    }

    /// What a cell says; `None` if it is not known.
    pub(super) fn read(self, cell: &str) -> Option<Wish> {
        let text = squeezed(cell);
        let is = |words: &[&str]| words.contains(&text.as_str());
        let opposite = |wish| match wish {
            Wish::Out => Wish::In,
            _ => Wish::Out,
        };
        if is(&NEITHER) {
            Some(Wish::Neither)
        } else if is(&OUT) {
            Some(Wish::Out)
        } else if is(&IN) {
            Some(Wish::In)
        } else if is(&YES) {
            // As a keyword that somebody sent, YES is a consent.
            self.yes.or((text == "yes").then_some(Wish::In))
        } else if is(&NO) {
            self.yes.map(opposite)
        } else {
            None
        }
    }

    pub(super) fn speaks_of(self, is_number: bool) -> bool {
        match self.channel {
            Channel::All => true,
            Channel::Numbers => is_number,
            Channel::Addresses => !is_number,
        }
    }
}

/// What several columns say together; `None` if they contradict each other.
pub(super) fn together(wishes: impl IntoIterator<Item = Wish>) -> Option<Wish> {
    let mut all = Wish::Neither;
    for wish in wishes {
        match (all, wish) {
            (Wish::Out, Wish::In) | (Wish::In, Wish::Out) => return None,
            (_, Wish::Out | Wish::In) => all = wish,
            _ => {}
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str, cell: &str) -> Option<Wish> {
        Status::of(header)?.read(cell)
    }

    #[test]
    fn the_header_says_what_yes_means() {
        use Wish::*;
        for (header, cell, wish) in [
            ("status", "opt-out", Out),
            ("Status", "Opted Out", Out),
            ("STATUS", "UNSUBSCRIBED", Out),
            ("status", "opt-in", In),
            ("status", "SUBSCRIBED", In),
            ("status", "NEVER SUBSCRIBED", Neither),
            ("status", "cleaned", Neither),
            ("status", "", Neither),
            ("keyword", "STOP", Out),
            ("keyword", "YES", In),
            ("DND", "No", In),
            ("DND", "yes", Out),
            ("Opted Out", "no", In),
            ("Unsubscribed", "FALSE", In),
            ("Unsubscribed", "1", Out),
            ("Do Not Call", "TRUE", Out),
            ("HasOptedOutOfEmail", "true", Out),
            ("doNotEmail", "false", In),
            ("Consent", "yes", In),
            ("Accepts Marketing", "no", Out),
            ("Opt-In", "Y", In),
            ("channels.email.subscribeStatus", "unsubscribed", Out),
            ("Email Marketing Consent", "SUBSCRIBED", In),
        ] {
            assert_eq!(read(header, cell), Some(wish), "{header}: {cell}");
        }
        for (header, cell) in [
            ("status", "active"),
            ("status", "1"),
            ("status", "no"),
            ("DND", "maybe"),
        ] {
            assert!(Status::of(header).is_some());
            assert_eq!(read(header, cell), None, "{header}: {cell}");
        }
        for header in [
            "OptOut_Date",
            "Opt-Out Type",
            "Opt-Out By",
            "date_of_consent",
            "UNSUB_TIME",
            "UNSUB_REASON",
            "Phone",
            "Contact Status",
        ] {
            assert_eq!(Status::of(header), None, "{header}");
        }
    }

    #[test]
    fn a_status_of_one_channel_speaks_of_its_values_alone() {
        for (header, numbers, addresses) in [
            ("SMS consent", true, false),
            ("Email consent", false, true),
            ("HasOptedOutOfEmail", false, true),
            ("Do Not Call", true, false),
            ("status", true, true),
        ] {
            let status = Status::of(header).unwrap();
            assert_eq!(
                (status.speaks_of(true), status.speaks_of(false)),
                (numbers, addresses),
                "{header}"
            );
        }
    }
}
