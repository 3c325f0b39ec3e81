//! The bodies that create and update contacts.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    body::{Member, Object},
    change::Change,
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

/// Reads the body of an update in the form that the server knows.
pub(super) fn read(call: &Call<'_>) -> Result<(Change, Option<StoredPreferences>), Problem> {
    match call.settings.preference_members {
        PreferenceMembers::Five => check(call.json()?, call.settings, AllFlags::stored),
        PreferenceMembers::Three => check(call.json()?, call.settings, FirstFlags::stored),
    }
}

fn check<P>(
    request: UpdateContactRequest<P>,
    settings: &Settings,
    stored: fn(P, &Settings) -> StoredPreferences,
) -> Result<(Change, Option<StoredPreferences>), Problem> {
    let preferences = request.preferences.not_null("preferences", settings)?;
    let change = Change::new(request.r#type, request.value, request.memo, settings)?;
    Ok((change, preferences.map(|Object(flags)| stored(flags, settings))))
}
