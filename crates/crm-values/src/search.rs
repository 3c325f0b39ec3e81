//! What a search compares, on both sides.

use unicode_normalization::UnicodeNormalization;

use crate::{
    characters::{digits, is_invisible},
    email::Email,
    invalid_value::InvalidValue,
    phone::{PhoneReader, national_digits},
    readings::Readings,
};

impl Readings {
    /// Reads a number, or an address if the text contains an `@`.
    ///
    /// # Errors
    ///
    /// Returns an [`InvalidValue`] when the text is neither; [`Traces`] reports what may be in it.
    pub fn of(text: &str, reader: PhoneReader) -> Result<Self, InvalidValue> {
        if text.contains(['@', '＠']) {
            Email::read(text).map(|email| Self::sure(email.key().to_owned()))
        } else {
            reader.readings(text)
        }
    }
}

/// The addresses and runs of digits in a text that cannot be read, so that a person can be shown
/// the text when a listed number or address may be in it.
///
/// ```
/// use crm_values::Traces;
///
/// let traces = Traces::of("Ana: 818-555-0142, or 'ada@site.example'");
/// assert!(traces.speaks_of("18185550142"));
/// assert!(traces.speaks_of("ada@site.example"));
/// assert!(!traces.speaks_of("18185550143"));
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Traces {
    digits: String,
    addresses: Vec<String>,
}

/// Shows nothing, because numbers and addresses are personal data.
impl std::fmt::Debug for Traces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Traces").finish_non_exhaustive()
    }
}

/// How many digits are enough to recognise a number: those of a number within its area.
const LEAST_DIGITS: usize = 7;
/// The maximum number of digits in E.164.
const MOST_DIGITS: usize = 15;

impl Traces {
    /// Collects the traces in a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let visible: String = text.nfkc().filter(|c| !is_invisible(*c)).collect();
        let between = |c: char| c.is_whitespace() || ",;:<>()[]{}\"“”|/".contains(c);
        let addresses = visible
            .split(between)
            .flat_map(|word| [word.trim_matches(['\'', '’', '.', '=']), bare_address(word)])
            .filter_map(|word| Email::read(word).ok())
            .map(|email| email.key().to_owned());
        Self { digits: digits(text), addresses: addresses.collect() }
    }

    /// Returns everything that may be a number or an address, for a look-up: see [`lookup_names`].
    pub fn candidates(&self) -> impl Iterator<Item = &str> {
        let numbers = (0..self.digits.len()).flat_map(|from| {
            let behind = &self.digits[from..];
            let longest = behind.len().min(MOST_DIGITS);
            (LEAST_DIGITS..=longest).map(|length| &behind[..length])
        });
        numbers.chain(self.addresses.iter().map(String::as_str))
    }

    /// Whether the number or address with this [`Readings::key`] may be in the text.
    #[must_use]
    pub fn speaks_of(&self, key: &str) -> bool {
        let names = lookup_names(key);
        self.candidates().any(|candidate| names.contains(&candidate))
    }
}

/// The address in a word, without the punctuation around it.
fn bare_address(word: &str) -> &str {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let domain = word.find('@').map_or(word.len(), |at| at + 1);
    let is_behind = |c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-'));
    let end = word[domain..].find(is_behind);
    end.map_or(word, |end| &word[..domain + end])
}

/// Returns the names under which to look up a number or an address among the
/// [candidates](Traces::candidates) of a text: with and without its country code.
///
/// ```
/// assert_eq!(crm_values::lookup_names("18185550142"), ["18185550142", "8185550142"]);
/// assert_eq!(crm_values::lookup_names("ada@site.example"), ["ada@site.example"]);
/// ```
#[must_use]
pub fn lookup_names(key: &str) -> Vec<&str> {
    let mut names = vec![key];
    if !key.contains('@') {
        let national = national_digits(key);
        names.extend((national.len() >= LEAST_DIGITS).then_some(national));
    }
    names
}
