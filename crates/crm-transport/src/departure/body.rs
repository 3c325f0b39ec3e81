//! A body that holds its request back.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};

use crate::{
    call::{Call, expired},
    clock::Moment,
    error::TransportError,
};

/// When a request must have left, and whether it was held back.
#[derive(Debug)]
pub(crate) struct Departure {
    begin_by: Moment,
    is_held_back: AtomicBool,
}

/// A body that fails where its request would leave too late.
///
/// hyper asks for a body when it writes the request onto its connection, whatever came before that:
/// connecting, or waiting for the connection of another call. Over HTTP/1 it writes head and body
/// together, so with a body that fails nothing leaves. Over HTTP/2 the head may leave, as a request
/// that is never complete and that no server carries out. An empty body claims not to be empty, so
/// that hyper asks for it. What this does not see is an HTTP/2 request that waits on its connection
/// because the server accepts no more at one time; most accept a hundred.
#[derive(Debug)]
pub(crate) struct Departing {
    body: Full<Bytes>,
    /// Present until the body was handed out; `None` for a call without a last moment.
    departure: Option<Arc<Departure>>,
}

/// Tells hyper that the request does not leave.
#[derive(Debug, thiserror::Error)]
#[error("the request was held back")]
pub(crate) struct HeldBack;

impl Departure {
    /// Returns the departure of a call that has a last moment to begin.
    ///
    /// # Errors
    ///
    /// Returns an error when it has already passed.
    pub(crate) fn of(call: &Call) -> Result<Option<Arc<Self>>, TransportError> {
        call.may_begin()?;
        let departure =
            call.begin_by.map(|begin_by| Self { begin_by, is_held_back: AtomicBool::new(false) });
        Ok(departure.map(Arc::new))
    }

    /// What an error means: a request that was held back was not executed.
    pub(crate) fn explain(self: &Arc<Self>, error: TransportError) -> TransportError {
        if self.is_held_back.load(Ordering::Relaxed) { expired() } else { error }
    }

    #[cold]
    fn holds_back(&self) -> bool {
        if self.begin_by.has_passed() {
            self.is_held_back.store(true, Ordering::Relaxed);
        }
        self.is_held_back.load(Ordering::Relaxed)
    }
}

impl Departing {
    pub(crate) fn new(body: Bytes, departure: Option<Arc<Departure>>) -> Self {
        Self { body: Full::new(body), departure }
    }

    #[inline]
    fn is_held_back(&self) -> bool {
        (self.departure.as_deref()).is_some_and(Departure::holds_back)
    }
}

impl Body for Departing {
    type Data = Bytes;
    type Error = HeldBack;

    #[inline]
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HeldBack>>> {
        if self.is_held_back() {
            return Poll::Ready(Some(Err(HeldBack)));
        }
        self.departure = None;
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(frame.map(|frame| frame.map_err(|never| match never {})))
    }

    // hyper asks for a body that is not empty in any case: no clock is read for that here.
    #[inline]
    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream() && !self.is_held_back()
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        let denies = self.body.is_end_stream() && self.is_held_back();
        if denies { SizeHint::default() } else { self.body.size_hint() }
    }
}

#[cfg(test)]
#[cfg(feature = "mock")]
mod tests {
    use std::time::Duration;

    use http_body_util::BodyExt;

    use super::*;
    use crate::{
        call::Effect,
        clock::pretend_suspended,
        error::{Delivery, TransportErrorKind},
    };

    /// A body that is to leave within five seconds.
    fn departing(body: &'static str) -> (Departing, Arc<Departure>) {
        let begin_by = Moment::now().after(Duration::from_secs(5));
        let call = Call::new("Test", Effect::Idempotent).begin_by(begin_by);
        let departure = Departure::of(&call).unwrap().unwrap();
        let body = Departing::new(body.into(), Some(Arc::clone(&departure)));
        (body, departure)
    }

    fn lost() -> TransportError {
        TransportError::new(TransportErrorKind::Reset, Delivery::Unknown)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_in_time_is_as_it_is_and_is_not_cut_off_later() {
        let (empty, _) = departing("");
        assert!(empty.is_end_stream());
        assert_eq!(empty.size_hint().exact(), Some(0));

        let (mut body, departure) = departing("{}");
        assert!(!body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(2));
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), "{}");
        pretend_suspended(Duration::from_secs(10));
        assert!(body.is_end_stream());
        assert!(body.frame().await.is_none());
        let error = departure.explain(lost());
        assert_eq!(error.delivery(), Delivery::Unknown, "it has left");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_too_late_fails_also_where_there_is_none() {
        for text in ["", "{}"] {
            let (mut body, departure) = departing(text);
            pretend_suspended(Duration::from_secs(10));
            assert!(!body.is_end_stream(), "or nobody would ask for it");
            assert_ne!(body.size_hint().exact(), Some(0), "as much as is asked for");
            assert!(body.frame().await.unwrap().is_err());
            let error = departure.explain(lost());
            assert_eq!(error.kind(), TransportErrorKind::Expired);
            assert_eq!(error.delivery(), Delivery::NotExecuted);
        }
    }
}
