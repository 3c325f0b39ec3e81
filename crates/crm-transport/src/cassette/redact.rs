//! What a cassette does not show.

use std::collections::HashMap;

use http::header;
use serde_json::Value;
use url::form_urlencoded;

use super::line::{Body, Headers, Interaction, Recorded};
use crate::problem;

/// The longest wait in seconds that is kept in the title of a 429: a larger number may be something
/// else, such as a telephone number.
const LONGEST_WAIT: u64 = 60 * 60;

/// What a recorder replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Redaction {
    /// Secrets (authorization, app key, cookies, tokens, client id and secret) and personal
    /// data (names, phone numbers, e-mail addresses, memos, postal addresses, external ids),
    /// found by the names of headers, of members at any depth of a JSON body, and of form and
    /// query parameters. A body that is neither JSON nor a form is left out. The same value
    /// has the same placeholder in the whole cassette.
    ///
    /// Everything else is kept: ids in paths, dates, types. Of problems, whose texts may quote a
    /// value, only what decides over repeats is kept: the seconds that a 429 asks for, whether a
    /// 409 speaks of maintenance, a code of one word, and whether a 404 is the gateway's.
    #[default]
    Replace,
    /// Replaces nothing: the file holds everything that was sent and answered, secrets included.
    /// Treat it as a secret.
    Keep,
}

/// The beginning of each placeholder; a number follows.
const PLACEHOLDER: &str = "redacted-";

/// The names of members and parameters, in lower case.
const NAMES: &[&str] = &[
    "access_token",
    "address",
    "city",
    "client_id",
    "client_secret",
    "detail",
    "email",
    "error",
    "error_description",
    "errors",
    "firstname",
    "id_token",
    "lastname",
    "memo",
    "message",
    "name",
    "phone",
    "phonenumber",
    "refresh_token",
    "referenceid",
    "servicetitanapplicationkey",
    "street",
    "title",
    "unit",
    "value",
    "zip",
];

/// Replaces what the gateway says, in words of its own, about a path that it does not know.
const NO_ROUTE: &str = "Unable to match the request to an operation";

/// Replaces what a service says while it is down for a while.
const MAINTENANCE: &str = "Down for maintenance";

const HEADERS: &[&str] =
    &["authorization", "cookie", "proxy-authorization", "set-cookie", "st-app-key"];

/// Replaces values, the same one always by the same placeholder.
#[derive(Default)]
pub(super) struct Redactor {
    placeholders: HashMap<String, String>,
}

impl Redactor {
    pub(super) fn redact(&mut self, interaction: &mut Interaction) {
        let request = &mut interaction.request;
        if let Some((path, query)) = request.uri.split_once('?') {
            request.uri = format!("{path}?{}", self.form(query));
        }
        self.headers(&mut request.headers);
        let is_form = is_form(&request.headers);
        request.body = self.body(&request.body, is_form, 200);
        if let Recorded::Answer { status, headers, body, .. } = &mut interaction.outcome {
            self.headers(headers);
            *body = self.body(body, false, *status);
        }
    }

    fn headers(&mut self, headers: &mut Headers) {
        for (name, value) in headers {
            if HEADERS.contains(&name.as_str()) {
                let text = String::from_utf8_lossy(value.bytes());
                *value = Body::Text(self.placeholder(&text));
            }
        }
    }

    fn body(&mut self, body: &Body, is_form: bool, status: u16) -> Body {
        let text = match body {
            Body::Text(text) if text.is_empty() => return body.clone(),
            Body::Text(text) if is_form => return Body::Text(self.form(text)),
            Body::Text(text) => text,
            Body::Bytes(bytes) => return left_out(bytes),
        };
        let Ok(value) = serde_json::from_str::<Value>(text) else {
            return left_out(text.as_bytes());
        };
        let mut redacted = value.clone();
        self.unnamed(&mut redacted, status);
        // Unchanged, if there is nothing to hide.
        if redacted == value { body.clone() } else { Body::Text(redacted.to_string()) }
    }

