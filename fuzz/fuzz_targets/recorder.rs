//! Whatever passes a recorder, its cassette can be read, answers the same request, and holds no
//! secret of the headers.
#![no_main]

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use crm_fuzz::block_on;
use crm_transport::{
    Request, Response, Transport, TransportError,
    cassette::{Matching, Recorder, Redaction, Replayer},
};
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "Bearer s3cr3t-8471";

/// Answers with this status and body.
struct Answers(u16, Vec<u8>);

#[async_trait]
impl Transport for Answers {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        let mut response = Response::new(self.1.clone().into());
        *response.status_mut() = self.0.try_into().expect("a status");
        Ok(response)
    }
}

#[derive(Clone, Default)]
struct Tape(Arc<Mutex<Vec<u8>>>);

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("one thread").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn request(body: &[u8]) -> Request {
    let mut request = Request::new(body.to_vec().into());
    *request.method_mut() = http::Method::PATCH;
    let secret = http::HeaderValue::from_static(SECRET);
    request.headers_mut().insert("authorization", secret);
    request
}

fuzz_target!(|input: &[u8]| {
    // The first byte picks the status; a zero byte parts request and answer.
    let Some((status, bodies)) = input.split_first() else {
        return;
    };
    let status = [200, 400, 404, 409, 429, 503][usize::from(*status) % 6];
    let (sent, answered) = match bodies.iter().position(|byte| *byte == 0) {
        Some(end) => (&bodies[..end], &bodies[end + 1..]),
        None => (bodies, bodies),
    };
    let tape = Tape::default();
    let wire = Answers(status, answered.to_vec());
    let recorder = Recorder::new(wire, tape.clone(), Redaction::Replace);
    block_on(recorder.send(request(sent))).expect("it answers");
    assert_eq!(recorder.finish().expect("memory can be written"), 1);

    let written = tape.0.lock().expect("one thread").clone();
    let text = String::from_utf8_lossy(&written);
    let given_away = sent.windows(6).chain(answered.windows(6)).any(|six| six == b"s3cr3t");
    assert!(given_away || !text.contains("s3cr3t"), "{text}");
    for matching in [Matching::Strict, Matching::Loose] {
        let replayer = Replayer::read(&written[..], matching).expect("a cassette");
        let answer = block_on(replayer.send(request(sent))).expect("the same request");
        assert_eq!(answer.status(), status);
    }
});
