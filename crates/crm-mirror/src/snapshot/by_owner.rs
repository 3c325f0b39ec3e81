//! The contacts of one owner after the other.

use crm_models::Contact;
use crm_values::Region;

use super::{file::Snapshot, look_up::Known};
use crate::{error::MirrorError, keys::Keys, owner::OwnerId};

columns! {
    /// The columns of a contact, its owner and its keys.
    struct RecordColumns { owner_kind, owner_id, key, otherwise, contact }
}

columns! {
    /// The columns of a value and its owner.
    struct ValueColumns { owner_kind, owner_id, key }
}

impl Snapshot {
    /// Returns the region as whose the numbers without a country code were read.
    #[must_use]
    pub fn region(&self) -> Region {
        self.reader.get().region()
    }

    /// Hands the existing contacts of one owner after the other to `each`, each contact with its
    /// keys and in the order of the ids, and ends with the first error.
    ///
    /// # Errors
    ///
    /// That of `each`, or a failure to read.
    #[doc(hidden)]
    pub fn for_each_owner<E: From<MirrorError>>(
        &self,
        mut each: impl FnMut(OwnerId, Vec<(Contact, Keys)>) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = "SELECT owner_kind, owner_id, key, otherwise, contact FROM contacts
                   WHERE active ORDER BY owner_kind, owner_id, contact_id";
        let mut query = self.database.check(self.database.connection.prepare(sql))?;
        let at = self.database.check(RecordColumns::of(&query))?;
        let mut rows = self.database.check(query.query([]))?;
        let (mut owner, mut contacts) = (None, Vec::new());
        while let Some(row) = self.database.check(rows.next())? {
            let columns = || {
                let kind = row.get_ref(at.owner_kind)?.as_str()?;
                let of = OwnerId::new(kind, row.get(at.owner_id)?);
                let keys = Keys { key: row.get(at.key)?, otherwise: row.get(at.otherwise)? };
                Ok((of, keys, row.get(at.contact)?))
            };
            let (of, keys, json) = self.database.check(columns())?;
            let of = of.ok_or_else(|| self.damaged("no such owner"))?;
            if let Some(before) = owner.replace(of).filter(|before| *before != of) {
                each(before, std::mem::take(&mut contacts))?;
            }
            let Known { contact, .. } = self.known(json)?;
            contacts.push((contact, keys));
        }
        owner.map_or(Ok(()), |owner| each(owner, contacts))
    }

    /// Hands the owner of every existing contact to `each`, with the key of its value, in no order.
    ///
    /// # Errors
    ///
    /// A failure to read.
    #[doc(hidden)]
    pub fn for_each_value(&self, mut each: impl FnMut(OwnerId, &str)) -> Result<(), MirrorError> {
        let sql = "SELECT owner_kind, owner_id, key FROM contacts WHERE active";
        let mut query = self.database.check(self.database.connection.prepare(sql))?;
        let at = self.database.check(ValueColumns::of(&query))?;
        let mut rows = self.database.check(query.query([]))?;
        while let Some(row) = self.database.check(rows.next())? {
            let columns = || {
                let kind = row.get_ref(at.owner_kind)?.as_str()?;
                let owner = OwnerId::new(kind, row.get(at.owner_id)?);
                Ok((owner, row.get_ref(at.key)?.as_str()?))
            };
            let (owner, key) = self.database.check(columns())?;
            each(owner.ok_or_else(|| self.damaged("no such owner"))?, key);
        }
        Ok(())
    }
}
