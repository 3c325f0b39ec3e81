//! The country whose numbers are written without a country code.

use std::{fmt, str::FromStr, sync::OnceLock};

use phonenumber::{Metadata, Type, country, metadata::DATABASE};
use regex::{Regex, RegexBuilder};

/// The country whose telephone numbers are written without a country code, named by its two ISO
/// 3166 letters. [`Default`] is the United States.
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

/// The error for a text that does not name a [`Region`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a region whose telephone numbers are known; give a two-letter code such as US")]
pub struct UnknownRegion;

impl Region {
    /// The United States.
    pub const US: Self = Self(country::US);

    pub(crate) fn id(self) -> country::Id {
        self.0
    }

    pub(crate) fn numbering(self) -> Option<&'static Numbering> {
        let id = self.0.as_ref();
        let code = DATABASE.by_id(id)?.country_code();
        Numbering::of_code(code).iter().find(|country| country.metadata.id() == id)
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
        // Some ISO 3166 codes have no telephone numbers of their own.
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
/// digits and are stored without it.
pub(crate) const NORTH_AMERICA: u16 = 1;

/// How a country's numbers are built, according to libphonenumber's data.
pub(crate) struct Numbering {
    metadata: &'static Metadata,
    /// How a number begins, made at the first one. Of libphonenumber's own patterns a hundred are
    /// kept, which all look for a place in the text: as many digits of many countries come by, they
    /// grow to 60 MB, and those beyond a hundred are made anew each time.
    beginning: OnceLock<Option<Regex>>,
}

/// By country code, of three digits at most.
const CODES: usize = 1_000;

/// The number types that state their lengths; the general type does not.
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

impl Numbering {
    /// The countries that share a country code.
    pub(crate) fn of_code(code: u16) -> &'static [Self] {
        static COUNTRIES: [OnceLock<Vec<Numbering>>; CODES] = [const { OnceLock::new() }; CODES];
        let Some(countries) = COUNTRIES.get(usize::from(code)) else {
            return &[];
        };
        countries.get_or_init(|| {
            let countries = DATABASE.by_code(&code).unwrap_or_default();
            let of = |metadata| Self { metadata, beginning: OnceLock::new() };
            countries.into_iter().map(of).collect()
        })
    }

    pub(crate) fn country_code(&self) -> u16 {
        self.metadata.country_code()
    }

    /// The prefix dialled before a number within the country, or `None` if there is none.
    pub(crate) fn trunk_prefix(&self) -> Option<&'static str> {
        self.metadata.national_prefix()
    }

    /// If `digits` begin the way a call abroad does, returns what follows.
    pub(crate) fn without_international_prefix<'t>(&self, digits: &'t str) -> Option<&'t str> {
        let found = self.metadata.international_prefix()?.find(digits)?;
        (found.start() == 0).then(|| &digits[found.end()..])
    }

    /// Whether a national number can be one of this country, including its area code: it has the
    /// length of some type of number and begins like one. Whether it is assigned to anybody is not
    /// checked: numbers reserved for fiction are not, and pass.
    pub(crate) fn is_whole(&self, national: &str) -> bool {
        // Canada has a few seven-digit numbers, 310-xxxx; all others with seven digits are local.
        let is_local = self.country_code() == NORTH_AMERICA && self.is_local(national);
        !is_local && self.has_length(national.len()) && self.begins_like(national)
    }

    /// Whether a number of this length can be dialled only within its area.
    pub(crate) fn is_local(&self, national: &str) -> bool {
        let length = length(national.len());
        self.types().any(|kind| kind.possible_local_length().contains(&length))
    }

    fn has_length(&self, digits: usize) -> bool {
        let length = length(digits);
        self.types().any(|kind| kind.possible_length().contains(&length))
    }

    fn begins_like(&self, national: &str) -> bool {
        let pattern = self.beginning.get_or_init(|| {
            let general = self.metadata.descriptors().general().national_number();
            compiled(&format!("^(?:{})", general.as_str()))
        });
        pattern.as_ref().is_some_and(|pattern| pattern.is_match(national))
    }

    fn types(&self) -> impl Iterator<Item = &'static phonenumber::metadata::Descriptor> {
        let descriptors = self.metadata.descriptors();
        TYPES.iter().filter_map(move |kind| descriptors.get(*kind))
    }
}

/// Whether a national number is of some type of a country with this code. The types say more of the
/// digits than [`Numbering::is_whole`] asks.
///
/// Their patterns become one, made at the first number of each code. Asked one by one, those of the
/// 25 countries of North America take up to 0.1 ms a number: libphonenumber keeps a hundred compiled
/// patterns, fewer than these countries have, and compiles the rest anew each time.
pub(crate) fn is_assigned(code: u16, national: &str) -> bool {
    static PATTERNS: [OnceLock<Option<Regex>>; CODES] = [const { OnceLock::new() }; CODES];
    let Some(pattern) = PATTERNS.get(usize::from(code)) else {
        return false;
    };
    let pattern = pattern.get_or_init(|| {
        let countries = Numbering::of_code(code);
        let types = countries.iter().flat_map(|country| country.types());
        let patterns: Vec<_> = types.map(|kind| kind.national_number().as_str()).collect();
        compiled(&format!("^(?:{})$", patterns.join("|")))
    });
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(national))
}

/// A pattern of ASCII digits, as libphonenumber writes them.
fn compiled(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).ignore_whitespace(true).unicode(false).build().ok()
}

fn length(digits: usize) -> u16 {
    u16::try_from(digits).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_as_libphonenumber_says_in_every_country() {
        let mut whole = 0;
        for code in 0..1_100 {
            for country in Numbering::of_code(code) {
                let theirs = country.metadata.descriptors().general().national_number();
                for number in (0..400_u64).map(|n| (n * 25_000_003).to_string()) {
                    let begins = theirs.find(&number).is_some_and(|found| found.start() == 0);
                    assert_eq!(country.begins_like(&number), begins, "+{code} {number}");
                    whole += usize::from(begins);
                }
                let region = country.metadata.id().parse::<Region>();
                assert!(
                    region.is_err() || region.unwrap().numbering().unwrap().country_code() == code
                );
            }
        }
        assert!(whole > 1_000);
    }
}
