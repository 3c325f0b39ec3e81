//! Outside a runtime of tokio's a call that takes one is an error, not a panic.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use crm_transport::{
    Auth, Call, Credentials, Delivery, Effect, RateLimit, Request, Response, RetryPolicy,
    Transport, TransportError, TransportErrorKind, TransportExt,
};

/// As `futures::executor::block_on`: nothing but polls.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
        std::thread::yield_now();
    }
}

/// Loses every answer, after a while.
struct Loses;

#[async_trait::async_trait]
impl Transport for Loses {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        let mut polls = 3;
        std::future::poll_fn(move |_| {
            polls -= 1;
            if polls > 0 { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        Err(TransportError::new(TransportErrorKind::Reset, Delivery::Unknown))
    }
}

fn read() -> Request {
    let mut request = Request::default();
    request.extensions_mut().insert(Call::new("Test", Effect::Read));
    request
}

fn error(transport: &impl Transport) -> TransportError {
    block_on(transport.send(read())).unwrap_err()
}

fn is_missing(error: &TransportError) -> bool {
    error.kind() == TransportErrorKind::NoRuntime && error.delivery() == Delivery::NotExecuted
}

#[test]
fn a_lost_answer_passes_the_layers_and_is_not_repeated() {
    let transport = Loses.with_rate_limit(RateLimit::per_second(1));
    let transport = transport.with_retry(RetryPolicy::default());
    let lost = error(&transport);
    assert_eq!((lost.kind(), lost.attempts()), (TransportErrorKind::Reset, 1));
    // The second has to wait at the gate.
    assert!(is_missing(&error(&transport)));
}

#[test]
fn a_call_that_needs_a_token_is_told_that_nobody_can_ask_for_one() {
    let auth = Auth::new(Loses, Credentials::new("id", "secret", "key"));
    assert!(is_missing(&block_on(auth.token_info()).unwrap_err()));
    assert!(is_missing(&error(&Loses.with_auth(auth))));
}

#[test]
#[cfg(feature = "reqwest")]
fn a_wire_over_reqwest_says_so() {
    let wire = crm_transport::ReqwestTransport::new(&crm_transport::Environment::production());
    assert!(is_missing(&error(&wire.unwrap())));
}

#[test]
#[cfg(feature = "hyper")]
fn a_wire_over_hyper_says_so() {
    let wire = crm_transport::HyperTransport::new(&crm_transport::Environment::production());
    assert!(is_missing(&error(&wire.unwrap())));
}

#[test]
#[cfg(feature = "redis")]
fn a_shared_limit_says_so() {
    let limit = crm_transport::SharedLimit::new("redis://127.0.0.1:1", "test").unwrap();
    assert!(is_missing(&block_on(limit.state(1)).unwrap_err()));
    assert!(is_missing(&error(&Loses.with_rate_limit(limit))));
}
