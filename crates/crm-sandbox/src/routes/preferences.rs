//! The kinds of preferences, and their values for contact methods.

use http::Method;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::methods;
use crate::{
    body::Member,
    operation::{Call, Operation, Reply},
    path::Path,
    problem::Problem,
    store::{
        preferences::{self, Preference, PreferenceType},
        record::Record,
    },
};

const TYPES: Path<()> = Path::new("/contacts/preferences");
const ALL: Path<(Uuid, Uuid)> =
    Path::new("/contacts/{contactId}/contact-methods/{contactMethodId}/preferences");
const ONE: Path<(Uuid, Uuid, String)> = Path::new(
    "/contacts/{contactId}/contact-methods/{contactMethodId}/preferences/{preferenceName}",
);

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(Method::GET, "Contacts_GetPreferenceMetadataList", TYPES, list_types)
            .answer_array::<PreferenceType>()
            .refusals(&[400, 403]),
        Operation::new(Method::GET, "ContactPreferences_GetContactMethodPreferences", ALL, list)
            .answer_array::<Preference>()
            .refusals(&[400, 403, 404]),
        Operation::new(Method::GET, "ContactPreferences_GetContactMethodPreference", ONE, get)
            .answer::<Preference>()
            .refusals(&[400, 403, 404]),
        Operation::new(
            Method::PATCH,
            "ContactPreferences_UpdateContactMethodPreference",
            ONE,
            update,
        )
        .body::<UpdateRequest>()
        .answer::<Preference>()
        .refusals(&[400, 403, 404]),
    ]
}

/// The body that sets a preference to a new value, given as text.
#[derive(Deserialize, ToSchema)]
#[schema(as = UpdateContactMethodPreferenceRequest)]
struct UpdateRequest {
    #[serde(default)]
    #[schema(value_type = String, required = false)]
    value: Member<String>,
}

fn list_types(call: &Call<'_>, (): ()) -> Result<Reply, Problem> {
    Reply::json(&PreferenceType::select().first(call.db, u32::MAX)?)
}

fn list(call: &Call<'_>, path: (Uuid, Uuid)) -> Result<Reply, Problem> {
    let method = methods::find(call, path)?;
    Reply::json(&preferences::of_method(call.db, &method.id)?)
}

fn get(call: &Call<'_>, (person, method, name): (Uuid, Uuid, String)) -> Result<Reply, Problem> {
    let method = methods::find(call, (person, method))?;
    Reply::json(&find(call, &method.id, &name)?)
}

fn update(call: &Call<'_>, (person, method, name): (Uuid, Uuid, String)) -> Result<Reply, Problem> {
    let request: UpdateRequest = call.json()?;
    let value =
        request.value.not_null("value", call.settings)?.map(|text| text.to_ascii_lowercase());
    if value.as_deref().is_some_and(|text| text != "true" && text != "false") {
        return Err(Problem::field("value", "a preference of type Bool is true or false"));
    }
    let method = methods::find(call, (person, method))?;
    let mut preference = find(call, &method.id, &name)?;
    if value.is_some() {
        preference.value = value;
        preferences::set(call.db, &method.id, &preference)?;
    }
    Reply::json(&preference)
}

fn find(call: &Call<'_>, method: &str, name: &str) -> Result<Preference, Problem> {
    preferences::find(call.db, method, name)?
        .ok_or_else(|| Problem::not_found(format!("There is no preference {name}")))
}
