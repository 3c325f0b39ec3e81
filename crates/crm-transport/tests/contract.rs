//! Our own transports keep the promises that we ask of others'.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(all(feature = "contract", any(feature = "reqwest", feature = "hyper")))]

use crm_transport::{
    Environment, Limits,
    contract::{self, Target},
};

fn environment(target: &Target) -> Environment {
    Environment::custom(&target.url, &target.url).unwrap()
}

fn limits(target: &Target) -> Limits {
    Limits::default().timeout(target.timeout).answer_bytes(target.answer_bytes)
}

#[cfg(feature = "reqwest")]
#[tokio::test]
async fn reqwest_keeps_the_contract() {
    use crm_transport::ReqwestTransport;

    contract::check(|t| ReqwestTransport::with_limits(&environment(t), limits(t)).unwrap()).await;
}

/// A proxy would see the credentials, and would look for this server on its own machine.
#[cfg(feature = "reqwest")]
#[test]
fn no_proxy_stands_before_a_server_on_this_machine() {
    let test = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "reqwest_keeps_the_contract"])
        .envs(["HTTP_PROXY", "http_proxy", "ALL_PROXY"].map(|name| (name, "http://127.0.0.1:9")))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&test.stdout);
    assert!(told.contains("1 passed"), "{told}");
}

#[cfg(feature = "hyper")]
#[tokio::test]
async fn hyper_keeps_the_contract() {
    use crm_transport::HyperTransport;

    contract::check(|t| HyperTransport::with_limits(&environment(t), limits(t)).unwrap()).await;
}

#[cfg(all(feature = "tower", feature = "reqwest"))]
#[tokio::test]
async fn a_transport_as_a_tower_service_as_a_transport_keeps_the_contract() {
    use std::{
        cell::Cell,
        marker::PhantomData,
        task::{Context, Poll},
    };

    use crm_transport::{Request, ReqwestTransport, TowerTransport, TransportService};
    use tower_service::Service;

    /// Not `Sync`, as tower's `BoxCloneService`.
    #[derive(Clone)]
    struct OneThread<S>(S, PhantomData<Cell<()>>);

    impl<S: Service<Request>> Service<Request> for OneThread<S> {
        type Response = S::Response;
        type Error = S::Error;
        type Future = S::Future;

        fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
            self.0.poll_ready(context)
        }

        fn call(&mut self, request: Request) -> S::Future {
            self.0.call(request)
        }
    }

    contract::check(|t| {
        let inner = ReqwestTransport::with_limits(&environment(t), limits(t)).unwrap();
        let service = OneThread(TransportService::new(inner), PhantomData);
        TowerTransport::new(service).clone()
    })
    .await;
}

#[cfg(all(feature = "cassette", feature = "reqwest"))]
#[tokio::test]
async fn a_recorder_keeps_the_contract_of_the_transport_it_records() {
    use crm_transport::{
        ReqwestTransport,
        cassette::{Recorder, Redaction},
    };

    contract::check(|t| {
        let inner = ReqwestTransport::with_limits(&environment(t), limits(t)).unwrap();
        Recorder::new(inner, std::io::sink(), Redaction::Replace)
    })
    .await;
}

/// A host that takes connections and never speaks: no secure connection comes about.
#[cfg(all(feature = "hyper", feature = "reqwest"))]
#[tokio::test]
async fn a_call_whose_time_ends_while_it_connects_was_not_sent() {
    use std::time::{Duration, Instant};

    use crm_transport::{
        Call, Delivery, Effect, HyperTransport, Request, ReqwestTransport, Transport,
    };

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let environment = Environment::custom(&url, &url).unwrap();
    let limits = Limits::default().timeout(Duration::from_secs(4));
    let reqwest = ReqwestTransport::with_limits(&environment, limits).unwrap();
    let error = reqwest.send(Request::default()).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(error.delivery(), Delivery::NotExecuted);

    let hyper = HyperTransport::with_limits(&environment, limits).unwrap();
    let error = hyper.send(Request::default()).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(error.delivery(), Delivery::NotExecuted);

    let started = Instant::now();
    let call = Call::new("Test", Effect::Creates);
    let timeout = call.clone().timeout(Duration::from_millis(100));
    let deadline = call.deadline(started + Duration::from_millis(500));
    for call in [timeout, deadline] {
        let mut short = Request::default();
        short.extensions_mut().insert(call);
        let error = hyper.send(short).await.unwrap_err();
        assert!(error.is_timeout(), "{error}");
        assert_eq!(error.delivery(), Delivery::NotExecuted);
    }
    assert!(started.elapsed() < Duration::from_millis(1_500));
}

