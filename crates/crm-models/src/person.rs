//! People: the contacts of Contacts v2, with a GUID, a name and a title.

use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationErrors};

use crate::{
    PersonId, PersonSort, Sort, Timestamp, UserId,
    filter::{TimeFilter, time_filters},
    validation::Rules,
};

/// `ContactResponse` of Contacts v2: a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Person {
    /// The person's GUID.
    pub id: PersonId,
    /// The caller's own id.
    pub reference_id: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The role.
    pub title: Option<String>,
    /// Put away.
    pub is_archived: bool,
    /// The creation.
    pub created_on: Timestamp,
    /// Who created it.
    pub created_by: UserId,
    /// The last change.
    pub modified_on: Timestamp,
    /// Who changed it last.
    pub modified_by: UserId,
}

macro_rules! person_members {
    () => {
        /// Sets the name.
        pub fn name(mut self, name: impl Into<String>) -> Self {
            self.name = Some(name.into());
            self
        }

        /// Sets the role.
        pub fn title(mut self, title: impl Into<String>) -> Self {
            self.title = Some(title.into());
            self
        }

        /// Sets the caller's own id.
        pub fn reference_id(mut self, id: impl Into<String>) -> Self {
            self.reference_id = Some(id.into());
            self
        }
    };
}

/// `CreateContactRequest` of Contacts v2. Every member is optional.
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
    /// A person without a name.
    pub fn new() -> Self {
        Self::default()
    }

    person_members!();
}

impl Validate for CreatePersonRequest {
    fn validate(&self) -> Result<(), ValidationErrors> {
        check(&self.name, &self.title, &self.reference_id)
    }
}

/// `ReplaceContactRequest`: all members; one that is not set is cleared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[must_use]
pub struct ReplacePersonRequest {
    name: Option<String>,
    title: Option<String>,
    reference_id: Option<String>,
    is_archived: bool,
}

impl ReplacePersonRequest {
    /// A person without name, title and reference.
    pub fn new(is_archived: bool) -> Self {
        Self {
            name: None,
            title: None,
            reference_id: None,
            is_archived,
        }
    }

    person_members!();
}

impl Validate for ReplacePersonRequest {
    fn validate(&self) -> Result<(), ValidationErrors> {
        check(&self.name, &self.title, &self.reference_id)
    }
}

/// `UpdateContactRequest`: the same members as a replacement. What an absent one would do is
/// not documented, so all are always written; [`PersonChange`] fills them in.
pub type UpdatePersonRequest = ReplacePersonRequest;

/// What a person wants changed in a person. Members that are not named are kept.
///
/// ```
/// use crm_models::{Person, PersonChange};
///
/// let person: Person = serde_json::from_str(r#"{
///     "id": "5b0f6c1e-8a42-4d0c-9e53-0c7a4f1b2d90", "name": "Dana Whitfield",
///     "title": "Lead", "isArchived": false,
///     "createdOn": "2026-04-12T14:05:09Z", "createdBy": 4102,
///     "modifiedOn": "2026-04-12T14:05:09Z", "modifiedBy": 0
/// }"#)?;
/// let request = PersonChange::new().clear_title().to_request(&person);
/// assert_eq!(
///     serde_json::to_string(&request)?,
///     r#"{"name":"Dana Whitfield","title":null,"referenceId":null,"isArchived":false}"#,
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct PersonChange {
    // Outer none: keep; inner none: clear.
    name: Option<Option<String>>,
    title: Option<Option<String>>,
    reference_id: Option<Option<String>>,
    is_archived: Option<bool>,
}

impl PersonChange {
    /// Changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(Some(name.into()));
        self
    }

    /// Clears the name.
    pub fn clear_name(mut self) -> Self {
        self.name = Some(None);
        self
    }

    /// Sets the role.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(Some(title.into()));
        self
    }

    /// Clears the role.
    pub fn clear_title(mut self) -> Self {
        self.title = Some(None);
        self
    }

    /// Sets the caller's own id.
    pub fn reference_id(mut self, id: impl Into<String>) -> Self {
        self.reference_id = Some(Some(id.into()));
        self
    }

    /// Clears the caller's own id.
    pub fn clear_reference_id(mut self) -> Self {
        self.reference_id = Some(None);
        self
    }

    /// Puts away, or takes back.
    pub fn is_archived(mut self, is_archived: bool) -> Self {
        self.is_archived = Some(is_archived);
        self
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The request with all members: the changed ones, and `person`'s for the rest.
    pub fn to_request(&self, person: &Person) -> UpdatePersonRequest {
        let member = |change: &Option<Option<String>>, now: &Option<String>| {
            change.clone().unwrap_or_else(|| now.clone())
        };
        UpdatePersonRequest {
            name: member(&self.name, &person.name),
            title: member(&self.title, &person.title),
            reference_id: member(&self.reference_id, &person.reference_id),
            is_archived: self.is_archived.unwrap_or(person.is_archived),
        }
    }
}

impl Validate for PersonChange {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut rules = Rules::default();
        if self.is_empty() {
            rules.whole("empty", "nothing is given to change");
        }
        for (field, text) in [
            ("name", &self.name),
            ("title", &self.title),
            ("referenceId", &self.reference_id),
        ] {
            rules.optional_text(field, text.as_ref().and_then(Option::as_deref));
        }
        rules.finish()
    }
}

fn check(
    name: &Option<String>,
    title: &Option<String>,
    reference_id: &Option<String>,
) -> Result<(), ValidationErrors> {
    let mut rules = Rules::default();
    rules.optional_text("name", name.as_deref());
    rules.optional_text("title", title.as_deref());
    rules.optional_text("referenceId", reference_id.as_deref());
    rules.finish()
}

/// Whether archived people are listed. The values on the wire are not documented; these are
/// the ones of the API's similar filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Archived {
    /// Only archived ones.
    #[serde(rename = "True")]
    Yes,
    /// Only those not archived.
    #[serde(rename = "False")]
    No,
    /// All.
    Any,
}

/// Which people a list holds, in which order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use]
pub struct PersonFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_archived: Option<Archived>,
    #[serde(flatten)]
    times: TimeFilter,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort: Option<Sort<PersonSort>>,
}

impl PersonFilter {
    /// All people.
    pub fn new() -> Self {
        Self::default()
    }

    person_members!();
    time_filters!();

    /// Whether archived people are listed.
    pub fn archived(mut self, archived: Archived) -> Self {
        self.is_archived = Some(archived);
        self
    }

    /// The order.
    pub fn sort(mut self, sort: Sort<PersonSort>) -> Self {
        self.sort = Some(sort);
        self
    }
}

impl Validate for PersonFilter {
    fn validate(&self) -> Result<(), ValidationErrors> {
        check(&self.name, &self.title, &self.reference_id)
    }
}
