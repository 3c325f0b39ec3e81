//! The source of tokens: one for all callers, replaced before it expires.

use std::{
    fmt,
    sync::{self, Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    sync::Mutex,
    task::JoinHandle,
    time::{Instant, sleep_until},
};
use tracing::Instrument;

#[cfg(feature = "token-cache")]
use super::cache::{Entry, TokenCache};
use super::{
    endpoint,
    failure::{Failure, NoToken, Pause, TokenFailure},
    token::Token,
};
use crate::{
    call::Call,
    credentials::Credentials,
    error::{Delivery, TransportError, TransportErrorKind},
    lock::lock,
    runtime,
    transport::Transport,
    wait::before_sending,
};

/// How long a call waits for a token while the endpoint fails for a temporary reason: about six
/// attempts, with the pauses between them.
const PATIENCE: Duration = Duration::from_secs(30);

/// A source of access tokens. Clones share the token.
///
/// It asks with `POST /connect/token` on the auth host (RFC 6749, section 4.4) and adds
/// `Authorization: Bearer …` and `ST-App-Key` to every request.
///
/// Tokens are asked for when they are needed, one at a time, by a task on tokio's runtime: a caller
/// that is cancelled, or that is not polled, holds up no other. In its last minute a token is
/// replaced while calls still use it. While the endpoint fails for a temporary reason, all callers
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
pub struct Auth(pub(super) Arc<Shared>);

/// What the clones of a source share.
pub(super) struct Shared {
    endpoint: Box<dyn Transport>,
    credentials: Credentials,
    #[cfg(feature = "token-cache")]
    cache: Option<TokenCache>,
    current: sync::Mutex<Option<Arc<Token>>>,
    /// Held by the one task that asks for a token.
    asking: Mutex<Option<Failure>>,
    /// Set while new tokens are refused as well: when the next one may be asked for because of a
    /// 401.
    in_vain: sync::Mutex<Option<Pause>>,
}

/// What a token allows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenInfo {
    /// How long the token is still valid.
    pub expires_in: Duration,
    /// The granted scopes, if the endpoint reported them.
    pub scopes: Option<Vec<String>>,
}

impl Auth {
    /// Creates a source that asks `endpoint`: a transport to the auth host, or to anything that
    /// answers like it, for example a token broker of your own. No part of the credentials may be
    /// empty, even if the broker needs none.
    #[must_use]
    pub fn new(endpoint: impl Transport + 'static, credentials: Credentials) -> Self {
        Self(Arc::new(Shared::new(endpoint, credentials)))
    }

    /// Creates a source that looks for a token in `cache` before it asks `endpoint`.
    #[cfg(feature = "token-cache")]
    #[must_use]
    pub fn cached(
        endpoint: impl Transport + 'static,
        credentials: Credentials,
        cache: TokenCache,
    ) -> Self {
        Self(Arc::new(Shared { cache: Some(cache), ..Shared::new(endpoint, credentials) }))
    }

