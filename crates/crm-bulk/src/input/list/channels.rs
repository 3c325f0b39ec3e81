//! By what somebody is reached at a number or an address.

use std::sync::LazyLock;

use super::{
    limits::Limits,
    parts::Parts,
    vocabulary::{Way, names_way, spelled, way},
    words::words,
};

/// Some of the channels by which people are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Channels(u8);

/// Words that say nothing of a channel, as in `Marketing e-mails` and `SMS opt-out`.
const PLAIN: [&str; 13] = [
    "and",
    "or",
    "only",
    "optout",
    "message",
    "messaging",
    "marketing",
    "promotion",
    "promotional",
    "number",
    "channel",
    "list",
    "subscriber",
];
/// Words for all channels.
const ALL: [&str; 5] = ["all", "any", "both", "every", "everything"];
/// Words that say where somebody is reached, beside those that say by what.
const LABELS: [&str; 6] = ["work", "home", "main", "personal", "business", "primary"];
/// Words that name what a telephone is, and no channel.
const TELEPHONES: [&str; 8] =
    ["mobile", "mobilephone", "cell", "cellphone", "landline", "tel", "telephone", "other"];

impl Channels {
    const NONE: Self = Self(0);
    pub(super) const TEXTS: Self = Self(1);
    pub(super) const CALLS: Self = Self(2);
    pub(super) const NUMBERS: Self = Self(3);
    pub(super) const FAXES: Self = Self(4);
    pub(super) const ADDRESSES: Self = Self(8);
    pub(super) const BUT_FAXES: Self = Self(11);
    pub(super) const ALL: Self = Self(15);
    /// Such as letters: none of the values of a list is reached by it.
    pub(super) const ELSEWHERE: Self = Self(16);

