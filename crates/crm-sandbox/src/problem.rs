//! Refusals in the API's problem form (RFC 9457 with `traceId`, `errors` and
//! `data`, sent as `application/json`).

use std::collections::BTreeMap;

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::settings::{ErrorKeys, GatewayErrors, Settings};

/// What the API answers when it refuses.
// It is an answer and not an error of the program, so it does not implement `Error`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ApiErrorResponse)]
pub(crate) struct Problem {
    r#type: &'static str,
    title: String,
    status: u16,
    pub(crate) trace_id: String,
    pub(crate) errors: BTreeMap<String, Vec<String>>,
    /// Details for programs: the sandbox itself has none to give. Boxed, because problems are the
    /// errors of nearly every function.
    #[schema(value_type = std::collections::HashMap<String, Object>)]
    pub(crate) data: Box<Map<String, Value>>,
    #[serde(skip)]
    #[schema(ignore)]
    pub(crate) retry_after: Option<u32>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, title: impl Into<String>) -> Self {
        Self {
            r#type: problem_type(status),
            title: title.into(),
            status: status.as_u16(),
            trace_id: trace_id(),
            errors: BTreeMap::new(),
            data: Box::default(),
            retry_after: None,
        }
    }

    /// Refuses one field, named as the API names it, with 400.
    pub(crate) fn field(name: &str, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::refused(name, &reason).with_error(name, reason)
    }

    /// Refuses an id in the path with 400. The API files every such id under `id`.
    pub(crate) fn path_id(name: &str, what: &str) -> Self {
        let reason = format!("it is not {what}");
        Self::refused(name, &reason).with_error("id", reason)
    }

    fn refused(name: &str, reason: &str) -> Self {
        Self::bad_request(format!("The value of '{name}' was refused: {reason}"))
    }

    /// Refuses a request with 400, for no field in particular.
    pub(crate) fn bad_request(title: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, title)
    }

    /// Refuses a request with 401: its access token is not valid.
    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "The access token is missing or no longer valid")
    }

    /// Answers 404 for a record that does not exist.
    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        let what = what.into();
        Self::new(StatusCode::NOT_FOUND, what.clone()).with_error("id", what)
    }

    /// Answers the 404 of the gateway: no operation has this method and path.
    pub(crate) fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Unable to match the request to an operation")
    }

    /// Refuses a request with 409.
    pub(crate) fn conflict(title: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, title)
    }

    /// Refuses a request with 429. The service says how long to wait in the title, in the integer
    /// before the last word.
    pub(crate) fn too_many_requests(seconds: u32, wait_in_title: bool, retry_after: bool) -> Self {
        let title = if wait_in_title {
            format!("Rate limit is exceeded. Try again in {seconds} seconds.")
        } else {
            "Rate limit is exceeded. Try again later.".to_owned()
        };
        Self {
            retry_after: retry_after.then_some(seconds),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, title)
        }
    }

    pub(crate) fn with_error(mut self, field: &str, reason: impl Into<String>) -> Self {
        self.errors.entry(field.to_owned()).or_default().push(reason.into());
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Returns the answer on the wire. The gateway makes some refusals itself and may write them in
    /// its own form.
    pub(crate) fn into_response(mut self, settings: &Settings) -> Response<Body> {
        let no_route = self.status == 404 && self.errors.is_empty();
        let by_gateway = no_route || matches!(self.status, 401 | 429);
        self.errors = rekeyed(self.errors, settings.error_keys);
        let body = match settings.gateway_errors {
            GatewayErrors::Gateway if by_gateway => {
                serde_json::to_vec(&GatewayError { status_code: self.status, message: &self.title })
            }
            _ => serde_json::to_vec(&self),
        }
        .unwrap_or_default();
        let mut response = json(self.status(), body);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Returns the reasons of a problem under the keys that the setting asks for.
fn rekeyed(
    errors: BTreeMap<String, Vec<String>>,
    keys: ErrorKeys,
) -> BTreeMap<String, Vec<String>> {
    let key = |(position, member): (usize, &str)| match keys {
        ErrorKeys::Member => member.to_owned(),
        ErrorKeys::Path => format!("$.{member}"),
        ErrorKeys::PascalCase => pascal_case(member),
        ErrorKeys::Position => position.to_string(),
    };
    let errors = errors.into_iter().enumerate();
    errors.map(|(position, (member, reasons))| (key((position, &member)), reasons)).collect()
}

fn pascal_case(path: &str) -> String {
    let mut starts = true;
    let letters = path.chars().map(|letter| {
        let shown = if starts { letter.to_ascii_uppercase() } else { letter };
        starts = letter == '.';
        shown
    });
    letters.collect()
}

/// A failure of the database is answered 500.
impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("The sandbox's database failed: {error}"),
        )
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GatewayError<'a> {
    status_code: u16,
    message: &'a str,
}

/// Returns an answer with a JSON body.
pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    typed(status, HeaderValue::from_static("application/json"), body)
}

/// Returns an answer that is a page for people.
pub(crate) fn html(status: StatusCode, page: String) -> Response<Body> {
    typed(status, HeaderValue::from_static("text/html; charset=utf-8"), page)
}

/// Returns an answer with a body of this media type.
pub(crate) fn typed(
    status: StatusCode,
    media_type: HeaderValue,
    body: impl Into<Body>,
) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    response
}

fn problem_type(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.1",
        401 => "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2",
        403 => "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.4",
        404 => "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.5",
        409 => "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.10",
        421 => "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.20",
        429 => "https://www.rfc-editor.org/rfc/rfc6585#section-4",
        500 => "https://www.rfc-editor.org/rfc/rfc9110#section-15.6.1",
        _ => "about:blank",
    }
}

/// Returns a trace id in the form of W3C Trace Context.
fn trace_id() -> String {
    let parent = Uuid::new_v4().as_u64_pair().0;
    format!("00-{}-{parent:016x}-00", Uuid::new_v4().simple())
}
