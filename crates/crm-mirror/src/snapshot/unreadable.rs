//! Records of the feeds that cannot be read. They are kept, so that the rest is not mistaken for
//! everything.

use crm_models::{ContactId, ContactOwner, UnreadableRecord};
use rusqlite::params;

use super::file::Snapshot;
use crate::{error::MirrorError, owner::OwnerId};

impl Snapshot {
    /// Returns the records that could not be read when they last arrived; their contents are not
    /// known.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn unreadable(&self) -> Result<Vec<UnreadableRecord>, MirrorError> {
        let sql = "SELECT reason, record FROM unreadable ORDER BY id";
        self.database.rows(sql, [], |row| {
            let (reason, record): (String, String) = (row.get("reason")?, row.get("record")?);
            Ok(UnreadableRecord::new(0, reason, record))
        })
    }

    /// Whether this contact came as a record that could not be read.
    #[doc(hidden)]
    pub fn is_unreadable(&self, owner: OwnerId, contact: ContactId) -> Result<bool, MirrorError> {
        let found: Option<i64> = self.database.value(
            "SELECT 1 FROM unreadable WHERE owner_kind = ? AND owner_id = ? AND contact_id = ?",
            params![owner.kind(), owner.get(), contact.get()],
        )?;
        Ok(found.is_some())
    }

    /// Keeps a record in place of what it was before, if its ids tell which one it is.
    pub(super) fn keep_unreadable<O: ContactOwner>(
        &self,
        record: &UnreadableRecord,
    ) -> Result<(), MirrorError> {
        let id = |name: &str| record.member(name)?.parse::<i64>().ok();
        let owner = id(O::MEMBER).filter(|id| *id > 0);
        // Several records of one owner may have an id of 0.
        let contact = id("id").filter(|id| *id > 0);
        if let (Some(owner), Some(contact)) = (owner, contact) {
            self.forget_unreadable(O::NOUN, owner, contact)?;
        }
        let sql = "INSERT OR REPLACE INTO unreadable
                (owner_kind, owner_id, contact_id, reason, record)
            VALUES (?, ?, ?, ?, ?)";
        let values = params![O::NOUN, owner, contact, record.reason, record.json];
        self.database.execute(sql, values).map(drop)
    }

    /// A contact that can be read again.
    pub(super) fn forget_unreadable(
        &self,
        kind: &str,
        owner: i64,
        contact: i64,
    ) -> Result<(), MirrorError> {
        let sql = "DELETE FROM unreadable WHERE owner_kind = ? AND owner_id = ? AND contact_id = ?";
        self.database.execute(sql, params![kind, owner, contact]).map(drop)
    }
}
