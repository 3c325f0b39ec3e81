//! The lean transport, directly on hyper-util's pooled client.

use std::{error::Error, pin::pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::{
    HeaderValue, Uri, header,
    uri::{Authority, Scheme},
};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, builderstates::WantsSchemes};
use hyper_util::{
    client::legacy::{
        self, Client,
        connect::{HttpConnector, capture_connection},
    },
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use tokio::time::{Instant, timeout_at};

use crate::{
    call::Call,
    connect::Bounded,
    departure,
    encoding::unpacked,
    environment::Environment,
    error::{Delivery, TransportError, TransportErrorKind},
    headers::{say_empty, say_who},
    keep_alive,
    limits::Limits,
    message::{Request, Response},
    notes::SentAt,
    refine::{Hints, before_answer, invalid, within_answer},
    runtime,
    trace::record_server,
    transport::Transport,
};

/// A transport directly on hyper-util: the same TLS, pool and protocols as
/// [`ReqwestTransport`](crate::ReqwestTransport), without its extras. It asks for no content
/// encoding and does not support proxies.
///
/// Cheap to clone; clones share the pool.
///
/// It sends the name of this crate as the `User-Agent`. A request's own value takes precedence: use
/// it for an application's name.
///
/// ```no_run
/// use crm_transport::{Auth, Credentials, Environment, HyperTransport, TransportExt};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let environment = Environment::integration();
/// let wire = HyperTransport::new(&environment)?;
/// let credentials = Credentials::new("cid.example", "secret", "ak1.example");
/// let auth = Auth::new(wire.for_auth(&environment)?, credentials);
/// let transport = wire.with_auth(auth);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct HyperTransport {
    client: Client<Bounded<HttpsConnector<HttpConnector>>, Full<Bytes>>,
    host: Host,
    limits: Limits,
}

/// Where requests go, in the forms that each of them needs.
#[derive(Debug, Clone)]
struct Host {
    scheme: Scheme,
    authority: Authority,
    /// The authority as the `Host` of a request (RFC 9110, section 7.2). hyper-util would write one
    /// for each request; HTTP/2 allows it beside `:authority` (RFC 9113, section 8.3.1).
    header: HeaderValue,
}

impl HyperTransport {
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
        // A machine that has no certificates, as a bare container, still reaches the sandbox.
        let tls =
            if environment.has_tls() { verified_by_the_platform()? } else { trusting_nobody()? };
        Self::build(environment, limits, tls, Client::builder(TokioExecutor::new()))
    }

    /// Creates a transport to the environment's API host with the caller's settings of TLS, for a
    /// company's network: root certificates, a client certificate. The settings say all that is
    /// trusted: the certificates of the platform are not added. Which versions of HTTP are offered
    /// is set by the transport.
    ///
    /// ```no_run
    /// use crm_transport::{Environment, HyperTransport, Limits};
    /// use rustls::pki_types::{CertificateDer, pem::PemObject};
    /// use rustls::{ClientConfig, RootCertStore};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut roots = RootCertStore::empty();
    /// for root in CertificateDer::pem_file_iter("company-ca.pem")? {
    ///     roots.add(root?)?;
    /// }
    /// let settings = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    /// let environment = Environment::production();
    /// let wire = HyperTransport::with_tls(&environment, Limits::default(), settings)?;
    /// # let _ = wire;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`with_limits`](Self::with_limits).
    pub fn with_tls(
        environment: &Environment,
        limits: Limits,
        mut settings: ClientConfig,
    ) -> Result<Self, TransportError> {
        settings.alpn_protocols.clear();
        let tls = HttpsConnectorBuilder::new().with_tls_config(settings);
        Self::build(environment, limits, tls, Client::builder(TokioExecutor::new()))
    }

    pub(crate) fn build(
        environment: &Environment,
        limits: Limits,
        tls: HttpsConnectorBuilder<WantsSchemes>,
        mut client: legacy::Builder,
    ) -> Result<Self, TransportError> {
        let mut http = HttpConnector::new();
        // The TLS connector around it is given https URLs too.
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(limits.connecting()));
        // As in reqwest: a connection whose other end is gone is detected within a minute.
        http.set_keepalive(Some(Duration::from_secs(15)));
        http.set_keepalive_interval(Some(Duration::from_secs(15)));
        http.set_keepalive_retries(Some(3));
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        http.set_tcp_user_timeout(Some(Duration::from_secs(30)));
        let connector = tls.https_or_http().enable_all_versions().wrap_connector(http);
        let client = client
            .timer(TokioTimer::new())
            // Repeating is left to the layers, which check the last moment to begin first.
            .retry_canceled_requests(false)
            .http2_keep_alive_interval(keep_alive::interval(limits))
            .http2_keep_alive_timeout(keep_alive::timeout(limits))
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(limits.idle_timeout)
            .build(Bounded { connector, time: limits.connecting() });
        Ok(Self { client, host: Host::of(environment.api_url())?, limits })
    }

    /// Returns a transport over the same connections to the environment's auth host, for the token
    /// endpoint.
    ///
    /// # Errors
    ///
    /// Never for a valid [`Environment`].
    pub fn for_auth(&self, environment: &Environment) -> Result<Self, TransportError> {
        Ok(Self { host: Host::of(environment.auth_url())?, ..self.clone() })
    }

    /// Returns the request with the host in its URI.
    fn address(&self, request: Request) -> Result<http::Request<Full<Bytes>>, TransportError> {
        let (mut parts, body) = request.into_parts();
        say_who(&mut parts);
        parts.headers.entry(header::HOST).or_insert_with(|| self.host.header.clone());
        if body.is_empty() {
            say_empty(&mut parts);
        }
        let mut target = parts.uri.into_parts();
        if target.authority.is_some() {
            return Err(invalid("the URI must be path and query only"));
        }
        target.scheme = Some(self.host.scheme.clone());
        target.authority = Some(self.host.authority.clone());
        parts.uri = Uri::from_parts(target)
            .map_err(|_| invalid("the URI cannot be appended to the host"))?;
        Ok(http::Request::from_parts(parts, Full::new(body)))
    }
}

