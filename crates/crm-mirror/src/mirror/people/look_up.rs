//! Looking people up in a mirror.

use crm_models::{ContactMethod, Person, PersonId, Timestamp};
use rusqlite::Params;

use super::columns::{MethodColumns, PersonColumns};
use crate::{
    error::MirrorError,
    keys::Keys,
    mirror::{
        feed::Feed,
        file::Mirror,
        row::{Key, ReadKey},
    },
};

columns! {
    /// The columns of keys, behind those of a method.
    struct KeyColumns { read_key, otherwise }
}

impl Mirror {
    /// Returns when the list that is further behind, of people or of their contact methods, was last
    /// read to its end; `None` if one of them never was, or was refused the last time.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn people_known_at(&self) -> Result<Option<Timestamp>, MirrorError> {
        let at = |feed| {
            let state = self.feed(feed)?;
            Ok::<_, MirrorError>(state.complete_at.filter(|_| state.refused.is_none()))
        };
        let known = at(Feed::People)?.zip(at(Feed::ContactMethods)?);
        Ok(known.map(|(people, methods)| people.min(methods)))
    }

    /// Returns a person, if the mirror knows them.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn person(&self, id: PersonId) -> Result<Option<Person>, MirrorError> {
        Ok(self.people("WHERE guid = ?", [id.get().as_bytes()])?.pop())
    }

    /// Returns the numbers and addresses of a person.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn methods_of(&self, person: PersonId) -> Result<Vec<ContactMethod>, MirrorError> {
        self.methods("WHERE person = ? ORDER BY id", [person.get().as_bytes()])
    }

    /// Returns the numbers and addresses of people that are this one, however it is written and
    /// whatever the extensions are.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn methods_with_same_number(&self, value: &str) -> Result<Vec<ContactMethod>, MirrorError> {
        let Keys { key, .. } = Keys::of(value, self.reader.get());
        self.methods("WHERE coalesce(key, value) = ? ORDER BY id", [Key(&key)])
    }

    /// The people that a condition selects.
    pub(in crate::mirror) fn people(
        &self,
        condition: &str,
        values: impl Params,
    ) -> Result<Vec<Person>, MirrorError> {
        let sql = format!("SELECT {} FROM people {condition}", PersonColumns::NAMES);
        let at = const { PersonColumns::in_order(0) };
        self.database.rows(&sql, values, |row| at.read(row))
    }

    /// The numbers and addresses that a condition selects.
    pub(in crate::mirror) fn methods(
        &self,
        condition: &str,
        values: impl Params,
    ) -> Result<Vec<ContactMethod>, MirrorError> {
        let sql = format!("SELECT {} FROM methods {condition}", MethodColumns::NAMES);
        let at = const { MethodColumns::in_order(0) };
        self.database.rows(&sql, values, |row| at.read(row))
    }

    /// Hands every number and address of a person to `each`, with its keys, and ends with the first
    /// error.
    #[doc(hidden)]
    pub fn for_each_method<E: From<MirrorError>>(
        &self,
        mut each: impl FnMut(ContactMethod, Keys) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = format!(
            "SELECT {}, coalesce(key, value) AS read_key, otherwise FROM methods",
            MethodColumns::NAMES
        );
        let mut query = self.database.check(self.database.connection.prepare(&sql))?;
        let at = const { MethodColumns::in_order(0) };
        let keys_at = const { KeyColumns::in_order(MethodColumns::COUNT) };
        let mut rows = self.database.check(query.query([]))?;
        while let Some(row) = self.database.check(rows.next())? {
            let read = || {
                let ReadKey(key) = row.get(keys_at.read_key)?;
                let otherwise: Option<ReadKey> = row.get(keys_at.otherwise)?;
                let keys = Keys { key, otherwise: otherwise.map(|ReadKey(key)| key) };
                Ok((at.read(row)?, keys))
            };
            let (method, keys) = self.database.check(read())?;
            each(method, keys)?;
        }
        Ok(())
    }
}
