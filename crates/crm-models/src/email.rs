//! E-mail addresses: what they may look like, and when two of them are the same.

use validator::ValidateEmail;

/// Returns the address in lower case without surrounding white space.
///
/// ```
/// assert_eq!(crm_models::email::key(" Dana@Site.example"), "dana@site.example");
/// ```
#[must_use]
pub fn key(address: &str) -> String {
    address.trim().to_lowercase()
}

/// Whether this is an e-mail address, by the rules of HTML's e-mail fields, with letters of any
/// script (RFC 6531).
///
/// ```
/// use crm_models::email;
///
/// assert!(email::check("dana@site.example").is_ok());
/// assert!(email::check("jörg@firma.example").is_ok());
/// assert!(email::check("dana@site@example").is_err());
/// ```
///
/// # Errors
///
/// Returns what is wrong, without quoting the address.
pub fn check(address: &str) -> Result<(), &'static str> {
    let latin = |c: char| if c.is_ascii() || !c.is_alphanumeric() { c } else { 'x' };
    if address.chars().map(latin).collect::<String>().validate_email() {
        Ok(())
    } else {
        Err("is not an e-mail address like name@host.example")
    }
}
