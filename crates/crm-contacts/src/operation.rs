//! One API operation as a plain value that becomes a request and reads its answer.

use std::fmt::{self, Display};

use bytes::Bytes;
use crm_models::{FieldError, InvalidInput, TenantId};
use crm_transport::{Call, Effect, Request, Response};
use http::{HeaderValue, Method, Uri, header, uri::PathAndQuery};
use memchr::memchr;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::error::{CallSite, ContactsError};

/// What the published contract says of an operation.
///
/// ```
/// use crm_contacts::{Operation, operations::locations::UpdateContact};
///
/// let spec = UpdateContact::SPEC;
/// assert_eq!(spec.id, "Locations_UpdateContact");
/// assert_eq!(spec.method, "PATCH");
/// assert_eq!(spec.path, "/locations/{id}/contacts/{contactId}");
/// assert_eq!(spec.scope, "tn.crm.locations:w");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// The contract's `operationId`.
    pub id: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path below `/crm/v2/tenant/{tenant}`, its parameters in braces.
    pub path: &'static str,
    /// The OAuth 2.0 scope that the token needs.
    pub scope: &'static str,
    /// What a repeat of the call would do.
    pub effect: Effect,
}

impl Spec {
    /// A `GET`: changes nothing, so that it may be repeated at will.
    #[must_use]
    pub const fn read(id: &'static str, path: &'static str, scope: &'static str) -> Self {
        Self::new(id, Method::GET, path, scope, Effect::Read)
    }

    /// A `POST`: every repeat creates one more.
    #[must_use]
    pub const fn create(id: &'static str, path: &'static str, scope: &'static str) -> Self {
        Self::new(id, Method::POST, path, scope, Effect::Creates)
    }

    /// A `PUT`: a repeat leaves the same.
    #[must_use]
    pub const fn replace(id: &'static str, path: &'static str, scope: &'static str) -> Self {
        Self::new(id, Method::PUT, path, scope, Effect::Idempotent)
    }

    /// A `PATCH`: a repeat leaves the same.
    #[must_use]
    pub const fn update(id: &'static str, path: &'static str, scope: &'static str) -> Self {
        Self::new(id, Method::PATCH, path, scope, Effect::Idempotent)
    }

    /// A `DELETE`: a repeat leaves the same.
    #[must_use]
    pub const fn delete(id: &'static str, path: &'static str, scope: &'static str) -> Self {
        Self::new(id, Method::DELETE, path, scope, Effect::Idempotent)
    }

    const fn new(
        id: &'static str,
        method: Method,
        path: &'static str,
        scope: &'static str,
        effect: Effect,
    ) -> Self {
        Self {
            id,
            method,
            path,
            scope,
            effect,
        }
    }

    /// Starts a request: the path with its parameters filled in, in order, and what layers must
    /// know of the call.
    ///
    /// # Panics
    ///
    /// With debug assertions, when the path takes fewer parameters.
    pub fn draft<const N: usize>(&self, tenant: TenantId, parameters: [&dyn Display; N]) -> Draft {
        let mut target = String::with_capacity(96);
        target.push_str(BASE_PATH);
        push_segment(&mut target, &tenant);
        let mut parameters = parameters.into_iter();
        let mut rest = self.path;
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
        debug_assert!(parameters.next().is_none(), "{} takes fewer ids", self.id);

        let mut call = Call::new(self.id, self.effect);
        call.rate_limit_key = tenant.get().unsigned_abs();
        Draft {
            method: self.method.clone(),
            target,
            call,
            refused,
        }
    }
}

/// The part of every path before the tenant's id.
const BASE_PATH: &str = "/crm/v2/tenant/";

