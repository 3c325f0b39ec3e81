//! Telephone and fax numbers as people write them.

mod written;

use std::fmt;

use self::written::Written;
use crate::{
    characters::digits,
    invalid_value::InvalidValue,
    numbering::{self, NORTH_AMERICA, Numbering},
    readings::Readings,
    region::Region,
};

/// The prefix of international calls according to ITU-T E.164, where a region has no other.
const INTERNATIONAL_PREFIX: &str = "00";

/// A reader of telephone numbers. It knows the region of those without a country code, and whether
/// letters stand for digits.
///
/// It does not guess. The text must be one number and nothing else: digits, the punctuation between
/// them, and at most one extension. Its digits must be a possible number, by length and first
/// digits, of the country that is meant; whether anybody has the number is not checked. The data
/// are libphonenumber's, see [`DATA`](crate::DATA).
///
/// ```
/// use crm_values::{PhoneReader, InvalidValue};
///
/// let reader = PhoneReader::default();
/// let number = reader.phone("+1 (818) 555-0142 ext. 7")?;
/// assert_eq!(number.key(), "18185550142");
/// assert_eq!(number.stored(), "8185550142");
/// assert_eq!(number.extension(), Some("7"));
///
/// assert_eq!(reader.phone("555-0142").unwrap_err(), InvalidValue::NoAreaCode);
/// assert_eq!(reader.phone("1-800-FLOWERS").unwrap_err(), InvalidValue::Letters);
/// assert_eq!(reader.vanity(true).phone("1-800-FLOWERS")?.stored(), "8003569377");
/// # Ok::<(), InvalidValue>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use]
pub struct PhoneReader {
    region: Region,
    vanity: bool,
}

/// A telephone number that has been read.
///
/// Two texts mean the same number when their [`key`](Self::key)s are the same.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone {
    key: String,
    stored: String,
    ambiguous: bool,
    extension: Option<String>,
}

/// Shows nothing, because a number is personal data.
impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Phone").finish_non_exhaustive()
    }
}

impl Phone {
    /// Returns the digits of ITU-T E.164: the country code and the number within the country,
    /// without `+`. An extension is not part of it.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the number as a service that keeps only digits stores it: ten digits for North
    /// America, the digits dialled within the country for other numbers of the reader's region, and
    /// the digits of E.164 for those of other countries.
    #[must_use]
    pub fn stored(&self) -> &str {
        &self.stored
    }

    /// Whether [`stored`](Self::stored) is read as a different number without a `+` to mark the
    /// country code: `+65 6123 4567` is stored as `6561234567`, and so is 656-123-4567.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.ambiguous
    }

    /// Returns [`stored`](Self::stored) if it is all that was read; `None` where storing it would
    /// lose something: an extension, or the `+` without which its digits are [another
    /// number](Self::is_ambiguous).
    ///
    /// ```
    /// use crm_values::PhoneReader;
    ///
    /// let reader = PhoneReader::default();
    /// assert_eq!(reader.phone("(818) 555-0142")?.stored_whole(), Some("8185550142"));
    /// assert_eq!(reader.phone("(818) 555-0142 ext. 7")?.stored_whole(), None);
    /// # Ok::<(), crm_values::InvalidValue>(())
    /// ```
    #[must_use]
    pub fn stored_whole(&self) -> Option<&str> {
        (self.extension.is_none() && !self.ambiguous).then_some(&*self.stored)
    }

    /// Returns the extension's digits. The service has no place for them: it would append them to
    /// the number.
    #[must_use]
    pub fn extension(&self) -> Option<&str> {
        self.extension.as_deref()
    }
}

/// A number and its country.
struct Number {
    code: u16,
    national: String,
}

impl Number {
    fn key(&self) -> String {
        format!("{}{}", self.code, self.national)
    }
}

impl PhoneReader {
    /// Creates a reader that takes numbers without a country code as numbers of this region and
    /// refuses letters.
    pub fn new(region: Region) -> Self {
        Self { region, vanity: false }
    }

    /// Sets whether letters stand for digits, as in `1-800-FLOWERS`.
    pub fn vanity(self, vanity: bool) -> Self {
        Self { vanity, ..self }
    }

    /// Returns the region of numbers without a country code.
    #[must_use]
    pub fn region(self) -> Region {
        self.region
    }

    /// Reads a number that somebody typed to have it stored.
    ///
    /// # Errors
    ///
    /// Returns an [`InvalidValue`] for everything that is not certainly one whole number.
    pub fn phone(self, text: &str) -> Result<Phone, InvalidValue> {
        let written = Written::read(text, self.vanity)?;
        let number = if written.has_plus {
            international(&written.digits, written.zero_in_parentheses)?
        } else {
            self.national(&written)?
        };
        let key = number.key();
        let stored = self.stored_form(&number);
        Ok(Phone {
            ambiguous: self.reads_as(&stored).is_some_and(|other| other != key),
            key,
            stored,
            extension: written.extension,
        })
    }

