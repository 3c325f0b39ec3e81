//! How a connection of HTTP/2 that died without a word is found out: all calls share it, and none
//! that runs out of time says whether it was the connection's fault.

use std::time::Duration;

/// After so long without a sign of the server, while a call waits, it is asked for one.
pub(crate) const INTERVAL: Duration = Duration::from_secs(20);

/// How long the server may take for the sign; then the connection is given up.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use tokio::{net::TcpListener, time::Instant};

    use super::*;
    use crate::{Delivery, Environment, Limits, Request, Transport, TransportErrorKind};

    /// A server of HTTP/2 that answers the first request on each connection, takes the next, and
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

    async fn gives_up_a_silent_connection(transport: impl Transport) {
        transport.send(Request::default()).await.unwrap();

        // Only while nothing is on its way: the clock would run ahead of the network.
        tokio::time::pause();
        let started = Instant::now();
        let error = transport.send(Request::default()).await.unwrap_err();
        let waited = started.elapsed();
        tokio::time::resume();
        assert_eq!(error.kind(), TransportErrorKind::Timeout, "{error}");
        assert_eq!(error.delivery(), Delivery::Unknown);
        let slack = Duration::from_secs(1);
        assert!(waited < INTERVAL + TIMEOUT + slack, "{waited:?}");

        // The next call has a connection of its own.
        transport.send(Request::default()).await.unwrap();
    }

    #[cfg(feature = "reqwest")]
    #[tokio::test]
    async fn reqwest_gives_up_a_silent_connection() {
        let client = reqwest::Client::builder().http2_prior_knowledge();
        let environment = server().await;
        let transport = crate::ReqwestTransport::build(&environment, Limits::default(), client);
        gives_up_a_silent_connection(transport.unwrap()).await;
    }

    #[cfg(feature = "hyper")]
    #[tokio::test]
    async fn hyper_gives_up_a_silent_connection() {
        let executor = hyper_util::rt::TokioExecutor::new();
        let mut client = hyper_util::client::legacy::Client::builder(executor);
        client.http2_only(true);
        let environment = server().await;
        let transport = crate::HyperTransport::build(&environment, Limits::default(), client);
        gives_up_a_silent_connection(transport.unwrap()).await;
    }
}
