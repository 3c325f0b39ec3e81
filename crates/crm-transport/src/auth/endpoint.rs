//! The token endpoint: `POST /connect/token` (RFC 6749, section 4.4).

use std::time::Duration;

use http::{HeaderValue, Method, Uri, header};
use serde::Deserialize;
use tokio::time::Instant;

use super::{
    failure::{Refusal, TokenFailure},
    token::{Token, TokenAnswer},
};
use crate::{
    Call, Credentials, Effect, Request, Response, Transport, TransportErrorKind as Kind, measure,
    retry_after,
};

/// Where tokens are asked for, on the auth host.
const TOKEN_PATH: &str = "/connect/token";

/// What the endpoint says of a refusal: the codes of RFC 6749, section 5.2. No other word of an
/// answer is shown, for it may repeat the request.
const CODES: [&str; 6] = [
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
];

/// The body of a refusal, RFC 6749, section 5.2.
#[derive(Deserialize)]
struct TokenRefusal {
    error: Option<String>,
}

/// Asks for a token.
pub(super) async fn ask(
    endpoint: &dyn Transport,
    credentials: &Credentials,
) -> Result<(Token, TokenAnswer), Refusal> {
    let asked_at = Instant::now();
    let result = endpoint.send(token_request(credentials)).await;
    measure::token_request(&result);
    let answer = result.map_err(|error| {
        let kind = match error.kind() {
            kind @ (Kind::Tls | Kind::InvalidRequest | Kind::Refused) => kind,
            _ => Kind::TokenEndpoint,
        };
        (kind, TokenFailure::Transport(error.to_string()))
    })?;
    let status = answer.status();
    if !status.is_success() {
        if let Some(code) = refused(&answer) {
            return Err((Kind::Credentials, TokenFailure::Refused { status, code }));
        }
        let retry_after = retry_after(&answer);
        let reason = TokenFailure::Status {
            status,
            retry_after,
        };
        return Err((Kind::TokenEndpoint, reason));
    }
    let answer: TokenAnswer = serde_json::from_slice(answer.body())
        .map_err(|_| (Kind::TokenEndpoint, TokenFailure::Unreadable))?;
    match Token::of(&answer, credentials, asked_at) {
        Some(token) => Ok((token.used_for_a_while(), answer)),
        None => Err((Kind::Credentials, TokenFailure::Header)),
    }
}

fn token_request(credentials: &Credentials) -> Request {
    let form = "application/x-www-form-urlencoded";
    let json = "application/json";
    let mut request = Request::new(credentials.form().into());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from_static(TOKEN_PATH);
    let headers = request.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form));
    headers.insert(header::ACCEPT, HeaderValue::from_static(json));
    let call = Call::new("oauth2_token", Effect::Idempotent).timeout(Duration::from_secs(30));
    request.extensions_mut().insert(call);
    request
}

/// The code with which the endpoint refuses the credentials. Where none is known, RFC 6749 has it
/// refuse with 400 and 401; a 403 may as well be a gateway's.
fn refused(answer: &Response) -> Option<&'static str> {
    let status = answer.status().as_u16();
    if !matches!(status, 400 | 401 | 403) {
        return None;
    }
    let refusal = serde_json::from_slice::<TokenRefusal>(answer.body());
    let code = refusal.ok().and_then(|refusal| refusal.error);
    let known = CODES
        .into_iter()
        .find(|known| code.as_deref() == Some(known));
    known.or((status != 403).then_some("without a code"))
}
