//! Arguments that several commands share.

use clap::{
    Args, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use crm_models::{ContactType, CreateContactRequest, Sort, Timestamp};

/// Calls the setters of a filter for the options that were given.
macro_rules! narrow {
    ($filter:expr, $($setter:ident($option:expr)),* $(,)?) => {{
        let mut filter = $filter;
        $(
            if let Some(value) = $option {
                filter = filter.$setter(value);
            }
        )*
        filter
    }};
}
pub(super) use narrow;

/// Reads one of the four types that the API takes, in any case.
pub(crate) fn contact_type() -> impl TypedValueParser<Value = ContactType> {
    let names = ContactType::KNOWN.map(|known| known.as_str().to_owned());
    PossibleValuesParser::new(names).map(|name| {
        let known = ContactType::KNOWN.into_iter();
        let mut same = known.filter(|known| known.as_str().eq_ignore_ascii_case(&name));
        same.next().unwrap_or(ContactType::Other(name))
    })
}

/// On or off.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Switch {
    #[value(alias = "true", alias = "yes")]
    On,
    #[value(alias = "false", alias = "no")]
    Off,
}

impl From<Switch> for bool {
    fn from(switch: Switch) -> Self {
        matches!(switch, Switch::On)
    }
}

/// A new telephone number or address.
#[derive(Debug, Args)]
pub(crate) struct NewContact {
    /// The kind of contact
    #[arg(long = "type", value_name = "TYPE", ignore_case = true, value_parser = contact_type())]
    pub(crate) contact_type: ContactType,

    /// The telephone number or address
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) value: String,

    /// A note
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) memo: Option<String>,
}

impl From<NewContact> for CreateContactRequest {
    fn from(new: NewContact) -> Self {
        narrow!(Self::new(new.contact_type, new.value), memo(new.memo))
    }
}

/// Changes of a memo.
#[derive(Debug, Args)]
pub(crate) struct MemoChange {
    /// The new note
    #[arg(long, allow_hyphen_values = true, conflicts_with = "clear_memo")]
    memo: Option<String>,

    /// Take the note away
    #[arg(long)]
    clear_memo: bool,
}

impl MemoChange {
    /// The memo to send: the API clears it when it is empty.
    pub(super) fn memo(self) -> Option<String> {
        match self.clear_memo {
            true => Some(String::new()),
            false => self.memo,
        }
    }
}

/// Times of creation and change. A time is RFC 3339 or a date; without offset it is UTC.
#[derive(Debug, Default, Args)]
pub(crate) struct Times {
    /// Changed at this time or later, for example 2026-11-01 or 2026-11-01T08:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) modified_since: Option<Timestamp>,

    /// Changed before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) modified_before: Option<Timestamp>,

    /// Created at this time or later
    #[arg(long, value_name = "TIME")]
    pub(crate) created_since: Option<Timestamp>,

    /// Created before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) created_before: Option<Timestamp>,
}

/// The order of a list of Contacts v2.
#[derive(Debug, Args)]
pub(crate) struct Order {
    /// Sort by this member
    #[arg(long, value_name = "MEMBER")]
    sort: Option<SortBy>,

    /// Sort from the last to the first
    #[arg(long, requires = "sort")]
    descending: bool,
}

/// The members that lists of Contacts v2 can be sorted by.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum SortBy {
    Id,
    ModifiedOn,
    CreatedOn,
}

impl Order {
    /// The order in the terms of one list.
    pub(super) fn of<F: From<SortBy>>(&self) -> Option<Sort<F>> {
        let field = F::from(self.sort?);
        Some(match self.descending {
            true => Sort::descending(field),
            false => Sort::ascending(field),
        })
    }
}

macro_rules! sorts {
    ($($name:ident),*) => {$(
        impl From<SortBy> for crm_models::$name {
            fn from(by: SortBy) -> Self {
                match by {
                    SortBy::Id => Self::Id,
                    SortBy::ModifiedOn => Self::ModifiedOn,
                    SortBy::CreatedOn => Self::CreatedOn,
                }
            }
        }
    )*};
}

sorts!(PersonSort, ContactMethodSort, RelationshipSort);
