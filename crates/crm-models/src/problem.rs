//! Error bodies, read as problem details (RFC 9457) as far as they go.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::text::one_line;

/// The body of an answer that is not a success: `ApiErrorResponse`, the gateway's forms, the form
/// of OAuth 2.0, HTML, text or nothing. Reading it never fails. Blank texts are left out, and the
/// names of members may be in any case. [`Debug`] shows only the names in `data`: its values may be
/// personal data, and of any length.
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
#[derive(Clone, PartialEq, Default, Serialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Problem {
    /// A URI that names the kind of problem.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub problem_type: Option<String>,
    /// The one useful sentence of the API's own answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// More about this case. The API's own answers have none. Of a plain text, like a proxy's, and
    /// of JSON that is a text or a list, it has the words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The HTTP status.
    pub status: u16,
    /// The vendor's trace id, for which support asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The details of each member, under an empty name those of no member in particular.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, Vec<String>>,
    /// Details for programs.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub data: Map<String, Value>,
    /// The form of the body.
    #[serde(skip)]
    pub form: BodyForm,
}

/// The form of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum BodyForm {
    /// A JSON object.
    #[default]
    Object,
    /// No body.
    Empty,
    /// A page of HTML.
    Html,
    /// Anything else.
    Other,
}

/// The longest text that is kept of one member, in characters. What is longer is a page or a dump, of
/// which the beginning says enough in an error of one line.
const LONGEST: usize = 500;

impl Problem {
    /// Reads an error body of any form.
    #[must_use]
    pub fn read(status: u16, body: &[u8]) -> Self {
        Self::read_scrubbed(status, body, |text| text.into())
    }

    /// Reads an error body with every text passed through `scrub` first, since a service may quote
    /// the credentials that it was sent. Texts are scrubbed after JSON's escapes are undone and
    /// before a long one is cut, and so are the names of members.
    ///
    /// ```
    /// use crm_models::Problem;
    ///
    /// let body = br#"{"title": "Refused: t\u006fken-1", "errors": {"token-1": ["Unknown"]}}"#;
    /// let problem = Problem::read_scrubbed(401, body, |text| text.replace("token-1", "[…]").into());
    /// assert_eq!(problem.to_string(), "Refused: […]; […]: Unknown");
    /// ```
    #[must_use]
    pub fn read_scrubbed(
        status: u16,
        body: &[u8],
        scrub: impl for<'a> Fn(&'a str) -> Cow<'a, str>,
    ) -> Self {
        let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
        let form = BodyForm::of(body);
        let text = std::str::from_utf8(body).unwrap_or_default().trim();
        match serde_json::from_slice(body).map(|json| scrubbed(json, &scrub)) {
            Ok(Value::Object(members)) => Self::of_object(status, members),
            Ok(Value::Array(mut list)) if list.len() == 1 && list[0].is_object() => {
                match list.pop() {
                    Some(Value::Object(only)) => Self::of_object(status, only),
                    _ => Self::of_words(status, None, form),
                }
            }
            Ok(json) => Self::of_words(status, words_of(json), form),
            // In broken JSON it is not known which part is `data`.
            Err(_) if form != BodyForm::Other || text.starts_with('[') => {
                Self::of_words(status, None, form)
            }
            Err(_) => Self::of_words(status, shown(&scrub(text)), form),
        }
    }

    fn of_words(status: u16, detail: Option<String>, form: BodyForm) -> Self {
        Self {
            detail,
            status,
            form: match form {
                // It only begins like one.
                BodyForm::Object => BodyForm::Other,
                form => form,
            },
            ..Self::default()
        }
    }

    fn of_object(status: u16, mut members: Map<String, Value>) -> Self {
        let errors = take(&mut members, "errors").map(errors_of);
        let data = match take(&mut members, "data") {
            Some(Value::Object(data)) => data,
            _ => Map::new(),
        };
        Self {
            problem_type: text_of(&members, &["type"]),
            title: message_of(&members),
            detail: text_of(&members, &["detail"]),
            status,
            trace_id: text_of(&members, &["traceId"]),
            errors: errors.unwrap_or_default(),
            data,
            form: BodyForm::Object,
        }
    }

    /// Whether a conflict means that the service is down for maintenance, which passes.
    #[must_use]
    pub fn speaks_of_maintenance(&self) -> bool {
        let title = self.title.as_deref().unwrap_or_default().to_lowercase();
        ["maintenance", "try again later", "try later"].iter().any(|words| title.contains(words))
    }

    /// Whether a 404 is from the gateway, which found no such operation, rather than about a record
    /// that does not exist.
    #[must_use]
    pub fn is_no_route(&self) -> bool {
        let title = self.title.as_deref().unwrap_or_default().to_lowercase();
        self.status == 404 && title.contains("match") && title.contains("operation")
    }
}

