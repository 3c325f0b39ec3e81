//! Answers that are packed with gzip.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(feature = "reqwest")]

use std::io::Write;

use crm_transport::{
    Environment, Limits, Request, ReqwestTransport, Response, Transport, TransportError,
    TransportErrorKind,
};
use flate2::{Compression, write::GzEncoder};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What reqwest, bound to 100,000 bytes, makes of an answer with this packed body.
async fn receive(body: Vec<u8>) -> Result<Response, TransportError> {
    let (result, request) = exchange(reqwest, "200 OK", "gzip", body).await;
    assert!(request.contains("accept-encoding: gzip"));
    result
}

/// What a transport makes of an answer with this packed body, and what it asked.
async fn exchange<T: Transport>(
    make: impl Fn(&Environment, Limits) -> T,
    status: &'static str,
    encoding: &'static str,
    body: Vec<u8>,
) -> (Result<Response, TransportError>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut request).await.unwrap();
        }
        let head = format!("HTTP/1.1 {status}\r\ncontent-encoding: {encoding}\r\ncontent-length");
        let head = format!("{head}: {}\r\n\r\n", body.len());
        stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
        String::from_utf8_lossy(&request).to_lowercase()
    });
    let environment = Environment::custom(&url, &url).unwrap();
    let limits = Limits::default().answer_bytes(100_000);
    let result = make(&environment, limits).send(Request::default()).await;
    (result, server.await.unwrap())
}

fn reqwest(environment: &Environment, limits: Limits) -> ReqwestTransport {
    ReqwestTransport::with_limits(environment, limits).unwrap()
}

#[tokio::test]
async fn a_packed_answer_is_unpacked() {
    let body = br#"{"memo":"Beware of the dog"}"#;
    let response = receive(packed(body)).await.unwrap();
    assert_eq!(response.body().as_ref(), body);
}

#[tokio::test]
async fn the_bound_counts_unpacked_bytes() {
    let bomb = packed(&vec![b'0'; 10_000_000]);
    assert!(bomb.len() < 100_000);
    let error = receive(bomb).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::AnswerTooLarge);
}

#[tokio::test]
async fn a_damaged_packed_answer_is_an_error() {
    let mut damaged = packed(&[b'0'; 1_000]);
    damaged[12..].fill(0xff);
    let error = receive(damaged).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::UnreadableAnswer);
}

async fn gzip_is_unpacked_by_any_name<T: Transport>(
    make: impl Fn(&Environment, Limits) -> T + Copy,
) {
    let body = br#"{"memo":"Beware of the dog"}"#;
    for name in ["gzip", "GZIP", "Gzip", "x-gzip", "X-GZIP", " gzip "] {
        let (result, _) = exchange(make, "200 OK", name, packed(body)).await;
        let response = result.unwrap();
        assert_eq!(response.body().as_ref(), body, "{name}");
        assert!(!response.headers().contains_key("content-encoding"));

        let bomb = packed(&vec![b'0'; 10_000_000]);
        let (result, _) = exchange(make, "200 OK", name, bomb).await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::AnswerTooLarge, "{name}");
    }
    let (result, _) = exchange(make, "200 OK", "identity", body.to_vec()).await;
    assert_eq!(result.unwrap().body().as_ref(), body);

    let (result, _) = exchange(make, "200 OK", "BR", vec![1, 2, 3]).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::UnreadableAnswer);
    assert!(error.to_string().contains("compressed as \"br\""), "{error}");
    // A refusal says enough by its status.
    let (result, _) = exchange(make, "503 Service Unavailable", "br", vec![1, 2, 3]).await;
    assert_eq!(result.unwrap().status(), 503);
}

#[tokio::test]
async fn reqwest_unpacks_gzip_by_any_name_and_names_what_it_cannot_unpack() {
    gzip_is_unpacked_by_any_name(reqwest).await;
}

#[cfg(feature = "hyper")]
#[tokio::test]
async fn hyper_unpacks_gzip_by_any_name_and_names_what_it_cannot_unpack() {
    let hyper = |environment: &Environment, limits| {
        crm_transport::HyperTransport::with_limits(environment, limits).unwrap()
    };
    gzip_is_unpacked_by_any_name(hyper).await;
}
