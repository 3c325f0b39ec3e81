//! A token, and for how long it is used.

use std::{sync::atomic::AtomicBool, time::Duration};

use http::{HeaderName, HeaderValue, header};
use serde::Deserialize;
use tokio::time::Instant;

use crate::{Credentials, Request};

/// The header of the application's key.
const APP_KEY: HeaderName = HeaderName::from_static("st-app-key");

/// How long before its end a token is replaced; less for short tokens.
const MARGIN: Duration = Duration::from_secs(60);

/// The longest lifetime that is believed.
const LONGEST_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The shortest time for which a new token is used, whatever its lifetime: those who wait for it
/// must not ask one after another.
const SHORTEST_USE: Duration = Duration::from_secs(5);

pub(super) struct Token {
    /// The whole header value, made once.
    pub(super) authorization: HeaderValue,
    app_key: HeaderValue,
    pub(super) refresh_at: Instant,
    pub(super) expires_at: Instant,
    pub(super) scope: Option<String>,
    /// By an answer 401.
    pub(super) is_refused: AtomicBool,
}

/// The body of a success, RFC 6749, section 5.1.
#[derive(Deserialize)]
#[cfg_attr(feature = "token-cache", derive(serde::Serialize))]
pub(crate) struct TokenAnswer {
    access_token: String,
    expires_in: Option<u64>,
    scope: Option<String>,
}

impl Token {
    /// `None` when token or key cannot stand in a header.
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
            authorization: secret(&format!("Bearer {}", answer.access_token))?,
            app_key: secret(credentials.app_key())?,
            refresh_at: asked_at + (lifetime - margin),
            expires_at: asked_at + lifetime,
            scope: answer.scope.clone(),
            is_refused: AtomicBool::new(false),
        })
    }

    /// This one, taken for valid for a short while at least.
    pub(super) fn used_for_a_while(mut self) -> Self {
        let earliest_end = Instant::now() + SHORTEST_USE;
        self.refresh_at = self.refresh_at.max(earliest_end);
        self.expires_at = self.expires_at.max(earliest_end);
        self
    }

    pub(super) fn authorize(&self, mut request: Request) -> Request {
        let headers = request.headers_mut();
        headers.insert(header::AUTHORIZATION, self.authorization.clone());
        headers.insert(APP_KEY, self.app_key.clone());
        request
    }
}