#[async_trait]
impl Transport for HyperTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.send_unboxed(request).await
    }

    fn send_unboxed(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Response, TransportError>> + Send {
        async move {
            record_server(|| {
                let Host { scheme, authority, .. } = &self.host;
                let usual = if *scheme == Scheme::HTTPS { 443 } else { 80 };
                (authority.host(), authority.port_u16().unwrap_or(usual))
            });
            runtime::required()?;
            let call = Call::of(&request);
            let now = Instant::now();
            let ends = call.ends(now, self.limits.timeout)?;
            let begin_by = call.begin_by;
            let sent_at = SentAt::now(call);
            let mut request = self.address(request)?;
            // Only a short call, or one that must begin soon, may end while it is still connecting.
            let is_watched = begin_by.is_some() || ends <= now + self.limits.connecting();
            let connection = is_watched.then(|| capture_connection(&mut request));
            let has_left = || {
                let connection = connection.as_ref();
                connection.is_none_or(|c| c.connection_metadata().is_some())
            };
            let answer = self.client.request(request);
            // Pinned in place: it is large.
            let answer = pin!(read(answer, self.limits.answer_bytes, &self.host));
            let answer = match begin_by {
                None => timeout_at(ends, answer).await,
                // Boxed, so that it makes no other call larger.
                Some(moment) => {
                    Box::pin(timeout_at(ends, departure::by(moment, has_left, answer))).await
                }
            };
            let mut answer = answer.unwrap_or_else(|_| {
                let delivery = if has_left() { Delivery::Unknown } else { Delivery::NotExecuted };
                Err(TransportError::new(TransportErrorKind::Timeout, delivery))
            })?;
            if let Some(sent_at) = sent_at {
                answer.extensions_mut().insert(sent_at);
            }
            Ok(answer)
        }
    }
}

/// TLS whose certificates the operating system verifies.
pub(crate) fn verified_by_the_platform()
-> Result<HttpsConnectorBuilder<WantsSchemes>, TransportError> {
    HttpsConnectorBuilder::new().try_with_platform_verifier().map_err(not_set_up)
}

/// TLS for hosts that are spoken to without.
fn trusting_nobody() -> Result<HttpsConnectorBuilder<WantsSchemes>, TransportError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let settings = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(not_set_up)?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Ok(HttpsConnectorBuilder::new().with_tls_config(settings))
}

fn not_set_up(error: rustls::Error) -> TransportError {
    TransportError::new(TransportErrorKind::Tls, Delivery::NotExecuted).with_source(error)
}

async fn read(
    response: legacy::ResponseFuture,
    answer_bytes: usize,
    host: &Host,
) -> Result<Response, TransportError> {
    let response = response.await.map_err(|error| {
        let hints = Hints {
            connect: error.is_connect(),
            timeout: error.is_connect() && is_timeout(&error),
        };
        before_answer(&error, hints).at(host.authority.host())
    })?;
    let (mut parts, body) = response.into_parts();
    let body = Limited::new(body, answer_bytes).collect().await;
    let body = body.map_err(|error| within_answer(&*error, Hints::default()))?;
    let body = unpacked(&mut parts, body.to_bytes(), answer_bytes)?;
    Ok(Response::from_parts(parts, body))
}

impl Host {
    fn of(url: &str) -> Result<Self, TransportError> {
        let parts = url.parse::<Uri>().unwrap_or_default().into_parts();
        let host = parts.scheme.zip(parts.authority).and_then(|(scheme, authority)| {
            let header = HeaderValue::from_str(authority.as_str()).ok()?;
            Some(Self { scheme, authority, header })
        });
        host.ok_or_else(|| invalid("the host is not a URL"))
    }
}

/// Whether a connection took too long, judged by the socket's error.
fn is_timeout(error: &legacy::Error) -> bool {
    std::iter::successors(error.source(), |&error| error.source())
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|error| error.kind() == std::io::ErrorKind::TimedOut)
}
