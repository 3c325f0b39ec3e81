//! Where a sandbox answers, and with which credentials.

use serde::{Deserialize, Serialize};

/// What a client needs to talk to a sandbox. As JSON it is the first line that `crm sandbox serve`
/// prints.
///
/// The credentials are not secret: they open nothing but a sandbox.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use crm_sandbox::{Connection, Sandbox};
///
/// let sandbox = Sandbox::start().await?;
/// let line = serde_json::to_string(sandbox.connection())?;
/// assert_eq!(&serde_json::from_str::<Connection>(&line)?, sandbox.connection());
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Connection {
    /// The base URL of the API, without a path: `http://127.0.0.1:49152`. A sandbox that listens on
    /// every address names this machine's own.
    pub api_url: String,
    /// The base URL of the token endpoint, which is the same server.
    pub auth_url: String,
    /// The tenant.
    pub tenant: i64,
    /// The OAuth client id.
    pub client_id: String,
    /// The OAuth client secret.
    pub client_secret: String,
    /// The application key, sent as `ST-App-Key`.
    pub app_key: String,
}

impl Connection {
    /// Returns the port of the server.
    pub(crate) fn port(&self) -> u16 {
        let url = self.api_url.parse::<http::Uri>().ok();
        url.and_then(|url| url.port_u16()).unwrap_or(80)
    }
}
