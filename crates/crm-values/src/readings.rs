//! The keys of one number or address.

/// The keys by which a text is compared when searching for a number or an address. They are built
/// the same way for the text that is searched for and for the texts that are searched.
///
/// ```
/// use crm_values::{PhoneReader, Readings};
///
/// let reader = PhoneReader::default();
/// let listed = Readings::of("+1 818 555 0142", reader)?;
/// let stored = Readings::of("(818) 555-0142 x7", reader)?;
/// assert_eq!(listed.key(), stored.key());
/// # Ok::<(), crm_values::InvalidValue>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Readings {
    key: String,
    otherwise: Option<String>,
}

/// Shows nothing, because numbers and addresses are personal data.
impl std::fmt::Debug for Readings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readings").finish_non_exhaustive()
    }
}

impl Readings {
    pub(crate) fn sure(key: String) -> Self {
        Self { key, otherwise: None }
    }

    pub(crate) fn either(key: String, otherwise: Option<String>) -> Self {
        let otherwise = otherwise.filter(|other| *other != key);
        Self { key, otherwise }
    }

    /// Returns the first reading: the digits of E.164, or [`Email::key`](crate::Email::key).
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the second reading, for digits that may or may not begin with a country code. A
    /// match by this reading alone is for a person to check.
    #[must_use]
    pub fn otherwise(&self) -> Option<&str> {
        self.otherwise.as_deref()
    }
}
