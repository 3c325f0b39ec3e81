//! The mark of a set that was moved out of its file.

use std::collections::BTreeMap;

use crm_mirror::database::Database;

use crate::{error::BulkError, set::Moved};

pub(super) const HANDOVER: &str = "handover";
pub(super) const MOVED_TO: &str = "moved_to";

/// The mark among these facts about a set.
pub(super) fn of(mut fact: impl FnMut(&str) -> Option<String>) -> Option<Moved> {
    let (handover, to) = (fact(HANDOVER), fact(MOVED_TO));
    handover.zip(to).map(|(handover, to)| Moved { handover, to })
}

pub(super) fn read(database: &Database) -> Result<Option<Moved>, BulkError> {
    let sql = "SELECT name, value FROM meta WHERE name IN (?, ?)";
    let facts = database.rows(sql, [HANDOVER, MOVED_TO], |row| {
        Ok((row.get::<_, String>("name")?, row.get("value")?))
    })?;
    let mut facts: BTreeMap<_, _> = facts.into_iter().collect();
    Ok(of(|name| facts.remove(name)))
}

pub(super) fn write(database: &Database, moved: &Moved) -> Result<(), BulkError> {
    database.set_meta(HANDOVER, &moved.handover)?;
    Ok(database.set_meta(MOVED_TO, &moved.to)?)
}

pub(super) fn erase(database: &Database) -> Result<(), BulkError> {
    database.execute("DELETE FROM meta WHERE name IN (?, ?)", [HANDOVER, MOVED_TO])?;
    Ok(())
}
