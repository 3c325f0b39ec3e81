//! OAuth 2.0 client credentials: one token, shared by all callers, refreshed before it ends.

use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use serde::Deserialize;
use tokio::{
    sync::Mutex,
    task::JoinHandle,
    time::{Instant, sleep_until},
};
use tracing::Instrument;

#[cfg(feature = "token-cache")]
use crate::token_cache::{Entry, TokenCache};
use crate::{
    Call, Credentials, Delivery, Effect, Request, Response, Transport, TransportError,
    TransportErrorKind, call::before_sending, measure, replay::Replay, retry_after,
};

/// Where tokens are asked for, on the auth host.
const TOKEN_PATH: &str = "/connect/token";

/// The header of the application's key.
const APP_KEY: HeaderName = HeaderName::from_static("st-app-key");

/// How long before its end a token is replaced; less for short tokens.
const MARGIN: Duration = Duration::from_secs(60);

/// The longest lifetime that is believed.
const LONGEST_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The shortest time for which a new token is used, whatever its lifetime: those who wait for it
/// must not ask one after another.
const SHORTEST_USE: Duration = Duration::from_secs(5);

/// How long a failing token endpoint is left alone: doubled with each failure in a row.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long a call waits for a token while the endpoint fails for a passing reason.
const PATIENCE: Duration = Duration::from_secs(30);

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

/// The source of access tokens. Clones share the token.
///
/// It asks with `POST /connect/token` on the auth host (RFC 6749, section 4.4) and adds
/// `Authorization: Bearer …` and `ST-App-Key` to every request.
///
/// Tokens are asked for when they are needed, one at a time, by a task on tokio's runtime: a
/// caller that is cancelled, or that nobody polls, holds up no other. In its last minute a token
/// is replaced while calls still go on with it. While the endpoint fails for a passing reason, all
/// share its back-off and wait for it: no attempt begins later than half a minute after a caller
/// came.
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
    /// Since a new token was refused as well: when the next one may be asked for because of a 401.
    in_vain: std::sync::Mutex<Option<Pause>>,
}

struct Token {
    /// The whole header value, made once.
    authorization: HeaderValue,
    app_key: HeaderValue,
    refresh_at: Instant,
    expires_at: Instant,
    scope: Option<String>,
    /// By an answer 401.
    is_refused: AtomicBool,
}

/// The last failure of the endpoint.
struct Failure {
    kind: TransportErrorKind,
    reason: TokenFailure,
    pause: Pause,
}

/// A pause that doubles each time.
#[derive(Clone, Copy)]
struct Pause {
    length: Duration,
    until: Instant,
}

