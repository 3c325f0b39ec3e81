//! What a contact of a location or a customer receives.
//!
//! The API answers with [`ContactPreferences`] and wants [`ContactPreferencesRequest`], always
//! complete.

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct};

use crate::{InvalidInput, members::present, validation::FieldError};

pub(crate) const JOB_REMINDERS: &str = "jobRemindersEnabled";
pub(crate) const MARKETING_UPDATES: &str = "marketingUpdatesEnabled";
/// True only when invoices and statements both are.
const COMBINED: &str = "invoiceStatementNotification";
pub(crate) const INVOICES: &str = "invoiceNotification";
pub(crate) const STATEMENTS: &str = "statementNotification";

/// The flags as the API answers them.
///
/// The last two came in May 2026: where they are absent, both are taken from the combined flag,
/// and [`derived`](Self::derived) says so. A contact without this object has unknown
/// preferences.
///
/// In a test they are made from a request:
///
/// ```
/// use crm_models::{ContactPreferences, ContactPreferencesRequest};
///
/// let request = ContactPreferencesRequest::new(true, false, true, false);
/// let answered = ContactPreferences::from(request);
/// assert!(answered.invoice_notification && !answered.invoice_statement_notification);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", from = "Answer")]
#[non_exhaustive]
pub struct ContactPreferences {
    /// Receives reminders of jobs.
    pub job_reminders_enabled: bool,
    /// Receives marketing.
    pub marketing_updates_enabled: bool,
    /// The older, combined flag: true only when both of the next two are.
    pub invoice_statement_notification: bool,
    /// Receives invoices.
    pub invoice_notification: bool,
    /// Receives statements.
    pub statement_notification: bool,
    /// The last two were absent and follow the combined flag. Not on the wire.
    #[serde(skip)]
    pub derived: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    job_reminders_enabled: bool,
    marketing_updates_enabled: bool,
    invoice_statement_notification: bool,
    invoice_notification: Option<bool>,
    statement_notification: Option<bool>,
}

impl From<Answer> for ContactPreferences {
    fn from(answer: Answer) -> Self {
        let combined = answer.invoice_statement_notification;
        Self {
            job_reminders_enabled: answer.job_reminders_enabled,
            marketing_updates_enabled: answer.marketing_updates_enabled,
            invoice_statement_notification: combined,
            invoice_notification: answer.invoice_notification.unwrap_or(combined),
            statement_notification: answer.statement_notification.unwrap_or(combined),
            derived: answer.invoice_notification.is_none()
                || answer.statement_notification.is_none(),
        }
    }
}

/// All flags, as the API wants them. The combined flag is computed, so it cannot contradict.
///
/// ```
/// use crm_models::ContactPreferencesRequest;
///
/// let preferences = ContactPreferencesRequest::new(true, false, true, false);
/// assert_eq!(
///     serde_json::to_value(&preferences)?,
///     serde_json::json!({
///         "jobRemindersEnabled": true,
///         "marketingUpdatesEnabled": false,
///         "invoiceStatementNotification": false,
///         "invoiceNotification": true,
///         "statementNotification": false,
///     }),
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContactPreferencesRequest {
    job_reminders: bool,
    marketing_updates: bool,
    invoices: bool,
    statements: bool,
    legacy: bool,
}

impl ContactPreferencesRequest {
    /// The four independent flags.
    #[must_use]
    pub const fn new(
        job_reminders: bool,
        marketing_updates: bool,
        invoices: bool,
        statements: bool,
    ) -> Self {
        Self {
            job_reminders,
            marketing_updates,
            invoices,
            statements,
            legacy: false,
        }
    }

    /// Receives reminders of jobs.
    #[must_use]
    pub const fn job_reminders(&self) -> bool {
        self.job_reminders
    }

    /// Receives marketing.
    #[must_use]
    pub const fn marketing_updates(&self) -> bool {
        self.marketing_updates
    }

    /// Receives invoices.
    #[must_use]
    pub const fn invoices(&self) -> bool {
        self.invoices
    }

    /// Receives statements.
    #[must_use]
    pub const fn statements(&self) -> bool {
        self.statements
    }

    /// The combined flag: invoices and statements.
    #[must_use]
    pub const fn invoices_and_statements(&self) -> bool {
        self.invoices && self.statements
    }

    /// The form before May 2026: only the first three members are written, so invoices and
    /// statements go together.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`] when invoices and statements differ.
    pub fn legacy_three_flags(self) -> Result<Self, InvalidInput> {
        if self.invoices != self.statements {
            return Err(InvalidInput::from(FieldError::new(
                "preferences.invoiceStatementNotification",
                "legacy",
                "the three-flag form cannot set invoices and statements apart",
            )));
        }
        Ok(Self {
            legacy: true,
            ..self
        })
    }
}

impl From<&ContactPreferences> for ContactPreferencesRequest {
    fn from(answered: &ContactPreferences) -> Self {
        Self::new(
            answered.job_reminders_enabled,
            answered.marketing_updates_enabled,
            answered.invoice_notification,
            answered.statement_notification,
        )
    }
}

impl From<ContactPreferencesRequest> for ContactPreferences {
    /// The flags as a service answers them that was sent this.
    fn from(asked: ContactPreferencesRequest) -> Self {
        Self {
            job_reminders_enabled: asked.job_reminders,
            marketing_updates_enabled: asked.marketing_updates,
            invoice_statement_notification: asked.invoices_and_statements(),
            invoice_notification: asked.invoices,
            statement_notification: asked.statements,
            derived: asked.legacy,
        }
    }
}

impl Serialize for ContactPreferencesRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let members = if self.legacy { 3 } else { 5 };
        let mut object = serializer.serialize_struct("ContactPreferencesRequest", members)?;
        object.serialize_field(JOB_REMINDERS, &self.job_reminders)?;
        object.serialize_field(MARKETING_UPDATES, &self.marketing_updates)?;
        object.serialize_field(COMBINED, &self.invoices_and_statements())?;
        if !self.legacy {
            object.serialize_field(INVOICES, &self.invoices)?;
            object.serialize_field(STATEMENTS, &self.statements)?;
        }
        object.end()
    }
}

/// The body of a request as it is read: nothing unknown, nothing null, and of the later two
/// flags both or none.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    job_reminders_enabled: bool,
    marketing_updates_enabled: bool,
    invoice_statement_notification: bool,
    #[serde(default, deserialize_with = "present")]
    invoice_notification: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    statement_notification: Option<bool>,
}

impl<'de> Deserialize<'de> for ContactPreferencesRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;

        let asked = Asked::deserialize(deserializer)?;
        let combined = asked.invoice_statement_notification;
        let (invoices, statements) =
            match (asked.invoice_notification, asked.statement_notification) {
                (Some(invoices), Some(statements)) => (invoices, statements),
                (None, None) => (combined, combined),
                (None, _) => return Err(D::Error::missing_field(INVOICES)),
                (_, None) => return Err(D::Error::missing_field(STATEMENTS)),
            };
        let request = Self::new(
            asked.job_reminders_enabled,
            asked.marketing_updates_enabled,
            invoices,
            statements,
        );
        if request.invoices_and_statements() != combined {
            return Err(D::Error::custom(
                "invoiceStatementNotification contradicts invoiceNotification and \
                 statementNotification",
            ));
        }
        Ok(request)
    }
}
