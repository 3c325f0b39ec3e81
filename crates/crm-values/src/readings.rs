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
    is_assumed: bool,
}

/// Shows nothing, because numbers and addresses are personal data.
impl std::fmt::Debug for Readings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readings").finish_non_exhaustive()
    }
}

impl Readings {
    pub(crate) fn sure(key: String) -> Self {
        Self { key, otherwise: None, is_assumed: false }
    }

    pub(crate) fn assumed(key: String) -> Self {
        Self { key, otherwise: None, is_assumed: true }
    }

    pub(crate) fn either(key: String, otherwise: Option<String>) -> Self {
        let otherwise = otherwise.filter(|other| *other != key);
        Self { key, otherwise, is_assumed: false }
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

    /// Returns whether the text is digits alone that fit no number of the region, and were taken for one
    /// that begins with its country code, although no `+` says so.
    #[must_use]
    pub fn is_assumed(&self) -> bool {
        self.is_assumed
    }
}
