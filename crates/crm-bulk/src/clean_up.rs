//! Clean-ups that need no list: one way to write numbers and addresses.

use crm_models::ContactType;

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
///     .replace_domain("old.example", "new.example")
///     .normalize_phones("US");
/// let cleaned = |contact_type, value| clean_up.value(&contact_type, value);
/// assert_eq!(cleaned(ContactType::Email, "Dana@OLD.example").as_deref(), Some("dana@new.example"));
/// assert_eq!(cleaned(ContactType::Phone, "(818) 555-0142").as_deref(), Some("8185550142"));
/// assert_eq!(cleaned(ContactType::Phone, "8185550142"), None);
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
    /// of the US or Canada.
    ///
    /// A number without country code is taken as one of `region`, a two-letter code such as
    /// `US`. With the feature `phonenumber` numbers of every country are understood: those of
    /// `region` become their national digits, others their international ones, and what cannot
    /// be a number is left alone. Without it, the digits of a number of ten or eleven digits
    /// are kept, whatever the region.
    pub fn normalize_phones(mut self, region: impl Into<String>) -> Self {
        self.phones = Some(region.into().to_ascii_uppercase());
        self
    }

    /// Writes e-mail addresses in lower case.
    pub fn lowercase_emails(mut self) -> Self {
        self.lowercase_emails = true;
        self
    }

    /// Moves e-mail addresses of one domain, in letters of any case, to another.
    pub fn replace_domain(mut self, old: impl Into<String>, new: impl Into<String>) -> Self {
        self.domains.push((old.into(), new.into()));
        self
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.phones.is_none() && !self.lowercase_emails && self.domains.is_empty()
    }

    /// The value as it should be written; `None` when it is so already.
    #[must_use]
    pub fn value(&self, contact_type: &ContactType, value: &str) -> Option<String> {
        let cleaned = match contact_type {
            ContactType::Email if self.lowercase_emails || !self.domains.is_empty() => {
                self.address(value.trim())
            }
            _ if contact_type.is_phone() => digits(value, self.phones.as_deref()?)?,
            _ => return None,
        };
        (cleaned != value).then_some(cleaned)
    }

    fn address(&self, address: &str) -> String {
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
        address
    }
}

#[cfg(not(feature = "phonenumber"))]
fn digits(number: &str, _region: &str) -> Option<String> {
    let digits = crm_models::phone::key(number);
    (digits.len() == 10).then_some(digits)
}

#[cfg(feature = "phonenumber")]
fn digits(number: &str, region: &str) -> Option<String> {
    let region = region.parse::<phonenumber::country::Id>().ok();
    let parsed = phonenumber::parse(region, number).ok()?;
    if !phonenumber::is_valid(&parsed) {
        return None;
    }
    let at_home = region.is_some() && parsed.country().id() == region;
    let mode = match at_home || parsed.code().value() == 1 {
        true => phonenumber::Mode::National,
        false => phonenumber::Mode::E164,
    };
    let text = parsed.format().mode(mode).to_string();
    Some(text.chars().filter(char::is_ascii_digit).collect())
}
