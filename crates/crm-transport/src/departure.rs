//! The last look before a request leaves, also where a connection has to be made for it.

use std::{future::poll_fn, pin::pin, task::Poll};

use tokio::time::sleep;

use crate::{Moment, TransportError, call::expired};

/// Sends a request, unless its last moment to begin passes before it has left.
///
/// A request leaves within a poll, so the clock is read right before each one until then. What
/// follows in the same poll takes microseconds, and a process that was stopped looks again when it
/// goes on.
pub(crate) async fn by<T>(
    moment: Moment,
    has_left: impl Fn() -> bool,
    sending: impl Future<Output = Result<T, TransportError>>,
) -> Result<T, TransportError> {
    let mut sending = pin!(sending);
    let mut passing = pin!(sleep(moment.time_left()));
    poll_fn(|context| {
        if !has_left() && moment.has_passed() {
            return Poll::Ready(Err(expired()));
        }
        let result = sending.as_mut().poll(context);
        // Nobody wants the connection any more that is still being made.
        if result.is_pending() && !has_left() && passing.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(expired()));
        }
        result
    })
    .await
}