impl BodyForm {
    /// Returns the form of a body, by its first character.
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

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.title, &self.detail, self.form) {
            (Some(title), Some(detail), _) => write!(f, "{title}; {detail}")?,
            (Some(text), None, _) | (None, Some(text), _) => f.write_str(text)?,
            (None, None, BodyForm::Object) => f.write_str("no details")?,
            (None, None, BodyForm::Empty) => f.write_str("no details; the body is empty")?,
            (None, None, BodyForm::Html) => f.write_str("no details; the body is HTML")?,
            (None, None, BodyForm::Other) => {
                f.write_str("no details; the body is not a JSON object")?
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

/// The value with every text and every name passed through `scrub`.
fn scrubbed(value: Value, scrub: &impl for<'a> Fn(&'a str) -> Cow<'a, str>) -> Value {
    match value {
        Value::String(text) => Value::String(scrub(&text).into_owned()),
        Value::Array(list) => list.into_iter().map(|it| scrubbed(it, scrub)).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (scrub(&name).into_owned(), scrubbed(value, scrub)))
            .collect(),
        other => other,
    }
}

/// A member by its name, which some servers begin with a capital.
fn find<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let in_any_case = || {
        let mut members = members.iter();
        members.find(|(known, _)| known.eq_ignore_ascii_case(name))
    };
    members.get(name).or_else(|| in_any_case().map(|(_, value)| value))
}

fn take(members: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let known = members.keys().find(|known| known.eq_ignore_ascii_case(name)).cloned()?;
    members.remove(name).or_else(|| members.remove(&known))
}

/// The first of these members that is a text and not blank.
fn text_of(members: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| shown(find(members, name)?.as_str()?))
}

/// The one useful sentence of an object.
fn message_of(members: &Map<String, Value>) -> Option<String> {
    let text = text_of(members, &["title", "message", "error_description", "error"]);
    text.or_else(|| text_of(find(members, "error")?.as_object()?, &["message", "code"]))
}

/// A text on one line, unless it is blank.
fn shown(text: &str) -> Option<String> {
    let text = one_line(text, LONGEST);
    (!text.trim().is_empty()).then_some(text)
}

/// What a body says that is not an object: a text, or the texts of a list.
fn words_of(body: Value) -> Option<String> {
    let texts = match body {
        Value::String(text) => vec![text],
        Value::Array(list) => list
            .iter()
            .filter_map(|item| match item {
                Value::String(text) => shown(text),
                Value::Object(members) => message_of(members),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    shown(&texts.join(", "))
}

/// Details per member: an object by their names, or a list, whose items may name the member.
fn errors_of(errors: Value) -> BTreeMap<String, Vec<String>> {
    let named: Vec<(String, Value)> = match errors {
        Value::Object(errors) => errors.into_iter().collect(),
        Value::Array(errors) => errors
            .into_iter()
            .map(|error| {
                let member = error.as_object().and_then(|error| {
                    text_of(error, &["field", "member", "property", "propertyName", "path"])
                });
                (member.unwrap_or_default(), error)
            })
            .collect(),
        text => vec![(String::new(), text)],
    };
    let mut by_member = BTreeMap::<_, Vec<_>>::new();
    for (member, reasons) in named {
        let reasons = reasons_of(reasons);
        if !(member.is_empty() && reasons.is_empty()) {
            let member = one_line(&member, LONGEST);
            by_member.entry(member).or_default().extend(reasons);
        }
    }
    by_member
}

/// The reasons of one member: a list, a single one, one that is an object with a message, or none.
fn reasons_of(reasons: Value) -> Vec<String> {
    match reasons {
        Value::Array(reasons) => reasons.into_iter().flat_map(reasons_of).collect(),
        Value::String(reason) => shown(&reason).into_iter().collect(),
        Value::Null => Vec::new(),
        Value::Object(reason) => match message_of(&reason) {
            Some(message) => vec![message],
            None => vec![one_line(&Value::Object(reason).to_string(), LONGEST)],
        },
        other => vec![one_line(&other.to_string(), LONGEST)],
    }
}
