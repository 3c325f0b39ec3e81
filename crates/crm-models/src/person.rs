//! People, which are the contacts of Contacts v2, with a GUID, a name and a title.

use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationErrors};

use crate::{
    ids::{PersonId, UserId},
    members::setters,
    text::is_same,
    timestamp::Timestamp,
    validation::Rules,
};

/// `ContactResponse` of Contacts v2, a person, whose numbers and addresses are
/// [contact methods](crate::ContactMethod).
///
/// Not to be confused with the [`Contact`](crate::Contact) of a location or a customer, which is
/// one number or address. The API does not say how the two are related.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Person {
    /// The person's GUID.
    pub id: PersonId,
    /// An id of the caller's own.
    pub reference_id: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The role of the person.
    pub title: Option<String>,
    /// Whether the person is archived.
    pub is_archived: bool,
    /// The time of creation.
    pub created_on: Timestamp,
    /// The user who created it.
    pub created_by: UserId,
    /// The time of the last change.
    pub modified_on: Timestamp,
    /// The user who changed it last.
    pub modified_by: UserId,
}

impl Person {
    /// Creates a person as they are after their creation, without name, title and reference, for
    /// tests.
    ///
    /// ```
    /// use crm_models::{Person, PersonId, UserId};
    ///
    /// let id: PersonId = "5b0f6c1e-8a42-4d0c-9e53-0c7a4f1b2d90".parse()?;
    /// let mut person = Person::new(id, "2026-04-12T14:05:09Z".parse()?, UserId::new(4102));
    /// person.name = Some("Dana Whitfield".to_owned());
    /// assert!(!person.is_archived && person.modified_on == person.created_on);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(id: PersonId, created_on: Timestamp, created_by: UserId) -> Self {
        Self {
            id,
            reference_id: None,
            name: None,
            title: None,
            is_archived: false,
            created_on,
            created_by,
            modified_on: created_on,
            modified_by: created_by,
        }
    }
}

/// `CreateContactRequest` of Contacts v2. Every member is optional, and one that is not set is not
/// written.
///
/// ```
/// use crm_models::CreatePersonRequest;
///
/// let request = CreatePersonRequest::new().name("Dana Whitfield").title("Facilities lead");
/// assert_eq!(
///     serde_json::to_string(&request)?,
///     r#"{"name":"Dana Whitfield","title":"Facilities lead"}"#,
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[must_use]
pub struct CreatePersonRequest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference_id: Option<String>,
}

impl CreatePersonRequest {
    /// Creates a request for a person without a name.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Sets the name.
        name: impl Into<String>;
        /// Sets the role.
        title: impl Into<String>;
        /// Sets the caller's own id.
        reference_id: impl Into<String>;
    }

    /// Whether the person has exactly these members. An empty text is the same as none, and white
    /// space around a text does not count.
    #[must_use]
    pub fn is_met_by(&self, person: &Person) -> bool {
        is_trimmed(&self.name, &person.name)
            && is_trimmed(&self.title, &person.title)
            && is_trimmed(&self.reference_id, &person.reference_id)
    }
}

/// Whether the service may have made the second text of the first.
fn is_trimmed(asked: &Option<String>, answered: &Option<String>) -> bool {
    is_same(asked.as_deref().map(str::trim), answered.as_deref().map(str::trim))
}

impl Validate for CreatePersonRequest {
    fn validate(&self) -> Result<(), ValidationErrors> {
        check(&self.name, &self.title, &self.reference_id)
    }
}

/// `ReplaceContactRequest`, with all members. One that is not set is written as null, and cleared.
///
/// ```
/// use crm_models::ReplacePersonRequest;
///
/// let request = ReplacePersonRequest::new(false).name("Dana Whitfield");
/// assert_eq!(
///     serde_json::to_string(&request)?,
///     r#"{"name":"Dana Whitfield","title":null,"referenceId":null,"isArchived":false}"#,
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[must_use]
pub struct ReplacePersonRequest {
    pub(crate) name: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) reference_id: Option<String>,
    pub(crate) is_archived: bool,
}

impl ReplacePersonRequest {
    /// Creates a request for a person without name, title and reference.
    pub fn new(is_archived: bool) -> Self {
        Self { name: None, title: None, reference_id: None, is_archived }
    }

    setters! {
        /// Sets the name.
        name: impl Into<String>;
        /// Sets the role.
        title: impl Into<String>;
        /// Sets the caller's own id.
        reference_id: impl Into<String>;
    }

    /// Returns the name, if there is one.
    #[must_use]
    pub fn get_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns the role, if there is one.
    #[must_use]
    pub fn get_title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// Returns the caller's own id, if there is one.
    #[must_use]
    pub fn get_reference_id(&self) -> Option<&str> {
        self.reference_id.as_deref()
    }

    /// Whether the person is archived.
    #[must_use]
    pub fn get_is_archived(&self) -> bool {
        self.is_archived
    }
}

impl Validate for ReplacePersonRequest {
    fn validate(&self) -> Result<(), ValidationErrors> {
        check(&self.name, &self.title, &self.reference_id)
    }
}

/// `UpdateContactRequest` of Contacts v2, with the members of a replacement. What an absent one
/// would do is not documented, so all are always written.
/// [`PersonChange::to_request`](crate::PersonChange::to_request) fills them in.
pub type UpdatePersonRequest = ReplacePersonRequest;

/// The rules of the members that the requests share.
fn check(
    name: &Option<String>,
    title: &Option<String>,
    reference_id: &Option<String>,
) -> Result<(), ValidationErrors> {
    let mut rules = Rules::default();
    rules.line("name", name.as_deref());
    rules.line("title", title.as_deref());
    rules.line("referenceId", reference_id.as_deref());
    rules.finish()
}