    /// Asks for a new token and returns what it allows.
    ///
    /// # Errors
    ///
    /// Returns [`TransportErrorKind::Credentials`] when the credentials cannot be used: they were
    /// permanently refused, or a part of them is empty; [`TransportErrorKind::TokenEndpoint`] for a
    /// temporary reason.
    pub async fn token_info(&self) -> Result<TokenInfo, TransportError> {
        #[cfg(feature = "token-cache")]
        if let Some(cache) = &self.0.cache {
            cache.forget(&self.0.credentials).await;
        }
        // The caller wants to know about a failure, not to wait until it has passed.
        runtime::required()?;
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
            current: sync::Mutex::default(),
            asking: Mutex::new(None),
            in_vain: sync::Mutex::default(),
        }
    }

    fn current(&self) -> Option<Arc<Token>> {
        lock(&self.current).clone()
    }

    /// The current token, unless it has expired or was refused.
    fn valid(&self, now: Instant) -> Option<Arc<Token>> {
        self.current()
            .filter(|token| now < token.expires_at && !token.is_refused.load(Ordering::Relaxed))
    }

    /// The current token, unless it has to be replaced by then.
    fn fresh(&self, then: Instant) -> Option<Arc<Token>> {
        self.valid(then).filter(|token| then < token.refresh_at)
    }

    /// Returns a valid token, for a call that waits for it as long as it may still begin.
    pub(super) async fn token(self: &Arc<Self>, call: &Call) -> Result<Arc<Token>, TransportError> {
        // Mostly the token outlives the call, and then no clock need be read.
        if let Some(token) = call.deadline.and_then(|deadline| self.fresh(deadline)) {
            return Ok(token);
        }
        let now = Instant::now();
        let patience = now + PATIENCE;
        if let Some(token) = self.valid(now) {
            if now >= token.refresh_at && self.asking.try_lock().is_ok() && runtime::is_here() {
                self.start_renewal(None, patience);
            }
            return Ok(token);
        }
        runtime::required()?;
        let patience = (call.deadline).map_or(patience, |deadline| patience.min(deadline));
        before_sending(call, joined(self.start_renewal(None, patience))).await
    }

    /// Asks for a token other than this one, in a task that continues without its caller.
    fn start_renewal(
        self: &Arc<Self>,
        other_than: Option<Arc<Token>>,
        patience: Instant,
    ) -> JoinHandle<Result<Arc<Token>, TransportError>> {
        let renewal = Arc::clone(self).renew(other_than, patience);
        tokio::spawn(renewal.in_current_span())
    }

    /// Asks until there is a token, the failure is permanent, or the next attempt would come after
    /// the caller's patience. Callers queue for the lock in the order in which they came, so one
    /// asks for all, and each waits as long as it would by itself.
    async fn renew(
        self: Arc<Self>,
        other_than: Option<Arc<Token>>,
        patience: Instant,
    ) -> Result<Arc<Token>, TransportError> {
        let mut last_failure = self.asking.lock().await;
        // The previous task may have brought one.
        let present = self.fresh(Instant::now());
        let is_other = |token: &Arc<Token>| {
            other_than.as_ref().is_none_or(|other_than| !Arc::ptr_eq(token, other_than))
        };
        if let Some(token) = present.filter(is_other) {
            return Ok(token);
        }
        loop {
            if let Some(failure) = &*last_failure
                && !failure.pause.is_over()
            {
                if failure.is_final() || failure.pause.until > patience {
                    return Err(failure.error());
                }
                sleep_until(failure.pause.until).await;
            }
            match self.obtain().await {
                Ok(token) => {
                    *last_failure = None;
                    let token = Arc::new(token);
                    *lock(&self.current) = Some(Arc::clone(&token));
                    return Ok(token);
                }
                Err((kind, reason)) => {
                    // Without this, a renewal that no call waits for would fail unseen.
                    tracing::warn!(?kind, %reason, "no token");
                    *last_failure = Some(Failure::after(last_failure.take(), kind, reason));
                }
            }
        }
    }

    /// Drops a token that an answer 401 refused. Returns whether another one may be tried: not
    /// while new tokens were refused as well, since the answer then has another reason.
    pub(super) fn refuse(&self, token: &Arc<Token>) -> bool {
        let is_current = |current: Arc<Token>| Arc::ptr_eq(&current, token);
        // It expired on its way, perhaps in the queue of the rate limit: that says nothing about
        // others.
        let has_expired = token.expires_at <= Instant::now();
        if !has_expired
            && self.current().is_some_and(is_current)
            && !lock(&self.in_vain).is_none_or(|p| p.is_over())
        {
            return false;
        }
        token.is_refused.store(true, Ordering::Relaxed);
        true
    }

    /// Remembers whether another token helped against an answer 401.
    pub(super) fn tried_another(&self, has_helped: bool) {
        let mut in_vain = lock(&self.in_vain);
        match *in_vain {
            _ if has_helped => *in_vain = None,
            Some(pause) if !pause.is_over() => {}
            earlier => *in_vain = Some(Pause::after(earlier, Duration::ZERO)),
        }
    }

    /// Gets a token from the cache or from the endpoint.
    async fn obtain(&self) -> Result<Token, NoToken> {
        if let Some(part) = self.credentials.empty_part() {
            return Err((TransportErrorKind::Credentials, TokenFailure::Empty(part)));
        }
        #[cfg(feature = "token-cache")]
        if let Some(cache) = &self.cache
            && let Some(entry) = cache.entry(&self.credentials).await
        {
            return self.saved_or_new(&entry).await;
        }
        let asked = endpoint::ask(&*self.endpoint, &self.credentials).await;
        asked.map(|(token, _)| token)
    }

    #[cfg(feature = "token-cache")]
    async fn saved_or_new(&self, entry: &Entry) -> Result<Token, NoToken> {
        if let Some(token) = self.saved(entry) {
            return Ok(token);
        }
        let asked_at = Instant::now();
        let (token, answer) = endpoint::ask(&*self.endpoint, &self.credentials).await?;
        entry.store(answer, asked_at.elapsed());
        Ok(token)
    }

    /// The cached token, if it is fresh and not the one that was refused.
    #[cfg(feature = "token-cache")]
    fn saved(&self, entry: &Entry) -> Option<Token> {
        let (answer, age) = entry.load()?;
        let asked_at = Instant::now().checked_sub(age)?;
        let token = Token::of(&answer, &self.credentials, asked_at)?;
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
}

/// The outcome of a renewal.
async fn joined(
    renewal: JoinHandle<Result<Arc<Token>, TransportError>>,
) -> Result<Arc<Token>, TransportError> {
    renewal.await.unwrap_or_else(|_| {
        let error = TransportError::new(TransportErrorKind::TokenEndpoint, Delivery::NotExecuted);
        Err(error.with_source("the task that asks for a token ended early"))
    })
}
