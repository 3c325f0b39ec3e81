//! A contact as the API answers it.

use std::{borrow::Cow, marker::PhantomData};

use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema, schema::Object},
};

use super::contract::Contract;
use crate::{
    contact_type::ContactType,
    flags::AnsweredFlags,
    settings::{PhoneSettingsForm, Settings},
    store::contacts::StoredContact,
    time_text,
};

/// A contact of a location or a customer as the API answers it.
// What not all answers have is no part of this schema: the schemas of those that have it add it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContactResponse {
    id: i64,
    #[schema(value_type = ContactType)]
    r#type: String,
    value: String,
    memo: Option<String>,
    #[schema(required = true)]
    phone_settings: Option<PhoneSettings>,
    #[schema(format = DateTime)]
    modified_on: String,
    #[schema(format = DateTime)]
    created_on: String,
    preferences: Option<AnsweredFlags>,

    #[serde(flatten)]
    #[schema(ignore)]
    beside: PhoneSettings,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    location_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    customer_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    active: Option<bool>,
    #[serde(skip)]
    #[schema(ignore)]
    owner: i64,
}

/// What is known of a number: whether messages may be sent to it. No operation sets it.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PhoneSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = true)]
    phone_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool, required = true)]
    do_not_text: Option<bool>,
}

impl ContactResponse {
    pub(crate) fn new(contact: StoredContact, settings: &Settings) -> Self {
        let number = PhoneSettings {
            phone_number: Some(contact.value.clone()),
            do_not_text: Some(contact.do_not_text),
        };
        let has_number = matches!(contact.contact_type.as_str(), "Phone" | "MobilePhone");
        let nothing = PhoneSettings::default();
        let (phone_settings, beside) = match (settings.phone_settings, has_number) {
            (PhoneSettingsForm::AsDocumented, _) | (PhoneSettingsForm::Nested, true) => {
                (Some(number), nothing)
            }
            (PhoneSettingsForm::Flat, true) => (Some(nothing), number),
            (PhoneSettingsForm::Nested | PhoneSettingsForm::Flat, false) => (None, nothing),
        };
        Self {
            id: contact.id,
            r#type: contact.contact_type,
            value: contact.value,
            memo: contact.memo,
            phone_settings,
            modified_on: time_text::wire(&contact.modified_on),
            created_on: time_text::wire(&contact.created_on),
            preferences: contact.preferences.map(|flags| AnsweredFlags::new(flags, settings)),
            beside,
            location_id: None,
            customer_id: None,
            active: None,
            owner: contact.owner_id,
        }
    }

    /// Adds the owner, in `locationId` or `customerId`.
    pub(crate) fn with_owner(mut self, member: &str) -> Self {
        match member {
            "locationId" => self.location_id = Some(self.owner),
            _ => self.customer_id = Some(self.owner),
        }
        self
    }

    /// Adds whether the contact is active or deleted.
    pub(crate) fn with_active(mut self, active: bool) -> Self {
        self.active = Some(active);
        self
    }
}

/// The schema of a contact in the list of one owner.
pub(crate) struct Listed<O>(PhantomData<O>);

/// The schema of a contact in the list over all owners.
pub(crate) struct Owned<O>(PhantomData<O>);

/// The schema of a contact in an export feed.
pub(crate) struct Exported<O>(PhantomData<O>);

macro_rules! contact_schema {
    ($schema:ident, $name:ident, |$object:ident| $extend:expr) => {
        impl<O: Contract> ToSchema for $schema<O> {
            fn name() -> Cow<'static, str> {
                O::$name.into()
            }

            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                ContactResponse::schemas(schemas);
            }
        }

        impl<O: Contract> PartialSchema for $schema<O> {
            fn schema() -> RefOr<Schema> {
                let mut schema = ContactResponse::schema();
                if let RefOr::T(Schema::Object($object)) = &mut schema {
                    $extend
                }
                schema
            }
        }
    };
}

contact_schema!(Listed, LISTED, |_object| {});
contact_schema!(Owned, OWNED, |object| require::<i64>(object, O::MEMBER));
contact_schema!(Exported, EXPORTED, |object| {
    require::<i64>(object, O::MEMBER);
    require::<bool>(object, "active");
});

fn require<T: PartialSchema>(object: &mut Object, member: &str) {
    object.properties.insert(member.to_owned(), T::schema());
    object.required.push(member.to_owned());
}
