//! A change of some of a contact's preferences.

use serde::{Deserialize, Serialize};

use crate::{
    ContactPreferences, ContactPreferencesRequest,
    members::present,
    preferences::{INVOICES, JOB_REMINDERS, MARKETING_UPDATES, STATEMENTS},
};

/// Some flags to set; the others are kept.
///
/// The combined flag cannot be set beside the two that it combines: it is computed when the
/// change is applied. As JSON the four flags have the API's names; null and the combined flag
/// are refused.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct PreferenceChange {
    #[serde(
        rename = "jobRemindersEnabled",
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    job_reminders: Option<bool>,
    #[serde(
        rename = "marketingUpdatesEnabled",
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    marketing_updates: Option<bool>,
    #[serde(
        rename = "invoiceNotification",
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    invoices: Option<bool>,
    #[serde(
        rename = "statementNotification",
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
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

    /// All flags: the ones set here, and the present ones for the rest, in the form in which the
    /// present ones were read.
    ///
    /// ```
    /// use crm_models::{ContactPreferences, PreferenceChange, PreferencesError};
    ///
    /// let three: ContactPreferences = serde_json::from_str(r#"{
    ///     "jobRemindersEnabled": true, "marketingUpdatesEnabled": true,
    ///     "invoiceStatementNotification": true
    /// }"#)?;
    /// let request = PreferenceChange::new().marketing_updates(false).apply_to(Some(&three))?;
    /// assert!(request.is_of_three_flags());
    ///
    /// let apart = PreferenceChange::new().invoices(false);
    /// assert_eq!(apart.apply_to(Some(&three)), Err(PreferencesError::Inseparable));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`PreferencesError::Unknown`] when the present ones are not known and not all are set, and
    /// [`PreferencesError::Inseparable`] when invoices and statements would differ and the present
    /// ones are of a service that knows three flags.
    pub fn apply_to(
        &self,
        current: Option<&ContactPreferences>,
    ) -> Result<ContactPreferencesRequest, PreferencesError> {
        type Request = ContactPreferencesRequest;
        let known = current.map(Request::from);
        let flag =
            |set: Option<bool>, now: fn(&Request) -> bool| set.or_else(|| known.as_ref().map(now));
        let (Some(job_reminders), Some(marketing_updates), Some(invoices), Some(statements)) = (
            flag(self.job_reminders, Request::job_reminders),
            flag(self.marketing_updates, Request::marketing_updates),
            flag(self.invoices, Request::invoices),
            flag(self.statements, Request::statements),
        ) else {
            let flags = self.missing();
            return Err(PreferencesError::Unknown { flags });
        };
        let request = Request::new(job_reminders, marketing_updates, invoices, statements);
        match known {
            Some(known) if known.is_of_three_flags() => request
                .legacy_three_flags()
                .map_err(|_| PreferencesError::Inseparable),
            _ => Ok(request),
        }
    }

    /// The change without the flags that are so already.
    pub fn without_unchanged(mut self, current: &ContactPreferences) -> Self {
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

/// Some flags are to change, the API takes them only as a whole, and the whole cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PreferencesError {
    /// The present flags are not known.
    #[error(
        "the contact's present preferences are not known and the API takes them only as a whole; \
         give also {}", flags.join(", ")
    )]
    Unknown {
        /// The flags still to give, in the API's words.
        flags: Vec<&'static str>,
    },
    /// Invoices and statements would differ, and the service knows one flag for both.
    #[error(
        "this service has a single flag for invoices and statements, so the change cannot set \
         them apart; set both alike"
    )]
    Inseparable,
}
