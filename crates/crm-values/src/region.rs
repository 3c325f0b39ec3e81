//! The country whose numbers are written without a country code.

use std::{fmt, str::FromStr};

use phonenumber::{Metadata, Type, country, metadata::DATABASE};

/// The country, by its two letters of ISO 3166, whose telephone numbers are written without a
/// country code. [`Default`] is the United States.
///
/// ```
/// use crm_values::Region;
///
/// assert_eq!(Region::default().to_string(), "US");
/// assert_eq!("gb".parse::<Region>()?.to_string(), "GB");
/// assert!("XX".parse::<Region>().is_err());
/// # Ok::<(), crm_values::UnknownRegion>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Region(country::Id);

/// A text names no [`Region`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a region whose telephone numbers are known; give a two-letter code such as US")]
pub struct UnknownRegion;

impl Region {
    /// The United States.
    pub const US: Self = Self(country::US);

    pub(crate) fn id(self) -> country::Id {
        self.0
    }

    pub(crate) fn numbering(self) -> Option<Numbering<'static>> {
        DATABASE.by_id(self.0.as_ref()).map(Numbering)
    }
}

impl Default for Region {
    fn default() -> Self {
        Self::US
    }
}

impl FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(text: &str) -> Result<Self, UnknownRegion> {
        let id = text.trim().to_ascii_uppercase().parse();
        let region = id.map(Self).map_err(|_| UnknownRegion)?;
        // Some codes of ISO 3166 have no telephone numbers of their own.
        region.numbering().map(|_| region).ok_or(UnknownRegion)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.as_ref())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({self})")
    }
}

/// The country code of the United States, Canada and their neighbours, whose numbers have ten
/// digits and are kept without it.
pub(crate) const NORTH_AMERICA: u16 = 1;

/// How the numbers of a country are made, as libphonenumber's data tell.
#[derive(Clone, Copy)]
pub(crate) struct Numbering<'a>(&'a Metadata);

/// The types of numbers that tell their lengths: the general one does not.
const TYPES: [Type; 10] = [
    Type::FixedLine,
    Type::Mobile,
    Type::TollFree,
    Type::PremiumRate,
    Type::SharedCost,
    Type::PersonalNumber,
    Type::Voip,
    Type::Pager,
    Type::Uan,
    Type::Voicemail,
];

impl<'a> Numbering<'a> {
    /// The countries that share a country code.
    pub(crate) fn of_code(code: u16) -> Vec<Numbering<'static>> {
        let countries = DATABASE.by_code(&code).unwrap_or_default();
        countries.into_iter().map(Numbering).collect()
    }

    pub(crate) fn country_code(self) -> u16 {
        self.0.country_code()
    }

    /// What is dialled in front of a number within the country; none where nothing is.
    pub(crate) fn trunk_prefix(self) -> Option<&'a str> {
        self.0.national_prefix()
    }

    /// Whether `digits` begin as a call abroad does, and what follows.
    pub(crate) fn without_international_prefix(self, digits: &str) -> Option<&str> {
        let found = self.0.international_prefix()?.find(digits)?;
        (found.start() == 0).then(|| &digits[found.end()..])
    }

    /// Whether a national number can be one of this country, with its area code: as long as
    /// numbers of some type are, and beginning like one. Whether it was given to anybody is not
    /// asked: numbers reserved for fiction are not, and pass.
    pub(crate) fn is_whole(self, national: &str) -> bool {
        // Canada has a few numbers of seven digits, 310-xxxx; all others of seven are local.
        let is_local = self.country_code() == NORTH_AMERICA && self.is_local(national);
        !is_local && self.has_length(national.len()) && self.begins_like(national)
    }

    /// Whether a number of this length can be dialled only within its area.
    pub(crate) fn is_local(self, national: &str) -> bool {
        let length = length(national.len());
        self.types()
            .any(|kind| kind.possible_local_length().contains(&length))
    }

    fn has_length(self, digits: usize) -> bool {
        let length = length(digits);
        self.types()
            .any(|kind| kind.possible_length().contains(&length))
    }

    fn begins_like(self, national: &str) -> bool {
        let pattern = self.0.descriptors().general().national_number();
        pattern
            .find(national)
            .is_some_and(|found| found.start() == 0)
    }

    fn types(self) -> impl Iterator<Item = &'a phonenumber::metadata::Descriptor> {
        TYPES
            .iter()
            .filter_map(move |kind| self.0.descriptors().get(*kind))
    }
}

fn length(digits: usize) -> u16 {
    u16::try_from(digits).unwrap_or(u16::MAX)
}
