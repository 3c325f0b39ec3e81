//! The length of a body that is not there.

use http::{HeaderValue, Method, header, request::Parts};

/// Says of a request that usually has a body that it has none (RFC 9110, section 8.6): some
/// servers refuse it otherwise, and HTTP libraries leave it out.
pub(crate) fn say_empty(parts: &mut Parts) {
    if matches!(parts.method, Method::POST | Method::PUT | Method::PATCH) {
        let length = parts.headers.entry(header::CONTENT_LENGTH);
        length.or_insert(const { HeaderValue::from_static("0") });
    }
}
