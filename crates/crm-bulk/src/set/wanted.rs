//! What a change asks for, in the form in which the file keeps it.

use std::borrow::Cow;

use crm_contacts::{Difference, RecordChange as _};
use crm_models::{
    Contact, ContactChange, ContactType, CreateContactRequest, InvalidInput, Preference,
    PreferenceChange, PreferencesError, Tolerance, UpdateContactRequest,
};
use crm_values::memo_with_extension;
use serde::{Deserialize, Serialize};

use super::carrier::Carrier;

/// What a contact is to become: the change of its members, and whether it is made letter by letter.
///
/// ```
/// use crm_bulk::Wanted;
/// use crm_models::{ContactChange, PreferenceChange};
///
/// let no_marketing = PreferenceChange::new().marketing_updates(false);
/// let wanted = Wanted::of(ContactChange::new().preferences(no_marketing));
/// let kept = r#"{"preferences":{"marketingUpdatesEnabled":false}}"#;
/// assert_eq!(serde_json::to_string(&wanted)?, kept);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Kept")]
#[non_exhaustive]
pub struct Wanted {
    /// The members that the contact is to have; what is not named is kept.
    #[serde(flatten)]
    pub change: ContactChange,
    /// The word in a row that clears the memo. A contact whose memo is exactly this word keeps it,
    /// since an unchanged row of a list says the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cleared_by: Option<String>,
    /// The extension of a telephone number, to be added to the memo that the contact has or is to
    /// have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// Why the value must not be stored: it is not sent to any contact, and only a contact that
    /// already has it is as wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The combined flag of invoices and statements, if a row has one that does not follow from
    /// these two. It is never sent; a plan refuses it unless it is the contact's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub combined: Option<bool>,
    /// The contact that has to carry the memo which is taken from this one; until then nothing is
    /// sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Carrier>,
    /// Whether the value counts letter by letter, so that another way to write the same number or
    /// address is a difference. A creation, which then restores a contact, is also made next to the
    /// contacts that had this number or address when it was deleted.
    #[serde(skip_serializing_if = "is_false")]
    pub exact: bool,
}

/// The members as the file has them. Beside those of a flattened change, unknown ones would be
/// passed over in silence.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Kept {
    #[serde(rename = "type")]
    contact_type: Option<ContactType>,
    value: Option<String>,
    memo: Option<String>,
    preferences: PreferenceChange,
    cleared_by: Option<String>,
    extension: Option<String>,
    refused: Option<String>,
    combined: Option<bool>,
    carrier: Option<Carrier>,
    exact: bool,
}

impl From<Kept> for Wanted {
    fn from(kept: Kept) -> Self {
        let mut change = ContactChange::new().preferences(kept.preferences);
        if let Some(contact_type) = kept.contact_type {
            change = change.contact_type(contact_type);
        }
        if let Some(value) = kept.value {
            change = change.value(value);
        }
        if let Some(memo) = kept.memo {
            change = change.memo(memo);
        }
        Self {
            change,
            cleared_by: kept.cleared_by,
            extension: kept.extension,
            refused: kept.refused,
            combined: kept.combined,
            carrier: kept.carrier,
            exact: kept.exact,
        }
    }
}

