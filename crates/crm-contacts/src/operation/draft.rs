//! A request that is being made: its path, its query and its body.

use std::fmt::{self, Display};

use bytes::Bytes;
use crm_models::{FieldError, InvalidInput, TenantId};
use crm_transport::{Call, Request};
use http::{HeaderValue, Method, Uri, header, uri::PathAndQuery};
use memchr::memchr;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::{
    error::{CallSite, ContactsError},
    spec::Spec,
};

/// The part of every path before the tenant's id.
const BASE_PATH: &str = "/crm/v2/tenant/";

/// Everything but the unreserved characters of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Appends one segment of a path, percent-encoded. Ids need no encoding, so that is looked at
/// first.
fn push_segment(target: &mut String, parameter: &dyn Display) {
    use fmt::Write;

    let start = target.len();
    // Writing to a String cannot fail.
    let _ = write!(target, "{parameter}");
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !target[start..].bytes().all(unreserved) {
        let encoded = utf8_percent_encode(&target[start..], RESERVED).to_string();
        target.truncate(start);
        target.push_str(&encoded);
    }
}

impl Spec {
    /// Starts a request: the path with its parameters filled in, in order, and what layers must
    /// know of the call.
    ///
    /// # Panics
    ///
    /// With debug assertions, when the path takes fewer parameters.
    pub fn draft<const N: usize>(&self, tenant: TenantId, parameters: [&dyn Display; N]) -> Draft {
        Draft::new(self, tenant, &parameters)
    }
}

/// A request that is being made, started by [`Spec::draft`].
#[derive(Debug)]
#[must_use]
pub struct Draft {
    method: Method,
    target: String,
    call: Call,
    /// The parameter of the path that would lead to another path.
    refused: Option<&'static str>,
}

/// About how many headers a request has on the wire, for the one allocation of their map.
const HEADERS: usize = 7;

/// Room for the JSON of most requests, so that a buffer for it is not outgrown: moving it costs
/// more than writing it.
const BODY: usize = 512;

impl Draft {
    fn new(spec: &Spec, tenant: TenantId, parameters: &[&dyn Display]) -> Self {
        // Long enough for the contacts of locations, customers and bookings with ids of ten digits.
        let mut target = String::with_capacity(96);
        target.push_str(BASE_PATH);
        push_segment(&mut target, &tenant);
        let mut parameters = parameters.iter();
        let mut rest = spec.path;
        let mut refused = None;
        while let Some((open, close)) =
            memchr(b'{', rest.as_bytes()).zip(memchr(b'}', rest.as_bytes()))
        {
            target.push_str(&rest[..open]);
            let start = target.len();
            if let Some(parameter) = parameters.next() {
                push_segment(&mut target, parameter);
            }
            if matches!(&target[start..], "" | "." | "..") {
                refused = Some(&rest[open + 1..close]);
            }
            rest = &rest[close + 1..];
        }
        target.push_str(rest);
        debug_assert!(parameters.next().is_none(), "{} takes fewer ids", spec.id);

        let mut call = Call::new(spec.id, spec.effect);
        call.rate_limit_key = tenant.get().unsigned_abs();
        Self { method: spec.method.clone(), target, call, refused }
    }

    /// Appends the members of `value` to the query.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::Unwritable`] when it is not a flat object.
    pub fn query<Q: Serialize>(mut self, value: &Q) -> Result<Self, ContactsError> {
        let query = serde_urlencoded::to_string(value).map_err(ContactsError::unwritable)?;
        if !query.is_empty() {
            self.separate();
            self.target.push_str(&query);
        }
        Ok(self)
    }

    /// Appends one parameter to the query, if it has a value that needs no encoding.
    pub(crate) fn parameter(mut self, name: &str, value: Option<&impl Display>) -> Self {
        if let Some(value) = value {
            self.separate();
            self.target.push_str(&format!("{name}={value}"));
        }
        self
    }

    fn separate(&mut self) {
        let separator = if self.target.contains('?') { '&' } else { '?' };
        self.target.push(separator);
    }

    /// Finishes the request with a JSON body.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`empty`](Self::empty), and [`ContactsError::Unwritable`] when it
    /// cannot be written as JSON.
    pub fn json<B: Serialize>(self, body: &B) -> Result<Request, ContactsError> {
        let mut written = Vec::with_capacity(BODY);
        serde_json::to_writer(&mut written, body).map_err(ContactsError::unwritable)?;
        let mut request = self.finish(written.into())?;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
        Ok(request)
    }

    /// Finishes the request without a body.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::Invalid`] when a parameter of the path is empty, `.` or `..`: hosts
    /// and HTTP libraries would take it for another path, also percent-encoded.
    pub fn empty(self) -> Result<Request, ContactsError> {
        self.finish(Bytes::new())
    }

    /// Returns what an error says of this call.
    pub(crate) fn site(self, spec: &Spec) -> CallSite {
        CallSite::new(spec.clone(), self.target.parse().unwrap_or_default())
    }

    fn finish(self, body: Bytes) -> Result<Request, ContactsError> {
        if let Some(parameter) = self.refused {
            let reason = "is empty, `.` or `..`, which would be another path";
            return Err(InvalidInput::from(FieldError::new(parameter, "path", reason)).into());
        }
        let target = PathAndQuery::from_maybe_shared(Bytes::from(self.target))
            .map_err(ContactsError::unwritable)?;
        let mut request = Request::new(body);
        // Room for what the layers and the HTTP library add, so that the map never grows.
        request.headers_mut().reserve(HEADERS);
        *request.method_mut() = self.method;
        *request.uri_mut() = Uri::from(target);
        request.extensions_mut().insert(self.call);
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::ACCEPT, json);
        Ok(request)
    }
}
