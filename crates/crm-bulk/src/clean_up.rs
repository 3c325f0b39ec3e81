//! Clean-ups that need no list: writing numbers and addresses in one uniform way.

use crm_models::ContactType;
use crm_values::{Email, PhoneReader};

use crate::error::BulkError;

/// The values to rewrite in another form.
///
/// The proposed changes are like all others: they are part of the plan and are sent only when it is
/// applied.
///
/// ```
/// use crm_bulk::CleanUp;
/// use crm_models::ContactType;
/// use crm_values::PhoneReader;
///
/// let clean_up = CleanUp::new()
///     .lowercase_emails()
///     .replace_domain("old.example", "new.example")?
///     .normalize_phones(PhoneReader::default());
/// let cleaned = |contact_type, value| clean_up.value(&contact_type, value);
/// assert_eq!(cleaned(ContactType::Email, "Dana@OLD.example").as_deref(), Some("dana@new.example"));
/// assert_eq!(cleaned(ContactType::Phone, "(818) 555-0142").as_deref(), Some("8185550142"));
/// assert_eq!(cleaned(ContactType::Phone, "8185550142"), None);
/// assert_eq!(cleaned(ContactType::Phone, "(818) 555-0142 ext. 7"), None);
/// # Ok::<(), crm_bulk::BulkError>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct CleanUp {
    phones: Option<PhoneReader>,
    lowercase_emails: bool,
    domains: Vec<(String, String)>,
}

impl CleanUp {
    /// Creates a clean-up that leaves everything unchanged.
    pub fn new() -> Self {
        Self::default()
    }

    /// What it does, for people.
    pub(crate) fn chosen(&self) -> Vec<String> {
        let phones = self.phones.map(|_| "numbers are written as digits".to_owned());
        let emails =
            self.lowercase_emails.then(|| "addresses are written in lower case".to_owned());
        let moved = |(old, new): &(String, String)| format!("addresses move from {old} to {new}");
        phones.into_iter().chain(emails).chain(self.domains.iter().map(moved)).collect()
    }

    /// Writes telephone and fax numbers in the form of [`Phone::stored`]: digits only, ten of them
    /// for a number of the US or Canada. What cannot be read is left alone, and so is a number that
    /// would lose something: an extension, or the `+` without which its digits are read as another
    /// number.
    ///
    /// [`Phone::stored`]: crm_values::Phone::stored
    pub fn normalize_phones(mut self, reader: PhoneReader) -> Self {
        self.phones = Some(reader);
        self
    }

    /// Writes e-mail addresses in lower case.
    pub fn lowercase_emails(mut self) -> Self {
        self.lowercase_emails = true;
        self
    }

    /// Moves e-mail addresses from the domain `old`, in any letter case, to the domain `new`.
    ///
    /// # Errors
    ///
    /// [`BulkError::CleanUp`] if either of the two cannot be the domain of an address.
    pub fn replace_domain(mut self, old: &str, new: &str) -> Result<Self, BulkError> {
        for domain in [old, new] {
            if Email::read(&format!("name@{domain}")).is_err() {
                return Err(BulkError::CleanUp {
                    reason: format!("`{domain}` is not a domain for e-mail addresses"),
                });
            }
        }
        self.domains.push((old.to_owned(), new.to_owned()));
        Ok(self)
    }

    /// Returns whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.phones.is_none() && !self.lowercase_emails && self.domains.is_empty()
    }

    /// Whether this address, of whatever it is one, has a domain from which addresses are moved.
    pub(crate) fn has_old_domain(&self, value: &str) -> bool {
        let domain = value.trim().rsplit_once('@').map(|(_, domain)| domain);
        let is_old =
            |domain: &str| self.domains.iter().any(|(old, _)| domain.eq_ignore_ascii_case(old));
        domain.is_some_and(is_old)
    }

    /// Whether addresses are moved to other domains.
    pub(crate) fn moves_addresses(&self) -> bool {
        !self.domains.is_empty()
    }

    /// Returns the value as it should be written; `None` if it already is, or if it is not a number
    /// or address and is left alone.
    #[must_use]
    pub fn value(&self, contact_type: &ContactType, value: &str) -> Option<String> {
        let cleaned = match contact_type {
            ContactType::Email if self.lowercase_emails || !self.domains.is_empty() => {
                self.address(value.trim())?
            }
            _ if contact_type.is_phone() => {
                self.phones?.phone(value).ok()?.stored_whole()?.to_owned()
            }
            _ => return None,
        };
        (cleaned != value).then_some(cleaned)
    }

    fn address(&self, address: &str) -> Option<String> {
        let mut address =
            if self.lowercase_emails { address.to_lowercase() } else { address.to_owned() };
        for (old, new) in &self.domains {
            if let Some((user, domain)) = address.rsplit_once('@')
                && domain.eq_ignore_ascii_case(old)
            {
                address = format!("{user}@{new}");
            }
        }
        Email::read(&address).is_ok().then_some(address)
    }
}
