//! The first load: rows in the order in which they come, and the indexes when all are there.

use super::file::Mirror;
use crate::error::MirrorError;

/// What is loaded, and indexed, as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stage {
    Contacts,
    Owners,
    People,
}

/// How much of the file is kept in memory while indexes are made, in KiB.
const CACHE_KIB: i64 = 16 * 1024;

impl Stage {
    fn mark(self) -> &'static str {
        match self {
            Self::Contacts => "staged_contacts",
            Self::Owners => "staged_owners",
            Self::People => "staged_people",
        }
    }

    fn indexes(self) -> &'static str {
        match self {
            Self::Contacts => include_str!("contacts_indexes.sql"),
            Self::Owners => include_str!("owners_indexes.sql"),
            Self::People => include_str!("people_indexes.sql"),
        }
    }
}

impl Mirror {
    /// Whether the first load goes on, so that there are no indexes yet.
    pub(super) fn is_staged(&self, stage: Stage) -> Result<bool, MirrorError> {
        Ok(self.database.meta(stage.mark())?.is_some())
    }

    /// Makes the indexes, as a whole or not at all, unless they are there.
    pub(super) fn index(&self, stage: Stage) -> Result<(), MirrorError> {
        if !self.is_staged(stage)? {
            return Ok(());
        }
        let connection = &self.database.connection;
        let before: i64 =
            self.database.check(crate::disk::archive::pragma(connection, "cache_size"))?;
        let cache =
            |size: i64| self.database.check(connection.pragma_update(None, "cache_size", size));
        cache(-CACHE_KIB)?;
        let transaction = self.database.begin_to_write()?;
        self.database.check(transaction.execute_batch(stage.indexes()))?;
        if matches!(stage, Stage::Contacts) && self.differences_since()?.is_none() {
            self.begin_differences()?;
        }
        self.database.check(transaction.commit())?;
        cache(before)
    }
}
