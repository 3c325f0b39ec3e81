//! Sets for the tests of this folder.

use std::path::Path;

use crm_mirror::{Site, job::Stop};
use crm_models::LocationId;

use super::{
    change_set::ChangeSet,
    draft::{Draft, Planned},
};
use crate::set::{Action, Outcome, SetKind, State, Target};

pub(crate) fn draft(path: &Path) -> Draft {
    let site = Site::new(1_001.try_into().unwrap(), "https://api.example");
    Draft::create(path, &site, SetKind::Plan, &Stop::default()).unwrap()
}

/// A contact of a location.
pub(super) fn contact(owner: i64, contact: Option<i64>) -> Target {
    let owner = LocationId::new(owner).unwrap().into();
    Target::Contact { owner, contact: contact.map(|id| id.try_into().unwrap()) }
}

pub(super) fn add(draft: &Draft, row: Option<u64>, target: Target, action: &Action, state: State) {
    let outcome = Outcome::new(state);
    draft.add_change(&Planned { row, target, action, before: None, outcome }).unwrap();
}

/// A set with this change alone.
pub(super) fn set_of(path: &Path, action: &Action) -> ChangeSet {
    let draft = draft(path);
    add(&draft, None, contact(5, Some(7)), action, State::Planned);
    draft.finish().unwrap();
    ChangeSet::open(path).unwrap()
}
