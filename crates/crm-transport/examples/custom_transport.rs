//! A transport of your own: HTTP/1.0 by hand over a TCP connection per call, enough for a local
//! server, in one function. `cargo run -p crm-transport --example custom_transport --features
//! contract` checks it against the contract.

use std::{error::Error, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use crm_transport::{
    Call, Delivery, Request, Response, Transport, TransportError, TransportErrorKind, contract,
};
use http::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

struct ByHand {
    address: String,
    timeout: Duration,
    answer_bytes: usize,
}

#[async_trait]
impl Transport for ByHand {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        use {Delivery::*, TransportErrorKind::*};
        if request.uri().authority().is_some() {
            return Err(TransportError::new(InvalidRequest, NotSent));
        }
        let bound = Call::of(&request).timeout.unwrap_or(self.timeout);
        let mut stream = TcpStream::connect(&self.address)
            .await
            .map_err(|e| TransportError::new(Connect, NotSent).with_source(e))?;
        // From here on the server may have the request.
        match timeout(bound, self.exchange(&mut stream, &request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(kind)) => Err(TransportError::new(kind, Unknown)),
            Err(_) => Err(TransportError::new(Timeout, Unknown)),
        }
    }
}

impl ByHand {
    async fn exchange(
        &self,
        stream: &mut TcpStream,
        request: &Request,
    ) -> Result<Response, TransportErrorKind> {
        use TransportErrorKind::{AnswerTooLarge, IncompleteAnswer, Reset};
        let mut head = format!("{} {} HTTP/1.1\r\n", request.method(), request.uri());
        for (name, value) in request.headers() {
            head += &format!("{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes()));
        }
        head += &format!("content-length: {}\r\n\r\n", request.body().len());
        let sent = [head.as_bytes(), request.body()].concat();
        stream.write_all(&sent).await.map_err(|_| Reset)?;

        let mut answer = Vec::new();
        loop {
            if let Some(response) = read(&answer) {
                return Ok(response);
            }
            if answer.len() > self.answer_bytes {
                return Err(AnswerTooLarge);
            }
            match stream.read_buf(&mut answer).await {
                Ok(0) | Err(_) => return Err(IncompleteAnswer),
                Ok(_) => {}
            }
        }
    }
}

/// The answer, once it is there as a whole. Knows no chunks: they never become whole.
fn read(answer: &[u8]) -> Option<Response> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?;
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::from_bytes(status.as_bytes()).ok()?;
    let mut length = (status == "204").then_some(0);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().ok();
        }
        let name = name.parse::<http::HeaderName>().ok()?;
        response.headers_mut().append(name, value.parse().ok()?);
    }
    let body = answer[end + 4..].get(..length?)?;
    *response.body_mut() = Bytes::copy_from_slice(body);
    Some(response)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    contract::check(|target| ByHand {
        address: target.url.replace("http://", ""),
        timeout: target.timeout,
        answer_bytes: target.answer_bytes,
    })
    .await;
    println!("the transport keeps the contract");
    Ok(())
}
