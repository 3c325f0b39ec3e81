//! What placeholders stand for: learned from requests, put back into answers.

use std::collections::HashMap;

use bytes::Bytes;
use serde_json::Value;
use url::form_urlencoded;

use super::{
    compare::split,
    line::{Body, Sent},
    redact::{is_form, is_placeholder},
};

/// Values by their placeholders.
pub(super) type Values = HashMap<String, Value>;

/// Notes what the placeholders of a recorded request stand for in the one that was sent.
pub(super) fn learn(recorded: &Sent, sent: &Sent, values: &mut Values) {
    learn_pairs(split(&recorded.uri).1, split(&sent.uri).1, values);
    let (Body::Text(text), Body::Text(sent_text)) = (&recorded.body, &sent.body) else {
        return;
    };
    if is_form(&recorded.headers) {
        learn_pairs(text, sent_text, values);
    } else if let (Ok(value), Ok(sent_value)) =
        (serde_json::from_str(text), serde_json::from_str(sent_text))
    {
        learn_json(&value, sent_value, values);
    }
}

fn learn_pairs(recorded: &str, sent: &str, values: &mut Values) {
    let recorded = form_urlencoded::parse(recorded.as_bytes());
    for ((_, value), (_, sent)) in recorded.zip(form_urlencoded::parse(sent.as_bytes())) {
        if is_placeholder(&value) {
            values.insert(value.into_owned(), sent.into_owned().into());
        }
    }
}

fn learn_json(recorded: &Value, sent: Value, values: &mut Values) {
    match (recorded, sent) {
        (Value::String(text), sent) if is_placeholder(text) => {
            values.insert(text.clone(), sent);
        }
        (Value::Array(items), Value::Array(sent)) => {
            for (item, sent) in items.iter().zip(sent) {
                learn_json(item, sent, values);
            }
        }
        (Value::Object(members), Value::Object(mut sent)) => {
            for (name, value) in members {
                if let Some(sent) = sent.remove(name) {
                    learn_json(value, sent, values);
                }
            }
        }
        _ => {}
    }
}

/// The body of an answer with the values that its placeholders stand for, if there are any.
pub(super) fn put_back(body: &[u8], values: &Values) -> Option<Bytes> {
    let mut json = serde_json::from_slice(body).ok()?;
    put_back_json(&mut json, values).then(|| json.to_string().into())
}

fn put_back_json(json: &mut Value, values: &Values) -> bool {
    match json {
        Value::String(text) => match values.get(text) {
            Some(value) => {
                *json = value.clone();
                true
            }
            None => false,
        },
        // All of them, though one is enough for the result to be true.
        Value::Array(items) => {
            items.iter_mut().fold(false, |any, item| put_back_json(item, values) | any)
        }
        Value::Object(members) => {
            members.values_mut().fold(false, |any, value| put_back_json(value, values) | any)
        }
        _ => false,
    }
}
