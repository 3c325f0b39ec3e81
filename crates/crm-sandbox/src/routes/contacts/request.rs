//! The bodies that create and update contacts.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    body::{Member, Object},
    contact_type::ContactType,
    operation::Call,
    problem::Problem,
    settings::{PreferenceConflict, PreferenceMembers, Settings},
    store::contacts::StoredPreferences,
};

/// A new contact.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = OwnerContactCreateRequest)]
pub(crate) struct CreateContactRequest {
    pub(super) r#type: ContactType,
    pub(super) value: String,
    #[serde(default)]
    pub(super) memo: Option<String>,
}

/// A change of a contact: what is absent stays. `P` is the form of the
/// preferences that the server knows, so that a member of another form is one
/// that the schema does not know.
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
    #[schema(value_type = FiveFlags, required = false)]
    preferences: Member<Object<P>>,
}

/// All five flags.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ContactPreferencesRequest)]
pub(super) struct FiveFlags {
    job_reminders_enabled: bool,
    marketing_updates_enabled: bool,
    invoice_statement_notification: bool,
    invoice_notification: bool,
    statement_notification: bool,
}

/// The flags of a server of the first generation.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ThreeFlags {
    job_reminders_enabled: bool,
    marketing_updates_enabled: bool,
    invoice_statement_notification: bool,
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
            PreferenceMembers::Five => Self::check(call.json()?, settings, FiveFlags::resolve),
            PreferenceMembers::Three => Self::check(call.json()?, settings, ThreeFlags::resolve),
        }
    }

    fn check<P>(
        request: UpdateContactRequest<P>,
        settings: &Settings,
        resolve: fn(P, &Settings) -> StoredPreferences,
    ) -> Result<Self, Problem> {
        let preferences = request.preferences.not_null("preferences", settings)?;
        Ok(Self {
            kind: request.r#type.not_null("type", settings)?,
            value: request.value.not_null("value", settings)?,
            memo: request.memo.not_null("memo", settings)?,
            preferences: preferences.map(|Object(flags)| resolve(flags, settings)),
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kind.is_none()
            && self.value.is_none()
            && self.memo.is_none()
            && self.preferences.is_none()
    }
}

impl FiveFlags {
    fn resolve(self, settings: &Settings) -> StoredPreferences {
        let combined = self.invoice_statement_notification;
        let (invoices, statements) = (self.invoice_notification, self.statement_notification);
        let contradicts = combined != (invoices && statements);
        let (invoices, statements) = match settings.preference_conflict {
            PreferenceConflict::Combined if contradicts => (combined, combined),
            _ => (invoices, statements),
        };
        StoredPreferences {
            job_reminders: self.job_reminders_enabled,
            marketing_updates: self.marketing_updates_enabled,
            invoices,
            statements,
        }
    }
}

impl ThreeFlags {
    /// The combined flag sets both that it combines.
    fn resolve(self, _: &Settings) -> StoredPreferences {
        StoredPreferences {
            job_reminders: self.job_reminders_enabled,
            marketing_updates: self.marketing_updates_enabled,
            invoices: self.invoice_statement_notification,
            statements: self.invoice_statement_notification,
        }
    }
}
