//! What the file is told about a change, and what it is asked.

use crm_models::ContactId;
use rusqlite::{params, types::Value};

use super::step::{self, Loaded};
use crate::{
    Action, BulkError, Change, Outcome, Target,
    database::Database,
    present::OWNERS_PER_CALL,
    set::columns::{self, contact_column, owner_column},
};

/// Where in the order of owners the next block begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cursor {
    kind: &'static str,
    owner: Value,
    /// The last change of this owner that was taken; its creations come first.
    change: i64,
}

impl Cursor {
    /// Before the first owner.
    pub(super) const BEGINNING: Self = Self {
        kind: "",
        owner: Value::Null,
        change: 0,
    };

    fn at(target: &Target) -> Self {
        Self {
            kind: target.kind(),
            owner: owner_column(target),
            change: 0,
        }
    }
}

/// Which changes are taken up.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which {
    /// Those that are not settled.
    Open,
    /// Those, and the ones that failed.
    OpenAndFailed,
}

impl Which {
    /// As a condition on a change. A failed one that asks for nothing is a reversal that is not
    /// possible: there is nothing to repeat.
    fn condition(self) -> &'static str {
        match self {
            Self::Open => "state IN ('planned', 'in-flight', 'unknown')",
            Self::OpenAndFailed => {
                r#"(state IN ('planned', 'in-flight', 'unknown') OR (state = 'failed'
                    AND coalesce(wanted, '') NOT IN ('{}', '{"exact":true}')))"#
            }
        }
    }
}

/// How many changes there are to take up.
pub(super) fn count(database: &Database, which: Which) -> Result<u64, BulkError> {
    let sql = format!("SELECT count(*) FROM changes WHERE {}", which.condition());
    let count = database.connection.query_row(&sql, [], |row| row.get(0));
    database.check(count)
}

/// How many changes are in memory at a time, about.
const CHANGES_PER_BLOCK: usize = 200;

/// The next changes in the order of their owners, and where to go on; none at the end.
///
/// At most so many owners as one call reads, and about so many changes. The creations of one
/// owner stay together, so that one reading decides on all of them: which contact belongs to
/// which creation is clear only then.
pub(super) fn next_block(
    database: &Database,
    after: &Cursor,
    which: Which,
) -> Result<(Vec<Loaded>, Cursor), BulkError> {
    let sql = format!(
        "SELECT {}, siblings FROM changes
         WHERE (owner_kind, owner_id) >= (?1, ?2)
           AND ((owner_kind, owner_id) > (?1, ?2) OR (action <> 'create' AND id > ?3))
           AND {}
         ORDER BY owner_kind, owner_id, action <> 'create', id",
        columns::COLUMNS,
        which.condition()
    );
    let mut query = database.check(database.connection.prepare_cached(&sql))?;
    let rows = query.query(params![after.kind, after.owner, after.change]);
    let mut rows = database.check(rows)?;
    let mut block = Vec::<Loaded>::new();
    let (mut cursor, mut owners) = (after.clone(), 0);
    while let Some(row) = database.check(rows.next())? {
        let change = database.check(columns::read(row))?;
        let creates = matches!(change.action, Action::Create(_));
        let last = block.last().map(|loaded| Cursor::at(&loaded.change.target));
        let mut here = Cursor::at(&change.target);
        let another = last.as_ref() != Some(&here);
        let full = block.len() >= CHANGES_PER_BLOCK && (another || !creates);
        if full || (another && owners == OWNERS_PER_CALL) {
            break;
        }
        owners += usize::from(another);
        if !creates {
            here.change = change.id.0;
        }
        cursor = here;
        let siblings: Option<String> = database.check(row.get("siblings"))?;
        let mut not_ours = named_by_others(database, &change)?;
        not_ours.extend(ids(siblings.as_deref()));
        block.push(Loaded { change, not_ours });
    }
    Ok((block, cursor))
}

/// The contacts that other changes created, or are about, on the owner of a creation that may
/// have been sent, or that restores what was deleted.
fn named_by_others(database: &Database, change: &Change) -> Result<Vec<ContactId>, BulkError> {
    match &change.action {
        Action::Create(wanted) if wanted.exact || step::may_be_sent(change) => {}
        _ => return Ok(Vec::new()),
    }
    let query = || -> rusqlite::Result<Vec<i64>> {
        database
            .connection
            .prepare_cached(
                "SELECT contact_id FROM changes WHERE owner_kind = ? AND owner_id = ?
                 AND contact_id IS NOT NULL AND id <> ?",
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
    let named = database.check(query())?;
    Ok(named
        .into_iter()
        .filter_map(|id| ContactId::new(id).ok())
        .collect())
}

fn ids(json: Option<&str>) -> Vec<ContactId> {
    json.and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default()
}

/// Marks a change as sent, with the record as it is just before, and what is known of earlier
/// requests.
pub(super) fn claim(
    database: &Database,
    change: &Change,
    siblings: Option<&[ContactId]>,
) -> Result<(), BulkError> {
    let before = json(database, change.before.as_ref())?;
    let after = json(database, change.after.as_ref())?;
    let siblings = json(database, siblings.as_ref())?;
    execute(
        database,
        "UPDATE changes SET state = 'in-flight', attempts = ?, at = ?, contact_id = ?,
             siblings = coalesce(?, siblings), before = coalesce(?, before),
             after = coalesce(?, after), message = NULL, field_errors = NULL, trace_id = NULL,
             http_status = NULL
         WHERE id = ?",
        params![
            change.outcome.attempts,
            change.outcome.at.map(|at| at.to_string()),
            contact_column(&change.target),
            siblings,
            before,
            after,
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
