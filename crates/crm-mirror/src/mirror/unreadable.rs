//! Records of the feeds that cannot be read. They are kept, so that the rest is not mistaken for
//! everything.

use crm_models::{ContactId, ContactOwner, UnreadableRecord};
use rusqlite::params;

use super::{feed::Feed, file::Mirror, row::owner_code};
use crate::{error::MirrorError, owner::OwnerId};

impl Mirror {
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
            "SELECT 1 FROM unreadable WHERE owner = ? AND contact_id = ?",
            params![owner_code(owner), contact.get()],
        )?;
        Ok(found.is_some())
    }

    /// Keeps a record in place of what it was before, if its ids tell which one it is. They are
    /// in members of these names.
    pub(super) fn keep_unreadable<O: ContactOwner + Into<OwnerId>>(
        &self,
        feed: Feed,
        [owner, contact]: [&str; 2],
        record: &UnreadableRecord,
    ) -> Result<(), MirrorError> {
        // Several records of one owner may have an id of 0.
        let id = |name: &str| record.member(name)?.parse::<i64>().ok().filter(|id| *id > 0);
        let owner = id(owner).and_then(|id| OwnerId::new(O::NOUN, id)).map(owner_code);
        let contact_id = id(contact);
        if let Some(owner) = owner
            && (contact.is_empty() || contact_id.is_some())
        {
            self.forget_unreadable(feed, owner, contact_id)?;
        }
        let sql = "INSERT OR REPLACE INTO unreadable
                (feed, owner, contact_id, reason, record)
            VALUES (?, ?, ?, ?, ?)";
        let values = params![feed.name(), owner, contact_id, record.reason, record.json];
        self.database.execute(sql, values).map(drop)
    }

    /// A contact, or an owner itself, that can be read; says whether it could not before.
    pub(super) fn forget_unreadable(
        &self,
        feed: Feed,
        owner: i64,
        contact: Option<i64>,
    ) -> Result<bool, MirrorError> {
        let sql = "DELETE FROM unreadable WHERE feed = ? AND owner = ? AND contact_id IS ?";
        Ok(self.database.execute(sql, params![feed.name(), owner, contact])? > 0)
    }
}