    /// Reads a number to search for, or one that is already stored, into the keys it is compared
    /// by.
    ///
    /// Digits alone, as services store them, have two readings: a number of the region, or one that
    /// begins with its country code. If both are possible, the first takes precedence.
    ///
    /// # Errors
    ///
    /// Returns an [`InvalidValue`] when no reading is possible.
    pub(crate) fn readings(self, text: &str) -> Result<Readings, InvalidValue> {
        let written = Written::read(text, self.vanity)?;
        if written.has_plus {
            let number = international(&written.digits, written.zero_in_parentheses)?;
            return Ok(Readings::sure(number.key()));
        }
        let abroad = if written.is_bare { international(&written.digits, None).ok() } else { None };
        match (self.national(&written), abroad) {
            (Ok(home), abroad) => Ok(Readings::either(home.key(), abroad.map(|n| n.key()))),
            (Err(_), Some(abroad)) => Ok(Readings::assumed(abroad.key())),
            (Err(invalid), None) => Err(invalid),
        }
    }

    /// Reads a number without `+`: one of the region, on its own, after its trunk prefix or after
    /// its country code, or one of any country after an international prefix.
    fn national(self, written: &Written) -> Result<Number, InvalidValue> {
        let digits = &written.digits;
        let numbering = self.region.numbering().ok_or(InvalidValue::NotOfRegion(self.region))?;
        if let Some(number) = self.parsed(digits, numbering) {
            return Ok(number);
        }
        let behind_prefix = |rest: &str| {
            let cut = digits.len() - rest.len();
            let zero = written.zero_in_parentheses.and_then(|at| at.checked_sub(cut));
            international(rest, zero).ok()
        };
        let own = numbering.without_international_prefix(digits);
        let any = digits.strip_prefix(INTERNATIONAL_PREFIX);
        let abroad = own.and_then(behind_prefix).or_else(|| any.and_then(behind_prefix));
        abroad.ok_or(if numbering.is_local(digits) {
            InvalidValue::NoAreaCode
        } else {
            InvalidValue::NotOfRegion(self.region)
        })
    }

    /// The digits as a number of the region, if all of them belong to it.
    fn parsed(self, digits: &str, numbering: &Numbering) -> Option<Number> {
        let code = numbering.country_code();
        let behind_trunk = numbering.trunk_prefix().and_then(|prefix| digits.strip_prefix(prefix));
        let behind_code = digits.strip_prefix(&code.to_string());
        // Digits that are whole with and without a prefix, or behind the country code, are for
        // libphonenumber to decide; of others it says nothing else than its table of countries.
        let may_be_trunk = behind_trunk.is_some() && numbering.is_whole(digits);
        let may_be_code = behind_code != behind_trunk
            && behind_code.is_some_and(|national| numbering.is_whole(national));
        let decided = (may_be_trunk || may_be_code)
            .then(|| self.decided(digits, numbering, behind_trunk))
            .flatten();
        if may_be_trunk {
            return decided;
        }
        decided.or_else(|| {
            let national = behind_trunk.unwrap_or(digits);
            let is_whole = numbering.is_whole(national);
            is_whole.then(|| Number { code, national: national.to_owned() })
        })
    }

    /// The number that libphonenumber takes these digits for, if all of them belong to it: it drops
    /// digits that do not fit, and takes many numbers for those of another country.
    fn decided(
        self,
        digits: &str,
        numbering: &Numbering,
        behind_trunk: Option<&str>,
    ) -> Option<Number> {
        let parsed = phonenumber::parse(Some(self.region.id()), digits).ok()?;
        let parsed =
            Number { code: parsed.code().value(), national: parsed.national().to_string() };
        let has_all = *digits == parsed.national
            || behind_trunk == Some(&parsed.national)
            || *digits == parsed.key();
        let is_own =
            parsed.code == numbering.country_code() && numbering.is_whole(&parsed.national);
        (has_all && is_own).then_some(parsed)
    }

    fn stored_form(self, number: &Number) -> String {
        let home = self.region.numbering().map(Numbering::country_code);
        if home != Some(number.code) {
            return number.key();
        }
        if number.code == NORTH_AMERICA {
            return number.national.clone();
        }
        let dialled = dialled_at_home(&number.key());
        dialled
            .filter(|digits| self.reads_as(digits) == Some(number.key()))
            .unwrap_or_else(|| number.key())
    }

    /// What digits alone are read as within the region.
    fn reads_as(self, digits: &str) -> Option<String> {
        self.parsed(digits, self.region.numbering()?).map(|number| number.key())
    }
}

/// The digits of a number as they are dialled within its country.
fn dialled_at_home(key: &str) -> Option<String> {
    let number = phonenumber::parse(None, format!("+{key}")).ok()?;
    let text = number.format().mode(phonenumber::Mode::National).to_string();
    Some(digits(&text))
}

