//! Whatever bytes come from outside: no panic, and the bounds hold.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use crm_transport::{Auth, Credentials, Request, Response, Transport, TransportError, retry_after};
use http::{HeaderValue, StatusCode, header};
use proptest::{collection::vec, prelude::*};

/// Answers every request with the same.
struct Always(Response);

#[async_trait::async_trait]
impl Transport for Always {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        Ok(self.0.clone())
    }
}

fn answer(status: u16, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.unwrap().block_on(future)
}

fn auth(answer: Response) -> Auth {
    let credentials = Credentials::new("cid.test", "s3cret-8471", "ak1.test");
    Auth::new(Always(answer), credentials)
}

fn anything() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..80)
}

/// Values that are nearly right, and any other.
fn retry_after_value() -> impl Strategy<Value = HeaderValue> {
    let date = "(Mon|Sun|Xxx), [0-9]{2} (Jan|Feb|Dec) [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT";
    prop_oneof![
        "[0-9]{1,30}".prop_map(String::into_bytes),
        "-?[0-9]{1,3}(\\.[0-9])?(e[0-9])?".prop_map(String::into_bytes),
        date.prop_map(String::into_bytes),
        anything(),
    ]
    .prop_filter_map("a header", |bytes| HeaderValue::from_bytes(&bytes).ok())
}