/// Why the endpoint gave no token, without anything that it was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum TokenFailure {
    #[error(
        "the token endpoint answered {status} {code}; check client id, client secret and that \
         both belong to this environment"
    )]
    Refused {
        status: StatusCode,
        code: &'static str,
    },
    #[error("the token endpoint answered {status}")]
    Status {
        status: StatusCode,
        retry_after: Option<Duration>,
    },
    #[error("the token endpoint's answer cannot be read")]
    Unreadable,
    #[error("{0}")]
    Transport(String),
    #[error("the app key or the token holds characters that no header may hold")]
    Header,
    #[error("the {0} is empty")]
    Empty(&'static str),
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
    /// A source that asks `endpoint`: a transport to the auth host, or to anything that answers like
    /// it, for example a token broker of your own.
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
        // Who asks wants to know of a failure, not to wait until it has passed.
        let token = self.0.start_renewal(self.0.current(), Instant::now());
        let token = joined(token).await?;
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
            in_vain: std::sync::Mutex::default(),
        }
    }

    fn current(&self) -> Option<Arc<Token>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }

    /// The present token, unless it has expired or was refused.
    fn valid(&self, now: Instant) -> Option<Arc<Token>> {
        self.current()
            .filter(|token| now < token.expires_at && !token.is_refused.load(Ordering::Relaxed))
    }

    /// A token that is valid, until the deadline.
    async fn token(
        self: &Arc<Self>,
        deadline: Option<Instant>,
    ) -> Result<Arc<Token>, TransportError> {
        let now = Instant::now();
        let patience = now + PATIENCE;
        if let Some(token) = self.valid(now) {
            if now >= token.refresh_at && self.asking.try_lock().is_ok() {
                self.start_renewal(None, patience);
            }
            return Ok(token);
        }
        let patience = deadline.map_or(patience, |deadline| patience.min(deadline));
        before_sending(deadline, joined(self.start_renewal(None, patience))).await
    }

    /// Asks in a task, which goes on without its caller, for a token that is not this one.
    fn start_renewal(
        self: &Arc<Self>,
        other_than: Option<Arc<Token>>,
        patience: Instant,
    ) -> JoinHandle<Result<Arc<Token>, TransportError>> {
        let renewal = Arc::clone(self).renew(other_than, patience);
        tokio::spawn(renewal.in_current_span())
    }

    /// Asks until there is a token, the failure is for good, or the next attempt would come after
    /// the caller's patience. Callers queue for the lock in the order in which they came, so one
    /// asks for all, and each waits as long as it would by itself.
    async fn renew(
        self: Arc<Self>,
        other_than: Option<Arc<Token>>,
        patience: Instant,
    ) -> Result<Arc<Token>, TransportError> {
        let mut last_failure = self.asking.lock().await;
        // The task before may have brought one.
        let now = Instant::now();
        let present = self.valid(now).filter(|token| now < token.refresh_at);
        let is_other = |token: &Arc<Token>| {
            other_than
                .as_ref()
                .is_none_or(|other_than| !Arc::ptr_eq(token, other_than))
        };
        if let Some(token) = present.filter(is_other) {
            return Ok(token);
        }
        loop {
            if let Some(failure) = &*last_failure
                && !failure.pause.is_over()
            {
                if failure.kind.is_permanent() || failure.pause.until > patience {
                    return Err(failure.error());
                }
                sleep_until(failure.pause.until).await;
            }
            match self.obtain().await {
                Ok(token) => {
                    *last_failure = None;
                    let token = Arc::new(token);
                    let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
                    *current = Some(Arc::clone(&token));
                    return Ok(token);
                }
                Err((kind, reason)) => {
                    // A renewal that nobody waits for would fail unseen.
                    tracing::warn!(?kind, %reason, "no token");
                    *last_failure = Some(Failure::after(last_failure.take(), kind, reason));
                }
            }
        }
    }

    /// Drops a token that an answer 401 refused; whether another one may be tried. It may not
    /// while new tokens were refused as well: then the answer has another reason.
    fn refuse(&self, token: &Arc<Token>) -> bool {
        let is_current = |current: Arc<Token>| Arc::ptr_eq(&current, token);
        // It ended on its way, in the queue of the rate limit perhaps: that tells nothing of others.
        let has_expired = token.expires_at <= Instant::now();
        if !has_expired
            && self.current().is_some_and(is_current)
            && !self.in_vain().is_none_or(|p| p.is_over())
        {
            return false;
        }
        token.is_refused.store(true, Ordering::Relaxed);
        true
    }

    /// Keeps in mind whether another token helped against an answer 401.
    fn tried_another(&self, has_helped: bool) {
        let mut in_vain = self.in_vain();
        match *in_vain {
            _ if has_helped => *in_vain = None,
            Some(pause) if !pause.is_over() => {}
            earlier => *in_vain = Some(Pause::after(earlier, Duration::ZERO)),
        }
    }

    fn in_vain(&self) -> std::sync::MutexGuard<'_, Option<Pause>> {
        self.in_vain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token from the cache or from the endpoint.
    async fn obtain(&self) -> Result<Token, Refusal> {
        if let Some(part) = self.credentials.empty_part() {
            return Err((TransportErrorKind::Credentials, TokenFailure::Empty(part)));
        }
        #[cfg(feature = "token-cache")]
        if let Some(cache) = &self.cache
            && let Some(entry) = cache.entry(&self.credentials).await
        {
            return self.saved_or_new(&entry).await;
        }
        self.ask().await.map(|(token, _)| token)
    }

    #[cfg(feature = "token-cache")]
    async fn saved_or_new(&self, entry: &Entry) -> Result<Token, Refusal> {
        if let Some(token) = self.saved(entry) {
            return Ok(token);
        }
        let asked_at = Instant::now();
        let (token, answer) = self.ask().await?;
        entry.store(answer, asked_at.elapsed());
        Ok(token)
    }

    /// The cached token, if it is fresh and not the one that was refused.
    #[cfg(feature = "token-cache")]
    fn saved(&self, entry: &Entry) -> Option<Token> {
        let (answer, age) = entry.load()?;
        let token = self.token_of(&answer, Instant::now().checked_sub(age)?)?;
        let is_refused = |current: Arc<Token>| {
            current.is_refused.load(Ordering::Relaxed)
                && current.authorization == token.authorization
        };
        if self.current().is_some_and(is_refused) {
            entry.remove();
            return None;
        }
        (Instant::now() < token.refresh_at).then_some(token)
    }

    async fn ask(&self) -> Result<(Token, TokenAnswer), Refusal> {
        use TransportErrorKind::{Credentials, TokenEndpoint};

        let asked_at = Instant::now();
        let result = self.endpoint.send(self.token_request()).await;
        measure::token_request(&result);
        let answer = result.map_err(|error| {
            let kind = match error.kind() {
                kind @ (TransportErrorKind::Tls
                | TransportErrorKind::InvalidRequest
                | TransportErrorKind::Refused) => kind,
                _ => TokenEndpoint,
            };
            (kind, TokenFailure::Transport(error.to_string()))
        })?;
        let status = answer.status();
        if !status.is_success() {
            if let Some(code) = refused(&answer) {
                return Err((Credentials, TokenFailure::Refused { status, code }));
            }
            let retry_after = retry_after(&answer);
            let reason = TokenFailure::Status {
                status,
                retry_after,
            };
            return Err((TokenEndpoint, reason));
        }
        let answer: TokenAnswer = serde_json::from_slice(answer.body())
            .map_err(|_| (TokenEndpoint, TokenFailure::Unreadable))?;
        match self.token_of(&answer, asked_at) {
            Some(token) => Ok((token.used_until(Instant::now() + SHORTEST_USE), answer)),
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
            is_refused: AtomicBool::new(false),
        })
    }
}

