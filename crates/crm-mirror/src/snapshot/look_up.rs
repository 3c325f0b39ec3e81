//! Looking contacts up in a snapshot.

use std::path::PathBuf;

use crm_models::{Contact, ContactId};
use rusqlite::{Params, params};

use super::file::Snapshot;
use crate::{error::MirrorError, job::Stop, keys::Keys, owner::OwnerId};

columns! {
    /// The columns of a contact and its owner.
    struct OwnedColumns { owner_kind, owner_id, contact }
}

/// A contact as the snapshot knows it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Known {
    /// The contact as the service last told it.
    pub contact: Contact,
}

impl Snapshot {
    /// Prepares for many look-ups: all see the same state, whoever updates the file meanwhile.
    /// The cache holds the index of a million contacts.
    #[doc(hidden)]
    pub fn hold_still(&self) -> Result<(), MirrorError> {
        self.database.hold_still(40 * 1024)
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
        let json = self.database.value(
            "SELECT contact FROM contacts
             WHERE owner_kind = ? AND owner_id = ? AND contact_id = ? AND active",
            params![owner.kind(), owner.get(), contact.get()],
        )?;
        json.map(|json| self.known(json)).transpose()
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

    /// The existing contacts with this key, of all owners or of one.
    fn with_key(
        &self,
        key: &str,
        owner: Option<OwnerId>,
    ) -> Result<Vec<(OwnerId, Known)>, MirrorError> {
        self.owned(
            "SELECT owner_kind, owner_id, contact FROM contacts
             WHERE key = ?1 AND active
               AND (?2 IS NULL OR (owner_kind = ?2 AND owner_id = ?3))
             ORDER BY owner_kind, owner_id, contact_id",
            params![key, owner.map(OwnerId::kind), owner.map(OwnerId::get)],
        )
    }

    /// The contacts that a query finds, each with its owner.
    pub(super) fn owned(
        &self,
        sql: &str,
        values: impl Params,
    ) -> Result<Vec<(OwnerId, Known)>, MirrorError> {
        let found = self.database.rows(sql, values, |row| {
            Ok((row.get("owner_kind")?, row.get("owner_id")?, row.get("contact")?))
        })?;
        found.into_iter().map(|row| self.read(row)).collect()
    }

    fn read(
        &self,
        (kind, id, json): (String, i64, String),
    ) -> Result<(OwnerId, Known), MirrorError> {
        let owner = OwnerId::new(&kind, id).ok_or_else(|| self.damaged("no such owner"))?;
        Ok((owner, self.known(json)?))
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
        let sql = "SELECT owner_kind, owner_id, contact FROM contacts WHERE active";
        let mut query = self.database.check(self.database.connection.prepare(sql))?;
        let at = self.database.check(OwnedColumns::of(&query))?;
        let mut rows = self.database.check(query.query([]))?;
        while let Some(row) = self.database.check(rows.next())? {
            let columns =
                || Ok((row.get(at.owner_kind)?, row.get(at.owner_id)?, row.get(at.contact)?));
            let (owner, known) = self.read(self.database.check(columns())?)?;
            each(owner, known)?;
        }
        Ok(())
    }

    pub(super) fn known(&self, json: String) -> Result<Known, MirrorError> {
        let contact = serde_json::from_str(&json).map_err(|e| self.damaged(e))?;
        Ok(Known { contact })
    }

    pub(super) fn damaged(
        &self,
        reason: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> MirrorError {
        MirrorError::Damaged { path: PathBuf::from(self.database.path()), source: reason.into() }
    }
}
