//! What a search compares, on both sides.

use unicode_normalization::UnicodeNormalization;

use crate::{
    characters::{digits, is_invisible},
    email::{Email, looks_like_address},
    invalid_value::InvalidValue,
    phone::{PhoneReader, is_assigned, national_digits},
    readings::Readings,
};

impl Readings {
    /// Reads a number, or an address if the text contains an `@`.
    ///
    /// # Errors
    ///
    /// Returns an [`InvalidValue`] when the text is neither; [`Traces`] reports what may be in it.
    pub fn of(text: &str, reader: PhoneReader) -> Result<Self, InvalidValue> {
        if looks_like_address(text) {
            Email::read(text).map(|email| Self::sure(email.key().to_owned()))
        } else {
            reader.readings(text)
        }
    }

    /// Does the same for what somebody typed, or lists. Digits that fit no number of the region are taken
    /// for one with its country code in front only where that country gives out such numbers:
    /// of two numbers run together, or of a moment, that is hardly ever so.
    ///
    /// ```
    /// use crm_values::{PhoneReader, Readings};
    ///
    /// let typed = |text| Readings::typed(text, PhoneReader::default());
    /// assert!(typed("442079460958")?.is_assumed());
    /// assert!(!typed("+442079460958")?.is_assumed());
    /// assert!(typed("20261130093000").is_err());
    /// # Ok::<(), crm_values::InvalidValue>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an [`InvalidValue`] when the text is no number, no address, or digits of which nobody can
    /// tell what they are.
    pub fn typed(text: &str, reader: PhoneReader) -> Result<Self, InvalidValue> {
        let readings = Self::of(text, reader)?;
        if readings.is_assumed() && !is_assigned(readings.key()) {
            return Err(InvalidValue::NotOfRegion(reader.region()));
        }
        Ok(readings)
    }

    /// Says what typed digits are taken for that fit no number of the region, since no `+` says so;
    /// `None` for all else.
    ///
    /// ```
    /// use crm_values::{PhoneReader, Readings};
    ///
    /// let told = |text| Readings::assumption(text, PhoneReader::default());
    /// let taken = "no number of US, so it is taken for +442079460958";
    /// assert_eq!(told("442079460958").as_deref(), Some(taken));
    /// assert_eq!(told("+442079460958"), None);
    /// ```
    #[must_use]
    pub fn assumption(text: &str, reader: PhoneReader) -> Option<String> {
        let readings = Self::typed(text, reader).ok().filter(Self::is_assumed)?;
        let (region, key) = (reader.region(), readings.key());
        Some(format!("no number of {region}, so it is taken for +{key}"))
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

/// One number or address that is looked for in many texts: most of them are told not to have it by a
/// glance at them.
///
/// ```
/// use crm_values::{Needle, PhoneReader, Readings};
///
/// let number = Readings::of("(818) 555-0142", PhoneReader::default())?;
/// let needle = Needle::of(number.key());
/// assert!(needle.is_in("Ana: 818.555.0142"));
/// assert!(!needle.is_in("Ana: 818.555.0143"));
/// # Ok::<(), crm_values::InvalidValue>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Needle {
    key: String,
    /// Of a number what its digits are in texts; of an address nothing.
    digits: Vec<String>,
}

/// Shows nothing, because numbers and addresses are personal data.
impl std::fmt::Debug for Needle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Needle").finish_non_exhaustive()
    }
}

impl Needle {
    /// What is looked for, by its [`Readings::key`].
    #[must_use]
    pub fn of(key: &str) -> Self {
        let names = lookup_names(key).into_iter();
        let is_looked_up = |name: &&str| (LEAST_DIGITS..=MOST_DIGITS).contains(&name.len());
        let digits = names.filter(|name| !name.contains('@')).filter(is_looked_up);
        Self { key: key.to_owned(), digits: digits.map(str::to_owned).collect() }
    }

    /// Returns the key by which it was made.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether it may be in a text: as [`Traces::speaks_of`] says.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        match self.key.split_once('@') {
            Some((name, _)) => may_have_name(text, name) && Traces::of(text).speaks_of(&self.key),
            None => {
                let digits = digits(text);
                self.digits.iter().any(|known| digits.contains(known))
            }
        }
    }
}

/// Whether an address with this name, in lower case, may be in a text. What is not plain ASCII may be
/// written in many ways.
fn may_have_name(text: &str, name: &str) -> bool {
    let is_plain = |c: u8| c.is_ascii() && (!c.is_ascii_control() || c.is_ascii_whitespace());
    let (text, name) = (text.as_bytes(), name.as_bytes());
    let is_name = |at: usize| {
        at.checked_sub(name.len()).is_some_and(|from| text[from..at].eq_ignore_ascii_case(name))
    };
    let mut ats = text.iter().enumerate().filter(|(_, c)| **c == b'@').map(|(at, _)| at);
    ats.any(is_name) || !text.iter().copied().all(is_plain)
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
