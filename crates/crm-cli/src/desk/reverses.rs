//! Which sets reverse another one, as far as the desk knows.

use std::path::{Path, PathBuf};

use super::{error::DeskError, folder::Desk, standing::SetEntry};

impl Desk {
    /// The sets that reverse this one, in the order in which they were planned: those of the desk, and
    /// those elsewhere of which it knows that they were applied. One that cannot be read is left out.
    pub(crate) fn reverses(&self, set: &Path) -> Result<Vec<PathBuf>, DeskError> {
        let files = self.set_files()?.into_iter().chain(self.files_elsewhere());
        let known: Vec<_> = files.map(SetEntry::of).collect();
        Ok(reverses_of(&SetEntry::of(set.to_owned()), &known))
    }

    /// The sets outside of the desk that were applied and are still there. Where they
    /// cannot be read, that is no reason to tell nothing of the sets of the desk.
    pub(super) fn files_elsewhere(&self) -> Vec<PathBuf> {
        let runs = self.recorded().ok().flatten().and_then(|updates| updates.runs().ok());
        let runs = runs.unwrap_or_default();
        runs.into_iter().map(|run| run.file).filter(|file| file.exists()).collect()
    }
}

/// Which of the known sets reverse this one.
pub(super) fn reverses_of<'a>(
    set: &SetEntry,
    known: impl IntoIterator<Item = &'a SetEntry>,
) -> Vec<PathBuf> {
    let mut found: Vec<_> = known.into_iter().filter(|entry| entry.reverses(set)).collect();
    found.sort_by_key(|entry| &entry.planned_at);
    found.into_iter().map(|entry| entry.file.clone()).collect()
}
