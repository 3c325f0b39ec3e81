//! People and their numbers and addresses as rows.

use crm_models::{ContactMethod, ContactMethodId, Person, PersonId, Timestamp, UserId};
use rusqlite::{Row, types::FromSqlError};
use uuid::Uuid;

use crate::mirror::row::{ReadKind, time_of};

columns! {
    /// The columns of a person.
    pub(super) struct PersonColumns {
        guid, name, title, reference, archived, created_on, created_by, modified_on, modified_by,
        folded,
    }
}

columns! {
    /// The columns of a number or an address of a person.
    pub(super) struct MethodColumns {
        guid, person, kind, key, otherwise, value, memo, reference, created_on, created_by,
        modified_on, modified_by, folded,
    }
}

impl PersonColumns {
    pub(super) fn read(&self, row: &Row<'_>) -> rusqlite::Result<Person> {
        let id = PersonId::new(guid(row, self.guid)?);
        let created_by = UserId::new(row.get(self.created_by)?);
        let mut person = Person::new(id, time(row, self.created_on)?, created_by);
        person.name = row.get(self.name)?;
        person.title = row.get(self.title)?;
        person.reference_id = row.get(self.reference)?;
        person.is_archived = row.get(self.archived)?;
        person.modified_on = time(row, self.modified_on)?;
        person.modified_by = UserId::new(row.get(self.modified_by)?);
        Ok(person)
    }
}

impl MethodColumns {
    pub(super) fn read(&self, row: &Row<'_>) -> rusqlite::Result<ContactMethod> {
        let ReadKind(kind) = row.get(self.kind)?;
        let mut method = ContactMethod::new(
            ContactMethodId::new(guid(row, self.guid)?),
            PersonId::new(guid(row, self.person)?),
            kind,
            row.get::<_, String>(self.value)?,
            time(row, self.created_on)?,
            UserId::new(row.get(self.created_by)?),
        );
        method.memo = row.get(self.memo)?;
        method.reference_id = row.get(self.reference)?;
        method.modified_on = time(row, self.modified_on)?;
        method.modified_by = UserId::new(row.get(self.modified_by)?);
        Ok(method)
    }
}

pub(super) fn guid(row: &Row<'_>, at: usize) -> rusqlite::Result<Uuid> {
    row.get(at).map(Uuid::from_bytes)
}

fn time(row: &Row<'_>, at: usize) -> rusqlite::Result<Timestamp> {
    let ticks = row.get(at)?;
    Ok(time_of(ticks).ok_or(FromSqlError::OutOfRange(ticks))?)
}
