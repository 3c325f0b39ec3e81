//! What is known about a change set as a whole.

use std::{collections::BTreeMap, path::PathBuf};

use crm_mirror::Site;
use crm_models::Timestamp;
use strum::{IntoStaticStr, VariantArray};

use super::{action::Action, digest::Digest, state::State};

/// What is known about a change set as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetInfo {
    /// The tenant and the environment.
    pub site: Site,
    /// How the set was made.
    pub kind: SetKind,
    /// When the set was planned.
    pub created_at: Option<Timestamp>,
    /// The user whose process planned the set, as the system knows; `None` in a set of version
    /// 0.1.
    pub planned_by: Option<String>,
    /// The version of this crate that planned the set; `None` in a set of version 0.1.
    pub version: Option<String>,
    /// What was chosen for the plan beyond what is usual, for people.
    pub options: Vec<String>,
    /// The input's name.
    pub source: Option<String>,
    /// The time as of which the plan knew the current state.
    pub known_at: Option<Timestamp>,
    /// The set that this one reverses.
    pub undo_of: Option<PathBuf>,
    /// When the set was planned that this one reverses, which tells it from another one of its name.
    pub undo_of_created_at: Option<Timestamp>,
    /// The set that this one is a [backup](crate::ChangeSet::backup) of: this one cannot be applied.
    pub backup_of: Option<PathBuf>,
    /// Where the set was moved: it is carried out there, and this file tells how it was before.
    pub moved: Option<Moved>,
    /// Notes of the plan for people, one sentence each.
    pub notes: Vec<String>,
    /// The records of the service that could not be read, so that the plan knows nothing about
    /// them: the ids of each, as far as they are known, and what is wrong.
    pub unreadable: Vec<String>,
    /// How many records a person has to look at, since they may have a number or address from the
    /// list of an opt-out; the results name them.
    pub look_at: u64,
    /// The digest that the file stores, with which [`ChangeSet::digest`](crate::ChangeSet::digest) compares. `None` in a set
    /// of version 0.1 that has not been adopted yet.
    pub digest: Option<Digest>,
}

/// Where a set is that was moved out of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The id of the handover; no other has it.
    pub handover: String,
    /// Where the set is, for people.
    pub to: String,
}

/// How a set was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum SetKind {
    /// From rows of changes, or from clean-ups.
    Plan,
    /// From a list of numbers and addresses that opt out.
    OptOut,
    /// From a list of numbers and addresses that opt in.
    OptIn,
    /// As the reverse of another set.
    Undo,
}

impl SetKind {
    /// Returns the name used in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The number of changes in each state, by action: each record is counted once. A change that repeats
/// another, since a later row of the input asks for the same, is counted by [`repeats`](Self::repeats)
/// alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    pub(crate) changes: BTreeMap<(State, String), u64>,
    pub(crate) repeats: u64,
}

/// A list of numbers and addresses as its plan counted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListTotals {
    /// The entries, that is, the rows of the list.
    pub rows: u64,
    /// The different numbers and addresses that were searched for, however often the list names them.
    pub values: u64,
    /// How many of these values some contact has.
    pub found: u64,
}

impl Totals {
    /// Returns the number of all changes of the set.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.changes.values().sum()
    }

    /// Returns how many changes repeat another one, with which they are carried out.
    #[must_use]
    pub fn repeats(&self) -> u64 {
        self.repeats
    }

    /// Returns the number of changes in this state.
    #[must_use]
    pub fn in_state(&self, state: State) -> u64 {
        self.count(|it| it == state)
    }

    /// Returns the number of changes in the states of which this holds.
    ///
    /// ```
    /// use crm_bulk::{State, Totals};
    ///
    /// assert_eq!(Totals::default().count(State::needs_attention), 0);
    /// ```
    pub fn count(&self, holds: impl Fn(State) -> bool) -> u64 {
        let counted = self.changes.iter().filter(|((state, _), _)| holds(*state));
        counted.map(|(_, count)| count).sum()
    }

    /// Returns the number of changes in this state with this action, for example `delete`.
    #[must_use]
    pub fn of(&self, state: State, action: &str) -> u64 {
        let key = (state, action.to_owned());
        self.changes.get(&key).copied().unwrap_or(0)
    }

    /// Returns the number of changes that applying the set still has to look at.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.count(State::is_open)
    }

    /// Returns the number of changes to contact methods of people, which have no rows.
    #[must_use]
    pub fn of_people(&self) -> u64 {
        let name = Action::MethodPreferences(BTreeMap::new()).name();
        let methods = self.changes.iter().filter(|((_, action), _)| action == name);
        methods.map(|(_, count)| count).sum()
    }

    /// Iterates over state, action and count, in the order of a report.
    pub fn iter(&self) -> impl Iterator<Item = (State, &str, u64)> {
        let entries = self.changes.iter();
        entries.map(|((state, action), count)| (*state, action.as_str(), *count))
    }
}
