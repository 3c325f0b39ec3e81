//! Changes as rows of the table.

use rusqlite::{
    Row,
    types::{Type, Value},
};

use crate::set::{Action, Change, ChangeId, Image, Outcome, OwnerId, PERSON, State, Target};

columns! {
    /// The columns of a change without its check values.
    pub(crate) struct ChangeColumns {
        id, row, owner_kind, owner_id, contact_id, action, wanted, before, after, state, message,
        field_errors, trace_id, http_status, at, attempts, found,
    }
}

/// A change as the file has it.
pub(super) struct Stored {
    /// With the record as the plan saw it.
    pub(super) planned: Change,
    /// The record just before the write, where it was another.
    found: Option<Image>,
}

impl Stored {
    pub(super) fn into_change(self) -> Change {
        Change { before: self.found.or(self.planned.before), ..self.planned }
    }
}

impl ChangeColumns {
    /// Reads one change without a look at its check values: for the view of outcomes, whose rows
    /// are put together of several.
    pub(crate) fn read(&self, row: &Row<'_>) -> rusqlite::Result<Change> {
        self.read_stored(row).map(Stored::into_change)
    }

    /// Reads one change as the file has it.
    pub(super) fn read_stored(&self, row: &Row<'_>) -> rusqlite::Result<Stored> {
        let target = read_target(row, [self.owner_kind, self.owner_id, self.contact_id])?;
        let text =
            |column: usize| row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from);
        let action = read_action(row, self.action, self.wanted)?;
        let image = |column: usize| {
            text(column)?
                .map(|json| Image::from_file(&target, json).map_err(|e| unreadable(column, e)))
                .transpose()
        };
        let found = image(self.found)?;
        let planned = Change {
            id: ChangeId(row.get(self.id)?),
            row: row.get(self.row)?,
            before: image(self.before)?,
            after: image(self.after)?,
            target,
            action,
            outcome: Outcome {
                state: read_state(row, self.state)?,
                message: row.get(self.message)?,
                field_errors: row.get(self.field_errors)?,
                trace_id: row.get(self.trace_id)?,
                http_status: row.get(self.http_status)?,
                at: text(self.at)?.map(|text| parsed(text, self.at)).transpose()?,
                attempts: row.get(self.attempts)?,
            },
        };
        Ok(Stored { planned, found })
    }
}

/// Reads what is to be done, from the columns of its name and of what is wanted.
pub(super) fn read_action(row: &Row<'_>, name: usize, wanted: usize) -> rusqlite::Result<Action> {
    Action::from_file(row.get_ref(name)?.as_str()?, row.get_ref(wanted)?.as_str_or_null()?)
        .map_err(|e| unreadable(wanted, e))?
        .ok_or_else(|| unreadable(name, "no such action"))
}

/// Reads a record from the columns of its kind, its owner and its contact.
pub(super) fn read_target(
    row: &Row<'_>,
    [kind, owner, contact]: [usize; 3],
) -> rusqlite::Result<Target> {
    let text = |column: usize| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
    if text(kind)? == PERSON {
        return Ok(Target::Method {
            person: parsed(text(owner)?, owner)?,
            method: parsed(text(contact)?, contact)?,
        });
    }
    let id: Option<i64> = row.get(contact)?;
    Ok(Target::Contact {
        owner: OwnerId::new(text(kind)?, row.get(owner)?)
            .ok_or_else(|| unreadable(kind, "no such owner"))?,
        contact: id.map(TryInto::try_into).transpose().map_err(|e| unreadable(contact, e))?,
    })
}

/// Reads the state of a change or a row.
pub(crate) fn read_state(row: &Row<'_>, column: usize) -> rusqlite::Result<State> {
    parsed(row.get_ref(column)?.as_str()?, column)
}

fn parsed<R: std::str::FromStr>(text: &str, column: usize) -> rusqlite::Result<R>
where
    R::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse().map_err(|e: R::Err| unreadable(column, e))
}

fn unreadable(
    column: usize,
    reason: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, reason.into())
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
