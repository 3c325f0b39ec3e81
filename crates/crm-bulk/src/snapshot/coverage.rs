//! What a snapshot holds.

use super::file::Snapshot;
use crate::error::BulkError;

/// The contents of a snapshot, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// The number of contacts that exist.
    pub contacts: u64,
    /// The number of contacts that were deleted.
    pub deleted: u64,
    /// The number of customers and locations with at least one contact.
    pub owners: u64,
    /// The number of existing contacts whose preferences are not known.
    pub preferences_unknown: u64,
    /// The number of records that could not be read; see [`Snapshot::unreadable`].
    pub unreadable: u64,
    /// The number of existing contacts of each type.
    pub by_type: Vec<(String, u64)>,
}

impl Snapshot {
    /// Counts what the snapshot holds.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn coverage(&self) -> Result<Coverage, BulkError> {
        let database = &self.database;
        let count = |sql: &str| Ok::<u64, BulkError>(database.value(sql, [])?.unwrap_or_default());
        Ok(Coverage {
            contacts: count("SELECT count(*) FROM contacts WHERE active")?,
            deleted: count("SELECT count(*) FROM contacts WHERE NOT active")?,
            owners: count(
                "SELECT count(*) FROM
                 (SELECT DISTINCT owner_kind, owner_id FROM contacts WHERE active)",
            )?,
            preferences_unknown: count(
                "SELECT count(*) FROM contacts
                 WHERE active AND json_extract(contact, '$.preferences') IS NULL",
            )?,
            unreadable: count("SELECT count(*) FROM unreadable")?,
            by_type: database.rows(
                "SELECT json_extract(contact, '$.type') AS type, count(*) AS contacts
                 FROM contacts WHERE active GROUP BY 1 ORDER BY 2 DESC",
                [],
                |row| Ok((row.get("type")?, row.get("contacts")?)),
            )?,
        })
    }
}
