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
/// The last two came in May 2026: where both are absent, they are taken from the combined flag,
/// and [`derived`](Self::derived) says so. They are written with the members that were read, so
/// that a contact that was stored is the same when it is read again, and a service of three flags
/// is known by its answers. A contact without this object has unknown preferences.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "Answer")]
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
    /// The service knows three flags: the last two were absent and follow the combined flag.
    pub derived: bool,
}

impl Serialize for ContactPreferences {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Members {
            job_reminders: self.job_reminders_enabled,
            marketing_updates: self.marketing_updates_enabled,
            combined: self.invoice_statement_notification,
            apart: (!self.derived)
                .then_some([self.invoice_notification, self.statement_notification]),
        }
        .write("ContactPreferences", serializer)
    }
}

/// The members as they are written, in answers and in requests.
struct Members {
    job_reminders: bool,
    marketing_updates: bool,
    combined: bool,
    /// Invoices and statements, where the service knows them apart.
    apart: Option<[bool; 2]>,
}

impl Members {
    fn write<S: Serializer>(&self, name: &'static str, serializer: S) -> Result<S::Ok, S::Error> {
        let count = if self.apart.is_some() { 5 } else { 3 };
        let mut object = serializer.serialize_struct(name, count)?;
        object.serialize_field(JOB_REMINDERS, &self.job_reminders)?;
        object.serialize_field(MARKETING_UPDATES, &self.marketing_updates)?;
        object.serialize_field(COMBINED, &self.combined)?;
        if let Some([invoices, statements]) = &self.apart {
            object.serialize_field(INVOICES, invoices)?;
            object.serialize_field(STATEMENTS, statements)?;
        }
        object.end()
    }
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
            // With one of the two the service knows both.
            derived: answer.invoice_notification.is_none()
                && answer.statement_notification.is_none(),
        }
    }
}

/// All flags, as the API wants them. The combined flag is computed, so it cannot contradict.
///
/// One that completes a reading is written with the members that the reading had: a service from
/// before May 2026 knows three, and its contract forbids the other two.
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
    three: bool,
}

impl ContactPreferencesRequest {
    /// The four independent flags, in the present form of five members.
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
            three: false,
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

    /// Whether invoices and statements differ, which three members cannot say.
    #[must_use]
    pub const fn is_apart(&self) -> bool {
        self.invoices != self.statements
    }

    /// Whether it is written in the form before May 2026, of three members.
    #[must_use]
    pub const fn is_of_three_flags(&self) -> bool {
        self.three
    }

    /// The form before May 2026: only the first three members are written, so invoices and
    /// statements go together.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`] when invoices and statements differ.
    pub fn legacy_three_flags(self) -> Result<Self, InvalidInput> {
        if self.is_apart() {
            return Err(InvalidInput::from(FieldError::new(
                "preferences.invoiceStatementNotification",
                "legacy",
                "the three-flag form cannot set invoices and statements apart",
            )));
        }
        Ok(Self {
            three: true,
            ..self
        })
    }
}

impl From<&ContactPreferences> for ContactPreferencesRequest {
    /// The same flags, in the form in which they were read.
    fn from(answered: &ContactPreferences) -> Self {
        Self {
            job_reminders: answered.job_reminders_enabled,
            marketing_updates: answered.marketing_updates_enabled,
            invoices: answered.invoice_notification,
            statements: answered.statement_notification,
            three: answered.derived,
        }
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
            derived: asked.three,
        }
    }
}

impl Serialize for ContactPreferencesRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Members {
            job_reminders: self.job_reminders,
            marketing_updates: self.marketing_updates,
            combined: self.invoices_and_statements(),
            apart: (!self.three).then_some([self.invoices, self.statements]),
        }
        .write("ContactPreferencesRequest", serializer)
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
        let (invoices, statements, three) =
            match (asked.invoice_notification, asked.statement_notification) {
                (Some(invoices), Some(statements)) => (invoices, statements, false),
                (None, None) => (combined, combined, true),
                (None, _) => return Err(D::Error::missing_field(INVOICES)),
                (_, None) => return Err(D::Error::missing_field(STATEMENTS)),
            };
        let request = Self {
            job_reminders: asked.job_reminders_enabled,
            marketing_updates: asked.marketing_updates_enabled,
            invoices,
            statements,
            three,
        };
        if request.invoices_and_statements() != combined {
            return Err(D::Error::custom(
                "invoiceStatementNotification contradicts invoiceNotification and \
                 statementNotification",
            ));
        }
        Ok(request)
    }
}
