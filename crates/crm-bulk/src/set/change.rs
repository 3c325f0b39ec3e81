//! One change of a set: what is wanted, what was there before, and what became of it.

use std::fmt;

use crm_contacts::Difference;
use serde::Serialize;

use super::{action::Action, image::Image, outcome::Outcome, target::Target, wanted::on_off};

/// The number of a change within its set. It never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ChangeId(pub(crate) i64);

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
    /// The record just before the write, or as the plan saw it.
    pub before: Option<Image>,
    /// The record as the API returned it after the write; `None` before the write and for a
    /// deletion.
    pub after: Option<Image>,
    /// How far it is.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl Change {
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
            Action::Delete => Vec::new(),
            Action::MethodPreferences(wanted) => {
                let current = before.and_then(Image::as_method);
                let old = |name: &str| *current?.preferences.get(name)?;
                wanted
                    .iter()
                    .filter(|(name, on)| old(name) != Some(**on))
                    .map(|(name, on)| {
                        Difference::new(name.clone(), old(name).map(on_off), Some(on_off(*on)))
                    })
                    .collect()
            }
        }
    }
}
