//! A company's network: certificates of its own, and a proxy on the way out.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(all(feature = "reqwest", feature = "hyper"))]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crm_transport::{
    Auth, Credentials, Delivery, Environment, HyperTransport, Limits, Request, ReqwestTransport,
    Transport, TransportError, TransportErrorKind, TransportExt, USER_AGENT,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::{Certificate, ClientBuilder, Identity, Proxy};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::WebPkiClientVerifier,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// A certificate authority of the company's own.
struct Company {
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Company {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self { authority: CertifiedIssuer::self_signed(params, key).unwrap() }
    }

    /// A certificate for this name, and its key.
    fn certificate(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.authority).unwrap(), key)
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).unwrap();
        roots
    }

    fn pem(&self) -> Vec<Certificate> {
        Certificate::from_pem_bundle(self.authority.pem().as_bytes()).unwrap()
    }

    /// A server at `https://localhost` whose certificate the company issued; it answers with what
    /// it was sent. Returns its address.
    async fn server(&self, asks_for_certificates: bool) -> Environment {
        let (certificate, key) = self.certificate("localhost");
        let config = ServerConfig::builder();
        let config = if asks_for_certificates {
            let verifier = WebPkiClientVerifier::builder(Arc::new(self.roots())).build();
            config.with_client_cert_verifier(verifier.unwrap())
        } else {
            config.with_no_client_auth()
        };
        let (chain, key) = der(&certificate, &key);
        let config = config.with_single_cert(chain, key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") && stream.read_buf(&mut request).await.is_ok()
                {
                }
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", request.len());
                stream.write_all(&[head.as_bytes(), &request].concat()).await.unwrap();
            }
        });
        Environment::custom(&url, &url).unwrap()
    }
}

fn der(
    certificate: &rcgen::Certificate,
    key: &KeyPair,
) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    (vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
}

fn over_reqwest(
    environment: &Environment,
    set_up: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> ReqwestTransport {
    ReqwestTransport::with_client(environment, Limits::default(), set_up).unwrap()
}

/// What the server was sent.
async fn sent(transport: impl Transport) -> String {
    let answer = transport.send(Request::default()).await.unwrap();
    String::from_utf8(answer.into_body().to_vec()).unwrap()
}

fn assert_untrusted(error: &TransportError) {
    assert_eq!(error.kind(), TransportErrorKind::Tls);
    assert_eq!(error.delivery(), Delivery::NotExecuted);
    let told = error.to_string();
    for part in ["localhost", "certificate"] {
        assert_eq!(told.matches(part).count(), 1, "{told}");
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_told_with_host_and_reason_once() {
    let environment = Company::new().server(false).await;
    let reqwest = ReqwestTransport::new(&environment).unwrap();
    let hyper = HyperTransport::new(&environment).unwrap();
    assert_untrusted(&reqwest.send(Request::default()).await.unwrap_err());
    assert_untrusted(&hyper.send(Request::default()).await.unwrap_err());

    // The token endpoint comes first.
    let credentials = Credentials::new("cid.test", "secret", "ak1.test");
    let auth = Auth::new(reqwest.for_auth(&environment).unwrap(), credentials);
    let error = reqwest.with_auth(auth).send(Request::default()).await.unwrap_err();
    assert_untrusted(&error);
}

#[tokio::test]
async fn an_authority_of_the_company_is_trusted_where_it_is_named() {
    let company = Company::new();
    let environment = company.server(false).await;
    sent(over_reqwest(&environment, |client| client.tls_certs_merge(company.pem()))).await;
    let tls = ClientConfig::builder().with_root_certificates(company.roots()).with_no_client_auth();
    sent(HyperTransport::with_tls(&environment, Limits::default(), tls).unwrap()).await;
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_gets_it() {
    let company = Company::new();
    let environment = company.server(true).await;
    let (certificate, key) = company.certificate("client");
    let identity = format!("{}{}", certificate.pem(), key.serialize_pem());
    let identity = Identity::from_pem(identity.as_bytes()).unwrap();
    let roots = company.pem();
    sent(over_reqwest(&environment, |client| client.tls_certs_merge(roots).identity(identity)))
        .await;

    let (chain, key) = der(&certificate, &key);
    let tls = ClientConfig::builder().with_root_certificates(company.roots());
    let tls = tls.with_client_auth_cert(chain, key).unwrap();
    sent(HyperTransport::with_tls(&environment, Limits::default(), tls).unwrap()).await;
}

#[tokio::test]
async fn the_caller_adds_to_the_user_agent_and_to_every_request() {
    let company = Company::new();
    let environment = company.server(false).await;
    let sent = sent(over_reqwest(&environment, |client| {
        let client = client.user_agent(format!("nightly-sync/1.4 {USER_AGENT}"));
        client.tls_certs_merge(company.pem())
    }));
    let sent = sent.await.to_lowercase();
    assert!(sent.contains(&format!("user-agent: nightly-sync/1.4 {USER_AGENT}")), "{sent}");
}

#[tokio::test]
async fn a_proxy_that_is_named_carries_the_calls() {
    let company = Company::new();
    let environment = company.server(false).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let carried = Arc::new(AtomicUsize::new(0));
    let carries = Arc::clone(&carried);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut connect = Vec::new();
            while !connect.ends_with(b"\r\n\r\n") {
                client.read_buf(&mut connect).await.unwrap();
            }
            let connect = String::from_utf8(connect).unwrap();
            let port = connect.strip_prefix("CONNECT localhost:").unwrap();
            let (port, _) = port.split_once(' ').unwrap();
            let mut server = TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            carries.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
        }
    });
    let proxy = Proxy::all(proxy).unwrap();
    sent(over_reqwest(&environment, |client| client.tls_certs_merge(company.pem()).proxy(proxy)))
        .await;
    assert_eq!(carried.load(Ordering::SeqCst), 1);
}

/// Which certificates a machine has is said by variables, so that the test is a process of its own.
#[cfg(target_os = "linux")]
#[test]
fn hosts_without_tls_are_reached_from_a_machine_that_has_no_certificates() {
    const INSIDE: &str = "CRM_TEST_WITHOUT_CERTIFICATES";
    if std::env::var_os(INSIDE).is_some() {
        let local = Environment::custom("http://127.0.0.1:9", "http://127.0.0.1:9").unwrap();
        ReqwestTransport::new(&local).unwrap();
        HyperTransport::new(&local).unwrap();
        let vendor = Environment::production();
        assert_eq!(ReqwestTransport::new(&vendor).unwrap_err().kind(), TransportErrorKind::Tls);
        assert_eq!(HyperTransport::new(&vendor).unwrap_err().kind(), TransportErrorKind::Tls);
        return;
    }
    let name = "hosts_without_tls_are_reached_from_a_machine_that_has_no_certificates";
    let ended = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(INSIDE, "1")
        .env("SSL_CERT_FILE", "/dev/null")
        .env("SSL_CERT_DIR", "/dev/null")
        .status();
    assert!(ended.unwrap().success());
}
