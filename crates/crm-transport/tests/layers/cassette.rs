//! What was recorded comes back, without what must not be kept.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use crm_transport::{
    Attempts, Credentials, Delivery, Effect, Request, RetryPolicy, Transport, TransportError,
    TransportErrorKind, TransportExt,
    cassette::{CassetteError, Matching, Recorder, Redaction, Replayer},
};
use http::Method;
use tempfile::TempDir;

use super::{Scripted, answer, request};

/// A cassette in memory.
#[derive(Clone, Default)]
struct Tape(Arc<Mutex<Vec<u8>>>);

impl Tape {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn replay(&self, matching: Matching) -> Replayer {
        Replayer::read(self.text().as_bytes(), matching).unwrap()
    }
}

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn get(target: &str) -> Request {
    let mut request = request(Effect::Read);
    *request.uri_mut() = target.parse().unwrap();
    request
}

fn patch(target: &str, body: &'static str) -> Request {
    let mut request = get(target);
    *request.method_mut() = Method::PATCH;
    *request.body_mut() = body.into();
    request
        .headers_mut()
        .insert("content-type", http::HeaderValue::from_static("application/json"));
    request
}

/// Records the requests, each answered with its own body or the path.
async fn recorded(redaction: Redaction, requests: impl IntoIterator<Item = Request>) -> Tape {
    let wire = Scripted::new(|_, request: &Request| {
        let body = if request.body().is_empty() {
            format!(r#"{{"path":"{}"}}"#, request.uri().path())
        } else {
            String::from_utf8_lossy(request.body()).into_owned()
        };
        Ok(answer(200, &body))
    });
    let tape = Tape::default();
    let recorder = Recorder::new(wire, tape.clone(), redaction);
    for request in requests {
        recorder.send(request).await.unwrap();
    }
    recorder.finish().unwrap();
    tape
}

#[tokio::test]
async fn answers_and_errors_come_back_as_they_were() {
    let wire = Scripted::new(|call, _: &Request| match call {
        0 => {
            let mut binary = answer(418, "");
            *binary.body_mut() = vec![0, 159, 146, 150].into();
            binary.headers_mut().insert("x-one", 1.into());
            Ok(binary)
        }
        _ => Err(TransportError::new(TransportErrorKind::Timeout, Delivery::Unknown)),
    });
    let tape = Tape::default();
    let recorder = Recorder::new(wire, tape.clone(), Redaction::Keep);
    recorder.send(get("/a?b=%2B")).await.unwrap();
    recorder.send(get("/c")).await.unwrap_err();
    assert_eq!(recorder.finish().unwrap(), 2);

    let replayer = tape.replay(Matching::Strict);
    let response = replayer.send(get("/a?b=%2B")).await.unwrap();
    assert_eq!(response.status(), 418);
    assert_eq!(response.headers()["x-one"], "1");
    assert_eq!(response.body(), [0, 159, 146, 150].as_slice());
    let error = replayer.send(get("/c")).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(replayer.remaining(), 0);
}

#[tokio::test(start_paused = true)]
async fn above_the_retry_layer_the_attempts_come_back_too() {
    let wire = Scripted::new(|call, _: &Request| match call {
        0 | 2.. => Err(TransportError::new(TransportErrorKind::Reset, Delivery::Unknown)),
        1 => Ok(answer(404, "{}")),
    });
    let tape = Tape::default();
    let retry = wire.with_retry(RetryPolicy::default());
    let recorder = Recorder::new(retry, tape.clone(), Redaction::Replace);
    recorder.send(get("/a")).await.unwrap();
    let lost = recorder.send(get("/a")).await.unwrap_err();
    assert!(lost.attempts() > 1);

    let replayer = tape.replay(Matching::Strict);
    let refused = replayer.send(get("/a")).await.unwrap();
    assert_eq!(Attempts::of(&refused), Attempts::new(2, Delivery::Unknown));
    let replayed = replayer.send(get("/a")).await.unwrap_err();
    assert_eq!(replayed.attempts(), lost.attempts());
    assert_eq!(replayed.delivery(), Delivery::Unknown);
}

#[tokio::test]
async fn secrets_and_personal_data_are_not_on_the_tape() {
    let mut secret = patch(
        "/contacts?value=jane%40site.example&page=1",
        r#"{"type":"Phone","value":"555-0142","memo":"Gate code 4411",
            "phoneSettings":{"phoneNumber":"5550142","doNotText":true},
            "people":[{"name":"Jane Doe","title":"Plumber"},{"value":5550142}]}"#,
    );
    for name in ["authorization", "st-app-key", "cookie"] {
        let value = http::HeaderValue::from_static("s3cret-8471");
        secret.headers_mut().insert(name, value);
    }
    let mut page = patch("/page", "<p>Jane Doe</p>");
    page.headers_mut().remove("content-type");
    let tape = recorded(Redaction::Replace, [secret, page]).await.text();
    for hidden in ["555", "jane", "Jane", "Gate", "4411", "Plumber", "s3cret", "<p>"] {
        assert!(!tape.contains(hidden), "{hidden} in {tape}");
    }
    for kept in ["Phone", "doNotText", "page=1", "content-type"] {
        assert!(tape.contains(kept), "{kept} not in {tape}");
    }
}

