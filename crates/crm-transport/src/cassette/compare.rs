//! Whether a request is the recorded one.

use serde_json::{Number, Value};
use url::form_urlencoded;

use super::{
    line::{Body, Sent},
    redact::{is_form, is_placeholder},
};

/// Returns the part in which a request differs from the recorded one.
pub(super) fn difference(recorded: &Sent, sent: &Sent) -> Option<&'static str> {
    target_differs(recorded, sent).or_else(|| {
        if !same_headers(recorded, sent) {
            Some("header")
        } else if !same_body(recorded, sent) {
            Some("body")
        } else {
            None
        }
    })
}

pub(super) fn target_differs(recorded: &Sent, sent: &Sent) -> Option<&'static str> {
    let (recorded_path, recorded_query) = split(&recorded.uri);
    let (path, query) = split(&sent.uri);
    if recorded.method != sent.method {
        Some("method")
    } else if recorded_path != path {
        Some("path")
    } else if !same_pairs(recorded_query, query) {
        Some("query")
    } else {
        None
    }
}

/// Path and query.
pub(super) fn split(uri: &str) -> (&str, &str) {
    uri.split_once('?').unwrap_or((uri, ""))
}

fn same_headers(recorded: &Sent, sent: &Sent) -> bool {
    let pairs = recorded.headers.iter().zip(&sent.headers);
    recorded.headers.len() == sent.headers.len()
        && pairs.into_iter().all(|((name, value), (sent_name, sent_value))| {
            name == sent_name && (value == sent_value || is_any(value))
        })
}

fn same_body(recorded: &Sent, sent: &Sent) -> bool {
    if recorded.body == sent.body || is_any(&recorded.body) {
        return true;
    }
    let (Body::Text(text), Body::Text(sent_text)) = (&recorded.body, &sent.body) else {
        return false;
    };
    if is_form(&recorded.headers) {
        return same_pairs(text, sent_text);
    }
    match (serde_json::from_str(text), serde_json::from_str(sent_text)) {
        (Ok(value), Ok(sent_value)) => same_json(&value, &sent_value),
        _ => false,
    }
}

/// Whether forms or queries agree.
fn same_pairs(recorded: &str, sent: &str) -> bool {
    let recorded: Vec<_> = form_urlencoded::parse(recorded.as_bytes()).collect();
    let sent: Vec<_> = form_urlencoded::parse(sent.as_bytes()).collect();
    let mut pairs = recorded.iter().zip(&sent);
    recorded.len() == sent.len()
        && pairs.all(|((name, value), (sent_name, sent_value))| {
            name == sent_name && (value == sent_value || is_placeholder(value))
        })
}

fn same_json(recorded: &Value, sent: &Value) -> bool {
    match (recorded, sent) {
        (Value::String(text), Value::String(_) | Value::Number(_)) if is_placeholder(text) => true,
        (Value::Array(items), Value::Array(sent)) => {
            items.len() == sent.len() && items.iter().zip(sent).all(|(a, b)| same_json(a, b))
        }
        (Value::Object(members), Value::Object(sent)) => {
            let same = |(name, value)| sent.get(name).is_some_and(|sent| same_json(value, sent));
            members.len() == sent.len() && members.iter().all(same)
        }
        (Value::Number(number), Value::Number(sent)) => same_number(number, sent),
        _ => recorded == sent,
    }
}

/// Whether these are the same number: one that is not an integer of 64 bits may lose its last digit
/// when a line is written and read.
fn same_number(recorded: &Number, sent: &Number) -> bool {
    let near = |(recorded, sent): (f64, f64)| (recorded - sent).abs() <= recorded.abs() * 1e-12;
    let is_rounded = recorded.is_f64() && sent.is_f64();
    recorded == sent || is_rounded && recorded.as_f64().zip(sent.as_f64()).is_some_and(near)
}

/// Whether this stands for any value.
fn is_any(body: &Body) -> bool {
    matches!(body, Body::Text(text) if is_placeholder(text))
}
