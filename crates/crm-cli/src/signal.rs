//! Ctrl-C and, on Unix, the polite request to end.

#[cfg(unix)]
use std::sync::Arc;
use std::{
    future::{self, Future},
    io::{self, Write},
    pin::pin,
    process,
};

use crate::exit::Exit;

/// What asked the command to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    #[cfg_attr(not(unix), expect(dead_code, reason = "a signal of Unix"))]
    Terminate,
}

/// The system does not let this process watch for signals.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch for signals: {0}")]
pub(crate) struct Unwatched(io::Error);

impl Signal {
    pub(crate) fn exit(self) -> Exit {
        match self {
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate => Exit::Terminated,
        }
    }

    /// Ends the process as if the signal had not been watched for: by the signal itself, where
    /// there are any. A shell that gets an exit code instead treats the signal as handled, and its
    /// loop continues with the next command.
    pub(crate) fn end(self) -> ! {
        let _ = io::stdout().flush();
        #[cfg(unix)]
        let _ = signal_hook::low_level::emulate_default_handler(match self {
            Self::Interrupt => signal_hook::consts::SIGINT,
            Self::Terminate => signal_hook::consts::SIGTERM,
        });
        process::exit(i32::from(self.exit() as u8))
    }
}

/// Has a write fail that a limit on the length of files forbids. Otherwise it would end the process,
/// without a word.
#[cfg(unix)]
pub(crate) fn outlive_limits() {
    let signal = signal_hook::consts::SIGXFSZ;
    // If it cannot be watched for, a limit ends the process as before.
    let _ = signal_hook::flag::register(signal, Arc::default());
}

/// Elsewhere there is no such signal.
#[cfg(not(unix))]
pub(crate) fn outlive_limits() {}

/// Completes at the first signal that comes after this call, not only after the first poll.
#[cfg(unix)]
pub(crate) fn signal() -> Result<impl Future<Output = Signal>, Unwatched> {
    use tokio::signal::unix::{SignalKind, signal};

    let listen = |kind| signal(kind).map_err(Unwatched);
    let (mut interrupt, mut terminate) =
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => Signal::Interrupt,
            _ = terminate.recv() => Signal::Terminate,
        }
    })
}

/// Completes at Ctrl-C.
#[cfg(not(unix))]
pub(crate) fn signal() -> Result<impl Future<Output = Signal>, Unwatched> {
    Ok(async {
        // Without a handler, Ctrl-C ends the process by itself.
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::Interrupt,
            Err(_) => std::future::pending().await,
        }
    })
}

/// Does work until a signal comes, which is the inner error: the work is then dropped, and with it
/// its temporary files. While the work does not wait for anything, as in a long computation, a
/// signal waits too, even until the work is done.
pub(crate) async fn until_signal<R, E: From<Unwatched>>(
    work: impl Future<Output = Result<R, E>>,
) -> Result<Result<R, Signal>, E> {
    let mut stop = pin!(signal()?);
    let done = tokio::select! {
        biased;
        signal = &mut stop => return Ok(Err(signal)),
        done = work => done,
    };
    // The runtime notices a signal only between two steps.
    tokio::task::yield_now().await;
    tokio::select! {
        biased;
        signal = stop => Ok(Err(signal)),
        () = future::ready(()) => done.map(Ok),
    }
}
