//! Changes as rows of the tables.

use crm_mirror::{OwnerId, columns};
use rusqlite::types::{Value, ValueRef};

use super::{
    codes::{self, unreadable},
    record::{self, RecordColumns, WishColumns, read_action},
};
use crate::{
    set::{Change, ChangeId, Image, Outcome, PERSON, State, Target, caution},
    store::cell::Cells,
};

columns! {
    /// The columns of a change: all of `planned`, then all of `progress`.
    pub(crate) struct ChangeColumns {
        id, row, repeats, owner_kind, owner_id, contact_id, action, verdict, note,
        wanted_type, wanted_value, wanted_memo, wanted_flags, wanted_more,
        contact_type, value, memo, flags, phone, modified_on, created_on, extra,
        beside, digest, planned_seal,
        change, state, attempts, at, http_status, trace_id, message, field_errors, created_id,
        siblings, found, after, after_modified_on, seal,
    }
}

/// How many columns `planned` has; the last is its seal.
pub(super) const PLANNED: usize = 25;
/// How many columns `progress` has; the last is its seal.
pub(super) const PROGRESS: usize = 14;

/// What changes are selected from.
pub(crate) const CHANGES: &str = "planned LEFT JOIN progress ON change = id";
/// How far a change is.
pub(crate) const STATE: &str = "coalesce(state, verdict)";

/// A change as the file has it.
pub(super) struct Stored {
    /// With the record as the plan saw it.
    pub(super) planned: Change,
    /// The record just before the write, where it was another.
    pub(super) found: Option<Image>,
}

impl Stored {
    pub(super) fn into_change(self) -> Change {
        Change { before: self.found.or(self.planned.before), ..self.planned }
    }
}

impl ChangeColumns {
    /// Reads one change without a look at its check values: for the view of outcomes, whose rows
    /// are put together of several.
    pub(crate) fn read(&self, row: &(impl Cells + ?Sized)) -> rusqlite::Result<Change> {
        self.read_stored(row).map(Stored::into_change)
    }

    /// Reads one change as the file has it.
    pub(super) fn read_stored(&self, row: &(impl Cells + ?Sized)) -> rusqlite::Result<Stored> {
        let planned = self.target(row, self.contact_id)?;
        let action = read_action(row, &self.wish())?;
        let before = record::read(row, &self.before(), &planned)?;
        let (mut target, mut after, mut found) = (planned, None, None);
        let (verdict, note) =
            (read_state(row, self.verdict)?, row.get::<Option<String>>(self.note)?);
        // What was planned has a note for that; another verdict, for what became of it.
        let (why, note) = if verdict == State::Planned { (note, None) } else { (None, note) };
        let (why, caution) = why.map(caution::apart).unwrap_or_default();
        let outcome = if row.get_ref(self.change)? == ValueRef::Null {
            // The view of outcomes says whose change it repeats.
            let message = row.get::<Option<String>>(self.message)?.or(note);
            Outcome { message, ..Outcome::new(verdict) }
        } else {
            if row.get_ref(self.created_id)? != ValueRef::Null {
                target = self.target(row, self.created_id)?;
            }
            let json = row.get_ref(self.found)?.as_str_or_null()?;
            let image = json.map(|json| Image::from_file(&target, json)).transpose();
            found = image.map_err(|e| unreadable(self.found, e))?;
            let at = [self.after, self.after_modified_on];
            after = record::read_after(row, at, &target, before.as_ref(), &action)?;
            Outcome {
                state: read_state(row, self.state)?,
                message: row.get(self.message)?,
                field_errors: row.get(self.field_errors)?,
                trace_id: row.get(self.trace_id)?,
                http_status: row.get(self.http_status)?,
                at: codes::read_time(row.get_ref(self.at)?),
                attempts: row.get(self.attempts)?,
            }
        };
        let (id, row) = (ChangeId(row.get(self.id)?), row.get(self.row)?);
        let planned = Change { id, row, why, caution, before, after, target, action, outcome };
        Ok(Stored { planned, found })
    }

    /// The columns of the record that the plan saw.
    pub(super) fn before(&self) -> RecordColumns {
        let Self {
            contact_type, value, memo, flags, phone, modified_on, created_on, extra, ..
        } = *self;
        RecordColumns { contact_type, value, memo, flags, phone, modified_on, created_on, extra }
    }

    /// The columns of what is to be done.
    fn wish(&self) -> WishColumns {
        let Self {
            action, wanted_type, wanted_value, wanted_memo, wanted_flags, wanted_more, ..
        } = *self;
        WishColumns { action, wanted_type, wanted_value, wanted_memo, wanted_flags, wanted_more }
    }

    /// Reads a record from the columns of its owner and this one of its id.
    pub(super) fn target(
        &self,
        row: &(impl Cells + ?Sized),
        contact: usize,
    ) -> rusqlite::Result<Target> {
        let kind = codes::read_owner(row.get(self.owner_kind)?);
        let kind = kind.ok_or_else(|| unreadable(self.owner_kind, "no such owner"))?;
        read_target(row, kind, self.owner_id, contact)
    }
}

/// Reads a record from the columns of its owner, who is of this kind, and of its contact.
pub(crate) fn read_target(
    row: &(impl Cells + ?Sized),
    kind: &str,
    owner: usize,
    contact: usize,
) -> rusqlite::Result<Target> {
    let text = |column: usize| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
    if kind == PERSON {
        return Ok(Target::Method {
            person: parsed(text(owner)?, owner)?,
            method: parsed(text(contact)?, contact)?,
        });
    }
    let id: Option<i64> = row.get(contact)?;
    Ok(Target::Contact {
        owner: OwnerId::new(kind, row.get(owner)?)
            .ok_or_else(|| unreadable(owner, "no such owner"))?,
        contact: id.map(TryInto::try_into).transpose().map_err(|e| unreadable(contact, e))?,
    })
}

/// Reads the state of a change, which is a number, or of a row of the input, which is a name.
pub(crate) fn read_state(row: &(impl Cells + ?Sized), column: usize) -> rusqlite::Result<State> {
    match row.get_ref(column)? {
        ValueRef::Integer(code) => {
            codes::read_state(code).ok_or_else(|| unreadable(column, "no such state"))
        }
        other => parsed(other.as_str()?, column),
    }
}

fn parsed<R: std::str::FromStr>(text: &str, column: usize) -> rusqlite::Result<R>
where
    R::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse().map_err(|e: R::Err| unreadable(column, e))
}

/// The owner's column: a number, or a GUID as text.
pub(crate) fn owner_column(target: &Target) -> Value {
    match target {
        Target::Contact { owner, .. } => Value::Integer(owner.get()),
        Target::Method { person, .. } => Value::Text(person.to_string()),
    }
}

/// The contact's column.
pub(crate) fn contact_column(target: &Target) -> Value {
    match target {
        Target::Contact { contact, .. } => {
            contact.map_or(Value::Null, |id| Value::Integer(id.get()))
        }
        Target::Method { method, .. } => Value::Text(method.to_string()),
    }
}
