//! Refusals that repeat the credentials which they refuse.

use std::collections::HashMap;

use axum::body::Body;
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{Response, StatusCode, header, request::Parts};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::problem::{self, Problem};

/// Marks in a text where JSON escapes are to be: a serialiser writes none for letters.
const ESCAPED: &str = "{escaped}";

/// What was asked, for answers that depend on it.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) body: &'a [u8],
}

/// Refuses a request and repeats its credentials in every form.
pub(super) fn answer(status: StatusCode, operation: &str, asked: &Asked<'_>) -> Response<Body> {
    let credentials = credentials(asked);
    let body = match operation {
        "Token" => json!({
            "error": "invalid_client",
            "error_description": format!("refused: {credentials} {ESCAPED}"),
        })
        .to_string(),
        _ => {
            let data: Map<String, Value> = [
                ("percent", percent_encoded(&credentials)),
                ("base64", BASE64_STANDARD.encode(&credentials)),
            ]
            .into_iter()
            .map(|(form, text)| (form.to_owned(), text.into()))
            .collect();
            let mut problem = Problem::new(status, format!("Refused: {credentials}"))
                .with_error("Authorization", ESCAPED);
            problem.trace_id = format!("00-{credentials}-00");
            *problem.data = data;
            serde_json::to_string(&problem).unwrap_or_default()
        }
    };
    let body = body.replace(ESCAPED, &json_escaped(&credentials));
    problem::json(status, body.into_bytes())
}

/// Returns the access token and the app key, or the secret of a token request.
fn credentials(asked: &Asked<'_>) -> String {
    let form: HashMap<String, String> =
        serde_urlencoded::from_bytes(asked.body).unwrap_or_default();
    let header = |name| asked.parts.headers.get(name)?.to_str().ok();
    let texts = [
        header(header::AUTHORIZATION.as_str()),
        header("st-app-key"),
        form.get("client_secret").map(String::as_str),
    ];
    texts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn json_escaped(text: &str) -> String {
    let units = text.encode_utf16();
    units.map(|unit| format!("\\u{unit:04x}")).collect()
}
