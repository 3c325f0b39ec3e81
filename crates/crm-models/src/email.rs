//! E-mail addresses: what they may look like, and when two are the same.

use validator::ValidateEmail;

/// The address in lower case without surrounding white space.
///
/// ```
/// assert_eq!(crm_models::email::key(" Dana@Site.example"), "dana@site.example");
/// ```
#[must_use]
pub fn key(address: &str) -> String {
    address.trim().to_lowercase()
}

/// Why this is no e-mail address; `None` when it is one, by the rules of HTML's e-mail fields.
pub(crate) fn fault(address: &str) -> Option<&'static str> {
    (!address.validate_email()).then_some("is not an e-mail address like name@host.example")
}
