//! The hosts: the API's and the token endpoint's, always chosen together.

use std::fmt;

use url::{Host, Url};

/// The API host and the auth host of one environment.
///
/// Credentials of one environment are unknown in the other, so the two hosts are only ever
/// chosen together.
///
/// ```
/// use crm_transport::Environment;
///
/// assert_eq!(Environment::production().name(), "production");
/// let local = Environment::custom("http://127.0.0.1:8080", "http://127.0.0.1:8080")?;
/// assert_eq!(local.name(), "custom");
/// assert!(Environment::custom("http://api.site.example", "https://auth.site.example").is_err());
/// # Ok::<(), crm_transport::InvalidEnvironment>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    name: &'static str,
    pub(crate) api: Url,
    pub(crate) auth: Url,
}

/// The error of a base URL that credentials must not be sent to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {which} URL {reason}")]
pub struct InvalidEnvironment {
    which: &'static str,
    reason: &'static str,
}

impl Environment {
    /// Returns the production service.
    #[must_use]
    pub fn production() -> Self {
        Self::known("production", "https://api.servicetitan.io", "https://auth.servicetitan.io")
    }

    /// Returns the vendor's environment for tests.
    #[must_use]
    pub fn integration() -> Self {
        Self::known(
            "integration",
            "https://api-integration.servicetitan.io",
            "https://auth-integration.servicetitan.io",
        )
    }

    /// Creates an environment of other hosts, for example a sandbox. Without TLS only this
    /// machine's own addresses are allowed; for other machines there is
    /// [`custom_allowing_http`](Self::custom_allowing_http).
    ///
    /// # Errors
    ///
    /// Returns [`InvalidEnvironment`] for anything but `https://host[:port]` or a loopback
    /// `http://host[:port]`.
    pub fn custom(api_url: &str, auth_url: &str) -> Result<Self, InvalidEnvironment> {
        Self::of_hosts(api_url, auth_url, false)
    }

    /// Creates an environment of other hosts, which may be spoken to without TLS: a sandbox in a
    /// container, in a network where nobody else listens. Credentials and contacts are readable on
    /// the way.
    ///
    /// ```
    /// use crm_transport::Environment;
    ///
    /// let sandbox = "http://sandbox:8080";
    /// assert!(Environment::custom(sandbox, sandbox).is_err());
    /// assert!(Environment::custom_allowing_http(sandbox, sandbox).is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`InvalidEnvironment`] for anything but `https://host[:port]` or
    /// `http://host[:port]`.
    pub fn custom_allowing_http(api_url: &str, auth_url: &str) -> Result<Self, InvalidEnvironment> {
        Self::of_hosts(api_url, auth_url, true)
    }

    fn of_hosts(api: &str, auth: &str, allow_http: bool) -> Result<Self, InvalidEnvironment> {
        let base = |which, text| base(which, text, allow_http);
        Ok(Self { name: "custom", api: base("API", api)?, auth: base("auth", auth)? })
    }

    /// Returns `production`, `integration` or `custom`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the API host, as a base URL without a trailing slash.
    #[must_use]
    pub fn api_url(&self) -> &str {
        self.api.as_str().trim_end_matches('/')
    }

    /// Returns the auth host, as a base URL without a trailing slash.
    #[must_use]
    pub fn auth_url(&self) -> &str {
        self.auth.as_str().trim_end_matches('/')
    }

    /// Whether one of the hosts is spoken to in the clear.
    #[cfg(feature = "reqwest")]
    pub(crate) fn is_without_tls(&self) -> bool {
        self.api.scheme() == "http" || self.auth.scheme() == "http"
    }

    /// Whether a certificate of one of the hosts is to be verified.
    #[cfg(any(feature = "reqwest", feature = "hyper"))]
    pub(crate) fn has_tls(&self) -> bool {
        self.api.scheme() == "https" || self.auth.scheme() == "https"
    }

    fn known(name: &'static str, api: &str, auth: &str) -> Self {
        match Self::custom(api, auth) {
            Ok(environment) => Self { name, ..environment },
            Err(error) => unreachable!("the vendor's hosts are valid: {error}"),
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.api_url())
    }
}

fn base(which: &'static str, text: &str, allow_http: bool) -> Result<Url, InvalidEnvironment> {
    let refuse = |reason| Err(InvalidEnvironment { which, reason });
    let Ok(url) = Url::parse(text.trim()) else {
        return refuse("is not a URL");
    };
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("must not hold credentials");
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return refuse("must be a host alone, without path and query");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback || allow_http => Ok(url),
        "http" => refuse(
            "must start with https:// unless the host is this machine, or HTTP is allowed \
             explicitly",
        ),
        _ => refuse("must start with https://"),
    }
}
