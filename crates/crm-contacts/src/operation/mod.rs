//! API operations as plain values that become requests and read their answers.

mod draft;

use crm_models::{TenantId, Tolerance};
use crm_transport::{Request, Response};
use serde::{Deserialize, de::DeserializeOwned};

pub use self::draft::Draft;
use crate::{
    error::{CallSite, ContactsError},
    spec::Spec,
};

/// One operation of the API, as a value that becomes a request and reads the answer. There is no
/// I/O, so an operation is tested as bytes out and bytes in.
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
    /// The type of a successful answer.
    type Answer: DeserializeOwned;

    /// The operation in the published contract.
    const SPEC: Spec;

    /// Whether a success is about the record that this operation names, by its id or for a creation
    /// by its value. [`ContactsService::call`](crate::ContactsService::call) accepts no answer
    /// about another one. It is true where the contract's answers do not say.
    fn is_answered_by(&self, _answer: &Self::Answer) -> bool {
        true
    }

    /// Returns the request to send for this tenant. Its URI is path and query only, since the
    /// transport knows the host.
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::Invalid`] when the API would refuse the input.
    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError>;

    /// Does what [`request`](Self::request) does, with an input of which some is tolerated. By
    /// default nothing is: only a number or an address has a type that the contract may not know.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`request`](Self::request).
    fn request_tolerating(
        &self,
        tenant: TenantId,
        _tolerance: Tolerance,
    ) -> Result<Request, ContactsError> {
        self.request(tenant)
    }
}

impl CallSite {
    /// Returns the site of this operation's call, without a path where it cannot be written.
    pub(crate) fn of<O: Operation>(operation: &O, tenant: TenantId) -> Self {
        let request = operation.request_tolerating(tenant, Tolerance::Anything);
        let uri = request.map(|request| request.uri().clone());
        Self::new(O::SPEC, uri.unwrap_or_default())
    }
}

/// Reads an answer into the model of a success, or the typed error of anything else.
///
/// The status is checked first, then the body. An empty body is read like `null`.
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
/// Returns [`ContactsError::Refused`] for a status outside 200 to 299, and
/// [`ContactsError::Unreadable`] for a success whose body is not the expected JSON.
pub fn read_answer<O: Operation>(
    site: CallSite,
    response: Response,
) -> Result<O::Answer, ContactsError> {
    read(site, response, |_| true, |_| None)
}

/// Does what [`read_answer`] does for an operation that is at hand: an answer about another record
/// is an error. A body that is not as documented goes to `read_each`, which may set aside what
/// cannot be read.
pub(crate) fn read_answer_to<O: Operation>(
    operation: &O,
    site: CallSite,
    response: Response,
    read_each: fn(&[u8]) -> Option<O::Answer>,
) -> Result<O::Answer, ContactsError> {
    let is_answer = |answer: &O::Answer| operation.is_answered_by(answer);
    read(site, response, is_answer, read_each)
}

/// Reads an answer as JSON, whatever was asked.
pub(crate) fn read<A: DeserializeOwned>(
    site: CallSite,
    response: Response,
    is_answer: impl FnOnce(&A) -> bool,
    read_each: fn(&[u8]) -> Option<A>,
) -> Result<A, ContactsError> {
    if !response.status().is_success() {
        return Err(ContactsError::refused(site, response));
    }
    let body = response.body().as_ref();
    // RFC 8259, section 8.1, lets a reader skip a byte order mark.
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let json = if body.is_empty() { &b"null"[..] } else { body };
    // Checked as a whole, in which ASCII goes sixteen bytes at a time: serde_json would check each
    // text, which takes a fifth of the reading of a contact.
    let text = str::from_utf8(json).ok();
    let answer = text.and_then(|text| serde_json::from_str(text).ok());
    match answer.or_else(|| read_each(json)) {
        Some(answer) if is_answer(&answer) => Ok(answer),
        Some(_) => Err(ContactsError::another_record(site)),
        None => Err(ContactsError::unreadable::<A>(site, body)),
    }
}

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The answer of an operation whose body says nothing. Any body is read, also an empty one.
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
