//! Clean-ups that need no list: one way to write numbers and addresses.

use crm_models::{ContactType, email, phone};

use crate::BulkError;

/// Which values shall be written in another way.
///
/// The proposals are changes like all others: they stand in the plan and are sent only when
/// it is applied.
///
/// ```
/// use crm_bulk::CleanUp;
/// use crm_models::ContactType;
///
/// let clean_up = CleanUp::new()
///     .lowercase_emails()
///     .replace_domain("old.example", "new.example")?
///     .normalize_phones("US")?;
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
    phones: Option<String>,
    lowercase_emails: bool,
    domains: Vec<(String, String)>,
}

impl CleanUp {
    /// Leaves everything as it is.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes telephone and fax numbers as the API does: digits only, ten of them for a number
    /// of the US or Canada. A number with an extension or other text behind it is left alone.
    ///
    /// A number without country code is taken as one of `region`, a two-letter code such as
    /// `US`. With the feature `phonenumber` numbers of every country are understood: those of
    /// `region` become their national digits, others their international ones, and what cannot
    /// be a number is left alone. Without it there are the US and Canada: what is no number of
    /// theirs is left alone.
    ///
    /// # Errors
    ///
    /// [`BulkError::CleanUp`] for a region that is not known.
    pub fn normalize_phones(mut self, region: &str) -> Result<Self, BulkError> {
        let region = region.trim().to_ascii_uppercase();
        if !is_known(&region) {
            return Err(BulkError::CleanUp {
                reason: format!("telephone numbers of region `{region}` are not known{HINT}"),
            });
        }
        self.phones = Some(region);
        Ok(self)
    }

    /// Writes e-mail addresses in lower case.
    pub fn lowercase_emails(mut self) -> Self {
        self.lowercase_emails = true;
        self
    }

    /// Moves e-mail addresses of one domain, in letters of any case, to another.
    ///
    /// # Errors
    ///
    /// [`BulkError::CleanUp`] when one of the two can be no domain of an address.
    pub fn replace_domain(mut self, old: &str, new: &str) -> Result<Self, BulkError> {
        for domain in [old, new] {
            if email::check(&format!("name@{domain}")).is_err() {
                return Err(BulkError::CleanUp {
                    reason: format!("`{domain}` is no domain of e-mail addresses"),
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

    /// The value as it should be written; `None` when it is so already, or is no number or
    /// address and is left alone.
    #[must_use]
    pub fn value(&self, contact_type: &ContactType, value: &str) -> Option<String> {
        let cleaned = match contact_type {
            ContactType::Email if self.lowercase_emails || !self.domains.is_empty() => {
                self.address(value.trim())?
            }
            _ if contact_type.is_phone() => digits(value.trim(), self.phones.as_deref()?)?,
            _ => return None,
        };
        (cleaned != value).then_some(cleaned)
    }

    fn address(&self, address: &str) -> Option<String> {
        let mut address = if self.lowercase_emails {
            address.to_lowercase()
        } else {
            address.to_owned()
        };
        for (old, new) in &self.domains {
            if let Some((user, domain)) = address.rsplit_once('@')
                && domain.eq_ignore_ascii_case(old)
            {
                address = format!("{user}@{new}");
            }
        }
        email::check(&address).is_ok().then_some(address)
    }
}

/// The digits of a number alone; `None` where something would get lost or nothing is certain.
fn digits(number: &str, region: &str) -> Option<String> {
    match phone::without_extension(number) == number {
        true => national(number, region),
        false => None,
    }
}

#[cfg(not(feature = "phonenumber"))]
const HINT: &str = " to this build, only US and CA are: build with the feature `phonenumber`";
#[cfg(feature = "phonenumber")]
const HINT: &str = "; give a two-letter code such as US";

#[cfg(not(feature = "phonenumber"))]
fn is_known(region: &str) -> bool {
    matches!(region, "US" | "CA")
}

/// Ten digits of which neither area nor exchange begins with 0 or 1, alone or after +1.
#[cfg(not(feature = "phonenumber"))]
fn national(number: &str, _region: &str) -> Option<String> {
    let abroad = number.starts_with('+') && !number.starts_with("+1");
    let digits = phone::key(number);
    let begins = |at: usize| matches!(digits.as_bytes().get(at), Some(b'2'..=b'9'));
    (!abroad && digits.len() == 10 && begins(0) && begins(3)).then_some(digits)
}

#[cfg(feature = "phonenumber")]
fn is_known(region: &str) -> bool {
    region.parse::<phonenumber::country::Id>().is_ok()
}

#[cfg(feature = "phonenumber")]
fn national(number: &str, region: &str) -> Option<String> {
    let region = region.parse::<phonenumber::country::Id>().ok();
    let parsed = phonenumber::parse(region, number).ok()?;
    if !phonenumber::is_valid(&parsed) || parsed.extension().is_some() {
        return None;
    }
    // Digits alone of another country's number would pass for one of this country.
    let at_home = region.is_some() && parsed.country().id() == region;
    if !at_home && parsed.code().value() != 1 {
        return None;
    }
    let text = parsed
        .format()
        .mode(phonenumber::Mode::National)
        .to_string();
    Some(text.chars().filter(char::is_ascii_digit).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(region: &str, number: &str) -> Option<String> {
        let clean_up = CleanUp::new().normalize_phones(region).unwrap();
        clean_up.value(&ContactType::Phone, number)
    }

    #[test]
    fn a_number_that_would_lose_something_is_left_alone() {
        for number in [
            "(818) 555-0142 ext. 7",
            "555-0142 x123",
            "818-555-0142 (home)",
            "+49 30 123456",
            "555-0142",
            "front desk",
        ] {
            assert_eq!(phone("US", number), None, "{number}");
        }
        let written = ["+1 (818) 555-0142", " 1-818-555-0142", "818.555.0142"];
        for number in written {
            assert_eq!(
                phone("us", number).as_deref(),
                Some("8185550142"),
                "{number}"
            );
        }
    }

    #[test]
    fn a_region_that_is_not_understood_is_refused() {
        let understood = |region| CleanUp::new().normalize_phones(region).is_ok();
        assert!(understood("US") && understood("ca"));
        assert!(!understood("XX") && !understood(""));
        assert_eq!(understood("CN"), cfg!(feature = "phonenumber"));
        #[cfg(feature = "phonenumber")]
        assert_eq!(phone("CN", "138 1234 5678").as_deref(), Some("13812345678"));
    }

    #[test]
    fn an_address_is_proposed_only_if_it_is_one() {
        for domains in [
            ["old.example", ""],
            ["", "new.example"],
            ["a@b", "c"],
            ["a", "b c"],
        ] {
            let [old, new] = domains;
            assert!(
                CleanUp::new().replace_domain(old, new).is_err(),
                "{domains:?}"
            );
        }
        let clean_up = CleanUp::new().lowercase_emails();
        assert_eq!(clean_up.value(&ContactType::Email, "Dana at Site"), None);
    }
}
