//! One token for all callers, whatever happens.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use crm_transport::{
    Auth, Call, Credentials, Delivery, Effect, Request, Response, RetryPolicy, Secrets, Transport,
    TransportError, TransportErrorKind, TransportExt,
};
use tokio::time::{Instant, advance, sleep, timeout};

use super::{Scripted, answer, request};

const SECRET: &str = "s3cret-8471";

fn credentials() -> Credentials {
    Credentials::new("cid.test", format!(" {SECRET}\n"), "ak1.test")
}

/// The nth token, valid for 900 seconds.
fn token(call: usize, _: &Request) -> Result<Response, TransportError> {
    Ok(answer(
        200,
        &format!(r#"{{"access_token":"token-{call}","expires_in":900,"token_type":"Bearer"}}"#),
    ))
}

/// Answers with the authorization that it was sent.
fn mirror(_: usize, request: &Request) -> Result<Response, TransportError> {
    let header = request.headers()["authorization"].to_str().unwrap();
    assert_eq!(request.headers()["st-app-key"], "ak1.test");
    Ok(answer(200, header))
}

#[tokio::test]
async fn the_token_request_is_a_form_with_trimmed_credentials_and_no_other_secrets() {
    let endpoint = Scripted::new(|call, request: &Request| {
        assert_eq!(request.method(), "POST");
        assert_eq!(request.uri(), "/connect/token");
        assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
        assert!(!request.headers().contains_key("authorization"));
        assert!(!request.headers().contains_key("st-app-key"));
        let body = std::str::from_utf8(request.body()).unwrap();
        let form =
            "grant_type=client_credentials&client_id=cid.test&client_secret=s3cret-8471&tenant=7";
        assert_eq!(body, form);
        token(call, request)
    });
    let auth = Auth::new(endpoint, credentials().for_tenant(7));
    auth.token_info().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_with_an_expired_token_make_one_token_request() {
    let endpoint = Scripted::new(token);
    let auth = Auth::new(endpoint.clone(), credentials());
    let transport = Arc::new(Scripted::new(mirror).with_auth(auth));
    transport.send(request(Effect::Read)).await.unwrap();
    assert_eq!(endpoint.calls(), 1);

    advance(Duration::from_secs(901)).await;
    let calls = (0..1_000).map(|_| {
        let transport = Arc::clone(&transport);
        tokio::spawn(async move { transport.send(request(Effect::Read)).await.unwrap() })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().body(), "Bearer token-1");
    }
    assert_eq!(endpoint.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_replaced_before_it_expires() {
    let endpoint = Scripted::new(token);
    let transport = Scripted::new(mirror).with_auth(Auth::new(endpoint.clone(), credentials()));
    transport.send(request(Effect::Read)).await.unwrap();
    advance(Duration::from_secs(839)).await;
    transport.send(request(Effect::Read)).await.unwrap();
    assert_eq!(endpoint.calls(), 1, "still fresh");
    advance(Duration::from_secs(2)).await;
    let due = transport.send(request(Effect::Read)).await.unwrap();
    assert_eq!(due.body(), "Bearer token-0", "calls do not wait for it");
    sleep(Duration::from_millis(1)).await;
    let response = transport.send(request(Effect::Read)).await.unwrap();
    assert_eq!(response.body(), "Bearer token-1");
    assert_eq!(endpoint.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_once_and_the_call_repeated_once() {
    let endpoint = Scripted::new(token);
    let wire = Scripted::new(|_, request: &Request| {
        let refused = request.headers()["authorization"] == "Bearer token-0";
        Ok(answer(if refused { 401 } else { 200 }, ""))
    });
    let auth = Auth::new(endpoint.clone(), credentials());
    let transport = wire.clone().with_auth(auth);
    let calls = (0..10).map(|_| transport.send(request(Effect::Creates)));
    for response in futures_util::future::join_all(calls).await {
        assert_eq!(response.unwrap().status(), 200);
    }
    assert_eq!(endpoint.calls(), 2, "one new token for all ten");
}

#[tokio::test]
async fn a_token_that_is_always_refused_ends_in_the_answer_401() {
    let endpoint = Scripted::new(token);
    let wire = Scripted::new(|_, _: &Request| Ok(answer(401, "no")));
    let transport = wire.clone().with_auth(Auth::new(endpoint.clone(), credentials()));
    let response = transport.send(request(Effect::Read)).await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!((endpoint.calls(), wire.calls()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn one_callers_cancellation_does_not_fail_the_others() {
    let asked = Arc::new(AtomicUsize::new(0));
    let endpoint = Slow(Arc::clone(&asked));
    let transport = Scripted::new(mirror).with_auth(Auth::new(endpoint, credentials()));
    let first = timeout(Duration::from_millis(50), transport.send(request(Effect::Read)));
    let (cancelled, second) = tokio::join!(first, transport.send(request(Effect::Read)));
    assert!(cancelled.is_err());
    assert_eq!(second.unwrap().status(), 200);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn callers_that_give_up_early_get_a_token_all_the_same() {
    let asked = Arc::new(AtomicUsize::new(0));
    let endpoint = Slow(Arc::clone(&asked));
    let transport = Scripted::new(mirror).with_auth(Auth::new(endpoint, credentials()));
    let patience = Duration::from_millis(300);
    let mut given_up = 0;
    while timeout(patience, transport.send(request(Effect::Read))).await.is_err() {
        given_up += 1;
        assert!(given_up < 10, "the endpoint takes a second");
    }
    assert_eq!((given_up, asked.load(Ordering::SeqCst)), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_nobody_polls_holds_up_no_other() {
    let endpoint = Slow(Arc::default());
    let transport = Scripted::new(mirror).with_auth(Auth::new(endpoint, credentials()));
    let mut idle = std::pin::pin!(transport.send(request(Effect::Read)));
    // Polled once, it asks for a token; then nobody cares for it.
    assert!(timeout(Duration::ZERO, idle.as_mut()).await.is_err());
    let other = timeout(Duration::from_secs(5), transport.send(request(Effect::Read)));
    assert_eq!(other.await.expect("it passes").unwrap().status(), 200);
    idle.await.unwrap();
}

/// A token endpoint that takes a second.
struct Slow(Arc<AtomicUsize>);

#[async_trait::async_trait]
impl Transport for Slow {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let call = self.0.fetch_add(1, Ordering::SeqCst);
        sleep(Duration::from_secs(1)).await;
        token(call, &request)
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_endpoint_is_not_hammered_and_all_share_its_back_off() {
    let endpoint = Scripted::new(|_, _: &Request| Ok(answer(503, "<html>down</html>")));
    let auth = Auth::new(endpoint.clone(), credentials());
    let transport = Arc::new(Scripted::new(mirror).with_auth(auth));
    let started = Instant::now();
    let mut calls = Vec::new();
    for _ in 0..600 {
        let transport = Arc::clone(&transport);
        calls.push(tokio::spawn(async move {
            let error = transport.send(request(Effect::Read)).await.unwrap_err();
            assert_eq!(error.kind(), TransportErrorKind::TokenEndpoint);
            assert_eq!(error.delivery(), Delivery::NotExecuted);
        }));
        sleep(Duration::from_millis(100)).await;
    }
    for call in calls {
        call.await.unwrap();
    }
    // The back-off doubles from half a second to half a minute.
    assert!(endpoint.calls() <= 9, "asked {} times", endpoint.calls());
    assert!(started.elapsed() < Duration::from_secs(100));
}

#[tokio::test(start_paused = true)]
async fn a_short_failure_of_the_endpoint_fails_no_call_and_costs_no_repeat() {
    let endpoint = Scripted::new(|call, request: &Request| match call {
        0..3 => Ok(answer(503, "")),
        _ => token(call, request),
    });
    let wire = Scripted::new(mirror);
    let transport = wire
        .clone()
        .with_auth(Auth::new(endpoint.clone(), credentials()))
        .with_retry(RetryPolicy::never());
    let calls = (0..1_000).map(|_| transport.send(request(Effect::Creates)));
    for response in futures_util::future::join_all(calls).await {
        assert_eq!(response.unwrap().body(), "Bearer token-3");
    }
    assert_eq!((endpoint.calls(), wire.calls()), (4, 1_000));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_token_beyond_the_deadline_or_as_long_as_the_endpoint_asks() {
    let endpoint = Scripted::new(|_, _: &Request| {
        let mut busy = answer(429, "");
        busy.headers_mut().insert("retry-after", 60.into());
        Ok(busy)
    });
    let transport = Scripted::new(mirror).with_auth(Auth::new(endpoint.clone(), credentials()));
    for _ in 0..59 {
        let error = transport.send(request(Effect::Read)).await.unwrap_err();
        assert!(error.to_string().contains("429"), "{error}");
        sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(endpoint.calls(), 1);
    sleep(Duration::from_secs(31)).await;
    transport.send(request(Effect::Read)).await.unwrap_err();
    assert_eq!(endpoint.calls(), 2);

    let transport = Scripted::new(mirror).with_auth(Auth::new(Slow(Arc::default()), credentials()));
    let started = Instant::now();
    let mut hasty = request(Effect::Creates);
    Call::of_mut(&mut hasty).deadline = Some(started + Duration::from_millis(300));
    let error = transport.send(hasty).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.delivery(), Delivery::NotExecuted);
    assert_eq!(started.elapsed().as_millis(), 300);
}

#[tokio::test(start_paused = true)]
async fn a_lasting_401_does_not_hammer_the_endpoint() {
    let endpoint = Scripted::new(token);
    let refuses = Arc::new(AtomicBool::new(true));
    let wire = Scripted::new({
        let refuses = Arc::clone(&refuses);
        move |_, _: &Request| {
            if refuses.load(Ordering::SeqCst) { Ok(answer(401, "")) } else { Ok(answer(200, "")) }
        }
    });
    let transport = wire.with_auth(Auth::new(endpoint.clone(), credentials()));
    for _ in 0..600 {
        let response = transport.send(request(Effect::Read)).await.unwrap();
        assert_eq!(response.status(), 401);
        sleep(Duration::from_millis(100)).await;
    }
    assert!(endpoint.calls() <= 9, "asked {} times", endpoint.calls());
    refuses.store(false, Ordering::SeqCst);
    let response = transport.send(request(Effect::Read)).await.unwrap();
    assert_eq!(response.status(), 200);
}

/// A wire behind a queue: a call stands in it for so many seconds.
struct Queued<T> {
    wire: T,
    seconds: Arc<AtomicUsize>,
}

#[async_trait::async_trait]
impl<T: Transport> Transport for Queued<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        sleep(Duration::from_secs(self.seconds.swap(0, Ordering::SeqCst) as u64)).await;
        self.wire.send(request).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ended_in_the_queue_is_replaced_even_if_others_were_refused_just_now() {
    let endpoint = Scripted::new(|call, _: &Request| {
        let body = format!(r#"{{"access_token":"token-{call}","expires_in":10}}"#);
        Ok(answer(200, &body))
    });
    // Everything is refused for 35 s, then only the next call, which comes with an old token.
    let started = Instant::now();
    let refuses_next = AtomicBool::new(true);
    let wire = Scripted::new(move |_, _: &Request| {
        let refused = started.elapsed() < Duration::from_secs(35)
            || refuses_next.swap(false, Ordering::SeqCst);
        Ok(answer(if refused { 401 } else { 200 }, ""))
    });
    let wire = Arc::new(wire);
    let seconds = Arc::new(AtomicUsize::new(0));
    let queued = Queued { wire: Arc::clone(&wire), seconds: Arc::clone(&seconds) };
    let transport = queued.with_auth(Auth::new(endpoint, credentials()));
    while started.elapsed() < Duration::from_secs(35) {
        transport.send(request(Effect::Read)).await.unwrap();
        sleep(Duration::from_millis(100)).await;
    }
    seconds.store(12, Ordering::SeqCst);
    let response = transport.send(request(Effect::Read)).await.unwrap();
    assert_eq!(response.status(), 200, "no other token is tried for half a minute");
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_not_used_again_while_the_endpoint_fails() {
    let endpoint = Scripted::new(|call, request: &Request| match call {
        0 => token(call, request),
        _ => Ok(answer(503, "")),
    });
    let wire = Scripted::new(|_, _: &Request| Ok(answer(401, "")));
    let transport = wire.clone().with_auth(Auth::new(endpoint, credentials()));
    for _ in 0..3 {
        let error = transport.send(request(Effect::Read)).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::TokenEndpoint);
    }
    assert_eq!(wire.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_without_a_lifetime_serves_all_who_wait_for_it() {
    let endpoint = Scripted::new(|_, _: &Request| {
        Ok(answer(200, r#"{"access_token":"token","expires_in":0}"#))
    });
    let transport = Scripted::new(mirror).with_auth(Auth::new(endpoint.clone(), credentials()));
    let calls = (0..100).map(|_| transport.send(request(Effect::Read)));
    for response in futures_util::future::join_all(calls).await {
        response.unwrap();
    }
    assert_eq!(endpoint.calls(), 1);
}

#[tokio::test]
async fn a_transport_that_refuses_token_requests_is_told_as_such() {
    let endpoint = Scripted::new(|_, _: &Request| {
        let refused = TransportErrorKind::Refused;
        Err(TransportError::new(refused, Delivery::NotExecuted))
    });
    let transport = Scripted::new(mirror).with_auth(Auth::new(endpoint, credentials()));
    let error = transport.send(request(Effect::Read)).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Refused);
}

#[tokio::test]
async fn refused_credentials_are_permanent_and_say_what_to_check() {
    for (status, body) in [
        (400, r#"{"error":"invalid_client"}"#),
        (401, r#"{"error":"invalid_client"}"#),
        (400, ""),
        (403, r#"{"error":"unauthorized_client"}"#),
    ] {
        let endpoint = Scripted::new(move |_, _: &Request| Ok(answer(status, body)));
        let transport = Scripted::new(mirror).with_auth(Auth::new(endpoint, credentials()));
        let error = transport.send(request(Effect::Read)).await.unwrap_err();
        assert!(error.is_credentials(), "{error}");
        assert!(error.to_string().contains("check client id"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_403_of_a_gateway_does_not_speak_of_credentials() {
    let endpoint = Scripted::new(|_, _: &Request| Ok(answer(403, "<html>blocked</html>")));
    let transport = Scripted::new(mirror).with_auth(Auth::new(endpoint, credentials()));
    let error = transport.send(request(Effect::Read)).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::TokenEndpoint);
    assert!(error.to_string().contains("answered 403"), "{error}");
}

#[tokio::test]
async fn an_empty_part_of_the_credentials_is_named_and_nothing_is_sent() {
    for (parts, told) in [
        (["", "secret", "ak1.test"], "the client id is empty"),
        (["cid.test", " \n", "ak1.test"], "the client secret is empty"),
        (["cid.test", "secret", ""], "the app key is empty"),
    ] {
        let endpoint = Scripted::new(token);
        let wire = Scripted::new(mirror);
        let [id, secret, key] = parts;
        let auth = Auth::new(endpoint.clone(), Credentials::new(id, secret, key));
        let transport = wire.clone().with_auth(auth);
        let error = transport.send(request(Effect::Read)).await.unwrap_err();
        assert!(error.is_credentials(), "{error}");
        assert!(error.to_string().contains(told), "{error}");
        assert_eq!((endpoint.calls(), wire.calls()), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn what_came_instead_of_a_token_is_told_at_once_and_shows_nothing() {
    let html = "<!DOCTYPE html><html>Sign in, s3cret-8471</html>";
    for (status, body, told) in [
        (200, html, "an HTML page"),
        (200, "\u{feff}\n<html>", "an HTML page"),
        (200, "[]", "JSON without an access token"),
        (200, "{}", "JSON without an access token"),
        (200, r#"{"access_token":7}"#, "JSON without an access token"),
        (200, r#"{"error":"s3cret-8471"}"#, "an error whose code is unknown"),
        (200, r#"{"error":"invalid_client"}"#, "answered 200 OK invalid_client; check client id"),
        (302, "", "answered 302 Found"),
        (404, html, "answered 404 Not Found"),
        (501, "", "answered 501 Not Implemented"),
    ] {
        let endpoint = Scripted::new(move |_, _: &Request| Ok(answer(status, body)));
        let auth = Auth::new(endpoint.clone(), credentials());
        let transport = Scripted::new(mirror).with_auth(auth);
        let started = Instant::now();
        let error = transport.send(request(Effect::Read)).await.unwrap_err();
        assert!(error.to_string().contains(told), "{body}: {error}");
        assert!(!format!("{error} {error:?}").contains(SECRET));
        let asked = (endpoint.calls(), started.elapsed());
        assert_eq!(asked, (1, Duration::ZERO), "{status} {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_cut_off_or_garbled_is_asked_for_again() {
    for (body, told) in [
        ("", "an empty body"),
        (" \n", "an empty body"),
        ("{\"access_token\":\"s3cret-8471", "something that is not JSON"),
        ("\u{0}", "something that is not JSON"),
    ] {
        let garbled_for = |calls| {
            Scripted::new(move |call, request: &Request| match call {
                call if call < calls => Ok(answer(200, body)),
                _ => token(call, request),
            })
        };
        let auth = Auth::new(garbled_for(2), credentials());
        let transport = Scripted::new(mirror).with_auth(auth);
        transport.send(request(Effect::Read)).await.unwrap();

        let auth = Auth::new(garbled_for(u32::MAX as _), credentials());
        let transport = Scripted::new(mirror).with_auth(auth);
        let error = transport.send(request(Effect::Read)).await.unwrap_err();
        assert!(error.to_string().contains(told), "{body}: {error}");
        assert!(!format!("{error} {error:?}").contains(SECRET));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_passes_is_waited_for_by_its_code_too() {
    for status in [200, 400, 503] {
        let endpoint = Scripted::new(move |call, request: &Request| match call {
            0 => Ok(answer(status, r#"{"error":"temporarily_unavailable"}"#)),
            _ => token(call, request),
        });
        let transport = Scripted::new(mirror).with_auth(Auth::new(endpoint, credentials()));
        let response = transport.send(request(Effect::Read)).await.unwrap();
        assert_eq!(response.body(), "Bearer token-1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lifetime_of_any_form_is_read() {
    for (expires_in, seconds) in [
        ("899", 899),
        ("899.5", 899),
        ("8.99e2", 899),
        (r#""899""#, 899),
        (r#"" 899.5 ""#, 899),
        // None that can be read: as long as the service's own tokens.
        ("null", 900),
        (r#""soon""#, 900),
        ("-1", 900),
        ("[899]", 900),
    ] {
        let body = format!("\u{feff}{{\"access_token\":\"token-0\",\"expires_in\":{expires_in}}}");
        let endpoint = Scripted::new(move |_, _: &Request| Ok(answer(200, &body)));
        let info = Auth::new(endpoint, credentials()).token_info().await.unwrap();
        assert_eq!(info.expires_in.as_secs(), seconds, "{expires_in}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_in_its_last_minute_is_better_than_none() {
    let endpoint = Scripted::new(|call, request: &Request| match call {
        0 => token(call, request),
        _ => Ok(answer(500, "")),
    });
    let transport = Scripted::new(mirror).with_auth(Auth::new(endpoint, credentials()));
    transport.send(request(Effect::Read)).await.unwrap();
    advance(Duration::from_secs(870)).await;
    let response = transport.send(request(Effect::Read)).await.unwrap();
    assert_eq!(response.body(), "Bearer token-0");
    advance(Duration::from_secs(60)).await;
    assert!(transport.send(request(Effect::Read)).await.is_err());
}

#[tokio::test]
async fn no_debug_output_and_no_error_shows_a_secret() {
    // A hostile endpoint that repeats what it was sent, as if it were a code.
    let echo = Scripted::new(|_, request: &Request| {
        let form = url::form_urlencoded::parse(request.body());
        let secret = form.into_iter().find(|(name, _)| name == "client_secret");
        let error = secret.unwrap().1;
        Ok(answer(400, &format!(r#"{{"error":"{error}"}}"#)))
    });
    let auth = Auth::new(echo, credentials());
    let error = auth.token_info().await.unwrap_err();
    let good = Auth::new(Scripted::new(token), credentials());
    good.token_info().await.unwrap();
    let shown = format!("{error} {error:?} {auth:?} {good:?} {:?}", credentials());
    for secret in [SECRET, "ak1.test", "token-0"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

/// The secrets of a call, as an answer and an error may quote them.
const QUOTED: &str = "Authorization: Bearer token-of-899-seconds; ST-App-Key: ak1.0123456789; \
                      client_secret=s3cret-8471";

fn long_secrets() -> Auth {
    let token = r#"{"access_token":"token-of-899-seconds","expires_in":899}"#;
    let endpoint = Scripted::new(move |_, _: &Request| Ok(answer(200, token)));
    Auth::new(endpoint, Credentials::new("cid.test", SECRET, "ak1.0123456789"))
}

#[tokio::test]
async fn a_refusal_brings_the_secrets_that_its_texts_may_quote_and_a_success_none() {
    for status in [200, 204, 302, 400, 401, 404, 429, 503] {
        let wire = Scripted::new(move |_, _: &Request| Ok(answer(status, "")));
        let transport = wire.with_auth(long_secrets());
        let response = transport.send(request(Effect::Read)).await.unwrap();
        let secrets = Secrets::of(&response);
        assert_eq!(secrets.is_none(), response.status().is_success());
        if let Some(secrets) = secrets {
            assert_eq!(
                secrets.scrub(QUOTED),
                "Authorization: Bearer [secret]; ST-App-Key: [secret]; client_secret=[secret]"
            );
            assert_eq!(format!("{secrets:?}"), "Secrets { .. }");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_error_that_quotes_what_was_sent_shows_a_secret() {
    /// Shows another text than its cause, as errors of libraries do.
    #[derive(Debug, thiserror::Error)]
    #[error("it failed")]
    struct Outer(#[source] std::io::Error);

    let quoting = |outer: bool| {
        Scripted::new(move |_, _: &Request| {
            let error = TransportError::new(TransportErrorKind::Other, Delivery::Unknown);
            let cause = std::io::Error::other(QUOTED);
            Err(if outer { error.with_source(Outer(cause)) } else { error.with_source(cause) })
        })
    };
    for outer in [false, true] {
        let transport = quoting(outer).with_auth(long_secrets());
        let error = transport.send(request(Effect::Creates)).await.unwrap_err();
        let mut shown = format!("{error} {error:?}");
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            shown += &cause.to_string();
            source = cause.source();
        }
        for secret in ["token-of-899-seconds", "ak1.0123456789", SECRET] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        let endpoint = Auth::new(quoting(outer), credentials());
        let error = endpoint.token_info().await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::TokenEndpoint);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[tokio::test]
async fn an_error_without_a_secret_keeps_its_cause() {
    let wire = Scripted::new(|_, _: &Request| {
        let cause = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        Err(TransportError::new(TransportErrorKind::Reset, Delivery::Unknown).with_source(cause))
    });
    let transport = wire.with_auth(long_secrets());
    let error = transport.send(request(Effect::Creates)).await.unwrap_err();
    assert!(error.get_ref().unwrap().is::<std::io::Error>());
}
