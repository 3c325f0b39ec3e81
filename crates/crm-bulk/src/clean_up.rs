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

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.phones.is_none() && !self.lowercase_emails && self.domains.is_empty()
    }

    /// Returns the value as it should be written; `None` if it already is, or if it is not a number
    /// or address and is left alone.
    #[must_use]
    pub fn value(&self, contact_type: &ContactType, value: &str) -> Option<String> {
        let cleaned = match contact_type {
            ContactType::Email if self.lowercase_emails || !self.domains.is_empty() => {
                self.address(value.trim())?
            }
            _ if contact_type.is_phone() => digits(value, self.phones?)?,
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

/// The digits of a number alone; `None` where something would get lost or nothing is certain.
fn digits(number: &str, reader: PhoneReader) -> Option<String> {
    let number = reader.phone(number).ok()?;
    let is_kept = number.extension().is_none() && !number.is_ambiguous();
    is_kept.then(|| number.stored().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(region: &str, number: &str) -> Option<String> {
        let reader = PhoneReader::new(region.parse().unwrap());
        let clean_up = CleanUp::new().normalize_phones(reader);
        clean_up.value(&ContactType::Phone, number)
    }

    #[test]
    fn a_number_that_would_lose_something_is_left_alone() {
        for number in [
            "(818) 555-0142 ext. 7",
            "555-0142 x123",
            "818-555-0142 (home)",
            "+49 30 123456",
            "+65 6123 4567",
            "555-0142",
            "818-555-O142",
            "front desk",
        ] {
            assert_eq!(phone("US", number), None, "{number}");
        }
        for (region, number, digits) in [
            ("US", "+1 (818) 555-0142", "8185550142"),
            ("us", " 1-818-555-0142", "8185550142"),
            ("CA", "818.555.0142", "8185550142"),
            ("US", "+44 20 7946 0958", "442079460958"),
            ("GB", "+44 20 7946 0958", "02079460958"),
            ("CN", "138 1234 5678", "13812345678"),
        ] {
            assert_eq!(phone(region, number).as_deref(), Some(digits), "{number}");
        }
    }

    #[test]
    fn an_address_is_proposed_only_if_it_is_one() {
        for domains in [["old.example", ""], ["", "new.example"], ["a@b", "c"], ["a", "b c"]] {
            let [old, new] = domains;
            assert!(CleanUp::new().replace_domain(old, new).is_err(), "{domains:?}");
        }
        let clean_up = CleanUp::new().lowercase_emails();
        assert_eq!(clean_up.value(&ContactType::Email, "Dana at Site"), None);
    }
}
