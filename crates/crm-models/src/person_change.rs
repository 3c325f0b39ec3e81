//! Changes of people.

use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationErrors};

use crate::{
    members::present,
    person::{Person, UpdatePersonRequest},
    validation::{Check, InvalidInput, Rules},
};

/// A change that somebody wants of a person. Members that it does not name are kept.
///
/// As JSON it has the API's names. An absent member is kept, null clears a text, and unknown
/// members are refused.
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
/// assert_eq!(
///     serde_json::from_str::<PersonChange>(r#"{"title":null}"#)?,
///     PersonChange::new().clear_title(),
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[must_use]
pub struct PersonChange {
    // An outer `None` keeps the member, an inner one clears it.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    name: Option<Option<String>>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    title: Option<Option<String>>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    reference_id: Option<Option<String>>,
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    is_archived: Option<bool>,
}

macro_rules! clearable {
    ($($what:literal: $member:ident, $clear:ident, $get:ident;)*) => {$(
        #[doc = concat!("Sets ", $what, ".")]
        pub fn $member(mut self, text: impl Into<String>) -> Self {
            self.$member = Some(Some(text.into()));
            self
        }

        #[doc = concat!("Clears ", $what, ".")]
        pub fn $clear(mut self) -> Self {
            self.$member = Some(None);
            self
        }

        #[doc = concat!("Returns ", $what, ", if it changes; an inner `None` clears it.")]
        #[must_use]
        pub fn $get(&self) -> Option<Option<&str>> {
            self.$member.as_ref().map(Option::as_deref)
        }
    )*};
}

impl PersonChange {
    /// Returns a change that does not change anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    clearable! {
        "the name": name, clear_name, get_name;
        "the role": title, clear_title, get_title;
        "the caller's own id": reference_id, clear_reference_id, get_reference_id;
    }

    /// Archives the person, or takes them out of the archive.
    pub fn archived(mut self, archived: bool) -> Self {
        self.is_archived = Some(archived);
        self
    }

    /// Returns whether the person is archived, if that changes.
    #[must_use]
    pub fn get_archived(&self) -> Option<bool> {
        self.is_archived
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the change without what the person has already. An empty text is the same as none.
    pub fn without_unchanged(&self, person: &Person) -> Self {
        let mut change = self.clone();
        for (member, now) in [
            (&mut change.name, &person.name),
            (&mut change.title, &person.title),
            (&mut change.reference_id, &person.reference_id),
        ] {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            member.take_if(|new| text(new) == text(now));
        }
        change.is_archived.take_if(|new| *new == person.is_archived);
        change
    }

    /// Whether the change is valid for `person`, by the rules of [`Check::check`]. What they have
    /// already is not judged, since the service accepted it once.
    ///
    /// # Errors
    ///
    /// Returns every breach of a rule, at once.
    pub fn check_for(&self, person: &Person) -> Result<(), InvalidInput> {
        let outcome = self.without_unchanged(person);
        if outcome.is_empty() && !self.is_empty() { Ok(()) } else { outcome.check() }
    }

    /// Returns the request with all members: the changed ones, and `person`'s for the rest.
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
            rules.nothing_to_change();
        }
        for (field, text) in
            [("name", &self.name), ("title", &self.title), ("referenceId", &self.reference_id)]
        {
            rules.line(field, text.as_ref().and_then(Option::as_deref));
        }
        rules.finish()
    }
}
