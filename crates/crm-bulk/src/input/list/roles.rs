//! What the columns of a list hold, as their headers say.

use super::{
    status::{Channel, MAILS, NUMBERS, Status},
    words::words,
};

/// What a column of a list holds, as its header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Numbers,
    Addresses,
    /// E-mail addresses, or where people live.
    AddressesOrStreets,
    Received,
    Reasons,
    /// Where it was said.
    Place,
    /// Who took it.
    TakenBy,
    /// By what the person no longer wants to be reached.
    Channels,
    /// What people wish.
    Status(Status),
    /// The column holds something that is not meant, though it may look so. It is not read.
    Ignored,
    /// The column is not read.
    Other,
}

/// Headers of columns with numbers, alone and after other words, as in `Home Phone`.
const NUMBER: [&str; 2] = ["value", "number"];
pub(super) const NUMBER_ENDS: [&str; 4] = ["phone", "mobile", "cell", "fax"];
/// Words that say a column has a date, and what the others beside them speak of: of the wish to be
/// left alone, of a wish, or of nothing in particular.
const TIMES: [&str; 6] = ["date", "time", "timestamp", "at", "on", "of"];
const OPT_OUTS: [&str; 9] = [
    "opt out",
    "optout",
    "opted out",
    "optedout",
    "unsub",
    "unsubscribe",
    "unsubscribed",
    "excluded",
    "suppressed",
];
const WISHES: [&str; 3] = ["received", "consent", "marketing consent"];
const ANYTHING: [&str; 2] = ["", "added"];
/// Headers of the column with the name of whoever took the wish.
const TAKEN_BY: [&str; 6] =
    ["opt out by", "optout by", "opted out by", "unsubscribed by", "excluded by", "taken by"];
/// Headers of the column that says whether texts, mails or calls are meant.
const CHANNELS: [&str; 4] = ["opt out type", "optout type", "opt out channel", "optout channel"];
/// Words after those that name a value, as in `Person - Email - Work`.
const LABELS: [&str; 7] = ["work", "home", "main", "other", "personal", "business", "primary"];
/// First or last words of columns that say something about a value: `Verified Email`.
const ABOUT_VALUES: [&str; 9] =
    ["has", "is", "verified", "valid", "invalid", "bounced", "type", "label", "status"];
/// How many bytes a header has at most that can name what its column holds: it is compared with a
/// hundred words.
const LONGEST: usize = 1_000;

/// How plainly a column with dates speaks of the wish of a row; what is less is plainer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Plainness {
    /// The user says so.
    Said,
    /// It speaks of the wish to be left alone.
    OptOut,
    /// It speaks of a wish.
    Wish,
    /// It may be the date of anything.
    Anything,
}

/// Of what a column with dates speaks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dating {
    pub(super) plainness: Plainness,
    pub(super) channel: Channel,
}

impl Dating {
    /// Of what a column with this header speaks, if it is one of dates.
    pub(super) fn of(header: &str) -> Option<Self> {
        let words = words(header);
        let (times, others): (Vec<_>, Vec<_>) =
            words.iter().map(String::as_str).partition(|word| TIMES.contains(word));
        let channel = |word: &&str| *word == "e" || MAILS.contains(word) || NUMBERS.contains(word);
        let (channels, others): (Vec<_>, Vec<_>) = others.into_iter().partition(channel);
        let subject = others.join(" ");
        let is_one_of = |subjects: &[&str]| subjects.contains(&subject.as_str());
        let plainness = if is_one_of(&OPT_OUTS) && !times.is_empty() {
            Plainness::OptOut
        } else if is_one_of(&WISHES) && !times.is_empty() || words == ["received"] {
            Plainness::Wish
        } else if is_one_of(&ANYTHING) && times == ["date"] && channels.is_empty() {
            Plainness::Anything
        } else {
            return None;
        };
        Some(Self { plainness, channel: Channel::of_words(&words) })
    }
}

