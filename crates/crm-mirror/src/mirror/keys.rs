//! The keys of a mirror: what its numbers and addresses are compared by.

use crm_values::{PhoneReader, Region};
use rusqlite::{Row, Transaction, params};

use super::{
    file::Mirror,
    look_up::Known,
    row::{ReadKey, key_columns},
};
use crate::{
    error::MirrorError,
    keys::{Keys, described_region, description},
    owner::OwnerId,
};

/// How many contacts are read at once.
const BLOCK: usize = 10_000;

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

impl Mirror {
    /// Has numbers without a country code read as numbers of this region: unless they were until now,
    /// and by the same data, new keys are made of all values, in one transaction. If it fails, the
    /// old keys stay.
    #[doc(hidden)]
    pub fn read_by(&self, region: Region) -> Result<(), MirrorError> {
        self.key_anew(|_| region)
    }

    /// Makes new keys of all values, unless these data made them, for the region that they are of.
    pub(super) fn read_by_these_data(&self) -> Result<(), MirrorError> {
        self.key_anew(|kept| kept)
    }

    /// Makes new keys of all values, unless they are as is wanted, for the region that is wanted
    /// instead of the one that they are of.
    fn key_anew(&self, wanted: impl Fn(Region) -> Region) -> Result<(), MirrorError> {
        let is_as_wanted = || {
            let reader = PhoneReader::new(wanted(self.keyed_region()?));
            let is_so = self.database.meta("keys")?.as_deref() == Some(&description(reader));
            Ok::<_, MirrorError>((reader, is_so))
        };
        let (mut reader, mut is_so) = is_as_wanted()?;
        if !is_so {
            let transaction = self.database.begin_to_write()?;
            // Another process may have changed them until now.
            (reader, is_so) = is_as_wanted()?;
            if !is_so {
                self.write_keys(reader)?;
            }
            self.database.check(transaction.commit())?;
        }
        self.reader.set(reader);
        Ok(())
    }

    /// Stores the keys that this reader makes.
    fn write_keys(&self, reader: PhoneReader) -> Result<(), MirrorError> {
        for table in ["contacts", "methods"] {
            // Most have the same by any region: addresses, numbers with their country code.
            let update = format!(
                "UPDATE {table} SET key = ?1, otherwise = ?2
                 WHERE id = ?3 AND (key, otherwise) IS NOT (?1, ?2)"
            );
            let mut last = 0;
            loop {
                let block = self.block_behind(table, last)?;
                let Some((newest, _)) = block.last() else {
                    break;
                };
                last = *newest;
                for (id, value) in block {
                    let keys = Keys::of(&value, reader);
                    let (key, otherwise) = key_columns(&keys, &value);
                    self.database.execute(&update, params![key, otherwise, id])?;
                }
            }
        }
        self.database.set_meta("keys", &description(reader))
    }

    /// Begins a transaction that stores numbers, by the keys that the file has then.
    pub(super) fn begin_to_store(&self) -> Result<Transaction<'_>, MirrorError> {
        let transaction = self.database.begin_to_write()?;
        self.read_as_keyed()?;
        Ok(transaction)
    }

    /// Reads numbers as the keys in the file are made now: another process may have changed their
    /// region.
    pub(super) fn read_as_keyed(&self) -> Result<(), MirrorError> {
        self.reader.set(PhoneReader::new(self.keyed_region()?));
        Ok(())
    }

    /// As numbers of which region the keys in the file are made.
    fn keyed_region(&self) -> Result<Region, MirrorError> {
        let region = self.database.meta("keys")?.and_then(|keys| described_region(&keys));
        Ok(region.unwrap_or_default())
    }

    fn block_behind(&self, table: &str, last: i64) -> Result<Vec<(i64, String)>, MirrorError> {
        let sql = format!("SELECT id, value FROM {table} WHERE id > ? ORDER BY id LIMIT ?");
        let row = |row: &Row<'_>| Ok((row.get("id")?, row.get("value")?));
        self.database.rows(&sql, params![last, BLOCK], row)
    }

    /// Hands the keys of every existing contact to `each`.
    #[doc(hidden)]
    pub fn for_each_key<E: From<MirrorError>>(
        &self,
        mut each: impl FnMut(Keyed) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = "SELECT id, coalesce(key, value) AS key, otherwise FROM contacts WHERE active";
        let mut query = self.database.check(self.database.connection.prepare(sql))?;
        let at = self.database.check(KeyColumns::of(&query))?;
        let mut rows = self.database.check(query.query([]))?;
        while let Some(row) = self.database.check(rows.next())? {
            let keyed = || {
                let ReadKey(key) = row.get(at.key)?;
                let otherwise: Option<ReadKey> = row.get(at.otherwise)?;
                let keys = Keys { key, otherwise: otherwise.map(|ReadKey(key)| key) };
                Ok(Keyed { id: row.get(at.id)?, keys })
            };
            each(self.database.check(keyed())?)?;
        }
        Ok(())
    }

    /// The contact of a [`Keyed::id`], with its owner.
    #[doc(hidden)]
    pub fn keyed(&self, id: i64) -> Result<(OwnerId, Known), MirrorError> {
        let found = self.contacts("WHERE id = ?", [id])?.pop();
        found.ok_or_else(|| self.damaged("no such contact"))
    }
}
