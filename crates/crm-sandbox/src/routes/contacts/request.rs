//! The bodies that create and update contacts.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::body::{Member, Object};
use crate::contact_type::ContactType;
use crate::problem::Problem;
use crate::settings::{PreferenceConflict, PreferenceMembers, Settings};
use crate::store::contacts::StoredPreferences;

/// A new contact.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = OwnerContactCreateRequest)]
pub(crate) struct CreateContactRequest {
    pub(super) r#type: ContactType,
    pub(super) value: String,
    #[serde(default)]
    pub(super) memo: Option<String>,
}

/// A change of a contact: what is absent stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = OwnerContactUpdateRequest)]
pub(crate) struct UpdateContactRequest {
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
    #[schema(value_type = PreferencesRequest, required = false)]
    preferences: Member<Object<PreferencesRequest>>,
}

/// All five flags; a server of the first generation knows the first three.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ContactPreferencesRequest)]
pub(crate) struct PreferencesRequest {
    job_reminders_enabled: bool,
    marketing_updates_enabled: bool,
    invoice_statement_notification: bool,
    #[serde(default)]
    #[schema(value_type = bool, required = true)]
    invoice_notification: Member<bool>,
    #[serde(default)]
    #[schema(value_type = bool, required = true)]
    statement_notification: Member<bool>,
}

/// A change whose members were checked.
pub(super) struct Change {
    pub(super) kind: Option<ContactType>,
    pub(super) value: Option<String>,
    pub(super) memo: Option<String>,
    pub(super) preferences: Option<StoredPreferences>,
}

impl Change {
    pub(super) fn is_empty(&self) -> bool {
        self.kind.is_none()
            && self.value.is_none()
            && self.memo.is_none()
            && self.preferences.is_none()
    }
}

impl UpdateContactRequest {
    pub(super) fn check(self, settings: &Settings) -> Result<Change, Problem> {
        let preferences = self.preferences.not_null("preferences", settings)?;
        Ok(Change {
            kind: self.r#type.not_null("type", settings)?,
            value: self.value.not_null("value", settings)?,
            memo: self.memo.not_null("memo", settings)?,
            preferences: preferences
                .map(|Object(flags)| flags.check(settings))
                .transpose()?,
        })
    }
}

impl PreferencesRequest {
    fn check(self, settings: &Settings) -> Result<StoredPreferences, Problem> {
        let combined = self.invoice_statement_notification;
        let (invoices, statements) = match settings.preference_members {
            PreferenceMembers::Three => (combined, combined),
            PreferenceMembers::Five => (
                required("invoiceNotification", self.invoice_notification)?,
                required("statementNotification", self.statement_notification)?,
            ),
        };
        let contradicts = combined != (invoices && statements);
        let (invoices, statements) = match settings.preference_conflict {
            PreferenceConflict::Combined if contradicts => (combined, combined),
            _ => (invoices, statements),
        };
        Ok(StoredPreferences {
            job_reminders: self.job_reminders_enabled,
            marketing_updates: self.marketing_updates_enabled,
            invoices,
            statements,
        })
    }
}

fn required(name: &str, flag: Member<bool>) -> Result<bool, Problem> {
    match flag {
        Member::Value(flag) => Ok(flag),
        Member::Absent => Err(refused(name, "is required")),
        Member::Null => Err(refused(name, "must not be null")),
    }
}

fn refused(name: &str, reason: &str) -> Problem {
    let text = format!("member '{name}' {reason}");
    Problem::bad_request(format!("The body was refused at 'preferences': {text}"))
        .with_error("preferences", text)
}