impl Role {
    pub(super) fn of(header: &str) -> Self {
        if header.len() > LONGEST {
            return Self::Other;
        }
        let words = words(header);
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let is_one_of = |headers: &[&str]| headers.contains(&words.join(" ").as_str());
        let is_about = |word: Option<&&str>| word.is_some_and(|word| ABOUT_VALUES.contains(word));
        if is_one_of(&CHANNELS) {
            return Self::Channels;
        }
        if let Some(status) = Status::of(header) {
            return Self::Status(status);
        }
        if is_one_of(&TAKEN_BY) {
            return Self::TakenBy;
        }
        if words.len() > 1 && (is_about(words.first()) || is_about(words.last())) {
            return Self::Other;
        }
        let words = match words.as_slice() {
            [value @ .., label] if value.len() > 1 && LABELS.contains(label) => value.to_vec(),
            // As in `Phone 1 - Value`.
            [value @ .., "value"] if !value.is_empty() => value.to_vec(),
            _ => words,
        };
        match words.as_slice() {
            ["address"] => Self::AddressesOrStreets,
            ["mail"] | [.., "e", "mail"] | [.., "mail", "address"] => Self::Addresses,
            [.., last] | [.., last, "address"] if last.ends_with("email") => Self::Addresses,
            [sole] if NUMBER.contains(sole) => Self::Numbers,
            [.., last] if *last == "tel" || NUMBER_ENDS.iter().any(|end| last.ends_with(end)) => {
                Self::Numbers
            }
            words if words.contains(&"reason") => Self::Reasons,
            _ if Dating::of(header).is_some() => Self::Received,
            _ => Self::Other,
        }
    }

    /// What a column holds that is read, for people.
    pub(super) fn holds(self) -> Option<&'static str> {
        match self {
            Self::Numbers => Some("numbers"),
            Self::Addresses | Self::AddressesOrStreets => Some("addresses"),
            Self::Received => Some("when it was received"),
            Self::Reasons => Some("reasons"),
            Self::Place => Some("where it was said"),
            Self::TakenBy => Some("who took it"),
            Self::Channels => Some("whether texts, mails or calls are meant"),
            Self::Status(_) => Some("status"),
            Self::Ignored | Self::Other => None,
        }
    }

    pub(super) fn is_value(self) -> bool {
        matches!(self, Self::Numbers | Self::Addresses | Self::AddressesOrStreets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_known_by_its_words_however_its_header_is_spelled() {
        for (holds, headers) in [
            (
                Role::Numbers,
                "Phone 1 - Value|Person - Phone - Mobile|Phone #|Phone (home)|Mobile No.|Cell #|Phones|PHONE NUMBERS|homePhone|fax_2|\
                 Number|value|Work Tel|Telephone number 1|cell-phone|Faxes",
            ),
            (
                Role::Addresses,
                "Person - Email - Work|E-mail 1 - Value|channels.email.address|email|E-Mails|Email Address (work)|e_mail_addresses|EmailAddress|mail",
            ),
            (Role::AddressesOrStreets, "address|Addresses|Address 2"),
            (
                Role::Received,
                "Opted Out Date|Opt-Out Timestamp|SMS Opt-Out Date|Email Marketing Consent Timestamp|\
                 Unsubscribed Date|received|Date received|dateReceived|Date|UNSUB_TIME|OptOut_Date|date_of_consent|Date Excluded",
            ),
            (Role::Reasons, "Reason|Reason for opting out"),
            (Role::TakenBy, "Opt-Out By|Excluded By|optedOutBy"),
            (Role::Channels, "Opt-Out Type|optout_channel"),
            (
                Role::Other,
                "Verified Email|Has Mobile|Email Type|Customer Number|No.|id|Phone type|Direct mail|Home address|Notes||#|OPTIN_TIME|CONFIRM_TIME|created|\
                 Email added date|Last contact date|Time",
            ),
        ] {
            for header in headers.split('|') {
                assert!(Role::of(header) == holds, "{header}");
            }
        }
    }
}