#[tokio::test]
async fn token_requests_and_answers_are_not_on_the_tape() {
    let endpoint = Scripted::new(|_, _: &Request| {
        let token = r#"{"access_token":"token-4711","expires_in":900,"scope":"a b"}"#;
        Ok(answer(200, token))
    });
    let tape = Tape::default();
    let recorder = Arc::new(Recorder::new(endpoint, tape.clone(), Redaction::Replace));
    let credentials = || Credentials::new("cid.test", "s3cret-8471", "ak1.test");
    let auth = crm_transport::Auth::new(Arc::clone(&recorder), credentials());
    auth.token_info().await.unwrap();
    for secret in ["cid.test", "s3cret-8471", "token-4711"] {
        assert!(!tape.text().contains(secret), "{secret} in {}", tape.text());
    }

    // What is left is enough for a program to run.
    let auth = crm_transport::Auth::new(tape.replay(Matching::Strict), credentials());
    assert_eq!(auth.token_info().await.unwrap().scopes.unwrap().len(), 2);
}

#[tokio::test]
async fn the_same_value_has_the_same_placeholder() {
    let body = r#"{"value":"555-0142","memo":"other","name":"555-0142"}"#;
    let text = recorded(Redaction::Replace, [patch("/a", body)]).await.text();
    let replaced = |member: &str| {
        let (_, rest) = text.split_once(&format!(r#"\"{member}\":\""#)).unwrap();
        rest.split_once('\\').unwrap().0.to_owned()
    };
    assert_eq!(replaced("value"), replaced("name"));
    assert_ne!(replaced("value"), replaced("memo"));
}

#[tokio::test]
async fn of_a_problem_stays_what_decides_over_repeats() {
    for (status, problem, kept) in [
        (429, r#"{"title":"Try again in 7 seconds"}"#, "Wait 7 s"),
        (429, r#"{"message":"Try again in 7 seconds"}"#, "Wait 7 s"),
        (429, r#"{"error":{"code":"555","message":"Try again in 7 seconds"}}"#, "Wait 7 s"),
        (429, r#"{"title":"Too many calls for 555-0142"}"#, ""),
        (429, r#"{"title":"Too many calls for 8185550142"}"#, "Wait 3600 s"),
        (409, r#"{"title":"Down for maintenance"}"#, "Down for maint"),
        (409, r#"{"title":" ","message":"Down for maintenance"}"#, r#"title\":\" \","#),
        (409, r#"{"error":{"message":"Try later: 555-0142 waits"}}"#, "Down for maint"),
        (400, r#"{"error":{"message":"555-0142 is bad"}}"#, ""),
        (429, r#"{"error":{"message":"Wait 8 s","inner":{"message":"555"}}}"#, "Wait 8 s"),
        (429, r#"{"error":"Try again in 7 seconds"}"#, "Wait 7 s"),
        (429, r#"{"error":"busy","error_description":"Try again in 7 seconds"}"#, "Wait 7 s"),
        (409, r#"{"error_description":"Try later: 555-0142 waits"}"#, "Down for maint"),
        (400, r#"{"error_description":"555-0142 is bad"}"#, ""),
        (400, r#"{"error":"invalid_client"}"#, "invalid_client"),
        (400, r#"{"title":"555-0142 is bad"}"#, ""),
        (400, r#"{"message":"555-0142 is bad"}"#, ""),
        (400, r#"{"error":"555-0142 is bad"}"#, ""),
        (404, r#"{"title":"No contact 555-0142"}"#, ""),
        (409, r#"{"title":"There is 555-0142 already"}"#, ""),
        (409, r#"{"title":"Try again later: 555-0142 waits"}"#, "Down for maint"),
        (400, r#"{"data":{"existing":"555-0142"}}"#, "existing"),
        (400, r#""555-0142 is bad""#, ""),
        (400, r#"["555-0142 is bad"]"#, ""),
        (400, r#"[["555-0142"],{"type":"Phone"},7]"#, r#"Phone\"},7"#),
        (404, r#"{"message":"No match for 555-0142 to an operation"}"#, "Unable to match"),
        (429, r#"{"title":"Wait 8 s","errors":{"":["555-0142 is bad"]}}"#, "Wait 8 s"),
    ] {
        let wire = Scripted::new(|_, _: &Request| Ok(answer(status, problem)));
        let tape = Tape::default();
        let recorder = Recorder::new(wire, tape.clone(), Redaction::Replace);
        recorder.send(get("/a")).await.unwrap();
        let text = tape.text();
        assert!(text.contains(kept), "{problem}: {text}");
        assert!(!text.contains("555"), "{problem}: {text}");
    }
}

#[tokio::test]
async fn a_value_that_was_replaced_comes_back_as_the_request_has_it() {
    let body = r#"{"value":"555-0142","memo":"other"}"#;
    let tape = recorded(Redaction::Replace, [patch("/a", body), get("/b")]).await;
    for matching in [Matching::Strict, Matching::Loose] {
        let replayer = tape.replay(matching);
        let sent = r#"{"memo":"mine","value":5550199}"#;
        let response = replayer.send(patch("/a", sent)).await.unwrap();
        assert_eq!(response.body(), sent);
        assert_eq!(replayer.send(get("/b")).await.unwrap().body(), r#"{"path":"/b"}"#);
    }
}

#[tokio::test]
async fn an_answer_is_as_long_as_it_says_though_values_were_replaced() {
    let wire = Scripted::new(|_, _: &Request| {
        let mut answer = answer(200, r#"{"value":"555-0142"}"#);
        answer.headers_mut().insert("content-length", 20.into());
        Ok(answer)
    });
    let tape = Tape::default();
    let recorder = Recorder::new(wire, tape.clone(), Redaction::Replace);
    let body = r#"{"value":"555-0142"}"#;
    for request in [get("/a"), patch("/b", body)] {
        recorder.send(request).await.unwrap();
    }
    let replayer = tape.replay(Matching::Strict);
    for request in [get("/a"), patch("/b", r#"{"value":"1"}"#)] {
        let response = replayer.send(request).await.unwrap();
        let length = response.body().len().to_string();
        assert_eq!(response.headers()["content-length"], length);
        assert_ne!(length, "20");
    }
}

#[tokio::test]
async fn a_number_of_many_digits_is_the_same_when_it_is_replayed() {
    let body = r#"{"memo":"Gate","n":1409000000000000000000027750710000000000}"#;
    let tape = recorded(Redaction::Replace, [patch("/a", body)]).await;
    let replayer = tape.replay(Matching::Strict);
    replayer.send(patch("/a", body)).await.unwrap();
    let other = r#"{"memo":"Gate","n":1408000000000000000000027750710000000000}"#;
    let replayer = tape.replay(Matching::Strict);
    assert!(replayer.send(patch("/a", other)).await.is_err());
}

#[tokio::test]
async fn what_is_kept_is_kept_to_the_byte() {
    let body = r#"{ "value": "555-0142", "n": 1.0e3 }"#;
    let tape = recorded(Redaction::Keep, [patch("/a", body)]).await;
    let replayer = tape.replay(Matching::Strict);
    let response = replayer.send(patch("/a", body)).await.unwrap();
    assert_eq!(response.body(), body);
    let error = tape.replay(Matching::Strict);
    let other = patch("/a", r#"{"value":"555-0143","n":1.0e3}"#);
    assert!(error.send(other).await.is_err(), "nothing was replaced");
}

#[tokio::test]
async fn strict_replay_wants_the_same_requests_in_the_same_order() {
    let body = r#"{"type":"Phone","value":"555-0142"}"#;
    let tape = recorded(Redaction::Replace, [get("/a?x=1"), patch("/b", body)]).await;
    for (request, part) in [
        (get("/b"), "path"),
        (get("/a?x=2"), "query"),
        (get("/a"), "query"),
        (patch("/a?x=1", body), "method"),
    ] {
        let error = tape.replay(Matching::Strict).send(request).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Refused);
        assert_eq!(error.delivery(), Delivery::NotExecuted);
        let text = error.to_string();
        assert!(text.contains(&format!("line 1 of the cassette has a different {part}")), "{text}");
    }

    let mut other_header = patch("/b", body);
    let value = http::HeaderValue::from_static("text/plain");
    other_header.headers_mut().insert("content-type", value);
    for (request, part) in [
        (patch("/b", r#"{"type":"Email","value":"555-0142"}"#), "body"),
        (patch("/b", r#"{"type":"Phone"}"#), "body"),
        (other_header, "header"),
    ] {
        let replayer = tape.replay(Matching::Strict);
        replayer.send(get("/a?x=1")).await.unwrap();
        let error = replayer.send(request).await.unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }

    // A replaced value matches any other, and JSON is compared as JSON.
    let replayer = tape.replay(Matching::Strict);
    replayer.send(get("/a?x=1")).await.unwrap();
    assert_eq!(replayer.remaining(), 1);
    let same = patch("/b", r#"{ "value": "555-0199", "type": "Phone" }"#);
    replayer.send(same).await.unwrap();
    let error = replayer.send(get("/a?x=1")).await.unwrap_err();
    assert!(error.to_string().contains("has ended"), "{error}");
}

#[tokio::test]
async fn loose_replay_takes_any_order_and_repeats_the_last_answer() {
    let wire = Scripted::new(|call: usize, _: &Request| Ok(answer(200, &call.to_string())));
    let tape = Tape::default();
    let recorder = Recorder::new(wire, tape.clone(), Redaction::Replace);
    for target in ["/a?x=1", "/b", "/a?x=1"] {
        recorder.send(get(target)).await.unwrap();
    }
    let replayer = tape.replay(Matching::Loose);
    let mut seen = Vec::new();
    for target in ["/b", "/a?x=1", "/a?x=1", "/a?x=1", "/b"] {
        let response = replayer.send(get(target)).await.unwrap();
        seen.push(String::from_utf8_lossy(response.body()).into_owned());
    }
    assert_eq!(seen, ["1", "0", "2", "2", "1"]);
    let error = replayer.send(get("/a")).await.unwrap_err();
    assert!(error.to_string().contains("no such request"), "{error}");
}

#[tokio::test]
async fn damage_is_told_with_its_line_and_without_its_content() {
    let tape = recorded(Redaction::Keep, [get("/a"), get("/b")]).await.text();
    let lines: Vec<&str> = tape.lines().collect();
    let too_many: Vec<_> = (0..40_000).map(|n| format!("[\"x-{n}\",\"\"]")).collect();
    let too_many = format!("\"headers\":[{}]", too_many.join(","));
    for (damaged, reason) in [
        (lines[1][..40].to_owned(), "is not JSON"),
        (String::new(), "is not JSON"),
        (r#"{"s3cret":1}"#.to_owned(), "is not a recorded call"),
        (lines[1].replace(":200", ":20"), "has an invalid status"),
        (lines[1].replace("GET", "G E T"), "has an invalid method"),
        (lines[1].replace("\"/b\"", "\"\""), "has an invalid URI"),
        (
            lines[1].replace("\"headers\":[],\"body\":\"{", &format!("{},\"body\":\"{{", too_many)),
            "has invalid headers",
        ),
    ] {
        let text = format!("{}\n{damaged}\n{}\n", lines[0], lines[1]);
        let error = Replayer::read(text.as_bytes(), Matching::Loose).unwrap_err();
        assert!(
            matches!(error, CassetteError::Line { line: 2, reason: found } if found == reason),
            "{damaged}: {error}"
        );
        assert!(!error.to_string().contains("s3cret"));
    }
}

#[tokio::test]
async fn a_cassette_is_not_overwritten_and_its_failure_fails_no_call() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("calls.ndjson");
    let wire = Scripted::new(|_, _: &Request| Ok(answer(200, "{}")));
    let recorder = Recorder::create(wire.clone(), &path).unwrap();
    recorder.send(get("/a")).await.unwrap();
    assert_eq!(recorder.finish().unwrap(), 1);
    let second = Recorder::create(wire.clone(), &path);
    assert!(matches!(second, Err(CassetteError::Io(_))));
    let replayer = Replayer::open(&path, Matching::Strict).unwrap();
    replayer.with_tracing().send(get("/a")).await.unwrap();

    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let recorder = Recorder::new(wire, Full, Redaction::Keep);
    assert_eq!(recorder.send(get("/a")).await.unwrap().status(), 200);
    assert!(recorder.finish().is_err());
}

#[tokio::test]
async fn a_recorder_inside_a_stack_tells_how_the_recording_ended() {
    let wire = Scripted::new(|_, _: &Request| Ok(answer(200, "{}")));
    let tape = Tape::default();
    let recorder = Arc::new(Recorder::new(wire, tape.clone(), Redaction::Keep));
    let stack = Arc::clone(&recorder).with_retry(RetryPolicy::default());
    stack.send(get("/a")).await.unwrap();
    assert_eq!(recorder.finish().unwrap(), 1);

    // The program goes on; the cassette does not.
    stack.send(get("/b")).await.unwrap();
    assert_eq!(recorder.finish().unwrap(), 1);
    assert_eq!(tape.text().lines().count(), 1);
}
