//! Sets of version 0.1: their rows and changes, which were JSON, move into the tables of today.

use crm_mirror::columns;
use rusqlite::{Connection, OptionalExtension, Row, params, types::ToSqlOutput};
use serde_json::{Map, Value, json};

use super::{
    codes::unreadable,
    columns::read_target,
    planned::{PlannedRow, insert_into},
    progress::ProgressRow,
    record::Record,
    totals,
};
use crate::{
    input::{InputFormat, record},
    set::{Action, Change, ChangeId, Image, Outcome, PERSON, Target},
};

columns! {
    struct OldColumns {
        id, row, repeats, owner_kind, owner_id, contact_id, action, wanted, before, after,
        siblings, state, message, field_errors, trace_id, http_status, at, attempts,
    }
}

columns! {
    struct OldRow { row, line, data, state, message }
}

/// Moves the rows of the input. The cells of CSV were a JSON array.
pub(super) fn move_rows(connection: &Connection) -> rusqlite::Result<()> {
    let format = "SELECT value FROM meta WHERE name = 'format'";
    let format: Option<String> = connection.query_row(format, [], |row| row.get(0)).optional()?;
    let is_csv = InputFormat::named(format.as_deref()) == InputFormat::Csv;
    let insert =
        "INSERT INTO rows VALUES (?1, ?2 - ?1, ?3, ?4, ?5, coalesce(?5 LIKE '%look at %', 0))";
    let mut insert = connection.prepare(insert)?;
    let sql = format!("SELECT {} FROM rows_of_version_1 ORDER BY row", OldRow::NAMES);
    let mut query = connection.prepare(&sql)?;
    let at = OldRow::of(&query)?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let mut data: String = row.get(at.data)?;
        if is_csv {
            let cells: Vec<String> =
                serde_json::from_str(&data).map_err(|e| unreadable(at.data, e))?;
            data = record(cells.iter().map(String::as_str));
        }
        let (number, line): (u64, u64) = (row.get(at.row)?, row.get(at.line)?);
        let (state, message) = (row.get_ref(at.state)?, row.get_ref(at.message)?);
        insert.execute(params![
            number,
            line,
            data,
            ToSqlOutput::Borrowed(state),
            ToSqlOutput::Borrowed(message)
        ])?;
    }
    connection.execute_batch("DROP TABLE rows_of_version_1")
}

/// Moves all changes out of the table that they had. They have no check values yet.
pub(super) fn move_changes(connection: &Connection) -> rusqlite::Result<()> {
    let planned = insert_into("planned");
    let mut moved = false;
    {
        let sql = format!("SELECT {} FROM changes_of_version_1 ORDER BY id", OldColumns::NAMES);
        let mut query = connection.prepare(&sql)?;
        let at = OldColumns::of(&query)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            move_change(connection, &planned, &at, row)?;
            moved = true;
        }
    }
    connection.execute_batch("DROP TABLE changes_of_version_1")?;
    if moved {
        connection.execute_batch(include_str!("indexes.sql"))?;
        totals::recount(connection)?;
    }
    // A new set gets both when its changes are written.
    Ok(())
}

