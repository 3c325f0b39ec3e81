//! Arguments that several commands share.

use std::{
    fmt::{self, Display},
    str::FromStr,
};

use clap::{
    Args, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use crm_bulk::read_value;
use crm_contacts::{MethodHandle, Owner};
use crm_models::{
    ContactId, ContactMethodId, ContactType, CreateContactRequest, InvalidId, PersonId, Sort,
    Whether,
};
use crm_values::{
    Extensions, InvalidValue, NewValue, NewValues, PhoneReader, Readings, Region, check_cell,
};

use crate::{
    error::CliError,
    output::note,
    session::{Guarded, Service},
};

/// Calls the setters of a builder: `setter(option)` if the option was given, `setter() if switch` if
/// the switch was.
macro_rules! narrow {
    ($builder:expr, $($setter:ident($($option:expr)?) $(if $switch:expr)?),* $(,)?) => {{
        let mut builder = $builder;
        $(
            $(if let Some(value) = $option {
                builder = builder.$setter(value);
            })?
            $(if $switch {
                builder = builder.$setter();
            })?
        )*
        builder
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

/// Reads a whole number of this size. The parsers that come with clap refuse others with words about
/// digits, strings and ranges of a type.
pub(crate) fn whole<N>(
    least: N,
    most: Option<N>,
) -> impl Fn(&str) -> Result<N, String> + Clone + Send + Sync
where
    N: FromStr + PartialOrd + Display + Copy + Send + Sync + 'static,
{
    move |text| {
        let number = text.parse().ok();
        let fits = |number: &N| *number >= least && most.is_none_or(|most| *number <= most);
        number.filter(fits).ok_or_else(|| match most {
            Some(most) => format!("it must be a whole number from {least} to {most}"),
            None => format!("it must be a whole number of {least} or more"),
        })
    }
}

/// Reads a note or a name. A spreadsheet's formula or error is refused as in a file of rows: scripts
/// hand the cells of one on.
pub(super) fn text(text: &str) -> Result<String, InvalidValue> {
    check_cell(text).map(|()| text.to_owned())
}

/// An owner whose id can be typed.
pub(crate) trait TypedOwner: Owner + FromStr<Err = InvalidId> {}

impl<O: Owner + FromStr<Err = InvalidId>> TypedOwner for O {}

/// A contact of an owner.
#[derive(Debug, Args)]
pub(crate) struct ContactArgs<O: TypedOwner> {
    #[arg(value_name = O::NOUN.to_uppercase(), help = format!("The {}'s id", O::NOUN))]
    pub(super) owner: O,

    /// The contact's id
    pub(super) contact: ContactId,
}

impl<O: TypedOwner> fmt::Display for ContactArgs<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}, contact {}", O::NOUN, self.owner, self.contact)
    }
}

/// A contact method of a person.
#[derive(Debug, Args)]
pub(crate) struct MethodArgs {
    /// The person's id
    pub(super) person: PersonId,

    /// The contact method's id
    pub(super) method: ContactMethodId,
}

impl MethodArgs {
    pub(super) fn handle<'a>(&self, service: &'a Service) -> MethodHandle<'a, Guarded> {
        service.person(self.person).method(self.method)
    }
}

impl fmt::Display for MethodArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "person {}, contact method {}", self.person, self.method)
    }
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

/// Records with a property, those without it, or both.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Choice {
    Yes,
    No,
    Any,
}

impl From<Choice> for Whether {
    fn from(given: Choice) -> Self {
        match given {
            Choice::Yes => Self::Yes,
            Choice::No => Self::No,
            Choice::Any => Self::Any,
        }
    }
}

/// How telephone numbers are read that somebody typed.
#[derive(Debug, Args)]
pub(crate) struct NumberArgs {
    /// The country of telephone numbers without a country code; without it the desk's, which is US
    /// unless its desk.toml says otherwise
    #[arg(long, value_name = "CODE")]
    region: Option<Region>,

    /// Read letters as digits, as in 1-800-FLOWERS; without it they are refused
    #[arg(long)]
    vanity: bool,
}

impl NumberArgs {
    /// The reader of an account whose desk has this region.
    pub(crate) fn reader(&self, desk: Region) -> PhoneReader {
        PhoneReader::new(self.region.unwrap_or(desk)).vanity(self.vanity)
    }
}

/// Says of digits that fit no number of the region what they are taken for, since no `+` says so.
pub(super) fn tell_assumed(text: &str, reader: PhoneReader) {
    if let Some(assumption) = Readings::assumption(text, reader) {
        note(format!("{text} is {assumption}"));
    }
}

/// How numbers and addresses are read that shall be stored.
#[derive(Debug, Args)]
pub(crate) struct ValueArgs {
    #[command(flatten)]
    numbers: NumberArgs,

    /// What to do with extensions, for which the service has no field; without it they are refused
    #[arg(long, value_name = "HOW")]
    extensions: Option<ExtensionsArg>,
}

/// The choices of `--extensions`.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ExtensionsArg {
    /// Add it to the memo
    Memo,
    /// Leave it out
    Drop,
    /// Send it with the number; the service may append its digits
    Send,
}

impl ValueArgs {
    pub(crate) fn values(&self, desk: Region) -> NewValues {
        NewValues::new(self.numbers.reader(desk)).extensions(match self.extensions {
            None => Extensions::Refuse,
            Some(ExtensionsArg::Memo) => Extensions::Memo,
            Some(ExtensionsArg::Drop) => Extensions::Drop,
            Some(ExtensionsArg::Send) => Extensions::Send,
        })
    }

    /// Reads a value as one of this kind.
    pub(super) fn read(
        &self,
        desk: Region,
        contact_type: &ContactType,
        text: &str,
    ) -> Result<NewValue, CliError> {
        read_value(self.values(desk), Some(contact_type), text).map_err(|refusal| {
            CliError::Usage(match refusal {
                InvalidValue::Extension => {
                    "--value has an extension, for which the service has no field; say what to do \
                     with it: --extensions memo|drop|send"
                        .to_owned()
                }
                refusal => format!("--value {refusal}"),
            })
        })
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
    #[arg(long, allow_hyphen_values = true, value_parser = text)]
    pub(crate) memo: Option<String>,

    #[command(flatten)]
    values: ValueArgs,
}

impl NewContact {
    /// The value as it will be stored, and the memo with what the value cannot hold.
    pub(super) fn read(&self, desk: Region) -> Result<(String, Option<String>), CliError> {
        let read = self.values.read(desk, &self.contact_type, &self.value)?;
        Ok((read.value().to_owned(), read.memo(self.memo.as_deref())))
    }

    pub(super) fn request(self, desk: Region) -> Result<CreateContactRequest, CliError> {
        let (value, memo) = self.read(desk)?;
        let request = CreateContactRequest::new(self.contact_type, value);
        Ok(narrow!(request, memo(memo)))
    }
}

/// The order of a list of Contacts v2, of customers or of locations.
#[derive(Debug, Args)]
pub(crate) struct Order {
    /// Sort by this member
    #[arg(long, value_name = "MEMBER")]
    sort: Option<SortBy>,

    /// Sort from the last to the first
    #[arg(long, requires = "sort")]
    descending: bool,
}

/// The members that these lists can be sorted by.
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
        Some(if self.descending { Sort::descending(field) } else { Sort::ascending(field) })
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

sorts!(PersonSort, ContactMethodSort, RelationshipSort, OwnerSort);
