//! E-mail addresses as people write them.

use unicode_normalization::UnicodeNormalization;

use crate::{
    cell::check_cell, characters::is_invisible, invalid_value::InvalidValue, link::without_scheme,
};

/// The longest local part and the longest address, in bytes (RFC 5321, 4.5.3.1).
const LONGEST_NAME: usize = 64;
const LONGEST_ADDRESS: usize = 254;
/// The longest label and the longest domain in their ASCII form (RFC 1035, 2.3.4).
const LONGEST_LABEL: usize = 63;
const LONGEST_DOMAIN: usize = 253;

/// An e-mail address that has been read.
///
/// It is sent as it was typed, without surrounding blanks and without the `mailto:` of a link. Two addresses are the same when their
/// keys are.
///
/// ```
/// use crm_values::Email;
///
/// let typed = Email::read(" Jörg@Bücher.example")?;
/// assert_eq!(typed.as_str(), "Jörg@Bücher.example");
/// let punycode = Email::read("jörg@xn--bcher-kva.example")?;
/// assert_eq!(typed.key(), punycode.key());
/// # Ok::<(), crm_values::InvalidValue>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Email {
    typed: String,
    key: String,
}

/// Shows nothing, because an address is personal data.
impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Email").finish_non_exhaustive()
    }
}

impl Email {
    /// Reads an address: one `@`, letters of any script (RFC 6531), and a domain whose labels and
    /// length are valid in the DNS. Whether the domain exists is not checked.
    ///
    /// # Errors
    ///
    /// Returns an [`InvalidValue`] when the text is not an address; invisible characters are refused, not
    /// dropped.
    pub fn read(text: &str) -> Result<Self, InvalidValue> {
        let typed = without_scheme(text);
        let typed = typed.trim();
        if typed.is_empty() {
            return Err(InvalidValue::Empty);
        }
        check_cell(typed)?;
        // Checked before IDNA, which drops them silently.
        if typed.chars().any(is_invisible) {
            return Err(InvalidValue::Invisible);
        }
        if typed.starts_with(['\'', '\u{2019}']) {
            return Err(InvalidValue::Apostrophe);
        }
        let (name, domain) = typed.rsplit_once('@').ok_or(InvalidValue::NotAnAddress)?;
        if name.is_empty() || !name.chars().all(is_of_name) {
            return Err(InvalidValue::NotAnAddress);
        }
        if name.len() > LONGEST_NAME || typed.len() > LONGEST_ADDRESS {
            return Err(InvalidValue::TooLong);
        }
        let domain = ascii_domain(domain)?;
        Ok(Self { key: format!("{}@{domain}", folded(name)), typed: typed.to_owned() })
    }

    /// Returns the address as it was typed, without surrounding blanks.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.typed
    }

    /// Returns the form that all spellings of the address share: compatibility characters folded
    /// (NFKC), lower case, the domain in its ASCII form (IDNA, UTS 46).
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Whether a text is read as an address, not as a number.
pub(crate) fn looks_like_address(text: &str) -> bool {
    without_scheme(text).contains(['@', '＠'])
}

/// Whether a character may precede the `@`: the characters of HTML's e-mail fields, and letters and
/// digits of any script with their marks.
fn is_of_name(character: char) -> bool {
    if character.is_ascii() {
        character.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(character)
    } else {
        character.is_alphanumeric() || unicode_normalization::char::is_combining_mark(character)
    }
}

/// The domain as the DNS has it. IDNA alone would accept `ex ample.com` and `a..b`.
fn ascii_domain(domain: &str) -> Result<String, InvalidValue> {
    let ascii = idna::domain_to_ascii(domain).map_err(|_| InvalidValue::NotADomain)?;
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= LONGEST_LABEL
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let is_domain = ascii.len() <= LONGEST_DOMAIN && ascii.split('.').all(is_label);
    is_domain.then_some(ascii).ok_or(InvalidValue::NotADomain)
}

fn folded(text: &str) -> String {
    // Composes again what lower case has decomposed.
    let lower = text.nfkc().collect::<String>().to_lowercase();
    lower.nfkc().collect()
}
