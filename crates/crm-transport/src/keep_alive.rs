//! How an HTTP/2 connection that died silently is detected: all calls share it, and a call that
//! runs out of time does not reveal whether it was the connection's fault.

use std::time::Duration;

use crate::limits::Limits;

/// How long the server may be silent, while a call waits, before it is asked for a sign of life.
pub(crate) fn interval(limits: Limits) -> Duration {
    within_an_attempt(limits, Duration::from_secs(20))
}

/// How long the server may take to reply; after that the connection is given up.
pub(crate) fn timeout(limits: Limits) -> Duration {
    within_an_attempt(limits, Duration::from_secs(10))
}

/// Both pass within an attempt of two seconds or more, or its repeats would take the same
/// connection; but neither is less than one second: a server takes many pings for an attack, and a
/// distant one answers late.
fn within_an_attempt(limits: Limits, most: Duration) -> Duration {
    (limits.timeout / 3).clamp(Duration::from_secs(1), most)
}

#[cfg(test)]
mod tests {
    use tokio::{net::TcpListener, time::Instant};

    use super::*;
    use crate::{
        environment::Environment,
        error::{Delivery, TransportErrorKind},
        message::Request,
        transport::Transport,
    };

    /// An HTTP/2 server that answers the first request on each connection, takes the next, and
    /// falls silent.
    async fn server() -> Environment {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut connection = h2::server::handshake(stream).await.unwrap();
                    let (_, mut answer) = connection.accept().await.unwrap().unwrap();
                    let response = http::Response::<()>::default();
                    answer.send_response(response, true).unwrap();
                    let _taken = connection.accept().await;
                    std::future::pending::<()>().await
                });
            }
        });
        Environment::custom(&url, &url).unwrap()
    }

    async fn gives_up_silent_connections<T: Transport>(make: impl Fn(&Environment, Limits) -> T) {
        for (timeout, most) in [(100, 31), (5, 4)] {
            let limits = Limits::default().timeout(Duration::from_secs(timeout));
            let transport = make(&server().await, limits);
            transport.send(Request::default()).await.unwrap();

            // Only while nothing is in flight: the clock would run ahead of the network.
            tokio::time::pause();
            let started = Instant::now();
            let error = transport.send(Request::default()).await.unwrap_err();
            let waited = started.elapsed();
            tokio::time::resume();
            assert_eq!(error.kind(), TransportErrorKind::Timeout, "{error}");
            assert_eq!(error.delivery(), Delivery::Unknown);
            let most = Duration::from_secs(most);
            assert!(waited < most, "{waited:?} of {timeout} s");

            // The next call has a connection of its own.
            transport.send(Request::default()).await.unwrap();
        }
    }

    #[test]
    fn no_server_is_asked_more_often_than_each_second() {
        for milliseconds in [0, 300] {
            let limits = Limits::default().timeout(Duration::from_millis(milliseconds));
            let second = Duration::from_secs(1);
            assert_eq!((interval(limits), timeout(limits)), (second, second));
        }
    }

    #[cfg(feature = "reqwest")]
    #[tokio::test]
    async fn reqwest_gives_up_a_silent_connection_within_an_attempt() {
        gives_up_silent_connections(|environment, limits| {
            let http2 = |client: reqwest::ClientBuilder| client.http2_prior_knowledge();
            crate::ReqwestTransport::with_client(environment, limits, http2).unwrap()
        })
        .await;
    }

    #[cfg(feature = "hyper")]
    #[tokio::test]
    async fn hyper_gives_up_a_silent_connection_within_an_attempt() {
        gives_up_silent_connections(|environment, limits| {
            let executor = hyper_util::rt::TokioExecutor::new();
            let mut client = hyper_util::client::legacy::Client::builder(executor);
            client.http2_only(true);
            let tls = crate::hyper::verified_by_the_platform().unwrap();
            crate::HyperTransport::build(environment, limits, tls, client).unwrap()
        })
        .await;
    }
}
