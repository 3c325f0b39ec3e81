//! The credentials of the calling application.

use std::fmt;

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};

use crate::secrets::Secrets;

/// The client id and secret of one application in one tenant and environment, and the application's
/// key. White space around them is dropped; if one of them is empty, calls end in
/// [`TransportErrorKind::Credentials`](crate::TransportErrorKind::Credentials), not sent.
///
/// `Debug` shows none of them.
///
/// ```
/// use crm_transport::Credentials;
///
/// let credentials = Credentials::new("cid.example", "s3cret\n", "ak1.example");
/// assert!(!format!("{credentials:?}").contains("s3cret"));
/// ```
#[derive(Clone)]
pub struct Credentials {
    client_id: SecretString,
    client_secret: SecretString,
    app_key: SecretString,
    tenant: Option<i64>,
}

impl Credentials {
    /// Creates credentials from the three parts.
    #[must_use]
    pub fn new(
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
        app_key: impl Into<String>,
    ) -> Self {
        let secret = |text: String| SecretString::from(text.trim());
        Self {
            client_id: secret(client_id.into()),
            client_secret: secret(client_secret.into()),
            app_key: secret(app_key.into()),
            tenant: None,
        }
    }

    /// Sets the tenant to name in token requests. Only for Enterprise Hub, where one client id
    /// serves a group of tenants.
    #[must_use]
    pub fn for_tenant(mut self, tenant: i64) -> Self {
        self.tenant = Some(tenant);
        self
    }

    /// Returns the part that is empty, perhaps from an unset variable; without it no token is asked
    /// for.
    pub(crate) fn empty_part(&self) -> Option<&'static str> {
        let parts = [
            ("client id", &self.client_id),
            ("client secret", &self.client_secret),
            ("app key", &self.app_key),
        ];
        let empty = parts.iter().find(|(_, part)| part.expose_secret().is_empty());
        empty.map(|(name, _)| *name)
    }

    #[cfg(feature = "token-cache")]
    pub(crate) fn client_id(&self) -> &str {
        self.client_id.expose_secret()
    }

    #[cfg(feature = "token-cache")]
    pub(crate) fn tenant(&self) -> Option<i64> {
        self.tenant
    }

    pub(crate) fn client_secret(&self) -> &str {
        self.client_secret.expose_secret()
    }

    pub(crate) fn app_key(&self) -> &str {
        self.app_key.expose_secret()
    }

    /// The secrets that no error text may show.
    pub(crate) fn secrets(&self) -> Secrets {
        Secrets::new([self.client_secret(), self.app_key()])
    }

    /// The body of the token request (RFC 6749, section 4.4.2, credentials in the body). Its memory
    /// is wiped with the last of its clones.
    pub(crate) fn form(&self) -> Bytes {
        // There is room for all of it from the start, even with each byte escaped: a text that
        // grows leaves copies of itself behind.
        let escaped = self.client_id.expose_secret().len() + self.client_secret().len();
        let room = String::with_capacity(3 * escaped + NAMES);
        let mut form = url::form_urlencoded::Serializer::new(room);
        form.append_pair("grant_type", "client_credentials")
            .append_pair("client_id", self.client_id.expose_secret())
            .append_pair("client_secret", self.client_secret.expose_secret());
        if let Some(tenant) = self.tenant {
            form.append_pair("tenant", &tenant.to_string());
        }
        Bytes::from_owner(Zeroizing::new(form.finish()))
    }
}

/// The greatest length of the rest of a token request: its names, the kind of grant and a tenant.
const NAMES: usize = 128;

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_token_request_has_room_from_the_start() {
        let odd = "ü€/?".repeat(20);
        let credentials = Credentials::new(odd.as_str(), odd.as_str(), "").for_tenant(i64::MIN);
        let room = 3 * 2 * odd.len() + NAMES;
        assert!(credentials.form().len() <= room);
    }
}