    const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of these that are also among the others.
    pub(super) const fn and(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// Whether there are none.
    pub(super) fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// Whether what is said of these is said of one of those.
    pub(super) fn meet(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// What these are, for people.
    pub(super) fn in_words(self) -> String {
        let names = [
            (Self::TEXTS, "texts"),
            (Self::CALLS, "calls"),
            (Self::FAXES, "faxes"),
            (Self::ADDRESSES, "e-mail"),
        ];
        let named: Vec<_> =
            names.into_iter().filter(|(one, _)| self.meet(*one)).map(|(_, name)| name).collect();
        named.join(" and ")
    }

    /// What a value is that these reach, for people.
    pub(super) fn of_one(self) -> &'static str {
        match self {
            Self::ADDRESSES => "an address",
            Self::FAXES => "the number of a fax",
            _ => "a number",
        }
    }

    /// Each of them.
    pub(super) fn each(self) -> impl Iterator<Item = Self> {
        (0..5).map(|bit| Self(1 << bit)).filter(move |one| self.meet(*one))
    }

    /// The channels that words name; none where they name none.
    fn named_by(words: &[String]) -> Self {
        let ways = words.iter().filter_map(|word| way(word));
        ways.fold(Self::NONE, |all, way| {
            all.with(match way {
                Way::Texts => Self::TEXTS,
                Way::Calls => Self::CALLS,
                Way::Numbers => Self::NUMBERS,
                Way::Faxes => Self::FAXES,
                Way::Addresses => Self::ADDRESSES,
                Way::Elsewhere => Self::ELSEWHERE,
            })
        })
    }

    /// The channels of which a header with these words speaks.
    pub(super) fn of_words(words: &[String]) -> Self {
        match Self::named_by(words) {
            Self::NONE => Self::ALL,
            named => named,
        }
    }

    /// By what a number or an address of this column reaches somebody.
    pub(super) fn of_value(header: &str, is_number: bool) -> Self {
        if !is_number {
            Self::ADDRESSES
        } else if words(header).iter().any(|word| word.ends_with("fax")) {
            Self::FAXES
        } else {
            Self::NUMBERS
        }
    }

    /// The channels that a cell names, as `SMS and Email`; `None` where it is not known what it
    /// names.
    pub(super) fn in_cell(cell: &str) -> Option<Self> {
        let words = spelled(cell);
        if words.is_empty() {
            return is_blank(cell).then_some(Self::ALL);
        }
        let is = |word: &str, of: &[&str]| of.contains(&word);
        let says_all = words.iter().any(|word| is(word, &ALL));
        let is_labelled = words.iter().any(|word| is(word, &LABELS));
        let is_known = |word: &String| {
            // Mail alone may be either, and DNC is a wish.
            let is_way = way(word).is_some() && !["mail", "dnc"].contains(&word.as_str());
            is_way || is(word, &PLAIN) || is(word, &ALL) || is(word, &LABELS)
        };
        match Self::named_by(&words) {
            _ if !words.iter().all(is_known) => None,
            _ if says_all => Some(Self::ALL),
            Self::NONE => (!is_labelled).then_some(Self::ALL),
            named => Some(named),
        }
    }
}

/// Whether nothing is in a cell but what fills it, such as ` - `.
fn is_blank(cell: &str) -> bool {
    cell.chars().all(|c| c.is_whitespace() || c == '-')
}

/// Parts of words of which one is in every cell that names a number or an address; hardly any other
/// cell of a list has one.
static PARTS: LazyLock<Parts> = LazyLock::new(|| {
    Parts::of(&[
        "sms",
        "mms",
        "rcs",
        "text",
        "txt",
        "call",
        "voice",
        "dial",
        "phone",
        "tel",
        "mobile",
        "fax",
        "mail",
        "newsletter",
    ])
});
/// How many bytes a cell has at most that names channels and no more.
const LONGEST: usize = 40;

/// The channels that a cell names and nothing else, below a header that says nothing of channels.
pub(super) fn named_alone(cell: &str) -> Option<Channels> {
    let letters = cell.to_ascii_lowercase();
    if cell.len() > LONGEST || !PARTS.are_in(&letters) {
        return None;
    }
    let words = spelled(cell);
    // That somebody opted out of one is a wish.
    let names = words.iter().any(|word| names_way(word)) && !words.iter().any(|w| w == "optout");
    let named = Channels::in_cell(cell).filter(|_| names && !are_kinds(&words))?;
    (named.meet(Channels::ALL) && named != Channels::ALL).then_some(named)
}

/// Whether words say what kind of a number or an address there is: `Home`, `MobilePhone`.
fn are_kinds(words: &[String]) -> bool {
    let is = |word: &String| [&LABELS[..], &TELEPHONES].concat().contains(&word.as_str());
    !words.is_empty() && words.iter().all(is)
}

/// What the cells have shown so far of a column that may name channels.
#[derive(Debug)]
pub(super) struct Named {
    limits: Limits,
    names_one: bool,
    /// Whether each may say what kind of a number or an address the row has, and one says nothing
    /// else.
    are_kinds: bool,
    has_kind: bool,
}

impl Named {
    /// Of a column whose header says so much.
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, names_one: false, are_kinds: true, has_kind: false }
    }

    /// Looks at one more cell that is not blank.
    pub(super) fn add(&mut self, cell: &str) {
        if self.names_one && !self.are_kinds {
            return;
        }
        let is_header_known = self.limits == Limits::IfNamed;
        self.names_one |= !is_header_known && named_alone(cell).is_some();
        if !is_header_known && !self.are_kinds {
            return;
        }
        let words = spelled(cell);
        let is = |of: &[&str]| !words.is_empty() && words.iter().all(|word| of.contains(&&**word));
        let is_kind = are_kinds(&words);
        self.has_kind |= is_kind;
        self.are_kinds &= is_kind || is(&["phone"]) || is(&["email"]) || is(&["fax"]);
        let names = words.iter().any(|word| names_way(word)) && !is_kind;
        self.names_one |= is_header_known && (names || is(&ALL));
    }

    /// Whether the column says what is meant.
    pub(super) fn are_channels(&self) -> bool {
        self.limits == Limits::IfNamed && self.name()
    }

    /// Whether nobody can say if the cells with names of channels say what is meant.
    pub(super) fn may_be(&self) -> bool {
        self.limits == Limits::Perhaps && self.name()
    }

    fn name(&self) -> bool {
        self.names_one && !(self.are_kinds && self.has_kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_names_the_channels_of_which_it_speaks() {
        for (channels, headers) in [
            (Channels::TEXTS, "SMS consent|smsOptOut|Text Opt-Out|sms_opt_in|SMSOptOut|DoNotText"),
            (Channels::CALLS, "Do Not Call|doNotCall|Voice opt out|DNC"),
            (Channels::NUMBERS, "Phone opt out|text & call consent|Mobile opt in"),
            (
                Channels::ADDRESSES,
                "Email consent|HasOptedOutOfEmail|E-mail Opt Out|eMail opt in|email_opt_out|\
                 Mailing list status|Newsletter|emailoptout|Unsubscribed from all e-mails",
            ),
            (Channels::FAXES, "HasOptedOutOfFax|Fax Opt Out"),
            (
                Channels::ELSEWHERE,
                "Do Not Mail|DoNotMail|Postal Opt Out|Push opt-in|WhatsApp consent|Direct Mail|\
                 DoNotService|Mail opt out|In-App opt in|Telegram opt in|Letters opt-out",
            ),
            (Channels::ALL, "status|Opted Out|Do Not Contact|DND|Accepts Marketing"),
        ] {
            for header in headers.split('|') {
                assert_eq!(Channels::of_words(&spelled(header)), channels, "{header}");
            }
        }
        assert_eq!(Channels::of_value("Business Fax", true), Channels::FAXES);
        assert_eq!(Channels::of_value("Mobile", true), Channels::NUMBERS);
        assert!(!Channels::ELSEWHERE.meet(Channels::ALL));
    }

    #[test]
    fn a_cell_names_the_channels_that_are_meant_or_none_that_is_known() {
        const EITHER: Channels = Channels::NUMBERS.with(Channels::ADDRESSES);
        const TEXTS_OR_MAILS: Channels = Channels::TEXTS.with(Channels::ADDRESSES);
        for (channels, cells) in [
            (Channels::TEXTS, "SMS|Text messages|text|SMS/MMS"),
            (Channels::CALLS, "call|Voice|voice calls"),
            (Channels::NUMBERS, "Phone|Mobile|Phone calls|MobilePhone|Work phone"),
            (Channels::ADDRESSES, "Email|E-mail opt-out|Marketing Emails|eMail|Work email"),
            (TEXTS_OR_MAILS, "SMS/Email|Email (and text)|email,sms"),
            (EITHER, "Email & Phone"),
            (Channels::FAXES, "Fax|faxes"),
            (Channels::ELSEWHERE, "Direct mail|Post|postal mail|Push|WhatsApp|letter"),
            (Channels::ALL, "Both|All|all channels|Marketing|| - |Any"),
        ] {
            for cell in cells.split('|') {
                assert_eq!(Channels::in_cell(cell), Some(channels), "{cell}");
            }
        }
        let unknown = "Mail|SMS and mail|Promotions by owl|opt in|5|?|No SMS|all but SMS|not email|none|Home|DNC";
        for cell in unknown.split('|') {
            assert_eq!(Channels::in_cell(cell), None, "{cell}");
        }
    }

    #[test]
    fn a_column_of_channels_is_known_by_its_cells_and_is_not_one_of_kinds_of_telephones() {
        for (cells, if_named, perhaps) in [
            (&["SMS", "Email"][..], true, true),
            (&["owl", "sms"], true, true),
            (&["WhatsApp"], true, false),
            (&["Phone", "Email"], true, true),
            (&["Phone", "MobilePhone", "Email", "Fax"], false, false),
            (&["Mobile", "Home", "Work"], false, false),
            (&["Mobile", "SMS"], true, true),
            (&["Mobile", "Landline", "VoIP"], false, false),
            (&["Mobile", "Desktop"], false, false),
            (&["Residential", "Commercial"], false, false),
            (&["Service", "Install"], false, false),
            (&["Facebook", "Website"], false, false),
            (&["DNC", "Newsletter readers"], true, false),
            (&["texted him on Monday", "called"], false, false),
            (&["-"], false, false),
            (&["both"], true, false),
        ] {
            for (limits, expected) in [(Limits::IfNamed, if_named), (Limits::Perhaps, perhaps)] {
                let mut named = Named::new(limits);
                cells.iter().for_each(|cell| named.add(cell));
                let found = named.are_channels() || named.may_be();
                assert_eq!(found, expected, "{cells:?} {limits:?}");
            }
        }
    }
}
