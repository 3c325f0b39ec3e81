//! What a contact of a location or a customer receives.
//!
//! The API answers with [`ContactPreferences`] and wants [`ContactPreferencesRequest`], always
//! complete. [`PreferenceChange`] is what a person wants changed.

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct};

use crate::{InvalidInput, validation::FieldError};

const JOB_REMINDERS: &str = "jobRemindersEnabled";
const MARKETING_UPDATES: &str = "marketingUpdatesEnabled";
const COMBINED: &str = "invoiceStatementNotification";
const INVOICES: &str = "invoiceNotification";
const STATEMENTS: &str = "statementNotification";

/// The flags as the API answers them.
///
/// The last two are younger than the others: where they are absent, both are taken from the
/// combined flag, and [`derived`](Self::derived) says so.
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
            return Err(InvalidInput::of(FieldError::new(
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

impl<'de> Deserialize<'de> for ContactPreferencesRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let flags = ContactPreferences::from(Answer::deserialize(deserializer)?);
        let request = Self::from(&flags);
        if request.invoices_and_statements() != flags.invoice_statement_notification {
            return Err(serde::de::Error::custom(
                "invoiceStatementNotification contradicts invoiceNotification and \
                 statementNotification",
            ));
        }
        Ok(request)
    }
}

/// Some flags to set; the others are kept.
///
/// ```
/// use crm_models::{ContactPreferences, PreferenceChange};
///
/// let current: ContactPreferences = serde_json::from_str(r#"{
///     "jobRemindersEnabled": true, "marketingUpdatesEnabled": true,
///     "invoiceStatementNotification": true
/// }"#)?;
/// let change = PreferenceChange::new().marketing_updates(false);
/// let request = change.apply_to(Some(&current))?;
/// assert!(request.job_reminders() && !request.marketing_updates() && request.invoices());
/// assert!(change.apply_to(None).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[must_use]
pub struct PreferenceChange {
    job_reminders: Option<bool>,
    marketing_updates: Option<bool>,
    invoices: Option<bool>,
    statements: Option<bool>,
}

impl PreferenceChange {
    /// Sets nothing yet.
    pub const fn new() -> Self {
        Self {
            job_reminders: None,
            marketing_updates: None,
            invoices: None,
            statements: None,
        }
    }

    /// Every flag alike.
    pub const fn all(on: bool) -> Self {
        Self {
            job_reminders: Some(on),
            marketing_updates: Some(on),
            invoices: Some(on),
            statements: Some(on),
        }
    }

    /// Sets whether reminders of jobs are received.
    pub const fn job_reminders(mut self, on: bool) -> Self {
        self.job_reminders = Some(on);
        self
    }

    /// Sets whether marketing is received.
    pub const fn marketing_updates(mut self, on: bool) -> Self {
        self.marketing_updates = Some(on);
        self
    }

    /// Sets whether invoices are received.
    pub const fn invoices(mut self, on: bool) -> Self {
        self.invoices = Some(on);
        self
    }

    /// Sets whether statements are received.
    pub const fn statements(mut self, on: bool) -> Self {
        self.statements = Some(on);
        self
    }

    /// Sets invoices and statements alike.
    pub const fn invoices_and_statements(self, on: bool) -> Self {
        self.invoices(on).statements(on)
    }

    /// The flag for reminders of jobs, if it is set.
    #[must_use]
    pub const fn get_job_reminders(&self) -> Option<bool> {
        self.job_reminders
    }

    /// The flag for marketing, if it is set.
    #[must_use]
    pub const fn get_marketing_updates(&self) -> Option<bool> {
        self.marketing_updates
    }

    /// The flag for invoices, if it is set.
    #[must_use]
    pub const fn get_invoices(&self) -> Option<bool> {
        self.invoices
    }

    /// The flag for statements, if it is set.
    #[must_use]
    pub const fn get_statements(&self) -> Option<bool> {
        self.statements
    }

    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::new()
    }

    /// Whether every flag is set, so that the present ones need not be known.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missing().is_empty()
    }

    /// All flags: the ones set here, and the present ones for the rest.
    ///
    /// # Errors
    ///
    /// [`PreferencesUnknown`] when the present ones are not known and not all are set.
    pub fn apply_to(
        &self,
        current: Option<&ContactPreferences>,
    ) -> Result<ContactPreferencesRequest, PreferencesUnknown> {
        let (job_reminders, marketing_updates, invoices, statements) =
            match (current.map(ContactPreferencesRequest::from), self) {
                (Some(now), _) => (
                    self.job_reminders.unwrap_or(now.job_reminders),
                    self.marketing_updates.unwrap_or(now.marketing_updates),
                    self.invoices.unwrap_or(now.invoices),
                    self.statements.unwrap_or(now.statements),
                ),
                (
                    None,
                    Self {
                        job_reminders: Some(job_reminders),
                        marketing_updates: Some(marketing_updates),
                        invoices: Some(invoices),
                        statements: Some(statements),
                    },
                ) => (*job_reminders, *marketing_updates, *invoices, *statements),
                (None, _) => {
                    return Err(PreferencesUnknown {
                        flags: self.missing(),
                    });
                }
            };
        Ok(ContactPreferencesRequest::new(
            job_reminders,
            marketing_updates,
            invoices,
            statements,
        ))
    }

    /// The change without the flags that are so already.
    pub fn differs_from(mut self, current: &ContactPreferences) -> Self {
        let keep = |flag: &mut Option<bool>, now| *flag = flag.filter(|on| *on != now);
        keep(&mut self.job_reminders, current.job_reminders_enabled);
        keep(
            &mut self.marketing_updates,
            current.marketing_updates_enabled,
        );
        keep(&mut self.invoices, current.invoice_notification);
        keep(&mut self.statements, current.statement_notification);
        self
    }

    fn missing(&self) -> Vec<&'static str> {
        [
            (JOB_REMINDERS, self.job_reminders),
            (MARKETING_UPDATES, self.marketing_updates),
            (INVOICES, self.invoices),
            (STATEMENTS, self.statements),
        ]
        .into_iter()
        .filter_map(|(name, flag)| flag.is_none().then_some(name))
        .collect()
    }
}

/// Some flags are to change, the API takes them only as a whole, and the present ones are not
/// known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the contact's present preferences are not known and the API takes them only as a whole; \
     give also {}", flags.join(", ")
)]
pub struct PreferencesUnknown {
    /// The flags still to give, in the API's words.
    pub flags: Vec<&'static str>,
}