/// Reads the digits after a `+`: a country code, and a number of a country that has it.
fn international(digits: &str, zero: Option<usize>) -> Result<Number, InvalidValue> {
    let (code, countries) = country_code(digits).ok_or(InvalidValue::NoSuchCountry)?;
    let length = code.to_string().len();
    let mut national = digits[length..].to_owned();
    let has_trunk_zero = countries.iter().any(|country| country.trunk_prefix() == Some("0"));
    if zero == Some(length) && has_trunk_zero {
        national.remove(0);
    }
    if countries.iter().any(|country| country.is_whole(&national)) {
        Ok(Number { code, national })
    } else if countries.iter().any(|country| country.is_local(&national)) {
        Err(InvalidValue::NoAreaCode)
    } else {
        Err(InvalidValue::NotOfCountry(code))
    }
}

/// The country code with which the digits begin. No code is the beginning of another.
fn country_code(digits: &str) -> Option<(u16, &'static [Numbering])> {
    (1..=3).find_map(|length| {
        let code = digits.get(..length).filter(|code| !code.starts_with('0'))?.parse().ok()?;
        let countries = Numbering::of_code(code);
        (!countries.is_empty()).then_some((code, countries))
    })
}

/// Whether a number, by its [`Phone::key`] or [`Readings::key`], is in a range that its country gives
/// out. A number can be possible and yet nobody's, whatever its last digits are: its area code does
/// not exist. Whether anybody has the number is not known.
///
/// ```
/// assert!(crm_values::is_assigned("18185550142"));
/// assert!(!crm_values::is_assigned("12115550142"), "no area has the code 211");
/// ```
#[must_use]
pub fn is_assigned(key: &str) -> bool {
    country_code(key)
        .is_some_and(|(code, _)| numbering::is_assigned(code, &key[code.to_string().len()..]))
}

/// The digits within the country of a [`Phone::key`]; empty if it is not one.
pub(crate) fn national_digits(key: &str) -> &str {
    match country_code(key) {
        Some((code, _)) => &key[code.to_string().len()..],
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `parsed` is where the library is always asked.
    fn by_library(reader: PhoneReader, digits: &str, numbering: &Numbering) -> Option<Number> {
        let behind_trunk = numbering.trunk_prefix().and_then(|prefix| digits.strip_prefix(prefix));
        reader.decided(digits, numbering, behind_trunk).or_else(|| {
            // It takes the first digits of some numbers for a prefix that they are not.
            let national = match behind_trunk {
                Some(_) if numbering.is_whole(digits) => None,
                Some(behind) => Some(behind),
                None => Some(digits),
            };
            let national = national.filter(|national| numbering.is_whole(national))?.to_owned();
            Some(Number { code: numbering.country_code(), national })
        })
    }

    #[test]
    fn asked_only_where_it_decides_the_library_gives_what_it_gives_when_always_asked() {
        let (mut regions, mut read) = (0, 0);
        for letters in (b'A'..=b'Z').flat_map(|one| (b'A'..=b'Z').map(move |two| [one, two])) {
            let Ok(region) = std::str::from_utf8(&letters).unwrap().parse::<Region>() else {
                continue;
            };
            let (reader, numbering) = (PhoneReader::new(region), region.numbering().unwrap());
            let (code, trunk) = (numbering.country_code(), numbering.trunk_prefix().unwrap_or(""));
            regions += 1;
            // Every beginning of three digits where prefixes are most varied, some in all others.
            let is_varied =
                ["US", "CA", "GB", "DE", "IT", "AR", "MX", "RU"].contains(&&*region.to_string());
            for start in (0..1_000).step_by(if is_varied { 1 } else { 37 }) {
                for length in [4, 7, 8, 9, 10, 11] {
                    let rest = &"55501429876"[..length - 3];
                    let national = format!("{start:03}{rest}");
                    for prefix in ["", trunk, &code.to_string(), "00"] {
                        let digits = format!("{prefix}{national}");
                        let [ours, theirs] = [
                            reader.parsed(&digits, numbering),
                            by_library(reader, &digits, numbering),
                        ]
                        .map(|number| number.map(|number| number.key()));
                        assert_eq!(ours, theirs, "{digits} in {region}");
                        read += usize::from(ours.is_some());
                    }
                }
            }
        }
        assert!(regions > 200 && read > 20_000, "{regions} regions, {read} numbers");
    }

    /// Of a desk in North America the library is never asked: to unpack its data takes a process
    /// longer than to find a number among a million.
    #[test]
    fn numbers_of_north_america_are_read_without_the_library() {
        for region in ["US", "CA", "PR", "BS", "JM"] {
            let region: Region = region.parse().unwrap();
            let numbering = region.numbering().unwrap();
            assert_eq!(numbering.trunk_prefix(), Some("1"), "{region}");
            let begins_so = |start: &u32| numbering.is_whole(&format!("{start:04}550142"));
            let whole: Vec<_> = (0..10_000).filter(begins_so).collect();
            assert!(!whole.is_empty() && whole.iter().all(|start| *start >= 2_000), "{region}");
        }
    }
}
