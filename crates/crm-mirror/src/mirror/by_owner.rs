//! The contacts of one owner after the other.

use crm_models::Contact;
use crm_values::Region;

use super::{
    file::Mirror,
    look_up::Known,
    owners::KnownOwner,
    row::{ContactColumns, ReadKey, owner_of},
};
use crate::{error::MirrorError, keys::Keys, owner::OwnerId};

columns! {
    /// The columns of keys, behind those of a contact.
    struct KeyColumns { read_key, otherwise }
}

columns! {
    /// The columns of a value and its owner.
    struct ValueColumns { owner, key }
}

impl Mirror {
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
        let sql = format!(
            "SELECT {}, coalesce(key, value) AS read_key, otherwise FROM contacts
             WHERE active ORDER BY owner, contact_id",
            ContactColumns::NAMES
        );
        let mut query = self.database.check(self.database.connection.prepare(&sql))?;
        let at = const { ContactColumns::in_order(0) };
        let keys_at = const { KeyColumns::in_order(ContactColumns::COUNT) };
        let mut rows = self.database.check(query.query([]))?;
        let (mut owner, mut contacts) = (None, Vec::new());
        while let Some(row) = self.database.check(rows.next())? {
            let keys = || {
                let ReadKey(key) = row.get(keys_at.read_key)?;
                let otherwise: Option<ReadKey> = row.get(keys_at.otherwise)?;
                Ok(Keys { key, otherwise: otherwise.map(|ReadKey(key)| key) })
            };
            let keys = self.database.check(keys())?;
            let (of, Known { contact }) = self.known(self.database.check(at.read(row))?)?;
            if let Some(before) = owner.replace(of).filter(|before| *before != of) {
                each(before, std::mem::take(&mut contacts))?;
            }
            contacts.push((contact, keys));
        }
        owner.map_or(Ok(()), |owner| each(owner, contacts))
    }

    /// Hands the existing contacts of one owner after the other to `each`, with the owner itself as far
    /// as its feed has told it: the customers first, then the locations, both in the order of their
    /// ids, and the contacts of each in the order of theirs. Ends with the first error of `each`.
    ///
    /// All of it is the mirror of one moment, whoever updates it meanwhile, and takes the memory of
    /// one owner.
    ///
    /// ```no_run
    /// use crm_mirror::{Mirror, MirrorError};
    ///
    /// # fn main() -> Result<(), MirrorError> {
    /// Mirror::open("mirror.db")?.for_each_in_order(|owner, known, contacts| {
    ///     let name = known.map(|known| known.display_name());
    ///     println!("{owner}, {name:?}: {} contacts", contacts.len());
    ///     Ok::<(), MirrorError>(())
    /// })
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// That of `each`, or a failure to read.
    pub fn for_each_in_order<E: From<MirrorError>>(
        &self,
        mut each: impl FnMut(OwnerId, Option<KnownOwner>, Vec<Contact>) -> Result<(), E>,
    ) -> Result<(), E> {
        let _still = self.database.check(self.database.connection.unchecked_transaction())?;
        // A customer's number is its id, a location's is below 0.
        for owners in ["owner > 0 ORDER BY owner", "owner < 0 ORDER BY owner DESC"] {
            let sql = format!(
                "SELECT {} FROM contacts WHERE active AND {owners}, contact_id",
                ContactColumns::NAMES
            );
            let mut query = self.database.check(self.database.connection.prepare(&sql))?;
            let at = const { ContactColumns::in_order(0) };
            let mut rows = self.database.check(query.query([]))?;
            let (mut owner, mut contacts) = (None, Vec::new());
            while let Some(row) = self.database.check(rows.next())? {
                let (of, Known { contact }) = self.known(self.database.check(at.read(row))?)?;
                if let Some(before) = owner.replace(of).filter(|before| *before != of) {
                    each(before, self.owner(before)?, std::mem::take(&mut contacts))?;
                }
                contacts.push(contact);
            }
            if let Some(last) = owner {
                each(last, self.owner(last)?, contacts)?;
            }
        }
        Ok(())
    }

    /// Hands the owner of every existing contact to `each`, with the key of its value, in no order.
    ///
    /// # Errors
    ///
    /// A failure to read.
    #[doc(hidden)]
    pub fn for_each_value(&self, mut each: impl FnMut(OwnerId, &str)) -> Result<(), MirrorError> {
        let sql = "SELECT owner, coalesce(key, value) AS key FROM contacts WHERE active";
        let mut query = self.database.check(self.database.connection.prepare(sql))?;
        let at = self.database.check(ValueColumns::of(&query))?;
        let mut rows = self.database.check(query.query([]))?;
        while let Some(row) = self.database.check(rows.next())? {
            let columns = || {
                let ReadKey(key) = row.get(at.key)?;
                Ok((owner_of(row.get(at.owner)?), key))
            };
            let (owner, key) = self.database.check(columns())?;
            each(owner.ok_or_else(|| self.damaged("no such owner"))?, &key);
        }
        Ok(())
    }
}
