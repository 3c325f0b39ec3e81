//! What reading back finds.

use crm_contacts::Difference;
use crm_models::Timestamp;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::{clock, set::Change};

/// Around the values of a member that differs, and between such members: a set keeps the sentence alone.
pub(super) const IS: &str = " is ";
pub(super) const WAS_MADE: &str = ", was made ";
pub(super) const DIFFERENCES: &str = "; ";

/// What became of a change that was done, judged by its record as it is now.
#[derive(Debug, Clone, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum Found {
    /// The record is still as the change made it. Members that the change did not name may differ.
    AsDone,
    /// Members are no longer as the change made them; each has its current value (`before`) and the
    /// value that the change gave it (`after`).
    Differs(Vec<Difference>),
    /// The contact or the contact method is no longer there.
    Gone,
    /// A deleted contact is there again.
    Back,
    /// The record cannot be read, for this reason.
    Unread(String),
}

impl Found {
    /// Returns `as-done`, `differs`, `gone`, `back` or `unread`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.into()
    }

    /// Returns what has changed since, in one sentence for people, with the values; empty if
    /// everything is as it was done.
    #[must_use]
    pub fn difference(&self) -> String {
        match self {
            Self::AsDone => String::new(),
            Self::Differs(members) => {
                let shown = |value: &Option<String>| match value.as_deref().unwrap_or_default() {
                    "" => "(none)".to_owned(),
                    value => value.to_owned(),
                };
                let member = |member: &Difference| {
                    let (now, made) = (shown(&member.before), shown(&member.after));
                    format!("{}{IS}{now}{WAS_MADE}{made}", member.field)
                };
                let members: Vec<_> = members.iter().map(member).collect();
                members.join(DIFFERENCES)
            }
            Self::Gone => "is no longer there".to_owned(),
            Self::Back => "was deleted and is there again".to_owned(),
            Self::Unread(why) => why.clone(),
        }
    }
}

/// A change that was done, and its record as it is now.
///
/// [`Debug`] output contains numbers, addresses and memos.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The change.
    pub change: Change,
    /// When the record was read.
    pub at: Timestamp,
    /// What the record was found to be.
    pub found: Found,
    /// Whether another set has undone the change, so that nothing else was to be expected.
    pub undone: bool,
}

/// The result of reading back a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Verification {
    /// When the reading began.
    pub at: Timestamp,
    /// The number of changes whose records are still as they made them.
    pub as_done: u64,
    /// The number of changes with members that are no longer as they made them.
    pub differs: u64,
    /// The number of changes whose contact or contact method is no longer there.
    pub gone: u64,
    /// The number of deletions whose contact is there again.
    pub back: u64,
    /// The number of changes whose record could not be read.
    pub unread: u64,
    /// The number of changes that other sets have undone, whatever their records are now.
    #[serde(default)]
    pub undone: u64,
}

impl Verification {
    pub(super) fn beginning() -> Self {
        Self { at: clock::now(), as_done: 0, differs: 0, gone: 0, back: 0, unread: 0, undone: 0 }
    }

    pub(super) fn count(&mut self, finding: &Finding) {
        *match finding.found {
            _ if finding.undone => &mut self.undone,
            Found::AsDone => &mut self.as_done,
            Found::Differs(_) => &mut self.differs,
            Found::Gone => &mut self.gone,
            Found::Back => &mut self.back,
            Found::Unread(_) => &mut self.unread,
        } += 1;
    }

    /// Returns the number of changes that are no longer as they were done, without those that were
    /// undone.
    #[must_use]
    pub fn no_longer_so(&self) -> u64 {
        self.differs + self.gone + self.back
    }

    /// Returns the number of all changes that were looked at.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.as_done + self.no_longer_so() + self.unread + self.undone
    }
}