fn move_change(
    connection: &Connection,
    planned: &str,
    at: &OldColumns,
    row: &Row<'_>,
) -> rusqlite::Result<()> {
    let text = |column: usize| row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from);
    let kind: String = row.get(at.owner_kind)?;
    let target = read_target(row, &kind, at.owner_id, at.contact_id)?;
    let (name, wanted): (String, _) = (row.get(at.action)?, text(at.wanted)?);
    let action = action(&name, wanted, &target).map_err(|e| unreadable(at.wanted, e))?;
    let action = action.ok_or_else(|| unreadable(at.action, "no such action"))?;
    let image = |column: usize| {
        let json = text(column)?.map(|json| Image::from_file(&target, json)).transpose();
        json.map_err(|e| unreadable(column, e))
    };
    let (before, after) = (image(at.before)?, image(at.after)?);
    let record = match (&before, text(at.before)?) {
        (Some(before), Some(json)) => {
            let unknown = unknown(before, json).map_err(|e| unreadable(at.before, e))?;
            Some(Record::with(before, &target, unknown)?)
        }
        _ => None,
    };
    let parse = |e: &dyn std::fmt::Display| unreadable(at.state, e.to_string());
    let outcome = Outcome {
        state: text(at.state)?.unwrap_or_default().parse().map_err(|e| parse(&e))?,
        message: row.get(at.message)?,
        field_errors: row.get(at.field_errors)?,
        trace_id: row.get(at.trace_id)?,
        http_status: row.get(at.http_status)?,
        at: text(at.at)?.map(str::parse).transpose().map_err(|e| parse(&e))?,
        attempts: row.get(at.attempts)?,
    };
    let was_taken_up = outcome.attempts > 0 || outcome.at.is_some() || after.is_some();
    let id: i64 = row.get(at.id)?;
    let siblings: Option<String> = row.get(at.siblings)?;
    let new = PlannedRow {
        id,
        row: row.get(at.row)?,
        repeats: row.get(at.repeats)?,
        target,
        action: &action,
        outcome: &outcome,
        before: record,
        beside: siblings.as_deref(),
        digest: None,
    };
    new.write(connection, planned)?;
    if was_taken_up {
        let (id, row) = (ChangeId(id), row.get(at.row)?);
        let (why, caution) = (None, None);
        let change = Change { id, row, why, caution, target, action, before, after, outcome };
        let (before, siblings) = (change.before.as_ref(), siblings.as_deref());
        let outcome = &change.outcome;
        let row = ProgressRow { change: &change, outcome, before, found: None, siblings };
        row.write(connection)?;
    }
    Ok(())
}

/// What a change asks for. The flags of a contact had names of their own then.
fn action(name: &str, wanted: Option<&str>, target: &Target) -> serde_json::Result<Option<Action>> {
    const NAMES: [(&str, &str); 4] = [
        ("jobReminders", "jobRemindersEnabled"),
        ("marketingUpdates", "marketingUpdatesEnabled"),
        ("invoices", "invoiceNotification"),
        ("statements", "statementNotification"),
    ];
    if target.kind() == PERSON {
        return Action::from_file(name, wanted);
    }
    let mut wanted: Map<String, Value> = serde_json::from_str(wanted.unwrap_or("{}"))?;
    let flags =
        NAMES.iter().filter_map(|(old, new)| Some(((*new).to_owned(), wanted.remove(*old)?)));
    let flags: Map<_, _> = flags.collect();
    if !flags.is_empty() {
        wanted.insert("preferences".to_owned(), flags.into());
    }
    Action::from_file(name, Some(&Value::from(wanted).to_string()))
}

/// The members of a record that this version does not know.
fn unknown(image: &Image, json: &str) -> serde_json::Result<Map<String, Value>> {
    let mut all: Map<String, Value> = serde_json::from_str(json)?;
    let known = json!(image);
    all.retain(|name, _| known.get(name).is_none());
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file::{change_set::ChangeSet, format::FORMAT};

    /// The rows of a set of version 0.1 with this input, once it is opened.
    fn upgraded(format: &str, data: &str) -> Vec<(u64, u64, String, bool)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.crm");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(FORMAT.migrations[0]).unwrap();
        old.pragma_update(None, "application_id", FORMAT.application_id).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        old.execute("INSERT INTO meta VALUES ('format', ?)", [format]).unwrap();
        let insert = "INSERT INTO rows VALUES (1, 2, ?1, NULL, NULL), (2, 9, ?1, 'failed', ?2)";
        old.execute(insert, [data, "look at contact 5"]).unwrap();
        drop(old);
        let set = ChangeSet::open(&path).unwrap();
        let sql = "SELECT row, row + other_lines AS line, data, look_at FROM rows ORDER BY row";
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        set.database.rows(sql, [], read).unwrap()
    }

    #[test]
    fn rows_keep_their_cells_and_their_lines() {
        let csv = r#"2001,"Wade, Dana","the ""gate""""#.to_owned();
        assert_eq!(
            upgraded("csv", r#"["2001","Wade, Dana","the \"gate\""]"#),
            [(1, 2, csv.clone(), false), (2, 9, csv, true)]
        );
        let ndjson = r#"{"location_id": 2001}"#.to_owned();
        assert_eq!(
            upgraded("ndjson", &ndjson),
            [(1, 2, ndjson.clone(), false), (2, 9, ndjson.clone(), true)]
        );
    }
}
