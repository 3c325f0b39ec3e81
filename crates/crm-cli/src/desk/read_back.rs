//! What reading back a set found to be no longer as it was done.

use crm_bulk::{BulkError, Change, ChangeSet, KeptFinding};
use crm_models::{Preference, Timestamp};
use serde::Serialize;

use super::flags::preference;

/// What the last reading back of a set found.
pub(crate) struct ReadBacks<'s> {
    set: &'s ChangeSet,
    /// Whether something is no longer so.
    is_any: bool,
}

impl<'s> ReadBacks<'s> {
    pub(crate) fn of(set: &'s ChangeSet) -> Result<Self, BulkError> {
        let is_any = set.verification()?.is_some_and(|told| told.no_longer_so() > 0);
        Ok(Self { set, is_any })
    }

    /// What it found of a change that was done; none where that is still so.
    pub(crate) fn find(&self, change: &Change) -> Result<Option<ReadBack>, BulkError> {
        let finding = self.is_any.then(|| self.set.finding(change.id)).transpose()?.flatten();
        Ok(finding.map(|finding| ReadBack::of(change, finding)))
    }
}

/// What a record was found to be that is no longer as a change made it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReadBack {
    pub(crate) at: Timestamp,
    /// In one sentence.
    pub(crate) found: String,
    #[serde(skip)]
    pub(super) flags: Vec<(Preference, bool)>,
    #[serde(skip)]
    pub(super) is_gone: bool,
}

impl ReadBack {
    fn of(change: &Change, finding: KeptFinding) -> Self {
        let flags = change.members().into_iter().filter_map(|member| {
            let is_on = match finding.value_of(&member.field)? {
                "on" => true,
                "off" => false,
                _ => return None,
            };
            Some((preference(&member.field)?, is_on))
        });
        let (flags, is_gone) = (flags.collect(), finding.is_gone());
        Self { at: finding.at, found: finding.difference, flags, is_gone }
    }

    /// Whether something is received that the change had turned off.
    pub(crate) fn is_on(&self) -> bool {
        self.flags.iter().any(|(_, is_on)| *is_on)
    }
}
