//! Which sets reverse another one, as far as the desk knows.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crm_bulk::{BulkError, ChangeSet, ReverseSet, SetInfo};
use crm_models::Timestamp;

use super::{error::DeskError, folder::Desk};

/// What of a set tells which others reverse it.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) file: PathBuf,
    pub(super) planned_at: Option<Timestamp>,
    /// The name of the file of the set that it reverses, and when that was planned: the desk may have
    /// been moved since, and a name that became free may have been given again.
    undo_of: Option<(OsString, Option<Timestamp>)>,
}

impl Head {
    /// Reads it.
    pub(super) fn read(file: &Path) -> Result<Self, BulkError> {
        Ok(Self::of(file, &ChangeSet::open(file)?.info()?))
    }

    pub(super) fn of(file: &Path, info: &SetInfo) -> Self {
        let undo_of = info.undo_of.as_deref().and_then(Path::file_name);
        Self {
            file: file.to_owned(),
            planned_at: info.created_at,
            undo_of: undo_of.map(|name| (name.to_owned(), info.undo_of_created_at)),
        }
    }

    /// Whether it was made to reverse this set.
    fn reverses(&self, set: &Self) -> bool {
        let Some((name, planned_at)) = self.undo_of.as_ref() else {
            return false;
        };
        set.file.file_name() == Some(name)
            && (planned_at.is_none() || *planned_at == set.planned_at)
    }

    /// Which of the known sets reverse this one, in the order in which they were planned, each with
    /// those that reverse it in turn.
    pub(super) fn reversed_by<'a>(
        &self,
        known: impl IntoIterator<Item = &'a Self>,
    ) -> Vec<ReverseSet> {
        let (mut found, others): (Vec<_>, Vec<_>) = known
            .into_iter()
            .filter(|head| head.undo_of.is_some())
            .partition(|it| it.reverses(self));
        found.sort_by_key(|head| head.planned_at);
        let reverse = |head: &Self| {
            ReverseSet::new(&head.file).reversed_by(head.reversed_by(others.iter().copied()))
        };
        found.into_iter().map(reverse).collect()
    }
}

impl Desk {
    /// The sets that reverse this one, in the order in which they were planned: those of the desk, and
    /// those elsewhere of which it knows that they were applied. One that cannot be read is left out.
    pub(crate) fn reverses(&self, set: &Path) -> Result<Vec<ReverseSet>, DeskError> {
        let files = self.set_files()?.into_iter().chain(self.files_elsewhere());
        let known: Vec<_> = files.filter_map(|file| Head::read(&file).ok()).collect();
        Ok(Head::read(set).map(|set| set.reversed_by(&known)).unwrap_or_default())
    }
}
