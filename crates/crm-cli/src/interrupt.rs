//! Ctrl-C and, on Unix, the polite request to end.

use std::future::Future;

use crate::error::CliError;

/// Completes at the first signal that comes after this call, not only after the first poll.
#[cfg(unix)]
pub(crate) fn signal() -> Result<impl Future<Output = ()>, CliError> {
    use tokio::signal::unix::{SignalKind, signal};

    let listen =
        |kind| signal(kind).map_err(|error| CliError::io("cannot watch for signals", error));
    let (mut interrupt, mut terminate) = (
        listen(SignalKind::interrupt())?,
        listen(SignalKind::terminate())?,
    );
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Completes at Ctrl-C.
#[cfg(not(unix))]
pub(crate) fn signal() -> Result<impl Future<Output = ()>, CliError> {
    Ok(async {
        // Without a handler Ctrl-C ends the process by itself.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
}