impl Pause {
    /// Twice as long as the earlier one, and as long as was asked for.
    fn after(earlier: Option<Self>, asked: Duration) -> Self {
        let length = earlier.map_or(FIRST_PAUSE, |earlier| {
            (earlier.length * 2).min(LONGEST_PAUSE)
        });
        Self {
            length,
            until: Instant::now() + length.max(asked),
        }
    }

    fn is_over(&self) -> bool {
        self.until <= Instant::now()
    }
}

impl Failure {
    fn after(earlier: Option<Self>, kind: TransportErrorKind, reason: TokenFailure) -> Self {
        let asked = match reason {
            TokenFailure::Status { retry_after, .. } => retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        Self {
            kind,
            reason,
            pause: Pause::after(earlier.map(|earlier| earlier.pause), asked),
        }
    }

    fn error(&self) -> TransportError {
        TransportError::new(self.kind, Delivery::NotSent).with_source(self.reason.clone())
    }
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

/// The outcome of a renewal.
async fn joined(
    renewal: JoinHandle<Result<Arc<Token>, TransportError>>,
) -> Result<Arc<Token>, TransportError> {
    renewal.await.unwrap_or_else(|_| {
        let error = TransportError::new(TransportErrorKind::TokenEndpoint, Delivery::NotSent);
        Err(error.with_source("the task that asks for a token ended early"))
    })
}

/// A transport that adds the access token and the app key to every request.
///
/// An answer 401 drops the token, and the request is sent once more with another one. While
/// another one does not help, the answer is handed on as it is, and the next token is asked for
/// after a pause that grows to half a minute. Made by [`TransportExt::with_auth`](crate::TransportExt::with_auth).
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
    /// This one, taken for valid until then at least.
    fn used_until(mut self, earliest_end: Instant) -> Self {
        self.refresh_at = self.refresh_at.max(earliest_end);
        self.expires_at = self.expires_at.max(earliest_end);
        self
    }

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
            let auth = &self.auth.0;
            let deadline = Call::of(&request).deadline;
            let token = auth.token(deadline).await?;
            let replay = Replay::of(&request);
            {
                let response = self.inner.send_unboxed(token.authorize(request)).await?;
                if response.status() != StatusCode::UNAUTHORIZED || !auth.refuse(&token) {
                    return Ok(response);
                }
            }
            tracing::debug!("the token was refused; asking for another");
            let token = auth.token(deadline).await?;
            let mut again = token.authorize(replay.into_request());
            Call::of_mut(&mut again).resend_count += 1;
            let response = self.inner.send_unboxed(again).await?;
            auth.tried_another(response.status() != StatusCode::UNAUTHORIZED);
            Ok(response)
        }
    }
}