    /// Handles a text alone, or alone in a list: it has no name that says what it is.
    fn unnamed(&mut self, value: &mut Value, status: u16) {
        match value {
            Value::Array(items) => {
                for item in items {
                    self.unnamed(item, status);
                }
            }
            _ => {
                let hide = value.is_string();
                self.json(value, hide, status);
            }
        }
    }

    fn json(&mut self, value: &mut Value, hide: bool, status: u16) {
        match value {
            Value::String(text) if hide => *text = self.placeholder(text),
            Value::Number(number) if hide => {
                *value = self.placeholder(&number.to_string()).into();
            }
            Value::Array(items) => {
                for item in items {
                    self.json(item, hide, status);
                }
            }
            Value::Object(members) => {
                for (name, value) in members {
                    match (name.as_str(), &mut *value) {
                        ("error", Value::String(text)) if is_code(text) => {}
                        (
                            "title" | "message" | "error" | "error_description",
                            Value::String(text),
                        ) if status >= 400 && !hide => *text = self.problem(text, status),
                        // A gateway's form: the problem is the value of this member.
                        ("error", Value::Object(error)) if status >= 400 && !hide => {
                            for (name, value) in error {
                                match value {
                                    Value::String(text) if name == "message" => {
                                        *text = self.problem(text, status);
                                    }
                                    _ => self.json(value, true, status),
                                }
                            }
                        }
                        // The free-form map of a problem.
                        ("data", Value::Object(_)) if status >= 400 => {
                            self.json(value, true, status)
                        }
                        _ => self.json(value, hide || is_sensitive(name), status),
                    }
                }
            }
            _ => {}
        }
    }

    /// The text of a problem, as far as it decides what a program does.
    fn problem(&mut self, text: &str, status: u16) -> String {
        let says = |word| text.to_lowercase().contains(word);
        match status {
            429 => match problem::seconds(text) {
                // A number that has no meaning for the wait may be somebody's.
                Some(seconds) => format!("Wait {} s", seconds.min(LONGEST_WAIT)),
                None => self.placeholder(text),
            },
            409 if problem::speaks_of_maintenance(text) => MAINTENANCE.to_owned(),
            404 if says("match") && says("operation") => NO_ROUTE.to_owned(),
            _ => self.placeholder(text),
        }
    }

    /// Form and query parameters; unchanged, if there is nothing to hide.
    fn form(&mut self, form: &str) -> String {
        let pairs: Vec<_> = form_urlencoded::parse(form.as_bytes()).collect();
        if !pairs.iter().any(|(name, _)| is_sensitive(name)) {
            return form.to_owned();
        }
        let mut redacted = form_urlencoded::Serializer::new(String::new());
        for (name, value) in pairs {
            let value = if is_sensitive(&name) { self.placeholder(&value).into() } else { value };
            redacted.append_pair(&name, &value);
        }
        redacted.finish()
    }

    fn placeholder(&mut self, value: &str) -> String {
        // Flags and blanks reveal nothing; and readers treat a blank text as absent, so it is kept.
        let tells_nothing = value.trim().is_empty() || matches!(value, "true" | "false");
        if tells_nothing || is_placeholder(value) {
            return value.to_owned();
        }
        let number = self.placeholders.len() + 1;
        let placeholder = self.placeholders.entry(value.to_owned());
        let placeholder = placeholder.or_insert_with(|| format!("{PLACEHOLDER}{number}"));
        placeholder.clone()
    }
}

fn left_out(bytes: &[u8]) -> Body {
    // The same form as a placeholder, so that it matches anything.
    Body::Text(format!("{PLACEHOLDER}{}", bytes.len()))
}

/// Whether this is one of OAuth's codes, such as `invalid_client`.
fn is_code(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn is_sensitive(name: &str) -> bool {
    NAMES.contains(&name.to_lowercase().as_str())
}

/// Whether this stands for any value.
pub(super) fn is_placeholder(text: &str) -> bool {
    let number = text.strip_prefix(PLACEHOLDER);
    number.is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Whether the body is a form.
pub(super) fn is_form(headers: &Headers) -> bool {
    let form = b"application/x-www-form-urlencoded";
    headers.iter().any(|(name, value)| {
        name == header::CONTENT_TYPE.as_str() && value.bytes().starts_with(form)
    })
}
