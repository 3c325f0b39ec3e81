//! How calls leave a company's network: its certificates, its proxy, the pace of its account.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{fs, path::PathBuf, sync::Arc};

use common::{Service, stderr};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    runtime::{self, Runtime},
};
use tokio_rustls::TlsAcceptor;

const LIST: [&str; 3] = ["location-contacts", "list", "2001"];

/// A sandbox behind TLS, whose certificate no authority issued that anybody knows.
struct Behind {
    service: Service,
    url: String,
    /// The certificate, as a company hands it out.
    ca_file: PathBuf,
    _runtime: Runtime,
}

impl Behind {
    fn start() -> Self {
        let service = Service::start();
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let ca_file = service.home.path().join("company.pem");
        fs::write(&ca_file, own.cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![own.cert.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let sandbox = service.sandbox.connection().api_url.clone();
        let sandbox = sandbox.strip_prefix("http://").unwrap().to_owned();
        let runtime = runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, sandbox) = (acceptor.clone(), sandbox.clone());
                tokio::spawn(async move {
                    let mut outside = acceptor.accept(stream).await?;
                    let mut inside = TcpStream::connect(sandbox).await?;
                    copy_bidirectional(&mut outside, &mut inside).await
                });
            }
        });
        Self { service, url, ca_file, _runtime: runtime }
    }

    fn list(&self, more: &[&str]) -> assert_cmd::Command {
        let mut list = self.service.crm(&LIST);
        list.args(["--api-url", &self.url, "--auth-url", &self.url]).args(more);
        list
    }
}

#[test]
fn a_certificate_that_is_not_trusted_is_a_matter_of_settings_and_told_once() {
    let behind = Behind::start();
    let refused = behind.list(&[]).assert().code(2);
    let told = stderr(&refused);
    for part in ["localhost:", "invalid peer certificate", "--ca-file"] {
        assert_eq!(told.matches(part).count(), 1, "{told}");
    }
    assert!(behind.service.sandbox.log().is_empty());
}

#[test]
fn an_authority_of_the_company_is_trusted_for_one_command_or_by_the_profile() {
    let behind = Behind::start();
    let ca_file = behind.ca_file.to_str().unwrap();
    behind.list(&["--ca-file", ca_file]).assert().success();

    let add =
        ["profile", "add", "behind", "--tenant", "1", "--ca-file", "company.pem", "--rate", "30"];
    let proxy = ["--proxy", "http://user:hidden@proxy.example:3128"];
    let mut add = behind.service.crm(&[&add[..], &proxy].concat());
    add.args(["--api-url", &behind.url, "--auth-url", &behind.url]).assert().success();
    let shown = behind.service.ok(&["profile", "show", "behind", "--output", "json"]);
    for part in ["\"rate\": 30", ca_file, "\"proxy\": true"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains("hidden"), "{shown}");
}

#[test]
fn a_file_without_certificates_and_a_proxy_without_a_url_are_refused_before_anything_is_sent() {
    let service = Service::start();
    fs::write(service.home.path().join("empty.pem"), "not a certificate").unwrap();
    for (option, value, reason) in [
        ("--ca-file", "missing.pem", "cannot read missing.pem"),
        ("--ca-file", "empty.pem", "empty.pem holds no certificate"),
        ("--proxy", "hidden word:", "the proxy is not a URL"),
        ("--rate", "0", "--rate"),
    ] {
        let refused = service.crm(&[&LIST[..], &[option, value]].concat()).assert().code(2);
        let told = stderr(&refused);
        assert!(told.contains(reason), "{told}");
        assert!(!told.contains("hidden"), "{told}");
    }
    assert!(service.sandbox.log().is_empty());
}

#[test]
fn a_rate_of_its_own_spaces_the_calls() {
    let service = Service::start();
    service.ok(&["snapshot", "contacts.db", "--rate", "2"]);
    let log = service.sandbox.log();
    let times = log.iter().filter(|request| request.operation != "Token").map(|it| it.time);
    let times: Vec<_> = times.collect();
    assert!(times.len() > 1, "{times:?}");
    for pair in times.windows(2) {
        assert!(pair[1] - pair[0] > 450_000_000, "closer than 0.45 s: {times:?}");
    }
}
