//! A transport of your own: HTTP/1.1 by hand over a TCP connection per call, enough for a local
//! server. `cargo run -p crm-transport --example custom_transport --features contract` checks it
//! against the contract.

use std::error::Error;

use crm_transport::{
    Call,
    Delivery::*,
    Moment, Request, Response, SentAt, Transport, TransportError,
    TransportErrorKind::{self as Kind, *},
    contract,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout_at},
};

/// HTTP/1.1 by hand, a connection for each call: enough for a server on this machine.
struct ByHand {
    address: String,
    timeout: std::time::Duration,
    answer_bytes: usize,
}

#[async_trait::async_trait]
impl Transport for ByHand {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let not_sent = |kind| TransportError::new(kind, NotExecuted);
        if request.uri().authority().is_some() {
            return Err(not_sent(InvalidRequest));
        }
        let end = Instant::now() + Call::of(&request).time_left(self.timeout)?;
        let stream = timeout_at(end, TcpStream::connect(&self.address)).await;
        let stream = stream.map_err(|_| not_sent(Timeout))?;
        let stream = stream.map_err(|cause| not_sent(Connect).with_source(cause))?;
        Call::of(&request).may_begin()?;
        // From here on the server may have the request.
        let sent_at = SentAt(Moment::now());
        let answer = timeout_at(end, self.exchange(stream, request)).await;
        let answer = answer.unwrap_or(Err(Timeout));
        let mut answer = answer.map_err(|kind| TransportError::new(kind, Unknown))?;
        answer.extensions_mut().insert(sent_at);
        Ok(answer)
    }
}

impl ByHand {
    async fn exchange(&self, mut stream: TcpStream, request: Request) -> Result<Response, Kind> {
        let mut head = format!("{} {} HTTP/1.1\r\n", request.method(), request.uri());
        for (name, value) in request.headers() {
            head += &format!("{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes()));
        }
        let length = request.body().len();
        head += &format!("host: {}\r\ncontent-length: {length}\r\n\r\n", self.address);
        let message = [head.as_bytes(), request.body()].concat();
        stream.write_all(&message).await.map_err(|_| Reset)?;

        let mut answer = Vec::new();
        while stream.read_buf(&mut answer).await.unwrap_or(0) > 0 {
            match parse(&answer) {
                Some(whole) if whole.body().len() <= self.answer_bytes => return Ok(whole),
                // Until it is whole its head counts too.
                None if answer.len() <= self.answer_bytes + 65_536 => {}
                _ => return Err(AnswerTooLarge),
            }
        }
        let begun = !answer.is_empty();
        Err(if begun { IncompleteAnswer } else { Reset })
    }
}

/// The answer, once it is there as a whole. Knows no chunks: they never become whole.
fn parse(answer: &[u8]) -> Option<Response> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let mut lines = str::from_utf8(&answer[..end]).ok()?.split("\r\n");
    let status = lines.next()?.get(9..12)?;
    let mut response = http::Response::builder().status(status);
    let mut length = (status == "204").then_some(0);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().ok();
        }
        response = response.header(name, value);
    }
    let body = answer[end + 4..].get(..length?)?;
    response.body(body.to_vec().into()).ok()
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
