//! What the vague errors of HTTP libraries mean, found by walking their chains of causes.

use std::{error::Error, io};

use http_body_util::LengthLimitError;

use crate::error::{Delivery, TransportError, TransportErrorKind};

/// What a library knows about its own error.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hints {
    /// Whether it happened while connecting.
    pub(crate) connect: bool,
    /// Whether it is a time-out.
    pub(crate) timeout: bool,
}

/// Interprets an error before the answer.
pub(crate) fn before_answer(error: &(dyn Error + 'static), hints: Hints) -> TransportError {
    use Delivery::*;
    use TransportErrorKind::*;

    let hyper = cause::<hyper::Error>(error);
    let (kind, delivery) = match hints {
        Hints { connect: true, timeout: true } => (Timeout, NotExecuted),
        Hints { connect: true, .. } if cause::<rustls::Error>(error).is_some() => {
            (Tls, NotExecuted)
        }
        Hints { connect: true, .. } => (Connect, NotExecuted),
        Hints { timeout: true, .. } => (Timeout, Unknown),
        _ if cause(error).is_some_and(not_processed) => (ClosedWhileIdle, NotExecuted),
        _ if hyper.is_some_and(hyper::Error::is_canceled) => (ClosedWhileIdle, NotExecuted),
        // hyper reports this only for a new connection that ends before it takes a request.
        _ if hyper.is_some_and(hyper::Error::is_closed) => (Connect, NotExecuted),
        // An HTTP/2 server that no longer responds.
        _ if hyper.is_some_and(hyper::Error::is_timeout) => (Timeout, Unknown),
        _ if hyper.is_some_and(hyper::Error::is_parse) => (UnreadableAnswer, Unknown),
        _ if hyper.is_some() || cause::<io::Error>(error).is_some() => (Reset, Unknown),
        _ => (Other, Unknown),
    };
    with_reason(kind, delivery, error)
}

/// Whether an HTTP/2 server says that it did not process the request (RFC 9113, sections 6.8 and
/// 8.7): it is going away, or refused the stream. h2 reports this only for streams that the server
/// did not accept.
fn not_processed(error: &h2::Error) -> bool {
    let going_away = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
    let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
    error.is_remote() && (going_away || refused)
}

/// Interprets an error within the answer: the request was executed.
pub(crate) fn within_answer(error: &(dyn Error + 'static), hints: Hints) -> TransportError {
    use TransportErrorKind::*;

    let encoding = match cause::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => true,
        // The decoder reports damaged answers this way; what comes from the wire goes through
        // hyper.
        Some(io::ErrorKind::Other) => cause::<hyper::Error>(error).is_none(),
        _ => false,
    };
    let kind = if cause::<LengthLimitError>(error).is_some() {
        AnswerTooLarge
    } else if hints.timeout {
        Timeout
    } else if encoding {
        UnreadableAnswer
    } else {
        IncompleteAnswer
    };
    with_reason(kind, Delivery::Unknown, error)
}

/// The error of a request that cannot be sent.
pub(crate) fn invalid(reason: &'static str) -> TransportError {
    TransportError::new(TransportErrorKind::InvalidRequest, Delivery::NotExecuted)
        .with_source(reason)
}

/// Keeps the innermost cause's message: the outer ones may name the URL.
fn with_reason(
    kind: TransportErrorKind,
    delivery: Delivery,
    error: &(dyn Error + 'static),
) -> TransportError {
    let reason = chain(error).skip(1).last().map(ToString::to_string);
    let refined = TransportError::new(kind, delivery);
    match reason {
        Some(reason) => refined.with_source(reason),
        None => refined,
    }
}

/// Returns the first cause of a type, the error itself included.
fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).find_map(|cause| cause.downcast_ref())
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        // An I/O error hides the error that it wraps from the chain.
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::io::DuplexStream;

    use super::*;

    /// An outer error as HTTP libraries make them: it names the URL.
    #[derive(Debug, thiserror::Error)]
    #[error("error sending request for https://host.example/?secret")]
    struct Outer(#[source] io::Error);

    /// What becomes of a request when an HTTP/2 server answers this way.
    async fn http2(
        answer: impl AsyncFn(h2::server::Connection<DuplexStream, Bytes>),
    ) -> TransportError {
        let (client, server) = tokio::io::duplex(10_000);
        let server = async { answer(h2::server::handshake(server).await.unwrap()).await };
        let client = async {
            let (mut sender, connection) = h2::client::handshake(client).await.unwrap();
            tokio::spawn(connection);
            let request = http::Request::new(());
            sender = sender.ready().await.unwrap();
            let (answer, _) = sender.send_request(request, true).unwrap();
            answer.await.map(|_| ()).unwrap_err()
        };
        let (error, ()) = tokio::join!(client, server);
        before_answer(&error, Hints::default())
    }

    #[tokio::test]
    async fn a_request_that_a_server_of_http2_did_not_take_on_was_not_sent() {
        use Delivery::*;
        use TransportErrorKind::*;

        let refused = http2(async |mut server| {
            let (_, mut answer) = server.accept().await.unwrap().unwrap();
            answer.send_reset(h2::Reason::REFUSED_STREAM);
            while server.accept().await.is_some() {}
        });
        let refused = refused.await;
        assert_eq!((refused.kind(), refused.delivery()), (ClosedWhileIdle, NotExecuted));

        let failed = http2(async |mut server| {
            let (_, mut answer) = server.accept().await.unwrap().unwrap();
            answer.send_reset(h2::Reason::INTERNAL_ERROR);
            while server.accept().await.is_some() {}
        });
        assert_eq!(failed.await.delivery(), Unknown);
    }

    #[cfg(feature = "hyper")]
    #[tokio::test]
    async fn a_new_connection_that_ended_before_it_was_ready_took_no_request() {
        let (client, server) = tokio::io::duplex(1_000);
        drop(server);
        let client = hyper_util::rt::TokioIo::new(client);
        let handshake = hyper::client::conn::http1::handshake::<_, http_body_util::Empty<Bytes>>;
        let (mut sender, connection) = handshake(client).await.unwrap();
        tokio::spawn(connection);
        let error = sender.ready().await.unwrap_err();
        let refined = before_answer(&error, Hints::default());
        assert_eq!(
            (refined.kind(), refined.delivery()),
            (TransportErrorKind::Connect, Delivery::NotExecuted)
        );
    }

    #[test]
    fn each_cause_has_its_kind_and_delivery() {
        use Delivery::*;
        use TransportErrorKind::*;

        let connect = Hints { connect: true, timeout: false };
        let timeout = Hints { connect: false, timeout: true };
        let both = Hints { connect: true, timeout: true };
        let io = |kind| Outer(io::Error::from(kind));
        let tls = Outer(io::Error::other(rustls::Error::DecryptError));
        for (error, hints, expected) in [
            (io(io::ErrorKind::ConnectionRefused), connect, (Connect, NotExecuted)),
            (tls, connect, (Tls, NotExecuted)),
            (io(io::ErrorKind::TimedOut), both, (Timeout, NotExecuted)),
            (io(io::ErrorKind::TimedOut), timeout, (Timeout, Unknown)),
            (io(io::ErrorKind::ConnectionReset), Hints::default(), (Reset, Unknown)),
            (io(io::ErrorKind::BrokenPipe), Hints::default(), (Reset, Unknown)),
        ] {
            let refined = before_answer(&error, hints);
            assert_eq!((refined.kind(), refined.delivery()), expected, "{error:?}");
            assert!(!format!("{refined} {refined:?}").contains("host.example"));
        }
        for (kind, expected) in [
            (io::ErrorKind::UnexpectedEof, IncompleteAnswer),
            (io::ErrorKind::ConnectionReset, IncompleteAnswer),
            (io::ErrorKind::InvalidInput, UnreadableAnswer),
            (io::ErrorKind::Other, UnreadableAnswer),
        ] {
            let refined = within_answer(&io(kind), Hints::default());
            assert_eq!((refined.kind(), refined.delivery()), (expected, Unknown));
        }
    }
}
