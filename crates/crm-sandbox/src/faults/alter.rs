//! Faults that change the body of an answer and nothing else.

use axum::body::{Body, to_bytes};
use http::Response;
use serde_json::{Map, Value};

/// Puts a byte order mark before a body.
pub(super) async fn mark(response: Response<Body>) -> Response<Body> {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let body = [b"\xEF\xBB\xBF", &body[..]].concat();
    Response::from_parts(parts, Body::from(body))
}

/// Applies a merge patch to a body that is a JSON object, and says whether it is one.
pub(super) async fn merge(
    response: Response<Body>,
    patch: &Map<String, Value>,
) -> (Response<Body>, bool) {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    match serde_json::from_slice(&body) {
        Ok(Value::Object(mut answer)) => {
            apply(patch, &mut answer);
            let body = Value::Object(answer).to_string();
            (Response::from_parts(parts, Body::from(body)), true)
        }
        _ => (Response::from_parts(parts, Body::from(body)), false),
    }
}

/// Applies a JSON merge patch (RFC 7396).
fn apply(patch: &Map<String, Value>, to: &mut Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null => {
                to.remove(name);
            }
            Value::Object(patch) => {
                let mut inner = match to.remove(name) {
                    Some(Value::Object(inner)) => inner,
                    _ => Map::new(),
                };
                apply(patch, &mut inner);
                to.insert(name.clone(), Value::Object(inner));
            }
            value => {
                to.insert(name.clone(), value.clone());
            }
        }
    }
}
