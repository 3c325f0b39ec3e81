//! One change of a set: what is wanted, what was there before, and what became of it.

use std::{borrow::Cow, fmt};

use crm_contacts::Difference;
use crm_models::{ContactChange, ContactType, Preference};
use serde::Serialize;

use super::{action::Action, image::Image, outcome::Outcome, target::Target, wanted::on_off};

/// The number of a change within its set. It never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ChangeId(pub(crate) i64);

impl ChangeId {
    /// Returns the number, as [`Selection::numbers`](crate::Selection::numbers) takes it.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One change of a set.
///
/// [`Debug`] and [`Serialize`] output contains numbers, addresses and memos.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Change {
    /// The number of the change within the set.
    pub id: ChangeId,
    /// The row of the input that asks for it; `None` when no single row does.
    pub row: Option<u64>,
    /// The record to change.
    #[serde(flatten)]
    pub target: Target,
    /// The action to carry out.
    #[serde(flatten)]
    pub action: Action,
    /// Why it was planned, for people, where whoever asked for it said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What to look at before it is applied, as it was seen when the set was planned, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caution: Option<String>,
    /// The record just before the write, or as the plan saw it.
    pub before: Option<Image>,
    /// The record as the API returned it after the write; `None` before the write and for a
    /// deletion.
    pub after: Option<Image>,
    /// How far it is.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// How the service stored the number or address of a contact, where it did not as it was sent.
///
/// [`Debug`] output contains a number or an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored<'a> {
    /// The value that it answered.
    pub value: &'a str,
    /// Whether that is another way to write the same number or address.
    pub is_same: bool,
}

impl Stored<'_> {
    /// Returns `same` for another way to write the same number or address, else `other`.
    #[must_use]
    pub fn reading(&self) -> &'static str {
        if self.is_same { "same" } else { "other" }
    }
}

impl Change {
    /// Returns how the service stored the number or address that this change sent, if not letter by
    /// letter: some keep only the digits of a number. `None` as well where no value was sent, or its
    /// answer is not known.
    ///
    /// ```no_run
    /// use crm_bulk::{BulkError, ChangeSet, Selection, State};
    ///
    /// let set = ChangeSet::open("undo-june.crm")?;
    /// for change in set.changes(&Selection::states([State::Done])) {
    ///     let change = change?;
    ///     if let Some(stored) = change.stored() {
    ///         println!("{}: stored as {}", change.target, stored.value);
    ///     }
    /// }
    /// # Ok::<(), BulkError>(())
    /// ```
    #[must_use]
    pub fn stored(&self) -> Option<Stored<'_>> {
        // The files of sets are asked the same: see `STORED_AS`.
        let (Action::Update(wanted) | Action::Create(wanted)) = &self.action else {
            return None;
        };
        let (sent, after) = (wanted.change.get_value()?, self.after.as_ref()?);
        // Another way to write what the contact had is not sent, unless it counts letter by letter.
        let is_kept = self.before.as_ref().is_some_and(|before| before.value() == after.value());
        if after.value() == sent || (is_kept && !wanted.exact) {
            return None;
        }
        let is_same = after.contact_type().same_value(sent, after.value());
        Some(Stored { value: after.value(), is_same })
    }

    /// The record as it is best known: just before the write, else as it was answered.
    fn image(&self) -> Option<&Image> {
        self.before.as_ref().or(self.after.as_ref())
    }

    /// What a contact is created as.
    fn creation(&self) -> Option<&ContactChange> {
        match &self.action {
            Action::Create(wanted) => Some(&wanted.change),
            _ => None,
        }
    }

    /// Returns the number or address of the record: as it was before the change, or of a new
    /// contact as it is to be. `None` where there is no such record.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        let new = || self.creation().and_then(ContactChange::get_value);
        self.image().map(Image::value).or_else(new)
    }

    /// Returns the contact type of the record, as [`value`](Self::value) returns its number.
    #[must_use]
    pub fn contact_type(&self) -> Option<&ContactType> {
        let new = || self.creation().and_then(ContactChange::get_contact_type);
        self.image().map(Image::contact_type).or_else(new)
    }

    /// Returns what the change makes different, member by member in words for people, for example
    /// `marketing` from `on` to `off`; empty for a deletion. Another way to write the same number
    /// or address is not a difference, unless the change is to be made letter by letter.
    #[must_use]
    pub fn members(&self) -> Vec<Difference> {
        let before = self.before.as_ref();
        match &self.action {
            Action::Update(wanted) | Action::Create(wanted) => {
                let current = before.and_then(Image::as_contact);
                let mut members = wanted.differences(current);
                if let Some(current) = current
                    && !wanted.exact
                {
                    let kind = wanted.change.get_contact_type();
                    let kind = kind.unwrap_or(&current.contact_type);
                    members.retain(|member| {
                        let after = member.after.as_deref().unwrap_or_default();
                        member.field != "value" || !kind.same_value(after, &current.value)
                    });
                }
                members
            }
            Action::Delete(_) => Vec::new(),
            Action::MethodPreferences(wanted) => {
                let current = before.and_then(Image::as_method);
                let old = |name: &str| *current?.preferences.get(name)?;
                wanted
                    .iter()
                    .filter(|(name, on)| old(name) != Some(**on))
                    .map(|(name, on)| {
                        let words = preference_words(name);
                        Difference::new(words, old(name).map(on_off), Some(on_off(*on)))
                    })
                    .collect()
            }
        }
    }
}

/// What people call a preference of a contact method: as the flag of contacts that has its name, else
/// by its own name.
fn preference_words(name: &str) -> Cow<'static, str> {
    let is_it = |flag: &Preference| flag.column().replace('_', "").eq_ignore_ascii_case(name);
    match Preference::ALL.into_iter().find(is_it) {
        Some(flag) => flag.words().into(),
        None => name.to_owned().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preference_of_a_person_is_called_as_that_of_a_contact() {
        assert_eq!(preference_words("MarketingUpdates"), Preference::MarketingUpdates.words());
        assert_eq!(preference_words("Newsletter"), "Newsletter");
    }
}
