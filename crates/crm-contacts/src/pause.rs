//! Waiting, for which it takes a runtime of tokio's: outside one its timers panic.

use std::time::Duration;

use tokio::{
    runtime::Handle,
    time::{Instant, sleep, timeout_at},
};

/// Whether a pause of this length can be made.
pub(crate) fn is_possible(pause: Duration) -> bool {
    pause.is_zero() || Handle::try_current().is_ok()
}

/// Makes a pause that is possible.
pub(crate) async fn make(pause: Duration) {
    if !pause.is_zero() {
        sleep(pause).await;
    }
}

/// Returns the output of `work` if it comes by then. Outside a runtime nothing cuts it off.
pub(crate) async fn until<T>(end: Instant, work: impl Future<Output = T>) -> Option<T> {
    match Handle::try_current() {
        Ok(_) => timeout_at(end, work).await.ok(),
        Err(_) => Some(work.await),
    }
}
