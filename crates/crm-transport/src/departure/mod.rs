//! The last check before a request leaves, also if a connection has to be made for it.
//!
//! hyper-util reports when a request has its connection, and reqwest does not. So there are two
//! ways: [`by`] checks before each step until then, and with reqwest the [body](Departing) checks
//! when it is asked for.

#[cfg(feature = "reqwest")]
mod body;

#[cfg(feature = "reqwest")]
pub(crate) use self::body::{Departing, Departure};

/// Sends a request, unless its last moment to begin passes before it has a connection.
///
/// A request gets its connection within a poll, so the clock is read right before each one until
/// then. What follows in the same poll takes microseconds, and a process that was stopped checks
/// again when it continues.
#[cfg(feature = "hyper")]
pub(crate) async fn by<T>(
    moment: crate::clock::Moment,
    has_left: impl Fn() -> bool,
    sending: impl Future<Output = Result<T, crate::error::TransportError>>,
) -> Result<T, crate::error::TransportError> {
    use std::{future::poll_fn, pin::pin, task::Poll};

    use crate::call::expired;

    let mut sending = pin!(sending);
    let mut passing = pin!(tokio::time::sleep(moment.time_left()));
    poll_fn(|context| {
        if !has_left() && moment.has_passed() {
            return Poll::Ready(Err(expired()));
        }
        let result = sending.as_mut().poll(context);
        // The connection that is still being made is no longer wanted.
        if result.is_pending() && !has_left() && passing.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(expired()));
        }
        result
    })
    .await
}
