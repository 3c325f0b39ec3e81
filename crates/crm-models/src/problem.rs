//! Error bodies, read as problem details (RFC 9457) as far as they go.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::text::one_line;

/// The body of an answer that is no success: `ApiErrorResponse`, the gateway's forms, the form
/// of OAuth 2.0, HTML, text or nothing. Reading it never fails, and blank texts are none.
/// [`Debug`] shows of `data` the names alone: its values may be personal data, and of any length.
///
/// ```
/// use crm_models::Problem;
///
/// let problem = Problem::read(400, br#"{"title": "Bad value", "traceId": "00-5c-00",
///     "errors": {"value": ["Too long"]}}"#);
/// assert_eq!(problem.to_string(), "Bad value; value: Too long (trace id 00-5c-00)");
///
/// let gateway = Problem::read(404, br#"{"statusCode": 404, "message": "No such route"}"#);
/// assert_eq!(gateway.title.as_deref(), Some("No such route"));
/// let gateway = Problem::read(403, br#"{"error": {"code": "Denied", "message": "No key"}}"#);
/// assert_eq!(gateway.title.as_deref(), Some("No key"));
///
/// let html = Problem::read(503, b"<html><title>Down</title></html>");
/// assert_eq!(html.to_string(), "no details; the body is HTML");
/// let text = Problem::read(504, b"upstream request timeout");
/// assert_eq!(text.to_string(), "upstream request timeout");
/// ```
#[derive(Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Problem {
    /// A URI that names the kind of problem.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub problem_type: Option<String>,
    /// The one useful sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// More about this very case. The API's own answers have none; of a plain text, as a
    /// proxy's, or a text or list of JSON it is the words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The HTTP status.
    pub status: u16,
    /// The vendor's trace id; support asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Details per member; of no member in particular under an empty name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, Vec<String>>,
    /// Details for programs.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub data: Map<String, Value>,
    /// What the body was.
    #[serde(skip)]
    pub form: BodyForm,
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum BodyForm {
    /// A JSON object.
    #[default]
    Object,
    /// Nothing.
    Empty,
    /// A page of HTML.
    Html,
    /// Anything else.
    Other,
}

/// The longest text that is kept of one member, in characters.
const LONGEST: usize = 500;

impl Problem {
    /// Reads an error body of any form.
    #[must_use]
    pub fn read(status: u16, body: &[u8]) -> Self {
        let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
        let wire: Option<Map<String, Value>> = serde_json::from_slice(body).ok();
        let Some(mut wire) = wire else {
            let form = match BodyForm::of(body) {
                // It only begins like one.
                BodyForm::Object => BodyForm::Other,
                form => form,
            };
            return Self {
                detail: words_of(body).filter(|_| form == BodyForm::Other),
                status,
                form,
                ..Self::default()
            };
        };
        let title = text_of(&wire, &["title", "message", "error_description", "error"])
            .or_else(|| text_of(wire.get("error")?.as_object()?, &["message", "code"]));
        let errors = match wire.remove("errors") {
            Some(Value::Object(errors)) => errors
                .into_iter()
                .map(|(member, reasons)| (one_line(&member, LONGEST), reasons_of(reasons)))
                .collect(),
            Some(reasons @ (Value::Array(_) | Value::String(_))) => Some(reasons_of(reasons))
                .filter(|reasons| !reasons.is_empty())
                .map(|reasons| (String::new(), reasons))
                .into_iter()
                .collect(),
            _ => BTreeMap::new(),
        };
        let data = match wire.remove("data") {
            Some(Value::Object(data)) => data,
            _ => Map::new(),
        };
        Self {
            problem_type: text_of(&wire, &["type"]),
            title,
            detail: text_of(&wire, &["detail"]),
            status,
            trace_id: text_of(&wire, &["traceId"]),
            errors,
            data,
            form: BodyForm::Object,
        }
    }

    /// Whether a conflict is a service that is down for maintenance: then it passes.
    #[must_use]
    pub fn speaks_of_maintenance(&self) -> bool {
        let title = self.title.as_deref().unwrap_or_default().to_lowercase();
        ["maintenance", "try again later", "try later"]
            .iter()
            .any(|words| title.contains(words))
    }

    /// Whether a 404 is the gateway's, which matched no operation, rather than a record that
    /// does not exist.
    #[must_use]
    pub fn is_no_route(&self) -> bool {
        let title = self.title.as_deref().unwrap_or_default().to_lowercase();
        self.status == 404 && title.contains("match") && title.contains("operation")
    }
}

impl BodyForm {
    /// What a body is by its first character.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        match body.trim_ascii_start().first() {
            None => Self::Empty,
            Some(b'<') => Self::Html,
            Some(b'{') => Self::Object,
            Some(_) => Self::Other,
        }
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problem")
            .field("problem_type", &self.problem_type)
            .field("title", &self.title)
            .field("detail", &self.detail)
            .field("status", &self.status)
            .field("trace_id", &self.trace_id)
            .field("errors", &self.errors)
            .field("data", &self.data.keys().collect::<Vec<_>>())
            .field("form", &self.form)
            .finish()
    }
}

impl std::error::Error for Problem {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.title, &self.detail, self.form) {
            (Some(title), Some(detail), _) => write!(f, "{title}; {detail}")?,
            (Some(text), None, _) | (None, Some(text), _) => f.write_str(text)?,
            (None, None, BodyForm::Object) => f.write_str("no details")?,
            (None, None, BodyForm::Empty) => f.write_str("no details; the body is empty")?,
            (None, None, BodyForm::Html) => f.write_str("no details; the body is HTML")?,
            (None, None, BodyForm::Other) => {
                f.write_str("no details; the body is no JSON object")?
            }
        }
        for (member, reasons) in &self.errors {
            let reasons = reasons.join(", ");
            match (member.as_str(), reasons.as_str()) {
                (_, "") => {}
                ("", reasons) => write!(f, "; {reasons}")?,
                (member, reasons) => write!(f, "; {member}: {reasons}")?,
            }
        }
        match &self.trace_id {
            Some(trace_id) => write!(f, " (trace id {trace_id})"),
            None => Ok(()),
        }
    }
}

/// The first of these members that is a text and not blank.
fn text_of(members: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names
        .iter()
        .find_map(|name| shown(members.get(*name)?.as_str()?))
}

/// A text on one line, unless it is blank.
fn shown(text: &str) -> Option<String> {
    let text = one_line(text, LONGEST);
    (!text.trim().is_empty()).then_some(text)
}

/// What a body that is no object says: a text as it is, or the texts of a list. Of an object in a
/// list, and of broken JSON, nobody knows what is `data`.
fn words_of(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?.trim();
    match serde_json::from_str(text) {
        Ok(Value::String(words)) => shown(&words),
        Ok(Value::Array(list)) => {
            let texts = list.iter().filter_map(Value::as_str).filter_map(shown);
            shown(&texts.collect::<Vec<_>>().join(", "))
        }
        Ok(_) => None,
        Err(_) if text.starts_with(['{', '[']) => None,
        Err(_) => shown(text),
    }
}

/// The reasons of one member: a list, a single one, or none.
fn reasons_of(reasons: Value) -> Vec<String> {
    match reasons {
        Value::Array(reasons) => reasons.into_iter().flat_map(reasons_of).collect(),
        Value::String(reason) => shown(&reason).into_iter().collect(),
        Value::Null => Vec::new(),
        other => vec![one_line(&other.to_string(), LONGEST)],
    }
}