/// One operation of the API: a value that knows how to become a request and how to read
/// the answer. No I/O, so each is tested as bytes out and bytes in.
///
/// [`ContactsService::call`](crate::ContactsService::call) sends any operation.
///
/// ```
/// use crm_contacts::{
///     Operation,
///     models::{ContactId, LocationId, TenantId, UpdateContactRequest},
///     operations::locations::UpdateContact,
/// };
///
/// let operation = UpdateContact {
///     owner: LocationId::new(55_021)?,
///     contact: ContactId::new(71_204)?,
///     update: UpdateContactRequest::new().memo("Gate code 4411"),
/// };
/// let request = operation.request(TenantId::new(1_001)?)?;
///
/// assert_eq!(request.method(), "PATCH");
/// assert_eq!(request.uri(), "/crm/v2/tenant/1001/locations/55021/contacts/71204");
/// assert_eq!(request.body().as_ref(), br#"{"memo":"Gate code 4411"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// One of your own, for a path that this crate lacks, is its [`Spec`], its parameters, and the
/// type of its answer:
///
/// ```
/// use crm_contacts::{
///     ContactsError, Operation, Spec,
///     models::{Check, LocationId, TenantId, UpdateContactRequest},
///     transport::Request,
/// };
///
/// /// Changes a note of a location: an operation of a made-up path.
/// struct UpdateNote {
///     location: LocationId,
///     slug: String,
///     note: UpdateContactRequest,
/// }
///
/// impl Operation for UpdateNote {
///     type Answer = serde_json::Value;
///     const SPEC: Spec = Spec::update(
///         "Locations_UpdateNote",
///         "/locations/{id}/notes/{slug}",
///         "tn.crm.locations:w",
///     );
///
///     fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
///         self.note.check()?;
///         Self::SPEC.draft(tenant, [&self.location, &self.slug]).json(&self.note)
///     }
/// }
///
/// let note = UpdateContactRequest::new().memo("Ring twice");
/// let update = |slug: &str| UpdateNote {
///     location: LocationId::new(55_021).unwrap(),
///     slug: slug.to_owned(),
///     note: note.clone(),
/// };
/// let request = update("front door").request(TenantId::new(1_001)?)?;
/// assert_eq!(request.uri(), "/crm/v2/tenant/1001/locations/55021/notes/front%20door");
/// assert!(update("..").request(TenantId::new(1_001)?).is_err(), "would be another path");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Operation {
    /// What a success brings.
    type Answer: DeserializeOwned;

    /// The operation in the published contract.
    const SPEC: Spec;

    /// The request to send for this tenant: path and query only, the host is the transport's.
    ///
    /// # Errors
    ///
    /// [`ContactsError::Invalid`] when the API would refuse the input.
    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError>;
}

/// Reads an answer: the model of a success, or the typed error of anything else.
///
/// The order of checks is the status first, then the body. An empty body is read like `null`.
///
/// ```
/// use crm_contacts::{
///     CallSite, Operation, operations::locations::UpdateContact, read_answer,
///     transport::Response,
/// };
///
/// let target = "/crm/v2/tenant/1001/locations/55021/contacts/71204";
/// let site = CallSite::new(UpdateContact::SPEC, target.parse()?);
///
/// let mut answer = Response::new(r#"{"id": 71204, "type": "Email", "value": "a@site.example",
///     "modifiedOn": "2026-05-27T16:04:11.4827193Z"}"#.into());
/// let contact = read_answer::<UpdateContact>(site.clone(), answer.clone())?;
/// assert_eq!(contact.value, "a@site.example");
///
/// *answer.status_mut() = 404.try_into()?;
/// assert!(read_answer::<UpdateContact>(site, answer).unwrap_err().is_not_found());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`ContactsError::Refused`] for a status outside 200 to 299, and
/// [`ContactsError::Unreadable`] for a success whose body is not the expected JSON.
pub fn read_answer<O: Operation>(
    site: CallSite,
    response: Response,
) -> Result<O::Answer, ContactsError> {
    if !response.status().is_success() {
        return Err(ContactsError::refused(site, response));
    }
    let body = response.body().as_ref();
    let json = if body.is_empty() { &b"null"[..] } else { body };
    serde_json::from_slice(json).map_err(|_| ContactsError::unreadable::<O::Answer>(site, body))
}

/// The answer of an operation whose body says nothing: empty, or anything at all.
///
/// ```
/// use crm_contacts::NoContent;
///
/// assert_eq!(serde_json::from_str::<NoContent>("null")?, NoContent);
/// assert_eq!(serde_json::from_str::<NoContent>(r#"{"deleted":true}"#)?, NoContent);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoContent;

impl<'de> Deserialize<'de> for NoContent {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// Everything but the unreserved characters of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

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

/// A request in the making, started by [`Spec::draft`].
#[derive(Debug)]
#[must_use]
pub struct Draft {
    method: Method,
    target: String,
    call: Call,
    /// The parameter of the path that would lead to another path.
    refused: Option<&'static str>,
}

/// How many headers a request has on the wire, about.
const HEADERS: usize = 6;

impl Draft {
    /// Appends the members of `value` to the query.
    ///
    /// # Errors
    ///
    /// [`ContactsError::Unwritable`] when it is no flat object.
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

    /// A request with a JSON body.
    ///
    /// # Errors
    ///
    /// As [`empty`](Self::empty), and [`ContactsError::Unwritable`] when it is no JSON.
    pub fn json<B: Serialize>(self, body: &B) -> Result<Request, ContactsError> {
        let body = serde_json::to_vec(body).map_err(ContactsError::unwritable)?;
        let mut request = self.finish(body.into())?;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
        Ok(request)
    }

    /// A request without a body.
    ///
    /// # Errors
    ///
    /// [`ContactsError::Invalid`] when a parameter of the path is empty, `.` or `..`: hosts and
    /// HTTP libraries would take it for another path, also percent-encoded.
    pub fn empty(self) -> Result<Request, ContactsError> {
        self.finish(Bytes::new())
    }

    /// What an error says of this call.
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
