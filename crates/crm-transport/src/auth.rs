//! OAuth 2.0 client credentials: one token, shared by all callers, refreshed before it ends.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use serde::Deserialize;
use tokio::{sync::Mutex, task::JoinHandle, time::Instant};
use tracing::Instrument;

#[cfg(feature = "token-cache")]
use crate::token_cache::{Entry, TokenCache};
use crate::{
    Call, Credentials, Delivery, Effect, Request, Response, Transport, TransportError,
    TransportErrorKind, replay::Replay,
};

/// Where tokens are asked for, on the auth host.
const TOKEN_PATH: &str = "/connect/token";

/// The header of the application's key.
const APP_KEY: HeaderName = HeaderName::from_static("st-app-key");

/// How long before its end a token is replaced; less for short tokens.
const MARGIN: Duration = Duration::from_secs(60);

/// The longest lifetime that is believed.
const LONGEST_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a failing token endpoint is left alone: doubled with each failure in a row.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The source of access tokens. Clones share the token.
///
/// Tokens are asked for when they are needed, one at a time, by a task on tokio's runtime: a
/// caller that is cancelled, or that nobody polls, holds up no other. In its last minute a token
/// is replaced while calls still go on with it. While the endpoint fails, all share its back-off.
///
/// ```no_run
/// # #[cfg(feature = "reqwest")]
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use crm_transport::{Auth, Credentials, Environment, ReqwestTransport, TransportExt};
///
/// let environment = Environment::integration();
/// let wire = ReqwestTransport::new(&environment)?;
/// let credentials = Credentials::new("cid.example", "secret", "ak1.example");
/// let auth = Auth::new(wire.for_auth(&environment)?, credentials);
/// let transport = wire.with_auth(auth);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Auth(Arc<Shared>);

struct Shared {
    endpoint: Box<dyn Transport>,
    credentials: Credentials,
    #[cfg(feature = "token-cache")]
    cache: Option<TokenCache>,
    current: RwLock<Option<Arc<Token>>>,
    /// Held by the one task that asks for a token.
    asking: Mutex<Option<Failure>>,
}

struct Token {
    /// The whole header value, made once.
    authorization: HeaderValue,
    app_key: HeaderValue,
    refresh_at: Instant,
    expires_at: Instant,
    scope: Option<String>,
}

/// The last failure of the endpoint.
struct Failure {
    kind: TransportErrorKind,
    reason: TokenFailure,
    pause: Duration,
    until: Instant,
}

/// Why the endpoint gave no token, without anything that it was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum TokenFailure {
    #[error(
        "the token endpoint answered {status} {code}; check client id, client secret and that \
         both belong to this environment"
    )]
    Refused { status: StatusCode, code: String },
    #[error("the token endpoint answered {0}")]
    Status(StatusCode),
    #[error("the token endpoint's answer cannot be read")]
    Unreadable,
    #[error("{0}")]
    Transport(String),
    #[error("the app key or the token holds characters that no header may hold")]
    Header,
}

/// A failure and how callers are to take it.
type Refusal = (TransportErrorKind, TokenFailure);

/// What a token allows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenInfo {
    /// How long the token is still valid.
    pub expires_in: Duration,
    /// The granted scopes, if the endpoint told them.
    pub scopes: Option<Vec<String>>,
}

/// The body of a success, RFC 6749, section 5.1.
#[derive(Deserialize)]
#[cfg_attr(feature = "token-cache", derive(serde::Serialize))]
pub(crate) struct TokenAnswer {
    access_token: String,
    expires_in: Option<u64>,
    scope: Option<String>,
}

/// The body of a refusal, RFC 6749, section 5.2.
#[derive(Deserialize)]
struct TokenRefusal {
    error: Option<String>,
}

impl Auth {
    /// A source that asks `endpoint`, a transport to the auth host.
    #[must_use]
    pub fn new(endpoint: impl Transport + 'static, credentials: Credentials) -> Self {
        Self(Arc::new(Shared::new(endpoint, credentials)))
    }

    /// A source that looks for a token in `cache` before it asks `endpoint`.
    #[cfg(feature = "token-cache")]
    #[must_use]
    pub fn cached(
        endpoint: impl Transport + 'static,
        credentials: Credentials,
        cache: TokenCache,
    ) -> Self {
        Self(Arc::new(Shared {
            cache: Some(cache),
            ..Shared::new(endpoint, credentials)
        }))
    }

