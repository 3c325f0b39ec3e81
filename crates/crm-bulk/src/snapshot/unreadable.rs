//! Records of the feeds that cannot be read. They are kept, so that the rest is not mistaken for
//! everything.

use crm_models::{ContactId, ContactOwner, UnreadableRecord};
use rusqlite::params;

use crate::{error::BulkError, set::OwnerId, snapshot::Snapshot};

impl Snapshot {
    /// Returns the records that could not be read when they last arrived; their contents are not
    /// known.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn unreadable(&self) -> Result<Vec<UnreadableRecord>, BulkError> {
        let query = || {
            self.database
                .connection
                .prepare("SELECT reason, record FROM unreadable ORDER BY id")?
                .query_map([], |row| {
                    let (reason, record): (String, String) = (row.get(0)?, row.get(1)?);
                    Ok(UnreadableRecord::new(0, reason, record))
                })?
                .collect()
        };
        self.database.check(query())
    }

    /// Whether this contact came as a record that could not be read.
    pub(crate) fn is_unreadable(
        &self,
        owner: OwnerId,
        contact: ContactId,
    ) -> Result<bool, BulkError> {
        let found = self
            .database
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM unreadable
                 WHERE owner_kind = ? AND owner_id = ? AND contact_id = ?)",
            )
            .and_then(|mut query| {
                let ids = params![owner.kind(), owner.get(), contact.get()];
                query.query_row(ids, |row| row.get(0))
            });
        self.database.check(found)
    }

    /// Keeps a record in place of what it was before, if its ids tell which one it is.
    pub(super) fn keep_unreadable<O: ContactOwner>(
        &self,
        record: &UnreadableRecord,
    ) -> Result<(), BulkError> {
        let id = |name: &str| record.member(name)?.parse::<i64>().ok();
        let owner = id(O::MEMBER).filter(|id| *id > 0);
        // Several records of one owner may have an id of 0.
        let contact = id("id").filter(|id| *id > 0);
        if let (Some(owner), Some(contact)) = (owner, contact) {
            self.forget_unreadable(O::NOUN, owner, contact)?;
        }
        let stored = self
            .database
            .connection
            .prepare_cached(
                "INSERT OR REPLACE INTO unreadable
                     (owner_kind, owner_id, contact_id, reason, record)
                 VALUES (?, ?, ?, ?, ?)",
            )
            .and_then(|mut insert| {
                let values = params![O::NOUN, owner, contact, record.reason, record.json];
                insert.execute(values)
            });
        self.database.check(stored).map(drop)
    }

    /// A contact that can be read again.
    pub(super) fn forget_unreadable(
        &self,
        kind: &str,
        owner: i64,
        contact: i64,
    ) -> Result<(), BulkError> {
        let forgotten = self
            .database
            .connection
            .prepare_cached(
                "DELETE FROM unreadable
                 WHERE owner_kind = ? AND owner_id = ? AND contact_id = ?",
            )
            .and_then(|mut delete| delete.execute(params![kind, owner, contact]));
        self.database.check(forgotten).map(drop)
    }
}
