//! The ready-made transport, over reqwest and rustls.

use std::{error::Error, pin::pin, sync::Arc};

use async_trait::async_trait;
use http_body_util::{BodyExt, Limited};
use reqwest::{Client, ClientBuilder, Url, redirect, retry};
use tokio::time::{Instant, timeout_at};

use crate::{
    call::Call,
    departure::{Departing, Departure},
    encoding::unpacked,
    environment::Environment,
    error::{Delivery, TransportError, TransportErrorKind},
    headers::{USER_AGENT, say_empty},
    keep_alive,
    limits::Limits,
    message::{Request, Response},
    notes::SentAt,
    refine::{Hints, before_answer, invalid, within_answer},
    runtime,
    trace::record_server,
    transport::Transport,
};

/// A transport over reqwest: TLS by rustls, HTTP/1.1 and HTTP/2, pooled connections, gzip.
///
/// It uses the proxy that the environment variables name, except to this machine without TLS. Cheap
/// to clone; clones share the pool. Redirects are answers and are not followed. An answer that is
/// larger than allowed after unpacking is an error. So is a URI that reqwest would rewrite: one
/// with a segment of dots, or with `'`, `\`, `{` and the like not percent-encoded.
///
/// It sends the name of this crate as the `User-Agent`. A request's own value takes precedence: use
/// it for an application's name.
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

impl ReqwestTransport {
    /// Creates a transport to the environment's API host.
    ///
    /// # Errors
    ///
    /// Returns [`TransportError`] when TLS cannot be set up.
    pub fn new(environment: &Environment) -> Result<Self, TransportError> {
        Self::with_limits(environment, Limits::default())
    }

    /// Creates a transport to the environment's API host with other limits.
    ///
    /// # Errors
    ///
    /// Returns [`TransportError`] when TLS cannot be set up.
    pub fn with_limits(environment: &Environment, limits: Limits) -> Result<Self, TransportError> {
        Self::with_client(environment, limits, |client| client)
    }

