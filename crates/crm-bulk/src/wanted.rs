//! What a change asks for, as it is kept in the file.

use std::borrow::Cow;

use crm_contacts::{Change as _, Difference};
use crm_models::{
    Contact, ContactChange, ContactPreferences, ContactType, CreateContactRequest,
    PreferenceChange, PreferencesError, UpdateContactRequest,
};
use crm_values::memo_with_extension;
use serde::{Deserialize, Serialize};

/// The members that a contact shall have. What is not named is kept.
///
/// Made with `..Wanted::default()`, since it gains members with the API.
///
/// ```
/// use crm_bulk::Wanted;
///
/// let wanted = Wanted { marketing_updates: Some(false), ..Wanted::default() };
/// assert_eq!(serde_json::to_string(&wanted)?, r#"{"marketingUpdates":false}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Wanted {
    /// The kind.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub contact_type: Option<ContactType>,
    /// The number or address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The memo; empty clears it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memo: Option<String>,
    /// Receives reminders of jobs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_reminders: Option<bool>,
    /// Receives marketing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marketing_updates: Option<bool>,
    /// Receives invoices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoices: Option<bool>,
    /// Receives statements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statements: Option<bool>,
    /// The extension of a telephone number, to be added to the memo that the contact has or shall
    /// have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// Why `value` must not be stored: it is sent to no contact, and only one that has it already
    /// is as wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The combined flag of invoices and statements, where a row has one that does not follow from
    /// these two. It is never sent; a plan refuses it unless it is the contact's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub combined: Option<bool>,
    /// The value counts letter by letter: another way to write the same number or address is a
    /// difference. For a creation, which restores a contact then: also beside the contacts that
    /// had this number or address when it was deleted.
    #[serde(skip_serializing_if = "is_false")]
    pub exact: bool,
}

