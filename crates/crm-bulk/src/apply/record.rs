//! What the file is told about a change, and what it is asked.

use crm_models::ContactId;
use rusqlite::{params, types::Value};

use super::step::Loaded;
use crate::{
    Action, BulkError, Change, Outcome,
    database::Database,
    set::columns::{self, contact_column, owner_column},
};

/// Where in the order of owners the next block begins.
pub(super) type Cursor = (String, Value);

/// Before the first owner.
pub(super) fn beginning() -> Cursor {
    (String::new(), Value::Null)
}

/// The open changes of the next owners, at most so many owners, and where to go on.
pub(super) fn next_block(
    database: &Database,
    after: &Cursor,
    owners: usize,
    retry_failed: bool,
) -> Result<Option<(Vec<Loaded>, Cursor)>, BulkError> {
    let failed = if retry_failed { ", 'failed'" } else { "" };
    let open = format!("state IN ('planned', 'in-flight', 'unknown'{failed})");
    let (kind, owner) = after;
    let query = || -> rusqlite::Result<Vec<Cursor>> {
        let next = format!(
            "SELECT DISTINCT owner_kind, owner_id FROM changes
             WHERE (owner_kind > ?1 OR (owner_kind = ?1 AND owner_id > ?2)) AND {open}
             ORDER BY owner_kind, owner_id LIMIT ?3"
        );
        database
            .connection
            .prepare_cached(&next)?
            .query_map(params![kind, owner, owners], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?
            .collect()
    };
    let next = database.check(query())?;
    let Some(last) = next.last().cloned() else {
        return Ok(None);
    };
    let mut block = Vec::new();
    for (kind, owner) in next {
        let sql = format!(
            "SELECT {}, siblings FROM changes
             WHERE owner_kind = ? AND owner_id = ? AND {open} ORDER BY id",
            columns::COLUMNS
        );
        let query = || -> rusqlite::Result<Vec<(Change, Option<String>)>> {
            database
                .connection
                .prepare_cached(&sql)?
                .query_map(params![kind, owner], |row| {
                    Ok((columns::read(row)?, row.get("siblings")?))
                })?
                .collect()
        };
        for (change, siblings) in database.check(query())? {
            let mut not_ours = created_by_others(database, &change)?;
            not_ours.extend(ids(siblings.as_deref()));
            block.push(Loaded { change, not_ours });
        }
    }
    Ok(Some((block, last)))
}

/// The contacts that other changes created on the owner of a creation that may have been sent.
fn created_by_others(database: &Database, change: &Change) -> Result<Vec<ContactId>, BulkError> {
    if !matches!(change.action, Action::Create(_)) || !super::step::may_be_sent(change) {
        return Ok(Vec::new());
    }
    let query = || -> rusqlite::Result<Vec<i64>> {
        database
            .connection
            .prepare_cached(
                "SELECT contact_id FROM changes WHERE owner_kind = ? AND owner_id = ?
                 AND action = 'create' AND contact_id IS NOT NULL AND id <> ?",
            )?
            .query_map(
                params![
                    change.target.kind(),
                    owner_column(&change.target),
                    change.id.0
                ],
                |row| row.get(0),
            )?
            .collect()
    };
    let created = database.check(query())?;
    Ok(created
        .into_iter()
        .filter_map(|id| ContactId::new(id).ok())
        .collect())
}

fn ids(json: Option<&str>) -> Vec<ContactId> {
    json.and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default()
}

/// Marks a change as sent, with the record as it is just before.
pub(super) fn claim(
    database: &Database,
    change: &Change,
    siblings: Option<&[ContactId]>,
) -> Result<(), BulkError> {
    let before = json(database, change.before.as_ref())?;
    let siblings = json(database, siblings.as_ref())?;
    execute(
        database,
        "UPDATE changes SET state = 'in-flight', attempts = ?, at = ?, siblings = ?,
             before = coalesce(?, before), message = NULL, field_errors = NULL, trace_id = NULL,
             http_status = NULL
         WHERE id = ?",
        params![
            change.outcome.attempts,
            change.outcome.at.map(|at| at.to_string()),
            siblings,
            before,
            change.id.0
        ],
    )
}

/// Writes what became of a change.
pub(super) fn settle(database: &Database, change: &Change) -> Result<(), BulkError> {
    let Outcome {
        state,
        message,
        field_errors,
        trace_id,
        http_status,
        at,
        attempts,
    } = &change.outcome;
    let after = json(database, change.after.as_ref())?;
    execute(
        database,
        "UPDATE changes SET state = ?, message = ?, field_errors = ?, trace_id = ?,
             http_status = ?, at = ?, attempts = ?, contact_id = ?, after = coalesce(?, after)
         WHERE id = ?",
        params![
            state.as_str(),
            message,
            field_errors,
            trace_id,
            http_status,
            at.map(|at| at.to_string()),
            attempts,
            contact_column(&change.target),
            after,
            change.id.0
        ],
    )
}

fn execute(database: &Database, sql: &str, values: impl rusqlite::Params) -> Result<(), BulkError> {
    let executed = database
        .connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute(values));
    database.check(executed)?;
    Ok(())
}

fn json<V: serde::Serialize>(
    database: &Database,
    value: Option<&V>,
) -> Result<Option<String>, BulkError> {
    let json = value.map(serde_json::to_string).transpose();
    json.map_err(|e| BulkError::file(database.path(), "written", e.into()))
}
