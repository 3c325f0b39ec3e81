//! Which sets reverse another one, as far as the desk knows.

use std::path::{Path, PathBuf};

use super::{
    error::DeskError,
    folder::Desk,
    standing::{SetEntry, reverses_of},
};

impl Desk {
    /// The sets that reverse this one, in the order in which they were planned: those of the desk, and
    /// those elsewhere of which it knows that they were applied. One that cannot be read is left out.
    pub(crate) fn reverses(&self, set: &Path) -> Result<Vec<PathBuf>, DeskError> {
        let files = self.set_files()?.into_iter().chain(self.files_elsewhere());
        let known: Vec<_> = files.map(SetEntry::of).collect();
        Ok(reverses_of(&SetEntry::of(set.to_owned()), &known))
    }
}
