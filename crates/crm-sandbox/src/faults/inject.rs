//! What each fault does to a request and its answer.

use std::time::Duration;

use axum::body::{Body, HttpBody, to_bytes};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::BodyExt;

use super::{
    alter,
    echo::{self, Asked},
    fault::Fault,
    wire::{End, Tampering, Wire},
};
use crate::{
    problem::{Problem, html, json, typed},
    settings::Settings,
    tokens,
};

/// The title of a problem that was injected without one.
const INJECTED: &str = "Something went wrong (injected fault)";

/// The size of the largest body that is read: no request of the API comes near it.
pub(crate) const LARGEST_BODY: usize = 1 << 20;

impl Fault {
    /// Returns how long the finished answer is held back.
    pub(crate) fn hold(&self) -> Option<Duration> {
        match self {
            Self::Delay { milliseconds } => Some(Duration::from_millis(*milliseconds)),
            _ => None,
        }
    }
}

/// The reason why a request's body did not arrive.
#[derive(Debug)]
pub(crate) enum Unread {
    /// A fault broke the connection.
    Reset,
    /// It is too large, or the client broke off.
    Refused,
}

/// Reads a request's body, unless the fault breaks the connection before.
pub(crate) async fn receive(
    fault: Option<&Fault>,
    wire: &Wire,
    mut body: Body,
) -> Result<Bytes, Unread> {
    let resets = match fault {
        Some(Fault::ResetBeforeRequest) => true,
        Some(Fault::ResetDuringRequest) => {
            // What has been read so far is discarded with the connection.
            let _first_piece = body.frame().await;
            true
        }
        _ => false,
    };
    if resets {
        wire.reset();
        return Err(Unread::Reset);
    }
    let bytes = to_bytes(body, LARGEST_BODY).await.map_err(|_| Unread::Refused)?;
    if fault == Some(&Fault::ResetAfterRequest) {
        wire.reset();
        return Err(Unread::Reset);
    }
    Ok(bytes)
}

/// Returns the answer of a fault that takes the place of carrying out a request.
pub(crate) fn instead(
    fault: &Fault,
    operation: &str,
    asked: &Asked<'_>,
    settings: &Settings,
) -> Option<Response<Body>> {
    let problem = match fault {
        Fault::Status { status: status @ (400 | 401) } if operation == "Token" => {
            return Some(tokens::invalid_client(status_of(*status)));
        }
        Fault::Html { status } => return Some(page(status_of(*status))),
        Fault::LateWrite { .. } => return Some(page(StatusCode::GATEWAY_TIMEOUT)),
        Fault::EchoedCredentials { status } => {
            return Some(echo::answer(status_of(*status), operation, asked));
        }
        Fault::Answer { status, body, content_type } => {
            // A plan with an impossible media type is refused.
            let media_type = content_type.as_deref().and_then(|text| text.parse().ok());
            let json = HeaderValue::from_static("application/json");
            return Some(typed(status_of(*status), media_type.unwrap_or(json), body.clone()));
        }
        Fault::Status { status } => Problem::new(status_of(*status), INJECTED),
        Fault::Problem { status, title, errors, data, retry_after } => {
            let mut problem =
                Problem::new(status_of(*status), title.as_deref().unwrap_or(INJECTED));
            problem.errors.clone_from(errors);
            *problem.data = data.clone();
            problem.retry_after = *retry_after;
            problem
        }
        Fault::TooManyRequests { seconds, retry_after } => {
            Problem::too_many_requests(*seconds, settings.wait_in_title, *retry_after)
        }
        Fault::Unauthorized => Problem::unauthorized(),
        Fault::Maintenance => Problem::conflict("Down for maintenance, please try again later"),
        _ => return None,
    };
    Some(problem.into_response(settings))
}

/// Applies a fault to the answer of a request. Returns whether it did: some faults have nothing to
/// change in a refusal.
pub(crate) async fn after(
    fault: &Fault,
    wire: &Wire,
    response: Response<Body>,
) -> (Response<Body>, bool) {
    let success = response.status().is_success();
    match fault {
        Fault::AlteredAnswer { members } if success => alter::merge(response, members).await,
        Fault::AlteredAnswer { .. } => (response, false),
        // What these answer was decided together with the operation.
        Fault::OldRecord
        | Fault::OtherRecord
        | Fault::NotKept
        | Fault::SamePage
        | Fault::EmptyBatch => (response, success),
        _ => (after_any(fault, wire, response).await, true),
    }
}

/// Applies the faults that also affect refusals.
async fn after_any(fault: &Fault, wire: &Wire, response: Response<Body>) -> Response<Body> {
    match fault {
        Fault::ByteOrderMark => return alter::mark(response).await,
        Fault::ResetBeforeAnswer => wire.reset(),
        Fault::ResetDuringAnswer => {
            let body = response.body().size_hint().exact().unwrap_or(0);
            // Within the body if there is one, otherwise within the head, which is longer than 40 bytes:
            // the status line, the date and the length.
            let limit = 40 + usize::try_from(body / 2).unwrap_or(0);
            wire.tamper(Tampering {
                limit: Some(limit),
                end: Some(End::Reset),
                ..Tampering::default()
            });
        }
        Fault::ResetAfterAnswer => {
            wire.tamper(Tampering { end: Some(End::Reset), ..Tampering::default() });
        }
        Fault::Drip { bytes, milliseconds } => {
            let pace = Some((*bytes, Duration::from_millis(*milliseconds)));
            wire.tamper(Tampering { pace, ..Tampering::default() });
        }
        Fault::WrongLength { difference } => {
            let (parts, body) = response.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
            let raw = with_length(&parts, &body, *difference);
            replace(wire, raw);
            return Response::from_parts(parts, Body::empty());
        }
        Fault::Garbage => {
            replace(wire, Bytes::from_static(b"\x16\x03\x01\xff\0 this is not HTTP \xfe\r\n\r\n"))
        }
        Fault::GarbageBody => {
            return json(response.status(), b"{\"id\":1,\"type\":\xff\xfe".to_vec());
        }
        Fault::LostAnswer => return page(StatusCode::GATEWAY_TIMEOUT),
        _ => {}
    }
    response
}

fn replace(wire: &Wire, raw: Bytes) {
    wire.tamper(Tampering {
        replacement: Some(raw),
        end: Some(End::Close),
        ..Tampering::default()
    });
}

/// Returns an answer whose `Content-Length` is wrong, byte by byte.
fn with_length(parts: &http::response::Parts, body: &[u8], difference: i64) -> Bytes {
    let length = i64::try_from(body.len()).unwrap_or(i64::MAX).saturating_add(difference).max(0);
    let mut raw = format!("HTTP/1.1 {}\r\ncontent-length: {length}\r\n", parts.status).into_bytes();
    for (name, value) in &parts.headers {
        raw.extend_from_slice(name.as_str().as_bytes());
        raw.extend_from_slice(b": ");
        raw.extend_from_slice(value.as_bytes());
        raw.extend_from_slice(b"\r\n");
    }
    raw.extend_from_slice(b"\r\n");
    raw.extend_from_slice(body);
    raw.into()
}

fn page(status: StatusCode) -> Response<Body> {
    let page = format!(
        "<!doctype html>\n<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n"
    );
    html(status, page)
}

/// Returns the status of a fault. A plan with an impossible one is refused, so that 500 is never
/// answered for it.
fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