    /// Asks for a new token and tells what it allows.
    ///
    /// # Errors
    ///
    /// [`TransportErrorKind::Credentials`] when the credentials were refused, for good;
    /// [`TransportErrorKind::TokenEndpoint`] for a passing reason.
    pub async fn token_info(&self) -> Result<TokenInfo, TransportError> {
        #[cfg(feature = "token-cache")]
        if let Some(cache) = &self.0.cache {
            cache.forget(&self.0.credentials).await;
        }
        let token = self.0.token(self.0.current().as_ref()).await?;
        Ok(TokenInfo {
            expires_in: token.expires_at.saturating_duration_since(Instant::now()),
            scopes: token
                .scope
                .as_deref()
                .map(|scope| scope.split_whitespace().map(str::to_owned).collect()),
        })
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").finish_non_exhaustive()
    }
}

impl Shared {
    fn new(endpoint: impl Transport + 'static, credentials: Credentials) -> Self {
        Self {
            endpoint: Box::new(endpoint),
            credentials,
            #[cfg(feature = "token-cache")]
            cache: None,
            current: RwLock::new(None),
            asking: Mutex::new(None),
        }
    }

    fn current(&self) -> Option<Arc<Token>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }

    /// The present token, unless it has expired or is the refused one.
    fn valid(&self, refused: Option<&Arc<Token>>, now: Instant) -> Option<Arc<Token>> {
        self.current()
            .filter(|token| !refused.is_some_and(|refused| Arc::ptr_eq(token, refused)))
            .filter(|token| now < token.expires_at)
    }

    /// A token that is valid and not the refused one.
    async fn token(
        self: &Arc<Self>,
        refused: Option<&Arc<Token>>,
    ) -> Result<Arc<Token>, TransportError> {
        let now = Instant::now();
        if let Some(token) = self.valid(refused, now) {
            if now >= token.refresh_at && self.asking.try_lock().is_ok() {
                self.start_renewal(refused);
            }
            return Ok(token);
        }
        self.start_renewal(refused).await.unwrap_or_else(|_| {
            let error = TransportError::new(TransportErrorKind::TokenEndpoint, Delivery::NotSent);
            Err(error.with_source("the task that asks for a token ended early"))
        })
    }

    /// Asks in a task, which goes on without its caller.
    fn start_renewal(
        self: &Arc<Self>,
        refused: Option<&Arc<Token>>,
    ) -> JoinHandle<Result<Arc<Token>, TransportError>> {
        let renewal = Arc::clone(self).renew(refused.cloned());
        tokio::spawn(renewal.in_current_span())
    }

    async fn renew(
        self: Arc<Self>,
        refused: Option<Arc<Token>>,
    ) -> Result<Arc<Token>, TransportError> {
        let refused = refused.as_ref();
        let mut last_failure = self.asking.lock().await;
        // The task before may have brought one.
        let now = Instant::now();
        let present = self.valid(refused, now);
        if let Some(token) = present.filter(|token| now < token.refresh_at) {
            return Ok(token);
        }
        let failure = match last_failure.take() {
            Some(failure) if Instant::now() < failure.until => failure,
            earlier => match self.obtain(refused).await {
                Ok(token) => {
                    let token = Arc::new(token);
                    let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
                    *current = Some(Arc::clone(&token));
                    return Ok(token);
                }
                Err((kind, reason)) => Failure::after(earlier, kind, reason),
            },
        };
        let error = failure.error();
        *last_failure = Some(failure);
        Err(error)
    }

    /// A token from the cache or from the endpoint.
    #[cfg(feature = "token-cache")]
    async fn obtain(&self, refused: Option<&Arc<Token>>) -> Result<Token, Refusal> {
        let entry = match &self.cache {
            Some(cache) => cache.entry(&self.credentials).await,
            None => None,
        };
        let Some(entry) = entry else {
            return self.ask().await.map(|(token, _)| token);
        };
        if let Some(token) = self.saved(&entry, refused) {
            return Ok(token);
        }
        let asked_at = Instant::now();
        let (token, answer) = self.ask().await?;
        entry.store(answer, asked_at.elapsed());
        Ok(token)
    }

    /// The cached token, if it is fresh and not the refused one.
    #[cfg(feature = "token-cache")]
    fn saved(&self, entry: &Entry, refused: Option<&Arc<Token>>) -> Option<Token> {
        let (answer, age) = entry.load()?;
        let token = self.token_of(&answer, Instant::now().checked_sub(age)?)?;
        if refused.is_some_and(|refused| refused.authorization == token.authorization) {
            entry.remove();
            return None;
        }
        (Instant::now() < token.refresh_at).then_some(token)
    }

    /// A token from the endpoint.
    #[cfg(not(feature = "token-cache"))]
    async fn obtain(&self, _: Option<&Arc<Token>>) -> Result<Token, Refusal> {
        self.ask().await.map(|(token, _)| token)
    }

    async fn ask(&self) -> Result<(Token, TokenAnswer), Refusal> {
        use TransportErrorKind::{Credentials, TokenEndpoint};

        let asked_at = Instant::now();
        let result = self.endpoint.send(self.token_request()).await;
        #[cfg(feature = "metrics")]
        crate::measure::token_request(&result);
        let answer = result.map_err(|error| {
            let kind = match error.kind() {
                kind @ (TransportErrorKind::Tls | TransportErrorKind::InvalidRequest) => kind,
                _ => TokenEndpoint,
            };
            (kind, TokenFailure::Transport(error.to_string()))
        })?;
        let status = answer.status();
        if matches!(status.as_u16(), 400 | 401 | 403) {
            let refusal = serde_json::from_slice::<TokenRefusal>(answer.body());
            let code = refusal.ok().and_then(|refusal| refusal.error);
            // A code is one word; anything else is not shown, for it may repeat the request.
            let code =
                code.filter(|code| code.len() < 40 && code.is_ascii() && !code.contains(' '));
            let code = code.unwrap_or_default();
            return Err((Credentials, TokenFailure::Refused { status, code }));
        }
        if !status.is_success() {
            return Err((TokenEndpoint, TokenFailure::Status(status)));
        }
        let answer: TokenAnswer = serde_json::from_slice(answer.body())
            .map_err(|_| (TokenEndpoint, TokenFailure::Unreadable))?;
        match self.token_of(&answer, asked_at) {
            Some(token) => Ok((token, answer)),
            None => Err((Credentials, TokenFailure::Header)),
        }
    }

    fn token_request(&self) -> Request {
        let form = "application/x-www-form-urlencoded";
        let json = "application/json";
        let mut request = Request::new(self.credentials.form().into());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static(TOKEN_PATH);
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form));
        headers.insert(header::ACCEPT, HeaderValue::from_static(json));
        let call = Call::new("oauth2_token", Effect::Idempotent).timeout(Duration::from_secs(30));
        request.extensions_mut().insert(call);
        request
    }

    /// `None` when token or key cannot stand in a header.
    fn token_of(&self, answer: &TokenAnswer, asked_at: Instant) -> Option<Token> {
        let secret = |text: &str| {
            let mut value = HeaderValue::from_str(text).ok()?;
            value.set_sensitive(true);
            Some(value)
        };
        let lifetime = Duration::from_secs(answer.expires_in.unwrap_or(900)).min(LONGEST_LIFETIME);
        let margin = MARGIN.min(lifetime / 5);
        Some(Token {
            authorization: secret(&format!("Bearer {}", answer.access_token))?,
            app_key: secret(self.credentials.app_key())?,
            refresh_at: asked_at + (lifetime - margin),
            expires_at: asked_at + lifetime,
            scope: answer.scope.clone(),
        })
    }
}

