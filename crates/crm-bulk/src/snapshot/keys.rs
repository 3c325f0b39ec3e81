//! The keys of a snapshot: what its numbers and addresses are compared by.

use crm_values::{PhoneReader, Region};
use rusqlite::params;
use serde::Deserialize;

use crate::{
    error::BulkError,
    keys::{Keys, description},
    set::OwnerId,
    snapshot::Snapshot,
};

/// How many contacts are read at once.
const BLOCK: usize = 10_000;

/// The part of a contact that keys are made of.
#[derive(Deserialize)]
struct Valued {
    value: String,
}

/// A contact, by what it is compared by.
pub(crate) struct Keyed {
    pub(crate) id: i64,
    pub(crate) keys: Keys,
}

impl Snapshot {
    /// Makes new keys unless numbers without a country code were of this region then, and the
    /// data are the present ones.
    pub(crate) fn read_by(&self, region: Region) -> Result<(), BulkError> {
        let reader = PhoneReader::new(region);
        self.reader.set(reader);
        let wanted = description(reader);
        if self.database.meta("keys")?.as_deref() == Some(&wanted) {
            return Ok(());
        }
        let connection = &self.database.connection;
        let transaction = self.database.check(connection.unchecked_transaction())?;
        let mut last = 0;
        loop {
            let block = self.block_behind(last)?;
            let Some((newest, _)) = block.last() else {
                break;
            };
            last = *newest;
            for (id, json) in block {
                let contact: Valued = serde_json::from_str(&json).map_err(|e| self.damaged(e))?;
                let keys = Keys::of(&contact.value, reader);
                let stored = transaction
                    .prepare_cached("UPDATE contacts SET key = ?, otherwise = ? WHERE id = ?")
                    .and_then(|mut update| update.execute(params![keys.key, keys.otherwise, id]));
                self.database.check(stored)?;
            }
        }
        self.database.set_meta("keys", &wanted)?;
        self.database.check(transaction.commit())
    }

    fn block_behind(&self, last: i64) -> Result<Vec<(i64, String)>, BulkError> {
        let query = || {
            self.database
                .connection
                .prepare_cached(
                    "SELECT id, contact FROM contacts WHERE id > ? ORDER BY id LIMIT ?",
                )?
                .query_map(params![last, BLOCK], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        };
        self.database.check(query())
    }

    /// Hands the keys of every existing contact to `each`.
    pub(crate) fn for_each_key(&self, mut each: impl FnMut(Keyed)) -> Result<(), BulkError> {
        let sql = "SELECT id, key, otherwise FROM contacts WHERE active";
        let mut query = || {
            let mut query = self.database.connection.prepare(sql)?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let keys = Keys { key: row.get(1)?, otherwise: row.get(2)? };
                let id = row.get(0)?;
                each(Keyed { id, keys });
            }
            Ok(())
        };
        self.database.check(query())
    }

    /// The contact of a [`Keyed::id`], with its owner.
    pub(crate) fn keyed(&self, id: i64) -> Result<(OwnerId, super::Known), BulkError> {
        let sql = "SELECT owner_kind, owner_id, contact FROM contacts WHERE id = ?";
        let row = self
            .database
            .connection
            .query_row(sql, [id], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?)));
        let (kind, owner, json) = self.database.check(row)?;
        Ok((self.owner(&kind, owner)?, self.known(json)?))
    }
}