/// Whether a row means the text that is there: the blanks around it, and how its lines end, get
/// lost on the way through a file.
fn is_same_text(text: &str, kept: &str) -> bool {
    let (text, kept) = (text.trim(), kept.trim());
    let lines = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
    let may_differ_so = text.contains('\r') || kept.contains('\r');
    text == kept || (may_differ_so && lines(text) == lines(kept))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Wanted {
    /// Creates a change for which another way to write a number, an address or a memo is the same.
    #[must_use]
    pub fn of(change: ContactChange) -> Self {
        Self { change, ..Self::default() }
    }

    /// Creates a change that is made letter by letter.
    #[must_use]
    pub fn exactly(change: ContactChange) -> Self {
        Self { exact: true, ..Self::of(change) }
    }

    /// The change of a contact that is there, or is still to be created. Of one that is there, the
    /// members that a file may have said as they are change nothing.
    pub(crate) fn change_of(&self, current: Option<&Contact>) -> ContactChange {
        let mut change = ContactChange::new().preferences(*self.change.get_preferences());
        // What another service calls `phone` is no other kind because the contract has `Phone`.
        let is_kept = |named: &&ContactType, current: &Contact| {
            let kept = current.contact_type.as_str();
            named.as_str().eq_ignore_ascii_case(kept)
        };
        if let Some(named) = self.unless(self.change.get_contact_type(), current, is_kept) {
            change = change.contact_type(named.clone());
        }
        let is_kept = |named: &&str, current: &Contact| is_same_text(named, &current.value);
        if let Some(named) = self.unless(self.change.get_value(), current, is_kept) {
            change = change.value(named);
        }
        if let Some(memo) = self.memo_of(current) {
            change = change.memo(memo);
        }
        change
    }

    /// A member that is named, unless a file may have said the current one so.
    fn unless<M>(
        &self,
        named: Option<M>,
        current: Option<&Contact>,
        is_kept: impl Fn(&M, &Contact) -> bool,
    ) -> Option<M> {
        let current = current.filter(|_| !self.exact);
        named.filter(|named| !current.is_some_and(|current| is_kept(named, current)))
    }

    /// The memo to send: an extension is added to the one that is named or kept.
    fn memo_of<'a>(&'a self, current: Option<&'a Contact>) -> Option<Cow<'a, str>> {
        let is_kept = |named: &&str, current: &Contact| {
            let kept = current.memo.as_deref().unwrap_or_default();
            is_same_text(self.cleared_by.as_deref().unwrap_or(named), kept)
        };
        let named = self.unless(self.change.get_memo(), current, is_kept);
        let Some(extension) = &self.extension else {
            return named.map(Cow::Borrowed);
        };
        let kept = current.and_then(|contact| contact.memo.as_deref());
        Some(memo_with_extension(named.or(kept), extension))
    }

    /// Whether it names some flags, and not all: then the others have to be known.
    pub(crate) fn names_some_flags(&self) -> bool {
        let flags = self.change.get_preferences();
        !flags.is_empty() && !flags.is_complete()
    }

    /// Returns the request that makes `current` as wanted; `None` if it already is.
    ///
    /// # Errors
    ///
    /// [`PreferencesError`] if only some flags are named and the contact's current preferences are
    /// not known.
    pub fn request(
        &self,
        current: &Contact,
    ) -> Result<Option<UpdateContactRequest>, PreferencesError> {
        let request = self.change_of(Some(current)).plan(current)?;
        if !self.exact {
            return Ok(request);
        }
        let request = match self.change.get_value() {
            Some(value) if value != current.value => Some(request.unwrap_or_default().value(value)),
            _ => request,
        };
        Ok(request)
    }

    /// What our own rules let pass of it: everything that the service had before.
    pub(crate) fn tolerance(&self) -> Tolerance {
        if self.exact { Tolerance::Anything } else { Tolerance::Nothing }
    }

    /// Whether what it changes in the contact is valid there: see [`ContactChange::check_for`].
    pub(crate) fn check_for(&self, current: &Contact) -> Result<(), InvalidInput> {
        self.change_of(Some(current)).check_for(current)
    }

    /// Returns whether the contact is already as wanted.
    #[must_use]
    pub fn is_met_by(&self, current: &Contact) -> bool {
        matches!(self.request(current), Ok(None))
    }

    /// Whether the combined flag, if it is named, was changed: it is neither the current one nor
    /// what becomes of invoices and statements.
    pub(crate) fn changes_combined(&self, current: &Contact) -> bool {
        let Some(combined) = self.combined else {
            return false;
        };
        let current = current.preferences;
        let flag = |flag| {
            let named = self.change.get_preferences().get(flag);
            named.or(current.map(|current| current.get(flag)))
        };
        let both = flag(Preference::Invoices).zip(flag(Preference::Statements));
        let becomes = both.map(|(one, other)| one && other);
        let is_kept = current.is_some_and(|p| p.invoice_statement_notification == combined);
        !is_kept && becomes != Some(combined)
    }

    /// The combined flag of a contact where it contradicts the two that it combines, and what it
    /// becomes when these are sent. Elsewhere it follows from what is told of the two.
    fn recomputed(&self, current: Option<&Contact>) -> Option<[bool; 2]> {
        let flags = current?.preferences?;
        let combined = flags.invoice_statement_notification;
        let is_sound = combined == (flags.invoice_notification && flags.statement_notification);
        let changed = self.change.get_preferences().without_unchanged(&flags);
        let sent = changed.apply_to(Some(&flags)).ok()?;
        let computes = !is_sound && !changed.is_empty();
        computes.then_some([combined, sent.invoices_and_statements()])
    }

    /// Returns the request that creates such a contact, without its preferences, which take an
    /// update afterwards. `None` if the type or the value is missing.
    #[must_use]
    pub fn creation(&self) -> Option<CreateContactRequest> {
        let change = &self.change;
        let (contact_type, value) = (change.get_contact_type().cloned()?, change.get_value()?);
        let request = CreateContactRequest::new(contact_type, value);
        Some(match self.memo_of(None) {
            Some(memo) if !memo.is_empty() => request.memo(memo),
            _ => request,
        })
    }

    /// The differences to `current` in people's words, member by member.
    pub(crate) fn differences(&self, current: Option<&Contact>) -> Vec<Difference> {
        let memo = current.and_then(|contact| contact.memo.as_deref());
        let contact_type = self.change.get_contact_type();
        let texts = [
            member(
                "type",
                current.map(|contact| contact.contact_type.as_str()),
                contact_type.map(ContactType::as_str),
            ),
            member("value", current.map(|contact| contact.value.as_str()), self.change.get_value()),
            member("memo", memo, self.memo_of(current).as_deref()),
        ];
        let flags = current.and_then(|contact| contact.preferences);
        let flags = self.change.get_preferences().iter().map(|(flag, on)| {
            let before = flags.map(|flags| on_off(flags.get(flag)));
            member(flag.words(), before, Some(on_off(on)))
        });
        let combined = self.recomputed(current).map(|[before, after]| {
            let words = Preference::InvoicesAndStatements.words();
            member(words, Some(on_off(before)), Some(on_off(after)))
        });
        texts.into_iter().chain(flags).chain(combined).flatten().collect()
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
