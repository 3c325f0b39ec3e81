//! Looking contacts up in a mirror.

use std::path::PathBuf;

use crm_models::{Contact, ContactId};
use rusqlite::{Params, params};

use super::{
    file::Mirror,
    row::{ContactColumns, Key, owner_code},
};
use crate::{error::MirrorError, job::Stop, keys::Keys, owner::OwnerId};

/// A contact as the mirror knows it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Known {
    /// The contact as the service last told it.
    pub contact: Contact,
}

impl Mirror {
    /// Prepares for many look-ups: all see the same state, whoever updates the file meanwhile.
    /// The cache holds the index of a million contacts.
    #[doc(hidden)]
    pub fn hold_still(&self) -> Result<(), MirrorError> {
        self.database.hold_still(40 * 1024)
    }

    /// Does work with many look-ups, as [`hold_still`](Self::hold_still) prepares them, and lets go of
    /// the state that they saw.
    #[doc(hidden)]
    pub fn while_still<R, E: From<MirrorError>>(
        &self,
        work: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        self.hold_still()?;
        let done = work();
        let let_go = self.database.connection.execute_batch("COMMIT");
        let done = done?;
        self.database.check(let_go)?;
        Ok(done)
    }

    /// Has every look-up fail once this stop is asked for.
    #[doc(hidden)]
    pub fn end_with(&mut self, stop: &Stop) -> Result<(), MirrorError> {
        self.database.end_with(stop)
    }

    /// Returns one contact, if it exists.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn contact(
        &self,
        owner: OwnerId,
        contact: ContactId,
    ) -> Result<Option<Known>, MirrorError> {
        let name = params![owner_code(owner), contact.get()];
        let found = self.contacts("WHERE owner = ? AND contact_id = ? AND active", name)?;
        Ok(found.into_iter().next().map(|(_, known)| known))
    }

    /// Returns one contact as the service last told it, also one that was deleted since.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn contact_last_told(
        &self,
        owner: OwnerId,
        contact: ContactId,
    ) -> Result<Option<Known>, MirrorError> {
        let name = params![owner_code(owner), contact.get()];
        let found = self.contacts("WHERE owner = ? AND contact_id = ?", name)?;
        Ok(found.into_iter().next().map(|(_, known)| known))
    }

    /// Returns the existing contacts with this number or address, of all owners or of one, however
    /// it is written. Of a number the extension counts too, in a type that has numbers.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn with_value(
        &self,
        value: &str,
        owner: Option<OwnerId>,
    ) -> Result<Vec<(OwnerId, Known)>, MirrorError> {
        let mut found = self.with_same_number(value, owner)?;
        found.retain(|(_, known)| {
            let contact = &known.contact;
            !contact.contact_type.is_phone()
                || contact.contact_type.same_value(value, &contact.value)
        });
        Ok(found)
    }

    /// Does the same as [`with_value`](Self::with_value), whatever the extensions are.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn with_same_number(
        &self,
        value: &str,
        owner: Option<OwnerId>,
    ) -> Result<Vec<(OwnerId, Known)>, MirrorError> {
        self.with_key(&Keys::of(value, self.reader.get()).key, owner)
    }

    /// Returns the existing contacts of an owner.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn contacts_of(&self, owner: OwnerId) -> Result<Vec<Contact>, MirrorError> {
        let found =
            self.contacts("WHERE owner = ? AND active ORDER BY contact_id", [owner_code(owner)])?;
        Ok(found.into_iter().map(|(_, known)| known.contact).collect())
    }

    /// The existing contacts with this key, of all owners or of one.
    fn with_key(
        &self,
        key: &str,
        owner: Option<OwnerId>,
    ) -> Result<Vec<(OwnerId, Known)>, MirrorError> {
        self.contacts(
            "WHERE coalesce(key, value) = ?1 AND active AND (?2 IS NULL OR owner = ?2)
             ORDER BY owner < 0, abs(owner), contact_id",
            params![Key(key), owner.map(owner_code)],
        )
    }

    /// The contacts that a condition selects, each with its owner.
    pub(super) fn contacts(
        &self,
        condition: &str,
        values: impl Params,
    ) -> Result<Vec<(OwnerId, Known)>, MirrorError> {
        let sql = format!("SELECT {} FROM contacts {condition}", ContactColumns::NAMES);
        let at = const { ContactColumns::in_order(0) };
        let found = self.database.rows(&sql, values, |row| at.read(row))?;
        found.into_iter().map(|contact| self.known(contact)).collect()
    }

    /// Hands every existing contact to `each`, and ends with its first error.
    ///
    /// # Errors
    ///
    /// That of `each`, or a failure to read.
    pub fn for_each<E: From<MirrorError>>(
        &self,
        mut each: impl FnMut(OwnerId, Known) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = format!("SELECT {} FROM contacts WHERE active", ContactColumns::NAMES);
        let mut query = self.database.check(self.database.connection.prepare(&sql))?;
        let at = const { ContactColumns::in_order(0) };
        let mut rows = self.database.check(query.query([]))?;
        while let Some(row) = self.database.check(rows.next())? {
            let (owner, known) = self.known(self.database.check(at.read(row))?)?;
            each(owner, known)?;
        }
        Ok(())
    }

    pub(super) fn known(
        &self,
        read: Option<(OwnerId, Contact)>,
    ) -> Result<(OwnerId, Known), MirrorError> {
        let (owner, contact) = read.ok_or_else(|| self.damaged("a contact cannot be read"))?;
        Ok((owner, Known { contact }))
    }

    pub(super) fn damaged(
        &self,
        reason: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> MirrorError {
        MirrorError::Damaged { path: PathBuf::from(self.database.path()), source: reason.into() }
    }
}
