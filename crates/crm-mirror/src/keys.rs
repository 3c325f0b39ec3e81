//! What numbers and addresses are compared by when one is looked for.

use crm_values::{DATA, InvalidValue, PhoneReader, Readings, Region, digits, without_scheme};

/// Begins the key of a text that cannot be read. No key of a number or address begins so.
const UNREADABLE: char = ' ';
/// Begins the key of a local number, which lacks its area code.
const LOCAL: &str = "  ";

/// What a text is compared by: the same for what is looked for and for what a contact has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The first reading; of a text that cannot be read, the text.
    pub key: String,
    /// The second reading, of digits that may begin with a country code or not; the text if it
    /// cannot be read so.
    pub otherwise: Option<String>,
}

impl Keys {
    /// Reads a number or an address that is stored somewhere, whatever it looks like.
    pub fn of(text: &str, reader: PhoneReader) -> Self {
        let unreadable = || format!("{UNREADABLE}{}", text.trim());
        match Readings::of(text, reader) {
            // Only with its first digits as a country code: a service may have appended an
            // extension to a number of the region.
            Ok(readings) if readings.is_assumed() => {
                Self { otherwise: Some(unreadable()), ..Self::from(&readings) }
            }
            Ok(readings) => Self::from(&readings),
            Err(InvalidValue::NoAreaCode) => Self::local(text),
            Err(_) => Self { key: unreadable(), otherwise: None },
        }
    }

    /// Reads a number or an address that somebody looks for; a local number too, since another
    /// local number can be the same.
    pub fn listed(text: &str, reader: PhoneReader) -> Result<Self, InvalidValue> {
        match Readings::typed(text, reader) {
            Ok(readings) => Ok(Self::from(&readings)),
            Err(InvalidValue::NoAreaCode) => Ok(Self::local(text)),
            Err(invalid) => Err(invalid),
        }
    }

    fn local(text: &str) -> Self {
        Self { key: local_key(&digits(&without_scheme(text))), otherwise: None }
    }

    pub fn is_number(&self) -> bool {
        !self.key.contains('@')
    }
}

impl From<&Readings> for Keys {
    fn from(readings: &Readings) -> Self {
        let otherwise = readings.otherwise().map(str::to_owned);
        Self { key: readings.key().to_owned(), otherwise }
    }
}

/// The key of the local number with these digits.
pub fn local_key(digits: &str) -> String {
    format!("{LOCAL}{digits}")
}

/// The digits of a key of a local number.
pub fn local_digits(key: &str) -> Option<&str> {
    key.strip_prefix(LOCAL)
}

/// Whether the key is of a text that cannot be read, or not as a whole number.
pub fn is_unreadable(key: &str) -> bool {
    key.starts_with(UNREADABLE)
}

/// What keys depend on, to be stored beside them: those made by another reader or by other data
/// are not the same.
pub fn description(reader: PhoneReader) -> String {
    format!("{}; {DATA}", reader.region())
}

/// The region of a [`description`].
pub fn described_region(description: &str) -> Option<Region> {
    description.split(';').next()?.parse().ok()
}
