//! The ready transport, over reqwest and rustls.

use std::{error::Error, io, time::Duration};

use async_trait::async_trait;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use reqwest::{Client, Url, redirect, retry};

use crate::{
    Call, Delivery, Environment, Request, Response, Transport, TransportError, TransportErrorKind,
};

/// A transport over reqwest: TLS by rustls, HTTP/1.1 and HTTP/2, pooled connections, gzip.
///
/// Cheap to clone; clones share the pool. Redirects are answers and are not followed. An
/// answer that is larger than allowed, unpacked, is an error.
///
/// ```no_run
/// use crm_transport::{Environment, Request, ReqwestTransport, Transport};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let transport = ReqwestTransport::new(&Environment::integration())?;
/// let request = Request::new(Default::default());
/// let response = transport.send(request).await?;
/// println!("{}", response.status());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    client: Client,
    base: Url,
    limits: Limits,
}

/// How long and how much a transport waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Limits {
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) answer_bytes: usize,
}

impl Default for Limits {
    /// 10 s to connect, 100 s in all (the service gives up then too), connections idle for at
    /// most 50 s, answers of at most 64 MiB.
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(100),
            idle_timeout: Duration::from_secs(50),
            answer_bytes: 64 * 1024 * 1024,
        }
    }
}

impl Limits {
    /// How long a connection may take.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one attempt may take, from the connection to the answer's last byte. A
    /// [`Call`] may ask for less or more.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long a connection is kept for the next call; shorter than the server keeps it.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// How many bytes an answer may have, unpacked.
    pub fn answer_bytes(mut self, bytes: usize) -> Self {
        self.answer_bytes = bytes;
        self
    }
}

impl ReqwestTransport {
    /// A transport to the environment's API host.
    ///
    /// # Errors
    ///
    /// [`TransportError`] when TLS cannot be set up.
    pub fn new(environment: &Environment) -> Result<Self, TransportError> {
        Self::with_limits(environment, Limits::default())
    }

    /// A transport to the environment's API host with other limits.
    ///
    /// # Errors
    ///
    /// [`TransportError`] when TLS cannot be set up.
    pub fn with_limits(environment: &Environment, limits: Limits) -> Result<Self, TransportError> {
        let client = Client::builder()
            .user_agent(concat!("crm-transport/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .connect_timeout(limits.connect_timeout)
            .pool_idle_timeout(limits.idle_timeout)
            .tcp_nodelay(true)
            .build()
            .map_err(|e| failed(TransportErrorKind::Tls, Delivery::NotSent, e))?;
        Ok(Self {
            client,
            base: parse(environment.api_url())?,
            limits,
        })
    }

    /// The same connections, to the environment's auth host: for the token endpoint.
    ///
    /// # Errors
    ///
    /// Never for a valid [`Environment`].
    pub fn for_auth(&self, environment: &Environment) -> Result<Self, TransportError> {
        Ok(Self {
            base: parse(environment.auth_url())?,
            ..self.clone()
        })
    }

    fn request(&self, request: Request) -> Result<reqwest::Request, TransportError> {
        let timeout = Call::of(&request).timeout.unwrap_or(self.limits.timeout);
        let (parts, body) = request.into_parts();
        let (None, Some(target)) = (parts.uri.authority(), parts.uri.path_and_query()) else {
            return Err(invalid("the URI must be path and query only"));
        };
        // A string that starts with the base and a path cannot name another host.
        let url = parse(&format!(
            "{}{target}",
            self.base.as_str().trim_end_matches('/')
        ))?;
        let mut outgoing = reqwest::Request::new(parts.method, url);
        *outgoing.headers_mut() = parts.headers;
        *outgoing.timeout_mut() = Some(timeout);
        if !body.is_empty() {
            *outgoing.body_mut() = Some(body.into());
        }
        Ok(outgoing)
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let request = self.request(request)?;
        let response = self.client.execute(request).await.map_err(refine)?;
        let (parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
        let body = Limited::new(body, self.limits.answer_bytes);
        let body = body.collect().await.map_err(refine_body)?.to_bytes();
        Ok(Response::from_parts(parts, body))
    }
}

fn parse(url: &str) -> Result<Url, TransportError> {
    Url::parse(url).map_err(|_| invalid("the URI cannot be appended to the host"))
}

fn invalid(reason: &'static str) -> TransportError {
    failed(
        TransportErrorKind::InvalidRequest,
        Delivery::NotSent,
        reason,
    )
}

fn failed(
    kind: TransportErrorKind,
    delivery: Delivery,
    source: impl Into<Box<dyn Error + Send + Sync>>,
) -> TransportError {
    TransportError::new(kind, delivery).with_source(source)
}

/// What reqwest's error before an answer means, from its chain of causes.
fn refine(error: reqwest::Error) -> TransportError {
    use {Delivery::*, TransportErrorKind::*};

    let hyper = cause::<hyper::Error>(&error);
    let (kind, delivery) = if error.is_builder() {
        (InvalidRequest, NotSent)
    } else if error.is_connect() {
        let kind = match error.is_timeout() {
            true => Timeout,
            false if is_tls(&error) => Tls,
            false => Connect,
        };
        (kind, NotSent)
    } else if error.is_timeout() {
        (Timeout, Unknown)
    } else if hyper.is_some_and(hyper::Error::is_canceled) {
        (ClosedWhileIdle, NotSent)
    } else if hyper.is_some_and(hyper::Error::is_parse) {
        (UnreadableAnswer, Unknown)
    } else if hyper.is_some() || cause::<io::Error>(&error).is_some() {
        (Reset, Unknown)
    } else {
        (Other, Unknown)
    };
    failed(kind, delivery, Reason::of(&error))
}

/// What an error within an answer means. The request was executed.
fn refine_body(error: Box<dyn Error + Send + Sync>) -> TransportError {
    use TransportErrorKind::*;

    let error: &(dyn Error + 'static) = &*error;
    let kind = if cause::<LengthLimitError>(error).is_some() {
        AnswerTooLarge
    } else if cause::<reqwest::Error>(error).is_some_and(reqwest::Error::is_timeout) {
        Timeout
    } else if cause::<reqwest::Error>(error).is_some_and(reqwest::Error::is_decode)
        && cause::<hyper::Error>(error).is_none()
    {
        UnreadableAnswer
    } else {
        IncompleteAnswer
    };
    failed(kind, Delivery::Unknown, Reason::of(error))
}

/// The first cause of a type, the error itself included.
fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).find_map(|cause| cause.downcast_ref())
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        // An I/O error hides the error that it wraps from the chain.
        match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

fn is_tls(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|cause| cause.is::<rustls::Error>())
}

/// The innermost cause's message: it names no URL.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Reason(String);

impl Reason {
    fn of(error: &(dyn Error + 'static)) -> Self {
        let innermost = chain(error)
            .filter(|cause| !cause.is::<reqwest::Error>())
            .last();
        Self(innermost.map(ToString::to_string).unwrap_or_default())
    }
}
