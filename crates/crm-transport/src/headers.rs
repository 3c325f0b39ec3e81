//! Headers that HTTP libraries leave out.

use http::{HeaderValue, Method, header, request::Parts};

/// What the transports call themselves in `User-Agent` (RFC 9110, section 10.1.5), unless they are
/// set up otherwise or a request says otherwise.
pub const USER_AGENT: &str = concat!("crm-transport/", env!("CARGO_PKG_VERSION"));

/// Says who is asking (RFC 9110, section 10.1.5): firewalls commonly refuse requests that do not.
#[cfg(feature = "hyper")]
pub(crate) fn say_who(parts: &mut Parts) {
    let agent = parts.headers.entry(header::USER_AGENT);
    agent.or_insert(const { HeaderValue::from_static(USER_AGENT) });
}

/// Marks a request that usually has a body as having none (RFC 9110, section 8.6): some servers
/// refuse it otherwise, and HTTP libraries leave it out.
pub(crate) fn say_empty(parts: &mut Parts) {
    if matches!(parts.method, Method::POST | Method::PUT | Method::PATCH) {
        let length = parts.headers.entry(header::CONTENT_LENGTH);
        length.or_insert(const { HeaderValue::from_static("0") });
    }
}