    /// Creates a transport whose HTTP client is set up by the caller, for a company's network: root
    /// certificates, a client certificate, a proxy, addresses of hosts, default headers, the
    /// `User-Agent` (begin with [`USER_AGENT`] or add to it).
    ///
    /// What this crate promises of every transport is set afterwards: redirects are not followed,
    /// nothing is repeated, the [`Limits`] hold, and no proxy is used to this machine without TLS. A
    /// time-out of the client holds beside them.
    ///
    /// ```no_run
    /// use crm_transport::{Environment, Limits, ReqwestTransport, USER_AGENT};
    /// use reqwest::{Certificate, Proxy};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let roots = Certificate::from_pem_bundle(&std::fs::read("company-ca.pem")?)?;
    /// let proxy = Proxy::https("http://proxy.example:3128")?;
    /// let environment = Environment::production();
    /// let wire = ReqwestTransport::with_client(&environment, Limits::default(), |client| {
    ///     let client = client.user_agent(format!("nightly-sync/1.4 {USER_AGENT}"));
    ///     client.tls_certs_merge(roots).proxy(proxy)
    /// })?;
    /// # let _ = wire;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`TransportError`] when TLS cannot be set up.
    pub fn with_client(
        environment: &Environment,
        limits: Limits,
        set_up: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, TransportError> {
        let mut client = set_up(Client::builder().user_agent(USER_AGENT));
        // Without TLS a proxy would see the credentials, and would look for the sandbox on its
        // own machine.
        if environment.is_without_tls() {
            client = client.no_proxy();
        }
        // A machine that has no certificates, as a bare container, still reaches the sandbox.
        if !environment.has_tls() {
            client = client.tls_certs_only([]);
        }
        let client = client
            // It would log what is sent, credentials included.
            .connection_verbose(false)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .connect_timeout(limits.connecting())
            .pool_idle_timeout(limits.idle_timeout)
            .http2_keep_alive_interval(keep_alive::interval(limits))
            .http2_keep_alive_timeout(keep_alive::timeout(limits))
            .tcp_nodelay(true)
            .build()
            .map_err(|e| {
                TransportError::new(TransportErrorKind::Tls, Delivery::NotExecuted).with_source(e)
            })?;
        Ok(Self { client, base: environment.api.clone(), limits })
    }

    /// Returns a transport over the same connections to the environment's auth host, for the token
    /// endpoint.
    ///
    /// # Errors
    ///
    /// Never for a valid [`Environment`].
    pub fn for_auth(&self, environment: &Environment) -> Result<Self, TransportError> {
        Ok(Self { base: environment.auth.clone(), ..self.clone() })
    }

    fn request(
        &self,
        request: Request,
        departure: Option<Arc<Departure>>,
    ) -> Result<reqwest::Request, TransportError> {
        let (mut parts, body) = request.into_parts();
        let (None, Some(target)) = (parts.uri.authority(), parts.uri.path_and_query()) else {
            return Err(invalid("the URI must be path and query only"));
        };
        // The host was parsed once, and neither a path nor a query can change it.
        let mut url = self.base.clone();
        url.set_path(target.path());
        url.set_query(target.query());
        // A URL resolves dots and backslashes and encodes some characters, which gives another
        // path.
        if (url.path(), url.query()) != (target.path(), target.query()) {
            return Err(invalid("the HTTP client would change the URI: percent-encode it"));
        }
        if body.is_empty() {
            say_empty(&mut parts);
        }
        let mut outgoing = reqwest::Request::new(parts.method, url);
        *outgoing.headers_mut() = parts.headers;
        if departure.is_some() {
            *outgoing.body_mut() = Some(reqwest::Body::wrap(Departing::new(body, departure)));
        } else if !body.is_empty() {
            *outgoing.body_mut() = Some(body.into());
        }
        Ok(outgoing)
    }

    /// Sends a request and reads the whole answer.
    async fn exchange(&self, request: reqwest::Request) -> Result<Response, TransportError> {
        let response = self.client.execute(request).await;
        let response =
            response.map_err(|error| refine(error).at(self.base.host_str().unwrap_or_default()))?;
        let (mut parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
        let body = Limited::new(body, self.limits.answer_bytes);
        let body = body.collect().await.map_err(refine_body)?.to_bytes();
        let body = unpacked(&mut parts, body, self.limits.answer_bytes)?;
        Ok(Response::from_parts(parts, body))
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.send_unboxed(request).await
    }

    fn send_unboxed(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Response, TransportError>> + Send {
        async move {
            runtime::required()?;
            let call = Call::of(&request);
            let departure = Departure::of(call)?;
            let sent_at = SentAt::now(call);
            // Our own timer: that of reqwest would read the clock once more, and is boxed.
            let ends = call.ends(Instant::now(), self.limits.timeout)?;
            let request = self.request(request, departure.clone())?;
            record_server(|| {
                let port = self.base.port_or_known_default();
                (self.base.host_str().unwrap_or_default(), port.unwrap_or_default())
            });
            // Pinned in place: it is large.
            let exchange = pin!(self.exchange(request));
            let result = timeout_at(ends, exchange).await.unwrap_or_else(|_| {
                Err(TransportError::new(TransportErrorKind::Timeout, Delivery::Unknown))
            });
            let mut response = result.map_err(|error| match &departure {
                Some(departure) => departure.explain(error),
                None => error,
            })?;
            if let Some(sent_at) = sent_at {
                response.extensions_mut().insert(sent_at);
            }
            Ok(response)
        }
    }
}

fn refine(error: reqwest::Error) -> TransportError {
    if error.is_builder() {
        return invalid("the HTTP client refuses it");
    }
    let hints = Hints { connect: error.is_connect(), timeout: error.is_timeout() };
    before_answer(&error, hints)
}

fn refine_body(error: Box<dyn Error + Send + Sync>) -> TransportError {
    let timeout = error.downcast_ref().is_some_and(reqwest::Error::is_timeout);
    let hints = Hints { connect: false, timeout };
    within_answer(&*error, hints)
}
