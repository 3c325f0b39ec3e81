//! Contact methods, which are the numbers and addresses of people.

use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationErrors};

use crate::{
    contact_type::ContactType,
    filter::time_filters,
    ids::{ContactMethodId, PersonId, UserId},
    members::{present, setters},
    sort::{ContactMethodSort, Sort},
    text::is_same,
    timestamp::Timestamp,
    validation::{CheckWith, InvalidInput, Rules, Tolerance, tolerant},
};

/// `ContactMethodResponse`: one number or address of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ContactMethod {
    /// The method's GUID.
    pub id: ContactMethodId,
    /// The person whose method it is.
    pub contact_id: PersonId,
    /// An id of the caller's own.
    pub reference_id: Option<String>,
    /// The kind of number or address.
    #[serde(rename = "type")]
    pub contact_type: ContactType,
    /// The number or address.
    pub value: String,
    /// A free note.
    pub memo: Option<String>,
    /// The time of creation.
    pub created_on: Timestamp,
    /// The user who created it.
    pub created_by: UserId,
    /// The time of the last change.
    pub modified_on: Timestamp,
    /// The user who changed it last.
    pub modified_by: UserId,
}

impl ContactMethod {
    /// Creates a method as it is after its creation, without reference and memo, for tests.
    #[must_use]
    pub fn new(
        id: ContactMethodId,
        contact_id: PersonId,
        contact_type: ContactType,
        value: impl Into<String>,
        created_on: Timestamp,
        created_by: UserId,
    ) -> Self {
        Self {
            id,
            contact_id,
            reference_id: None,
            contact_type,
            value: value.into(),
            memo: None,
            created_on,
            created_by,
            modified_on: created_on,
            modified_by: created_by,
        }
    }
}

/// `CreateContactMethodRequest` and `UpsertContactMethodRequest`, the body of the POST, and of the
/// PUT that replaces or creates a method. Reference and memo are written as null where they are not
/// set, so that a replacement clears them.
///
/// ```
/// use crm_models::{Check, ContactMethodRequest, ContactType};
///
/// let request = ContactMethodRequest::new(ContactType::Email, "dana@site.example").memo("Work");
/// request.check()?;
/// assert_eq!(
///     serde_json::to_string(&request)?,
///     r#"{"type":"Email","value":"dana@site.example","referenceId":null,"memo":"Work"}"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[must_use]
pub struct ContactMethodRequest {
    #[serde(rename = "type")]
    contact_type: ContactType,
    value: String,
    reference_id: Option<String>,
    memo: Option<String>,
}

impl ContactMethodRequest {
    /// Creates a request for a method without reference and memo.
    pub fn new(contact_type: ContactType, value: impl Into<String>) -> Self {
        Self { contact_type, value: value.into(), reference_id: None, memo: None }
    }

    setters! {
        /// Sets the caller's own id.
        reference_id: impl Into<String>;
        /// Sets the memo.
        memo: impl Into<String>;
    }

    /// Whether an answer with this type and value may be about the method that this writes.
    #[must_use]
    pub fn is_echo(&self, contact_type: &ContactType, value: &str) -> bool {
        self.contact_type == *contact_type && contact_type.is_echo(&self.value, value)
    }

    /// Returns the kind of number or address.
    #[must_use]
    pub fn get_contact_type(&self) -> &ContactType {
        &self.contact_type
    }

    /// Returns the number or address.
    #[must_use]
    pub fn get_value(&self) -> &str {
        &self.value
    }

    /// Returns the caller's own id, if there is one.
    #[must_use]
    pub fn get_reference_id(&self) -> Option<&str> {
        self.reference_id.as_deref()
    }

    /// Returns the memo, if there is one.
    #[must_use]
    pub fn get_memo(&self) -> Option<&str> {
        self.memo.as_deref()
    }
}

tolerant!(ContactMethodRequest, |method, rules| {
    rules.contact_type(&method.contact_type);
    rules.value(Some(&method.contact_type), &method.value);
    rules.line("referenceId", method.reference_id.as_deref());
    rules.memo(method.memo.as_deref());
});

