//! Waiting before a request is sent, no longer than its call allows.

use std::{future::poll_fn, pin::pin, task::Poll};

use tokio::time::{Instant, timeout_at};

use crate::{
    call::{Call, expired, not_begun},
    error::TransportError,
    runtime,
};

/// Waits for what is needed before a request is sent, as long as its call may still begin.
pub(crate) async fn before_sending<T>(
    call: &Call,
    waiting: impl Future<Output = Result<T, TransportError>>,
) -> Result<T, TransportError> {
    let mut waiting = pin!(waiting);
    // Mostly it is ready at once, and then no timer is needed.
    let ready = match poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context))).await {
        Poll::Ready(ready) => ready,
        Poll::Pending => in_time(call, waiting).await?,
    };
    // The machine may have slept meanwhile, and then no timer has fired.
    call.may_begin()?;
    ready
}

/// Returns the output of `waiting`, if it comes while the call may still begin.
async fn in_time<T>(call: &Call, waiting: impl Future<Output = T>) -> Result<T, TransportError> {
    let begin_by = (call.begin_by).map(|moment| Instant::now() + moment.time_left());
    let Some(end) = earlier(call.deadline, begin_by).filter(|_| runtime::is_here()) else {
        return Ok(waiting.await);
    };
    timeout_at(end, waiting).await.map_err(|_| {
        let is_too_old = begin_by == Some(end);
        if is_too_old { expired() } else { not_begun() }
    })
}

/// The earlier of the two, if there is one.
pub(crate) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
