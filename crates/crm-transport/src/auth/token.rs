//! A token, and for how long it is used.

use std::{sync::atomic::AtomicBool, time::Duration};

use http::{HeaderName, HeaderValue, header};
use secrecy::zeroize::{Zeroize, Zeroizing};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    credentials::Credentials,
    error::TransportError,
    message::{Request, Response},
    secrets::Secrets,
};

/// The header of the application's key.
const APP_KEY: HeaderName = HeaderName::from_static("st-app-key");

/// How long before its end a token is replaced; less for short-lived tokens. Calls go on with the
/// old one meanwhile, so a renewal has a minute to succeed before any of them waits.
const MARGIN: Duration = Duration::from_secs(60);

/// The longest lifetime that is believed: times computed from it stay within what clocks can
/// represent.
const LONGEST_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The shortest time for which a new token is used, whatever its lifetime: those who wait for it
/// must not ask one after another.
const SHORTEST_USE: Duration = Duration::from_secs(5);

/// An access token, ready for use.
pub(super) struct Token {
    /// The whole header value, made once.
    pub(super) authorization: HeaderValue,
    app_key: HeaderValue,
    pub(super) refresh_at: Instant,
    pub(super) expires_at: Instant,
    pub(super) scope: Option<String>,
    /// What no error text of a call with it may show.
    pub(super) secrets: Secrets,
    /// Set by an answer 401.
    pub(super) is_refused: AtomicBool,
}

/// The body of a success, RFC 6749, section 5.1. The token is wiped from memory when it is dropped.
#[derive(Deserialize)]
#[cfg_attr(feature = "token-cache", derive(serde::Serialize))]
pub(super) struct TokenAnswer {
    access_token: String,
    #[serde(default, deserialize_with = "whole_seconds")]
    expires_in: Option<u64>,
    scope: Option<String>,
}

impl Drop for TokenAnswer {
    fn drop(&mut self) {
        self.access_token.zeroize();
    }
}

/// A number of seconds, which some endpoints send as a text or with fractions. Anything else is
/// ignored.
fn whole_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let seconds = match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_u64().or_else(|| number.as_f64().and_then(whole)),
        Value::String(text) => text.trim().parse().ok().and_then(whole),
        _ => None,
    };
    Ok(seconds)
}

fn whole(seconds: f64) -> Option<u64> {
    (seconds >= 0.0).then_some(seconds as u64)
}

impl Token {
    /// Returns `None` when the token or the key cannot be put in a header.
    pub(super) fn of(
        answer: &TokenAnswer,
        credentials: &Credentials,
        asked_at: Instant,
    ) -> Option<Self> {
        let secret = |text: &str| {
            let mut value = HeaderValue::from_str(text).ok()?;
            value.set_sensitive(true);
            Some(value)
        };
        let lifetime = Duration::from_secs(answer.expires_in.unwrap_or(900)).min(LONGEST_LIFETIME);
        let margin = MARGIN.min(lifetime / 5);
        Some(Self {
            authorization: secret(&Zeroizing::new(format!("Bearer {}", answer.access_token)))?,
            app_key: secret(credentials.app_key())?,
            refresh_at: asked_at + (lifetime - margin),
            expires_at: asked_at + lifetime,
            scope: answer.scope.clone(),
            secrets: Secrets::new([
                &answer.access_token,
                credentials.client_secret(),
                credentials.app_key(),
            ]),
            is_refused: AtomicBool::new(false),
        })
    }

    /// Returns this token, treated as valid for a short while at least.
    pub(super) fn used_for_a_while(mut self) -> Self {
        let earliest_end = Instant::now() + SHORTEST_USE;
        self.refresh_at = self.refresh_at.max(earliest_end);
        self.expires_at = self.expires_at.max(earliest_end);
        self
    }

    /// Guards the outcome of a request with this token: no text of it may show what was sent.
    pub(super) fn guard(
        &self,
        result: Result<Response, TransportError>,
    ) -> Result<Response, TransportError> {
        let mut response = result.map_err(|error| error.scrubbed(&self.secrets))?;
        if !response.status().is_success() {
            response.extensions_mut().insert(self.secrets.clone());
        }
        Ok(response)
    }

    pub(super) fn authorize(&self, mut request: Request) -> Request {
        let headers = request.headers_mut();
        headers.insert(header::AUTHORIZATION, self.authorization.clone());
        headers.insert(APP_KEY, self.app_key.clone());
        request
    }
}
