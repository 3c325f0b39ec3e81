//! What the columns of a list hold, as their headers say.

use super::{
    channels::Channels,
    labels::is_label,
    limits::Limits,
    polarity::Polarity,
    status::Status,
    vocabulary::{is_known, spelled, way},
    wish::Wish,
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
    /// About what channels the row is.
    Channels,
    /// What people wish of a channel that reaches no number and no address.
    Elsewhere,
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
/// Words that say a column has a date.
const TIMES: [&str; 11] =
    ["date", "datetime", "dt", "day", "time", "timestamp", "ts", "when", "at", "on", "of"];
/// How the words begin of which one is in the header of the date of a wish to be left alone, and in that
/// of no status. What is cancelled, declined or removed may be an appointment, and so may what stops at
/// a time.
const LEFT_ALONE: [&str; 5] = ["exclu", "withdr", "revo", "block", "blacklist"];
const DAYS: [&str; 3] = ["date", "dt", "on"];
/// What the words of a date speak of: of either wish, or of nothing in particular.
const WISHES: [&str; 3] = ["received", "consent", "marketing consent"];
const ANYTHING: [&str; 2] = ["", "added"];
/// Headers of the column with the name of whoever took the wish.
const TAKEN_BY: [&str; 6] =
    ["opt out by", "optout by", "opted out by", "unsubscribed by", "excluded by", "taken by"];
/// Words after those that name a value, as in `Person - Email - Work`.
const LABELS: [&str; 7] = ["work", "home", "main", "other", "personal", "business", "primary"];
/// First or last words of columns that say something about a value: `Verified Email`.
const ABOUT_VALUES: [&str; 9] =
    ["has", "is", "verified", "valid", "invalid", "bounced", "type", "label", "status"];
/// Words of headers of columns with the number or the address of somebody else than the person of the
/// row, as in `Agent Phone`.
const OTHERS: [&str; 44] = [
    "user",
    "dispatcher",
    "dispatch",
    "advisor",
    "coordinator",
    "supervisor",
    "operator",
    "admin",
    "administrator",
    "assigned",
    "assignee",
    "by",
    "support",
    "provider",
    "brand",
    "branch",
    "franchise",
    "franchisee",
    "agent",
    "rep",
    "representative",
    "salesperson",
    "sale",
    "technician",
    "tech",
    "manager",
    "employee",
    "staff",
    "csr",
    "referred",
    "referrer",
    "referral",
    "emergency",
    "spouse",
    "husband",
    "wife",
    "store",
    "dealer",
    "vendor",
    "landlord",
    "from",
    "reply",
    "sender",
    "our",
];
/// What has an owner who is not the person of the row: `Contact Owner Email`.
const OWNED: [&str; 6] = ["contact", "list", "record", "account", "lead", "deal"];
/// How many bytes a header has at most that can name what its column holds: it is compared with a
/// hundred words.
const LONGEST: usize = 1_000;

/// How plainly a column with dates speaks of the wish of a row; what is less is plainer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Plainness {
    /// The user says so.
    Said,
    /// It speaks of the wish to be left alone, or of that to be written to.
    OneWish,
    /// It speaks of a wish.
    Wish,
    /// It may be the date of anything.
    Anything,
}

/// Of what a column with dates speaks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dating {
    pub(super) plainness: Plainness,
    pub(super) channels: Channels,
    /// The wish of which alone it is the date.
    pub(super) of: Option<Wish>,
}

impl Dating {
    /// Of what a column with this header speaks, if it is one of dates.
    pub(super) fn of(header: &str) -> Option<Self> {
        let words = spelled(header);
        let (times, others): (Vec<_>, Vec<_>) =
            words.iter().map(String::as_str).partition(|word| TIMES.contains(word));
        let others: Vec<_> = others.into_iter().filter(|word| way(word).is_none()).collect();
        let subject = others.join(" ");
        let is_one_of = |subjects: &[&str]| subjects.contains(&subject.as_str());
        let channels = Channels::of_words(&words);
        let (plainness, of) = if is_one_of(&WISHES) && !times.is_empty() || words == ["received"] {
            (Plainness::Wish, None)
        } else if is_one_of(&ANYTHING) && times == ["date"] && channels == Channels::ALL {
            (Plainness::Anything, None)
        } else {
            let is_day = times.iter().any(|word| DAYS.contains(word));
            let is_left = |word: &&str| {
                let is = |start: &str| word.starts_with(start);
                LEFT_ALONE.iter().any(|start| is(start)) || (is_day && is("stop"))
            };
            let Polarity { sure, of_flags, .. } = Polarity::of(header);
            let of = sure.or(of_flags.filter(|_| others.iter().any(is_left)));
            (Plainness::OneWish, Some(of?))
        };
        let is_clear =
            !times.is_empty() && words.iter().all(|word| is_known(word) || is_label(word));
        (is_clear || words == ["received"]).then_some(Self { plainness, channels, of })
    }

