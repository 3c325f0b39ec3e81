//! The token endpoint: `POST /connect/token` (RFC 6749, section 4.4).

use std::time::Duration;

use http::{HeaderValue, Method, Uri, header};
use serde::{Deserialize, de::IgnoredAny};
use tokio::time::Instant;

use super::{
    failure::{NoToken, TokenFailure},
    token::{Token, TokenAnswer},
};
use crate::{
    call::{Call, Effect},
    credentials::Credentials,
    error::TransportErrorKind as Kind,
    measure,
    message::{Request, Response},
    problem,
    retry_after::retry_after,
    transport::Transport,
};

/// The path at which tokens are asked for, on the auth host.
const TOKEN_PATH: &str = "/connect/token";

/// The codes that say why the endpoint refused (RFC 6749, section 5.2). No other part of an answer
/// is shown, for it may repeat the request.
const CODES: [&str; 6] = [
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
];

/// The codes of a temporary refusal: RFC 6749, section 4.1.2.1; many endpoints use them here too.
const PASSING_CODES: [&str; 2] = ["server_error", "temporarily_unavailable"];

/// The body of a refusal, RFC 6749, section 5.2.
#[derive(Deserialize)]
struct TokenRefusal {
    error: String,
}

/// Asks for a token.
pub(super) async fn ask(
    endpoint: &dyn Transport,
    credentials: &Credentials,
) -> Result<(Token, TokenAnswer), NoToken> {
    let asked_at = Instant::now();
    let result = endpoint.send(token_request(credentials)).await;
    measure::token_request(&result);
    let answer = result.map_err(|error| {
        let error = error.scrubbed(&credentials.secrets());
        match (error.kind(), error.get_ref()) {
            // The kind says it already; the reason is enough.
            (kind @ (Kind::Tls | Kind::InvalidRequest | Kind::Refused), Some(reason)) => {
                (kind, TokenFailure::Transport(reason.to_string()))
            }
            (kind @ (Kind::Tls | Kind::InvalidRequest | Kind::Refused), None) => {
                (kind, TokenFailure::Transport("asking for a token".to_owned()))
            }
            _ => (Kind::TokenEndpoint, TokenFailure::Transport(error.to_string())),
        }
    })?;
    if let Some(refusal) = refusal(&answer) {
        return Err(refusal);
    }
    let answer: TokenAnswer = serde_json::from_slice(problem::json(&answer))
        .map_err(|_| (Kind::TokenEndpoint, no_token(&answer)))?;
    match Token::of(&answer, credentials, asked_at) {
        Some(token) => Ok((token.used_for_a_while(), answer)),
        None => Err((Kind::Credentials, TokenFailure::Header)),
    }
}

fn token_request(credentials: &Credentials) -> Request {
    let form = "application/x-www-form-urlencoded";
    let json = "application/json";
    let mut request = Request::new(credentials.form());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from_static(TOKEN_PATH);
    let headers = request.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form));
    headers.insert(header::ACCEPT, HeaderValue::from_static(json));
    let call = Call::new("oauth2_token", Effect::Idempotent).timeout(Duration::from_secs(30));
    request.extensions_mut().insert(call);
    request
}

/// Why an answer brings no token, as far as its status and its code tell. RFC 6749 has the endpoint
/// refuse credentials with 400 and 401, also where the code is unknown; a 403 may equally be a
/// gateway's. Some endpoints refuse with 200.
fn refusal(answer: &Response) -> Option<NoToken> {
    let status = answer.status();
    let refusal = serde_json::from_slice::<TokenRefusal>(problem::json(answer));
    let told = refusal.as_ref().map_or("", |refusal| &refusal.error);
    let known = |codes: &[&'static str]| codes.iter().copied().find(|code| *code == told);
    let passing = |code| TokenFailure::Status { status, code, retry_after: retry_after(answer) };
    if let Some(code) = known(&PASSING_CODES) {
        return Some((Kind::TokenEndpoint, passing(code)));
    }
    let code = match status.as_u16() {
        200..=299 | 403 => known(&CODES),
        400 | 401 => known(&CODES).or(Some("without a known code")),
        _ => None,
    };
    if let Some(code) = code {
        return Some((Kind::Credentials, TokenFailure::Refused { status, code }));
    }
    if !status.is_success() {
        Some((Kind::TokenEndpoint, passing("")))
    } else if refusal.is_ok() {
        let came = "an error whose code is unknown";
        Some((Kind::TokenEndpoint, TokenFailure::NoToken(came)))
    } else {
        None
    }
}

/// What an answer with a status of success brings instead of a token.
fn no_token(answer: &Response) -> TokenFailure {
    let body = problem::json(answer).trim_ascii_start();
    let content_type = answer.headers().get(header::CONTENT_TYPE);
    let says_html = content_type
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.to_ascii_lowercase().contains("html"));
    if says_html || body.starts_with(b"<") {
        TokenFailure::NoToken("an HTML page, perhaps a sign-in page or a proxy's")
    } else if body.is_empty() {
        TokenFailure::Damaged("an empty body")
    } else if serde_json::from_slice::<IgnoredAny>(body).is_ok() {
        TokenFailure::NoToken("JSON without an access token")
    } else {
        TokenFailure::Damaged("something that is not JSON")
    }
}
