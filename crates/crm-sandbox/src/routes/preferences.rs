//! The kinds of preferences, and their values for contact methods.

use http::Method;
use serde::Deserialize;
use utoipa::ToSchema;

use super::methods;
use crate::{
    body::Member,
    operation::{Call, Operation, Reply},
    problem::Problem,
    store::preferences::{self, Preference, PreferenceType},
};

pub(super) fn operations() -> Vec<Operation> {
    let all = "/contacts/{contactId}/contact-methods/{contactMethodId}/preferences";
    let one =
        "/contacts/{contactId}/contact-methods/{contactMethodId}/preferences/{preferenceName}";
    let new = |method, name: &str, path, run| {
        Operation::new(method, &format!("ContactPreferences_{name}"), path, run)
            .refusals(&[400, 403, 404])
    };
    let types = "/contacts/preferences";
    vec![
        Operation::new(Method::GET, "Contacts_GetPreferenceMetadataList", types, list_types)
            .scope("tn.crm.contacts:r")
            .answer_array::<PreferenceType>()
            .refusals(&[400, 403]),
        new(Method::GET, "GetContactMethodPreferences", all, list)
            .scope("tn.crm.contacts:r")
            .answer_array::<Preference>(),
        new(Method::GET, "GetContactMethodPreference", one, get)
            .scope("tn.crm.contacts:r")
            .answer::<Preference>(),
        new(Method::PATCH, "UpdateContactMethodPreference", one, update)
            .scope("tn.crm.contacts:w")
            .body::<UpdateRequest>()
            .answer::<Preference>(),
    ]
}

/// A new value, as text.
#[derive(Deserialize, ToSchema)]
#[schema(as = UpdateContactMethodPreferenceRequest)]
struct UpdateRequest {
    #[serde(default)]
    #[schema(value_type = String, required = false)]
    value: Member<String>,
}

fn list_types(call: &Call<'_>) -> Result<Reply, Problem> {
    Reply::json(&preferences::types(call.db)?)
}

fn list(call: &Call<'_>) -> Result<Reply, Problem> {
    let method = methods::find(call)?;
    Reply::json(&preferences::of_method(call.db, &method.id)?)
}

fn get(call: &Call<'_>) -> Result<Reply, Problem> {
    let method = methods::find(call)?;
    Reply::json(&find(call, &method.id)?)
}

fn update(call: &Call<'_>) -> Result<Reply, Problem> {
    call.guid("contactId")?;
    call.guid("contactMethodId")?;
    let request: UpdateRequest = call.json()?;
    let value =
        request.value.not_null("value", call.settings)?.map(|text| text.to_ascii_lowercase());
    if value.as_deref().is_some_and(|text| text != "true" && text != "false") {
        return Err(Problem::field("value", "a preference of type Bool is true or false"));
    }
    let method = methods::find(call)?;
    let mut preference = find(call, &method.id)?;
    if value.is_some() {
        preference.value = value;
        preferences::set(call.db, &method.id, &preference)?;
    }
    Reply::json(&preference)
}

fn find(call: &Call<'_>, method: &str) -> Result<Preference, Problem> {
    let name = call.text("preferenceName")?;
    preferences::find(call.db, method, name)?
        .ok_or_else(|| Problem::not_found(format!("There is no preference {name}")))
}