    /// Whether it may be the date of this wish.
    pub(super) fn may_be_of(self, wish: Wish) -> bool {
        self.of.is_none_or(|of| of == wish)
    }
}

impl Role {
    pub(super) fn of(header: &str) -> Self {
        if header.len() > LONGEST {
            return Self::Other;
        }
        let words = words(header);
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let is_header = |headers: &[&str]| headers.contains(&words.join(" ").as_str());
        let is_about = |word: Option<&&str>| word.is_some_and(|word| ABOUT_VALUES.contains(word));
        if Limits::of(header) == Limits::Surely {
            return Self::Channels;
        }
        if let Some(status) = Status::of(header) {
            return Self::Status(status);
        }
        if is_header(&TAKEN_BY) {
            return Self::TakenBy;
        }
        if words.len() > 1 && (is_about(words.first()) || is_about(words.last())) {
            return Self::Other;
        }
        let spelled = spelled(header);
        let is_one_of = |word: &String, of: &[&str]| of.contains(&word.as_str());
        let is_owned = |pair: &[String]| matches!(pair, [of, owner] if is_one_of(of, &OWNED) && owner == "owner");
        let names_other =
            spelled.iter().any(|word| is_one_of(word, &OTHERS)) || spelled.windows(2).any(is_owned);
        let words = match words.as_slice() {
            [value @ .., label] if value.len() > 1 && LABELS.contains(label) => value.to_vec(),
            // As in `Phone 1 - Value`.
            [value @ .., "value"] if !value.is_empty() => value.to_vec(),
            _ => words,
        };
        let role = match words.as_slice() {
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
        };
        // What the row says is of its own person.
        if role.is_value() && names_other { Self::Other } else { role }
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
            Self::Status(Status { is_vague: true, .. }) => Some("a wish, of what is not known"),
            Self::Status(_) => Some("status"),
            Self::Elsewhere | Self::Ignored | Self::Other => None,
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
                 Unsubscribed from all email date|optoutdate|OPTIN_TIME|Subscribed date|optInDate|\
                 Unsubscribed Date|received|Date received|dateReceived|Date|UNSUB_TIME|OptOut_Date|date_of_consent|Date Excluded",
            ),
            (Role::Reasons, "Reason|Reason for opting out"),
            (Role::TakenBy, "Opt-Out By|Excluded By|optedOutBy"),
            (Role::Channels, "Opt-Out Type|optout_channel|Channel|Medium|Message Type"),
            (
                Role::Other,
                "Type|Preference|Contact Method|Preferred Channel|Subscription Type|\
                 Declined date|Cancel date|Stop sent date|Stop time|DNC Scrub Date|Not stopped date|\
                 Verified Email|Has Mobile|Email Type|Customer Number|No.|id|Phone type|Direct mail|Home address|Notes||#|CONFIRM_TIME|created|\
                 Email added date|Last contact date|Time|Opt-out method|Consent method|Pool opt-out date|Agent Phone|Sales Rep Email|Technician Email|\
                 Account Manager Email|Referred By Email|Emergency Contact Phone|Spouse Phone|\
                 Store Phone|Dealer Phone|From Email|Reply To Email|Phone (agent)|Contact Owner Email|\
                 List Owner Email|User Email|Modified By Email|Submitted By Email|Dispatcher Cell|\
                 Support Email|Provider Phone|Brand Phone|Branch Phone|Franchise Email",
            ),
        ] {
            for header in headers.split('|') {
                assert!(Role::of(header) == holds, "{header}");
            }
        }
    }

    #[test]
    fn a_date_is_that_of_the_wish_that_its_header_names() {
        for (of, headers) in [
            (
                Some(Wish::Out),
                "Opt-Out Date|UNSUB_TIME|Date Excluded|Unsubscribed from all email date|\
                 consent withdrawn on|Do not call date|Suppressed at|optedOutAt|Revocation Date|\
                 Consent Revocation Date|Revoked on|Withdrawal Date|Date of withdrawal|Stop Date|\
                 Unsubscribe Time|Unsubscription date|D.N.C. Date|dnc_dt|OptOutDt|\
                 Blocked On|Blacklisted at|Exclusion Date|Home DNC Date|SMS stop date|opt_out_ts",
            ),
            (Some(Wish::In), "OPTIN_TIME|Opt-in date|Subscribed on|subscription date|optInAt"),
            (None, "Date|received|Date Added|date_of_consent|SMS Marketing Consent Timestamp"),
        ] {
            for header in headers.split('|') {
                assert_eq!(Dating::of(header).unwrap().of, of, "{header}");
            }
        }
    }
}