proptest! {
    #[test]
    fn no_answer_asks_for_more_than_a_day(
        status in 100..1_000_u16,
        value in prop::option::of(retry_after_value()),
        title in ".*|Try again in [0-9]{1,30} seconds",
        body in prop::option::of(anything()),
    ) {
        let problem = serde_json::json!({ "title": title }).to_string();
        let mut response = answer(status, body.unwrap_or(problem.into()));
        if let Some(value) = value {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        let longest = Duration::from_secs(86_400);
        prop_assert!(retry_after(&response).is_none_or(|wait| wait <= longest));
    }

    #[test]
    fn seconds_are_read_as_they_are(seconds in 0..86_400_u64) {
        let wait = (seconds > 0).then(|| Duration::from_secs(seconds));
        let mut response = answer(503, "");
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        prop_assert_eq!(retry_after(&response), wait);
        for members in [
            format!(r#""title":"Wait {seconds} s.""#),
            format!(r#""message":"Wait {seconds} s.""#),
            format!(r#""message":"Busy","title":"Wait {seconds} s.""#),
            format!(r#""error":{{"message":"Wait {seconds} s."}}"#),
            format!(r#""error":"Wait {seconds} s.""#),
            format!(r#""error":"busy","error_description":"Wait {seconds} s.""#),
        ] {
            prop_assert_eq!(retry_after(&answer(429, format!("{{{members}}}"))), wait);
        }
    }

    #[test]
    fn a_date_is_measured_against_the_answers_own(
        answered in 0..4_000_000_000_u64,
        seconds in 1..86_400_u64,
    ) {
        let date = |seconds| {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            HeaderValue::try_from(httpdate::fmt_http_date(time)).unwrap()
        };
        let mut response = answer(503, "");
        response.headers_mut().insert(header::DATE, date(answered));
        response.headers_mut().insert(header::RETRY_AFTER, date(answered + seconds));
        prop_assert_eq!(retry_after(&response), Some(Duration::from_secs(seconds)));
        response.headers_mut().insert(header::RETRY_AFTER, date(answered));
        prop_assert_eq!(retry_after(&response), None);
    }

    #[test]
    fn a_token_answer_of_any_bytes_is_a_token_or_an_error_of_its_kind(
        status in prop_oneof![100..1_000_u16, prop::sample::select(vec![200, 400, 401, 403])],
        code in prop::option::of(prop::sample::select(vec!["invalid_client", "of_a_gateway"])),
        body in anything(),
    ) {
        let refusal = code.map(|code| serde_json::json!({ "error": code }).to_string().into());
        let result = block_on(auth(answer(status, refusal.unwrap_or(body))).token_info());
        let is_refused = match status {
            400 | 401 => true,
            200..=299 | 403 => code == Some("invalid_client"),
            _ => false,
        };
        prop_assert!(result.is_err() || (200..300).contains(&status));
        prop_assert_eq!(is_refused, result.is_err_and(|error| error.is_credentials()));
    }

    #[test]
    fn a_token_of_any_lifetime_is_taken_for_a_day_at_most(
        token in "[!-~]{1,40}",
        expires_in in prop::option::of(any::<u64>()),
        scope in prop::option::of(".*"),
    ) {
        let body = serde_json::json!({
            "access_token": token, "expires_in": expires_in, "scope": scope,
        });
        let info = block_on(auth(answer(200, body.to_string())).token_info()).unwrap();
        let lifetime = Duration::from_secs(expires_in.unwrap_or(900).clamp(5, 86_400));
        prop_assert!(info.expires_in <= lifetime);
        prop_assert!(info.expires_in + Duration::from_secs(10) >= lifetime);
        prop_assert_eq!(info.scopes.is_some(), scope.is_some());
    }
}

#[cfg(feature = "cassette")]
mod cassette {
    use std::fs;

    use crm_transport::cassette::{CassetteError, Matching, Recorder, Redaction, Replayer};
    use tempfile::NamedTempFile;

    use super::*;

    /// A line that is right or nearly right.
    fn line() -> impl Strategy<Value = String> {
        let body = "\"[a-z]{0,5}\"|\\[[0-9]{1,4}\\]|null";
        let outcome = "\"answer\"|\"error\"|\"other\"";
        ("[A-Z ]{0,4}", "[/?=#%a-z\\\\]{0,6}", body, outcome, any::<u16>()).prop_map(
            |(method, uri, body, outcome, status)| {
                format!(
                    r#"{{"request":{{"method":"{method}","uri":"{uri}","headers":[["a",{body}]],
                    "body":{body}}},"outcome":{{{outcome}:{{"status":{status},"headers":[],
                    "body":{body},"kind":"Timeout","delivery":"Unknown"}}}}}}"#
                )
                .replace('\n', " ")
            },
        )
    }

    proptest! {
        #[test]
        fn a_cassette_of_any_bytes_is_read_or_refused_with_a_line_that_it_has(
            bytes in anything(),
            lines in vec(line(), 0..4),
        ) {
            for bytes in [lines.join("\n").into_bytes(), bytes] {
                let result = Replayer::read(bytes.as_slice(), Matching::Loose);
                if let Err(CassetteError::Line { line, .. }) = result {
                    prop_assert!(line <= bytes.split(|byte| *byte == b'\n').count());
                }
            }
        }

        #[test]
        fn what_is_recorded_is_replayed(
            status in 100..1_000_u16,
            sent in anything(),
            received in anything(),
            query in "[a-z=&%0-9]{0,20}",
        ) {
            let request = || {
                let mut request = Request::new(sent.clone().into());
                *request.uri_mut() = format!("/a?{query}").parse().unwrap();
                request
            };
            for redaction in [Redaction::Keep, Redaction::Replace] {
                let file = NamedTempFile::new().unwrap();
                let wire = Always(answer(status, received.clone()));
                let recorder = Recorder::new(wire, file.reopen().unwrap(), redaction);
                block_on(recorder.send(request())).unwrap();
                recorder.finish().unwrap();
                let tape = fs::read(file.path()).unwrap();
                for matching in [Matching::Strict, Matching::Loose] {
                    let replayer = Replayer::read(tape.as_slice(), matching).unwrap();
                    let replayed = block_on(replayer.send(request())).unwrap();
                    prop_assert_eq!(replayed.status().as_u16(), status);
                    if redaction == Redaction::Keep {
                        prop_assert_eq!(replayed.body(), &received);
                    }
                }
            }
        }
    }
}