/// Whether a row means the memo that is there: the blanks around it, and how its lines end, get
/// lost on the way through a file.
fn is_same_text(memo: &str, kept: Option<&str>) -> bool {
    kept.is_some_and(|kept| kept.trim().lines().eq(memo.trim().lines()))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Wanted {
    /// The same in the words of `crm-models`, for a contact that is not there yet.
    pub fn change(&self) -> ContactChange {
        self.change_of(None)
    }

    fn change_of(&self, present: Option<&Contact>) -> ContactChange {
        let mut change = ContactChange::new().preferences(self.preferences());
        if let Some(contact_type) = &self.contact_type {
            change = change.contact_type(contact_type.clone());
        }
        if let Some(value) = &self.value {
            change = change.value(value);
        }
        if let Some(memo) = self.memo_of(present) {
            change = change.memo(memo);
        }
        change
    }

    /// The memo to send: an extension is added to the one that is named or kept.
    fn memo_of<'a>(&'a self, present: Option<&'a Contact>) -> Option<Cow<'a, str>> {
        let kept = present.and_then(|contact| contact.memo.as_deref());
        let Some(extension) = &self.extension else {
            let named = self.memo.as_deref();
            let named = named.filter(|memo| self.exact || !is_same_text(memo, kept));
            return named.map(Cow::Borrowed);
        };
        let memo = self.memo.as_deref().or(kept);
        Some(memo_with_extension(memo, extension))
    }

    /// The flags that are named.
    pub fn preferences(&self) -> PreferenceChange {
        let mut change = PreferenceChange::new();
        if let Some(on) = self.job_reminders {
            change = change.job_reminders(on);
        }
        if let Some(on) = self.marketing_updates {
            change = change.marketing_updates(on);
        }
        if let Some(on) = self.invoices {
            change = change.invoices(on);
        }
        if let Some(on) = self.statements {
            change = change.statements(on);
        }
        change
    }

    fn flags(&mut self) -> [&mut Option<bool>; 4] {
        [
            &mut self.job_reminders,
            &mut self.marketing_updates,
            &mut self.invoices,
            &mut self.statements,
        ]
    }

    /// Whether it names some flags, and not all: then the others have to be known.
    pub(crate) fn names_some_flags(&self) -> bool {
        let flags = [
            self.job_reminders,
            self.marketing_updates,
            self.invoices,
            self.statements,
        ];
        flags.iter().any(Option::is_some) && flags.iter().any(Option::is_none)
    }

    /// Names every flag: those that it did not name become this.
    pub(crate) fn complete_flags(&mut self, others: bool) {
        for flag in self.flags() {
            flag.get_or_insert(others);
        }
    }

    pub(crate) fn set_preferences(&mut self, preferences: &ContactPreferences) {
        self.job_reminders = Some(preferences.job_reminders_enabled);
        self.marketing_updates = Some(preferences.marketing_updates_enabled);
        self.invoices = Some(preferences.invoice_notification);
        self.statements = Some(preferences.statement_notification);
    }

    /// The request that makes `present` so; `None` when it is so already.
    ///
    /// # Errors
    ///
    /// [`PreferencesError`] when only some flags are named and the contact's present
    /// preferences are not known.
    pub fn request(
        &self,
        present: &Contact,
    ) -> Result<Option<UpdateContactRequest>, PreferencesError> {
        let request = self.change_of(Some(present)).plan(present)?;
        if !self.exact {
            return Ok(request);
        }
        // The service had these: our own rules do not judge them.
        let request = match &self.value {
            Some(value) if *value != present.value => {
                Some(request.unwrap_or_default().value(value))
            }
            _ => request,
        };
        Ok(request.map(UpdateContactRequest::as_it_was))
    }

    /// Whether the contact is so already.
    #[must_use]
    pub fn is_met_by(&self, present: &Contact) -> bool {
        matches!(self.request(present), Ok(None))
    }

    /// Whether the combined flag, if it is named, was changed: it is neither the present one nor
    /// what becomes of invoices and statements.
    pub(crate) fn changes_combined(&self, present: &Contact) -> bool {
        let Some(combined) = self.combined else {
            return false;
        };
        let present = present.preferences.as_ref();
        let invoices = self.invoices.or(present.map(|p| p.invoice_notification));
        let statements = self
            .statements
            .or(present.map(|p| p.statement_notification));
        let becomes = invoices.zip(statements).map(|(one, other)| one && other);
        let is_kept = present.is_some_and(|p| p.invoice_statement_notification == combined);
        !is_kept && becomes != Some(combined)
    }

    /// The request that creates such a contact, without its preferences: those take an update
    /// afterwards. `None` when type or value is missing.
    #[must_use]
    pub fn creation(&self) -> Option<CreateContactRequest> {
        let (contact_type, value) = (self.contact_type.clone()?, self.value.as_ref()?);
        let mut request = CreateContactRequest::new(contact_type, value);
        if self.exact {
            request = request.as_it_was();
        }
        Some(match self.memo_of(None) {
            Some(memo) if !memo.is_empty() => request.memo(memo),
            _ => request,
        })
    }

    /// The differences to `present` in people's words, member by member.
    pub(crate) fn differences(&self, present: Option<&Contact>) -> Vec<Difference> {
        let preferences = present.and_then(|contact| contact.preferences.as_ref());
        let memo = present.and_then(|contact| contact.memo.as_deref());
        let flag = |name, old: fn(&ContactPreferences) -> bool, new: Option<bool>| {
            member(name, preferences.map(old).map(on_off), new.map(on_off))
        };
        [
            member(
                "type",
                present.map(|contact| contact.contact_type.as_str()),
                self.contact_type.as_ref().map(ContactType::as_str),
            ),
            member(
                "value",
                present.map(|contact| contact.value.as_str()),
                self.value.as_deref(),
            ),
            member("memo", memo, self.memo_of(present).as_deref()),
            flag(
                "job reminders",
                |p| p.job_reminders_enabled,
                self.job_reminders,
            ),
            flag(
                "marketing",
                |p| p.marketing_updates_enabled,
                self.marketing_updates,
            ),
            flag("invoices", |p| p.invoice_notification, self.invoices),
            flag("statements", |p| p.statement_notification, self.statements),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// A member that is named and not so already.
fn member(name: &'static str, before: Option<&str>, after: Option<&str>) -> Option<Difference> {
    let after = after?;
    let is_other = before.unwrap_or_default() != after;
    is_other.then(|| Difference::new(name, before, Some(after).filter(|text| !text.is_empty())))
}

/// A flag as people say it.
pub(crate) fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}
