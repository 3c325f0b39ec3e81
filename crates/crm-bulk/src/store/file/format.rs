//! The file of a change set, and how it came to be what it is.

use std::{fs, path::Path};

use crm_mirror::{
    database::Format,
    disk::{archive, file_id},
};

use super::version_1;
use crate::{
    disk::run_mark::{Parted, RunMark},
    error::BulkError,
};

pub(crate) const FORMAT: Format = Format {
    noun: "change set",
    application_id: 0x4352_4D53,
    oldest: 1,
    migrations: &[include_str!("schema.sql"), include_str!("v2.sql")],
    convert: |connection, version| match version {
        2 => version_1::move_rows(connection).and_then(|()| version_1::move_changes(connection)),
        _ => Ok(()),
    },
    // While a run is open in a set: without its journal it could not be told from one that was
    // copied without.
    keeps_journal: |set| matches!(RunMark::read(set), Ok(Some(_))),
};

/// Refuses a set whose last run did not end, when the journal of that run is not there or not
/// whole, or not its index while the run still goes on. Asked before it is opened in earnest, which
/// would make an empty journal or another index.
pub(super) fn has_its_journal(path: &Path) -> Result<(), BulkError> {
    let real = fs::canonicalize(path).map_err(|e| BulkError::file(path, "read", e))?;
    // Any other file bears no mark; why one cannot be opened is told when it is opened in earnest.
    let mark = || archive::immutable(&real).and_then(|set| RunMark::read(&set)).ok().flatten();
    let look = || {
        let mark = mark()?;
        let is_hidden = || mark.lost_its_index(&real) && file_id::is_locked_elsewhere(&real);
        mark.parted(&real).or_else(|| is_hidden().then_some(Parted::Unindexed))
    };
    // Where this process has it open it is whole.
    match file_id::unconnected(&real, look).flatten() {
        Some(how) => Err(BulkError::Parted { path: path.to_owned(), how }),
        None => Ok(()),
    }
}
