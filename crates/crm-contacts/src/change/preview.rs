//! A request in a form to show to people.

use std::fmt;

use crm_transport::Request;
use serde::Serialize;
use serde_json::value::RawValue;

/// The method, the path and the body of a request, to be shown to people before it is sent. As JSON
/// it has these three members, the body only where there is one.
///
/// It shows what is to be written, so it may contain personal data. It contains no token.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Preview {
    /// The HTTP method.
    pub method: String,
    /// The path with its query, without the host.
    pub path: String,
    /// The body, if it is JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Box<RawValue>>,
}

impl Preview {
    /// Creates the preview of a request.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        Self {
            method: request.method().to_string(),
            path: request.uri().to_string(),
            body: serde_json::from_slice(request.body()).ok(),
        }
    }
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        match &self.body {
            Some(body) => write!(f, "\n{body}"),
            None => Ok(()),
        }
    }
}
