//! The keys of a snapshot: what its numbers and addresses are compared by.

use crm_values::{PhoneReader, Region};
use rusqlite::{Row, params};
use serde::Deserialize;

use super::{file::Snapshot, look_up::Known};
use crate::{
    error::MirrorError,
    keys::{Keys, description},
    owner::OwnerId,
};

/// How many contacts are read at once.
const BLOCK: usize = 10_000;

/// The part of a contact that keys are made of.
#[derive(Deserialize)]
struct Valued {
    value: String,
}

columns! {
    /// The columns of a contact's keys.
    struct KeyColumns { id, key, otherwise }
}

/// A contact, by what it is compared by.
#[doc(hidden)]
#[derive(Debug)]
pub struct Keyed {
    pub id: i64,
    pub keys: Keys,
}

impl Snapshot {
    /// Makes new keys unless numbers without a country code were of this region then, and the
    /// data are the current ones.
    #[doc(hidden)]
    pub fn read_by(&self, region: Region) -> Result<(), MirrorError> {
        let reader = PhoneReader::new(region);
        self.reader.set(reader);
        let wanted = description(reader);
        if self.database.meta("keys")?.as_deref() == Some(&wanted) {
            return Ok(());
        }
        let transaction = self.database.begin_to_write()?;
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
                let sql = "UPDATE contacts SET key = ?, otherwise = ? WHERE id = ?";
                self.database.execute(sql, params![keys.key, keys.otherwise, id])?;
            }
        }
        self.database.set_meta("keys", &wanted)?;
        self.database.check(transaction.commit())
    }

    fn block_behind(&self, last: i64) -> Result<Vec<(i64, String)>, MirrorError> {
        let sql = "SELECT id, contact FROM contacts WHERE id > ? ORDER BY id LIMIT ?";
        let row = |row: &Row<'_>| Ok((row.get("id")?, row.get("contact")?));
        self.database.rows(sql, params![last, BLOCK], row)
    }

    /// Hands the keys of every existing contact to `each`.
    #[doc(hidden)]
    pub fn for_each_key<E: From<MirrorError>>(
        &self,
        mut each: impl FnMut(Keyed) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = "SELECT id, key, otherwise FROM contacts WHERE active";
        let mut query = self.database.check(self.database.connection.prepare(sql))?;
        let at = self.database.check(KeyColumns::of(&query))?;
        let mut rows = self.database.check(query.query([]))?;
        while let Some(row) = self.database.check(rows.next())? {
            let keyed = || {
                let keys = Keys { key: row.get(at.key)?, otherwise: row.get(at.otherwise)? };
                Ok(Keyed { id: row.get(at.id)?, keys })
            };
            each(self.database.check(keyed())?)?;
        }
        Ok(())
    }

    /// The contact of a [`Keyed::id`], with its owner.
    #[doc(hidden)]
    pub fn keyed(&self, id: i64) -> Result<(OwnerId, Known), MirrorError> {
        let sql = "SELECT owner_kind, owner_id, contact FROM contacts WHERE id = ?";
        let found = self.owned(sql, [id])?.pop();
        found.ok_or_else(|| self.damaged("no such contact"))
    }
}
