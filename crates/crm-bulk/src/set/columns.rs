//! Changes as rows of the table.

use rusqlite::{
    Row,
    types::{Type, Value},
};

use super::{
    action::Action,
    change::{Change, ChangeId},
    image::Image,
    outcome::Outcome,
    state::State,
    target::{OwnerId, PERSON, Target},
};

/// The columns that [`read`] takes, in its order.
pub(crate) const COLUMNS: &str = "id, row, owner_kind, owner_id, contact_id, action, wanted, \
     before, after, state, message, field_errors, trace_id, http_status, at, attempts, found";

/// How many these are.
pub(super) const COUNT: usize = 17;

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

/// Reads one change from a row with [`COLUMNS`], without a look at its check values: for the view
/// of outcomes, whose rows are put together of several.
pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Change> {
    read_stored(row).map(Stored::into_change)
}

/// Reads one change from a row with [`COLUMNS`].
pub(super) fn read_stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let target = read_target(row, 2)?;
    let text = |column: usize| row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from);
    let action = Action::from_file(row.get_ref(5)?.as_str()?, text(6)?)
        .map_err(|e| unreadable(6, e))?
        .ok_or_else(|| unreadable(5, "no such action"))?;
    let image = |column: usize| {
        text(column)?
            .map(|json| Image::from_file(&target, json).map_err(|e| unreadable(column, e)))
            .transpose()
    };
    let found = image(16)?;
    let planned = Change {
        id: ChangeId(row.get(0)?),
        row: row.get(1)?,
        before: image(7)?,
        after: image(8)?,
        target,
        action,
        outcome: Outcome {
            state: read_state(row, 9)?,
            message: row.get(10)?,
            field_errors: row.get(11)?,
            trace_id: row.get(12)?,
            http_status: row.get(13)?,
            at: text(14)?.map(|text| parsed(text, 14)).transpose()?,
            attempts: row.get(15)?,
        },
    };
    Ok(Stored { planned, found })
}

/// Reads a record from three columns: kind, owner, contact.
pub(crate) fn read_target(row: &Row<'_>, first: usize) -> rusqlite::Result<Target> {
    let kind = row.get_ref(first)?.as_str()?;
    if kind == PERSON {
        return Ok(Target::Method {
            person: parsed(row.get_ref(first + 1)?.as_str()?, first + 1)?,
            method: parsed(row.get_ref(first + 2)?.as_str()?, first + 2)?,
        });
    }
    let contact: Option<i64> = row.get(first + 2)?;
    Ok(Target::Contact {
        owner: OwnerId::new(kind, row.get(first + 1)?)
            .ok_or_else(|| unreadable(first, "no such owner"))?,
        contact: contact
            .map(TryInto::try_into)
            .transpose()
            .map_err(|e| unreadable(first + 2, e))?,
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
