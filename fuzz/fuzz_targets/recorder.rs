//! What is recorded can be read again, and holds no secret and no value of a member that hides
//! one, whatever is around it.
#![no_main]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use crm_transport::{
    Request, Response, Transport, TransportError,
    cassette::{Matching, Recorder, Redaction, Replayer},
};
use http::{HeaderValue, header};
use libfuzzer_sys::fuzz_target;

/// Holds no character that JSON or a form would write in another way.
const SECRET: &str = "Secret4711";

struct Always(Response);

#[async_trait]
impl Transport for Always {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        Ok(self.0.clone())
    }
}

#[derive(Clone, Default)]
struct File(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for File {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fuzz_target!(|input: &[u8]| {
    if input
        .windows(SECRET.len())
        .any(|part| part == SECRET.as_bytes())
    {
        return;
    }
    // The first line is the path and query, what follows both bodies.
    let mut parts = input.splitn(2, |byte| *byte == b'\n');
    let uri = parts.next().unwrap_or_default();
    let body = parts.next().unwrap_or_default().to_vec();
    let mut request = Request::new(body.clone().into());
    if let Ok(uri) = uri.try_into() {
        *request.uri_mut() = uri;
    }
    let headers = request.headers_mut();
    headers.insert(header::AUTHORIZATION, HeaderValue::from_static(SECRET));
    headers.insert("st-app-key", HeaderValue::from_static(SECRET));
    // The body as it is, and within the member of an object.
    let inner = serde_json::from_slice(&body).unwrap_or(serde_json::Value::Null);
    let answer = serde_json::json!({ "memo": [SECRET, inner], "x": { "value": SECRET } });
    let answer = Response::new(answer.to_string().into());

    let file = File::default();
    let recorder = Recorder::new(Always(answer), file.clone(), Redaction::Replace);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(recorder.send(request)).expect("an answer");
    assert_eq!(recorder.finish().expect("memory can be written"), 1);
    let cassette = file.0.lock().expect("no panic").clone();
    let text = String::from_utf8(cassette).expect("JSON");
    assert!(!text.contains(SECRET), "{text}");
    let replayer = Replayer::read(text.as_bytes(), Matching::Strict).expect("what was recorded");
    assert_eq!(replayer.remaining(), 1);
});
