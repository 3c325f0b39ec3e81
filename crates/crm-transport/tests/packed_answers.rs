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

/// What the transport, bound to 100,000 bytes, makes of an answer with this packed body.
async fn receive(body: Vec<u8>) -> Result<Response, TransportError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut request).await.unwrap();
        }
        let head = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length";
        let head = format!("{head}: {}\r\n\r\n", body.len());
        stream
            .write_all(&[head.as_bytes(), &body].concat())
            .await
            .unwrap();
        String::from_utf8_lossy(&request).to_lowercase()
    });
    let environment = Environment::custom(&url, &url).unwrap();
    let limits = Limits::default().answer_bytes(100_000);
    let transport = ReqwestTransport::with_limits(&environment, limits).unwrap();
    let result = transport.send(Request::default()).await;
    assert!(server.await.unwrap().contains("accept-encoding: gzip"));
    result
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