/// `UpdateContactMethodRequest`, in which absent members are kept, and null is neither written nor
/// read.
///
/// It cannot change a method's type: for that, replace the method with a
/// [`ContactMethodRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct UpdateContactMethodRequest {
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    memo: Option<String>,
}

impl UpdateContactMethodRequest {
    /// Returns an update that does not change anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Sets the number or address. It must fit the method's type, which is not known here.
        value: impl Into<String>;
        /// Sets the memo. An empty one clears it; that it does so is not documented.
        memo: impl Into<String>;
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.value.is_none() && self.memo.is_none()
    }

    /// Returns the number or address, if it changes.
    #[must_use]
    pub fn get_value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// Returns the memo, if it changes. An empty one clears it.
    #[must_use]
    pub fn get_memo(&self) -> Option<&str> {
        self.memo.as_deref()
    }

    /// Returns the update without what the method has already. Values are compared by
    /// [`ContactType::same_value`]; an empty memo is the same as none.
    pub fn without_unchanged(&self, method: &ContactMethod) -> Self {
        let mut update = self.clone();
        update.value.take_if(|new| method.contact_type.same_value(new, &method.value));
        update.memo.take_if(|new| is_same(Some(new), method.memo.as_deref()));
        update
    }

    /// Whether the update is valid for `method`, by the rules of
    /// [`Check::check`](crate::Check::check) with a value that fits the type of the method. What
    /// the method has already is not judged.
    ///
    /// # Errors
    ///
    /// Returns every breach of a rule, at once.
    pub fn check_for(&self, method: &ContactMethod) -> Result<(), InvalidInput> {
        self.check_against(method, Tolerance::Nothing)
    }

    /// Does what [`check_for`](Self::check_for) does, and lets pass what is tolerated.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`check_for`](Self::check_for).
    pub fn check_against(
        &self,
        method: &ContactMethod,
        tolerance: Tolerance,
    ) -> Result<(), InvalidInput> {
        let outcome = self.without_unchanged(method);
        if outcome.is_empty() && !self.is_empty() {
            return Ok(());
        }
        let Some(value) = outcome.value else {
            return outcome.check_with(tolerance);
        };
        let mut becomes = ContactMethodRequest::new(method.contact_type.clone(), value);
        becomes.memo = outcome.memo;
        becomes.check_with(tolerance.max(Tolerance::AnyType))
    }
}

tolerant!(UpdateContactMethodRequest, |update, rules| {
    if update.is_empty() {
        rules.nothing_to_change();
    }
    if let Some(value) = &update.value {
        rules.value(None, value);
    }
    rules.memo(update.memo.as_deref());
});

/// The filter and the order of a list of contact methods, the query of
/// `ContactMethods_GetContactMethods` and `Contacts_SearchContactMethods`.
///
/// ```
/// use crm_models::{ContactMethodFilter, ContactType};
///
/// let filter = ContactMethodFilter::new().contact_type(ContactType::Email);
/// assert_eq!(serde_json::to_string(&filter)?, r#"{"type":"Email"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[must_use]
pub struct ContactMethodFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_id: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    contact_type: Option<ContactType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified_on_or_after: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_on_or_after: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort: Option<Sort<ContactMethodSort>>,
}

impl ContactMethodFilter {
    /// Selects all methods.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Selects only those with this id of the caller's own.
        reference_id: impl Into<String>;
        /// Selects only those of this kind.
        contact_type: ContactType;
        /// Selects only those with this number or address. Whether a part is enough is not
        /// documented.
        value: impl Into<String>;
        /// Sets the order.
        sort: Sort<ContactMethodSort>;
    }

    time_filters!();
}

impl Validate for ContactMethodFilter {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut rules = Rules::default();
        rules.selection("referenceId", self.reference_id.as_deref());
        rules.selection("type", self.contact_type.as_ref().map(ContactType::as_str));
        rules.selection("value", self.value.as_deref());
        rules.finish()
    }
}
