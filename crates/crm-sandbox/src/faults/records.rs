//! Faults that answer with other records than those that were asked for.

use serde_json::Value;

use super::fault::Fault;
use crate::{
    operation::{Call, Operation, Reply},
    problem::Problem,
    query::Query,
    routes::{self, exports},
};

/// Runs an operation, with another answer where the fault says so.
pub(crate) fn run(
    fault: Option<&Fault>,
    operation: &Operation,
    call: &Call<'_>,
) -> Result<Reply, Problem> {
    match fault {
        Some(Fault::OldRecord) => old_record(operation, call),
        Some(Fault::OtherRecord) => other_record(operation, call),
        Some(Fault::SamePage) => same_page(operation, call),
        Some(Fault::EmptyBatch) => operation.run(call).and_then(|_| exports::empty_batch(call)),
        _ => operation.run(call),
    }
}

fn old_record(operation: &Operation, call: &Call<'_>) -> Result<Reply, Problem> {
    let before = records(operation, call);
    operation.run(call)?;
    let own = call.path.last().map_or("", |(_, id)| id);
    let old = before.iter().find(|record| is_keyed(record, own));
    Reply::json(old.ok_or_else(|| lacking("the record in its list"))?)
}

fn other_record(operation: &Operation, call: &Call<'_>) -> Result<Reply, Problem> {
    let answer = operation.run(call)?;
    let created = match &answer {
        Reply::Json(body) if !operation.path.ends_with('}') => serde_json::from_slice(body).ok(),
        _ => None,
    };
    let own = match &created {
        Some(record) => key(record).unwrap_or_default(),
        None => call.path.last().map_or("", |(_, id)| id).to_owned(),
    };
    let records = records(operation, call);
    let other = records.iter().find(|record| !is_keyed(record, &own));
    Reply::json(other.ok_or_else(|| lacking("another record in the list"))?)
}

fn same_page(operation: &Operation, call: &Call<'_>) -> Result<Reply, Problem> {
    let query = call.query.without("page");
    let answer = operation.run(&Call { query: &query, ..*call })?;
    Ok(match answer {
        Reply::Json(body) => Reply::Json(with_more(body)),
        Reply::Empty => Reply::Empty,
    })
}

/// Returns a page that claims to have more; any other body is returned unchanged.
fn with_more(body: Vec<u8>) -> Vec<u8> {
    match serde_json::from_slice::<Value>(&body) {
        Ok(mut page) if page.get("page").is_some() => {
            page["hasMore"] = true.into();
            page.to_string().into_bytes()
        }
        _ => body,
    }
}

/// Returns the records of the list to which the record of an operation belongs.
fn records(operation: &Operation, call: &Call<'_>) -> Vec<Value> {
    let list = match operation.path.rsplit_once("/{") {
        Some((list, last)) if !last.contains('/') => list,
        _ => operation.path,
    };
    let all = routes::operations();
    let list = all.iter().find(|other| other.path == list && !other.writes());
    let largest = Query::of("pageSize", "5000");
    let answer = list.and_then(|list| {
        let call = Call { query: &largest, ..*call };
        list.run(&call).ok()
    });
    let Some(Reply::Json(body)) = answer else {
        return Vec::new();
    };
    match serde_json::from_slice(&body) {
        Ok(Value::Array(records)) => records,
        Ok(Value::Object(mut page)) => match page.remove("data") {
            Some(Value::Array(records)) => records,
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Returns what distinguishes a record from others of its list: its id, or a preference's name.
fn key(record: &Value) -> Option<String> {
    match record.get("id").or_else(|| record.get("name"))? {
        Value::String(text) => Some(text.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// Says whether a record has this key. GUIDs are written in any letter case.
fn is_keyed(record: &Value, own: &str) -> bool {
    key(record).is_some_and(|key| key.eq_ignore_ascii_case(own))
}

/// Answers 500 for a fault that cannot happen: a test must not pass because its fault never came.
fn lacking(what: &str) -> Problem {
    let title = format!("The injected fault needs {what}, and there is none");
    Problem::new(http::StatusCode::INTERNAL_SERVER_ERROR, title)
}
