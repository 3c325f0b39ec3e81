//! The bodies that create and update contacts.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    body::{Member, Object},
    contact_type::ContactType,
    flags::{AllFlags, FirstFlags, StoredPreferences},
    operation::Call,
    problem::Problem,
    settings::{PreferenceMembers, Settings},
};

/// The body that creates a contact.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = OwnerContactCreateRequest)]
pub(crate) struct CreateContactRequest {
    pub(super) r#type: ContactType,
    pub(super) value: String,
    #[serde(default)]
    pub(super) memo: Option<String>,
}

/// The body that updates a contact: what is absent stays.
// `P` is the form of the preferences that the server knows, so that a member of another form is one
// that the schema does not know.
#[derive(Deserialize, ToSchema)]
#[schema(as = OwnerContactUpdateRequest)]
#[serde(bound = "P: Deserialize<'de>")]
pub(super) struct UpdateContactRequest<P> {
    #[serde(default)]
    #[schema(value_type = ContactType, required = false)]
    r#type: Member<ContactType>,
    #[serde(default)]
    #[schema(value_type = String, required = false)]
    value: Member<String>,
    #[serde(default)]
    #[schema(value_type = String, required = false)]
    memo: Member<String>,
    #[serde(default)]
    #[schema(value_type = AllFlags, required = false)]
    preferences: Member<Object<P>>,
}

/// A change whose members were checked.
pub(super) struct Change {
    pub(super) kind: Option<ContactType>,
    pub(super) value: Option<String>,
    pub(super) memo: Option<String>,
    pub(super) preferences: Option<StoredPreferences>,
}

impl Change {
    /// Reads the body of an update in the form that the server knows.
    pub(super) fn read(call: &Call<'_>) -> Result<Self, Problem> {
        let settings = call.settings;
        match settings.preference_members {
            PreferenceMembers::Five => Self::check(call.json()?, settings, AllFlags::stored),
            PreferenceMembers::Three => Self::check(call.json()?, settings, FirstFlags::stored),
        }
    }

    fn check<P>(
        request: UpdateContactRequest<P>,
        settings: &Settings,
        stored: fn(P, &Settings) -> StoredPreferences,
    ) -> Result<Self, Problem> {
        let preferences = request.preferences.not_null("preferences", settings)?;
        Ok(Self {
            kind: request.r#type.not_null("type", settings)?,
            value: request.value.not_null("value", settings)?,
            memo: request.memo.not_null("memo", settings)?,
            preferences: preferences.map(|Object(flags)| stored(flags, settings)),
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kind.is_none()
            && self.value.is_none()
            && self.memo.is_none()
            && self.preferences.is_none()
    }
}