impl Failure {
    fn after(earlier: Option<Self>, kind: TransportErrorKind, reason: TokenFailure) -> Self {
        let pause = earlier.map_or(FIRST_PAUSE, |earlier| {
            (earlier.pause * 2).min(LONGEST_PAUSE)
        });
        Self {
            kind,
            reason,
            pause,
            until: Instant::now() + pause,
        }
    }

    fn error(&self) -> TransportError {
        TransportError::new(self.kind, Delivery::NotSent).with_source(self.reason.clone())
    }
}

/// A transport that adds the access token and the app key to every request.
///
/// An answer 401 drops the token, if it is still the refused one, and sends the request once
/// more. Made by [`TransportExt::with_auth`](crate::TransportExt::with_auth).
#[derive(Debug, Clone)]
pub struct WithAuth<T> {
    inner: T,
    auth: Auth,
}

impl<T: Transport> WithAuth<T> {
    pub(crate) fn new(inner: T, auth: Auth) -> Self {
        Self { inner, auth }
    }
}

impl Token {
    fn authorize(&self, mut request: Request) -> Request {
        let headers = request.headers_mut();
        headers.insert(header::AUTHORIZATION, self.authorization.clone());
        headers.insert(APP_KEY, self.app_key.clone());
        request
    }
}

#[async_trait]
impl<T: Transport> Transport for WithAuth<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.send_unboxed(request).await
    }

    fn send_unboxed(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Response, TransportError>> + Send {
        async move {
            let token = self.auth.0.token(None).await?;
            let replay = Replay::of(&request);
            {
                let response = self.inner.send_unboxed(token.authorize(request)).await?;
                if response.status() != StatusCode::UNAUTHORIZED {
                    return Ok(response);
                }
            }
            let token = self.auth.0.token(Some(&token)).await?;
            let again = self
                .inner
                .send_unboxed(token.authorize(replay.into_request()));
            again.await
        }
    }
}