#[cfg(all(feature = "hyper", feature = "reqwest"))]
#[tokio::test]
async fn a_request_that_does_not_say_who_asks_names_this_crate() {
    use crm_transport::{HyperTransport, Request, ReqwestTransport, Transport};
    use tokio::io::AsyncReadExt;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let environment = Environment::custom(&url, &url).unwrap();
    let transports: [Box<dyn Transport>; 2] = [
        Box::new(ReqwestTransport::new(&environment).unwrap()),
        Box::new(HyperTransport::new(&environment).unwrap()),
    ];
    for transport in transports {
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                stream.read_buf(&mut head).await.unwrap();
            }
            String::from_utf8(head).unwrap().to_lowercase()
        };
        let (head, _) = tokio::join!(server, transport.send(Request::default()));
        assert!(head.contains("\r\nuser-agent: crm-transport/"), "{head}");
    }
}

/// Transports that nearly keep the contract do not pass.
#[cfg(feature = "reqwest")]
mod nearly {
    use crm_transport::{
        Call, Limits, Request, ReqwestTransport, Response, Transport, TransportError,
    };

    use super::*;

    fn reqwest(target: &Target, limits: Limits) -> ReqwestTransport {
        ReqwestTransport::with_limits(&environment(target), limits).unwrap()
    }

    /// Sends again what it lost.
    struct Again(ReqwestTransport);

    #[async_trait::async_trait]
    impl Transport for Again {
        async fn send(&self, request: Request) -> Result<Response, TransportError> {
            match self.0.send(request.clone()).await {
                Err(_) => self.0.send(request).await,
                answer => answer,
            }
        }
    }

    /// Takes no more time than it takes of itself.
    struct Hasty(ReqwestTransport, std::time::Duration);

    #[async_trait::async_trait]
    impl Transport for Hasty {
        async fn send(&self, mut request: Request) -> Result<Response, TransportError> {
            let call = Call::of_mut(&mut request);
            call.timeout = call.timeout.map(|asked| asked.min(self.1));
            self.0.send(request).await
        }
    }

    /// Knows of no deadline.
    struct Tireless(ReqwestTransport);

    #[async_trait::async_trait]
    impl Transport for Tireless {
        async fn send(&self, mut request: Request) -> Result<Response, TransportError> {
            Call::of_mut(&mut request).deadline = None;
            self.0.send(request).await
        }
    }

    /// Looks at the last moment to begin before it has a connection.
    struct Early(ReqwestTransport);

    #[async_trait::async_trait]
    impl Transport for Early {
        async fn send(&self, mut request: Request) -> Result<Response, TransportError> {
            let call = Call::of_mut(&mut request);
            call.may_begin()?;
            call.begin_by = None;
            self.0.send(request).await
        }
    }

    #[tokio::test]
    #[cfg_attr(not(target_os = "linux"), ignore = "elsewhere no connection is slow")]
    #[should_panic(expected = "after a slow connection")]
    async fn beginning_after_a_connection_that_took_too_long() {
        contract::check(|t| Early(reqwest(t, limits(t)))).await;
    }

    #[tokio::test]
    #[should_panic(expected = "POST /reset: requests on the wire")]
    async fn sending_a_lost_request_again() {
        contract::check(|t| Again(reqwest(t, limits(t)))).await;
    }

    #[tokio::test]
    #[should_panic(expected = "/late: no answer in time")]
    async fn taking_the_lesser_of_both_time_outs() {
        contract::check(|t| Hasty(reqwest(t, limits(t)), t.timeout)).await;
    }

    #[tokio::test]
    #[should_panic(expected = "/silent took too long")]
    async fn taking_no_notice_of_a_deadline() {
        contract::check(|t| Tireless(reqwest(t, limits(t)))).await;
    }

    #[tokio::test]
    #[should_panic(expected = "/bytes/100000: the answer")]
    async fn taking_a_byte_less_than_allowed() {
        contract::check(|t| reqwest(t, limits(t).answer_bytes(t.answer_bytes - 1))).await;
    }

    #[tokio::test]
    #[should_panic(expected = "/bytes/100001: an error was due")]
    async fn taking_a_byte_more_than_allowed() {
        contract::check(|t| reqwest(t, limits(t).answer_bytes(t.answer_bytes + 1))).await;
    }
}
