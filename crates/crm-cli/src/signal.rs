//! Ctrl-C and, on Unix, the polite request to end.

#[cfg(unix)]
use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicBool, Ordering::SeqCst},
};
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

/// Has the process end at once when nobody reads its output any more, where `CRM_END_WITH_READER` is set: so
/// the child of a worker that is killed ends with it, and whoever takes over finds the desk free.
#[cfg(unix)]
pub(crate) fn end_with_reader() {
    use rustix::{
        event::{PollFd, PollFlags, poll},
        io::Errno,
        process::{Signal, getpid, kill_process},
    };

    if std::env::var_os("CRM_END_WITH_READER").is_none() {
        return;
    }
    std::thread::spawn(|| {
        let stdout = io::stdout();
        // That the other end of a pipe is closed is told without being asked for.
        let mut pipe = [PollFd::new(&stdout, PollFlags::empty())];
        while let Err(Errno::INTR) = poll(&mut pipe, None) {}
        let _ = kill_process(getpid(), Signal::KILL);
    });
}

/// Elsewhere a pipe does not tell it.
#[cfg(not(unix))]
pub(crate) fn end_with_reader() {}

/// Which signals came and were told to nobody. One that comes while nobody waits, between two steps of a
/// command, ends the next one.
#[cfg(unix)]
struct Untold {
    interrupt: Arc<AtomicBool>,
    terminate: Arc<AtomicBool>,
}

#[cfg(unix)]
impl Untold {
    /// Those of this process, which are kept from the first call on.
    fn of_process() -> Result<&'static Self, Unwatched> {
        static UNTOLD: LazyLock<io::Result<Untold>> = LazyLock::new(|| {
            let keep = |signal| {
                let came = Arc::new(AtomicBool::new(false));
                signal_hook::flag::register(signal, Arc::clone(&came)).map(|_| came)
            };
            Ok(Untold {
                interrupt: keep(signal_hook::consts::SIGINT)?,
                terminate: keep(signal_hook::consts::SIGTERM)?,
            })
        });
        UNTOLD.as_ref().map_err(|error| Unwatched(error.kind().into()))
    }

    fn take(&self) -> Option<Signal> {
        let all = [(&self.interrupt, Signal::Interrupt), (&self.terminate, Signal::Terminate)];
        all.into_iter().find_map(|(came, signal)| came.swap(false, SeqCst).then_some(signal))
    }
}

/// Completes at the first signal that nobody was told of, also one that came before this call, once one
/// was made at all.
#[cfg(unix)]
pub(crate) fn signal() -> Result<impl Future<Output = Signal>, Unwatched> {
    use tokio::signal::unix::{SignalKind, signal};

    let untold = Untold::of_process()?;
    let listen = |kind| signal(kind).map_err(Unwatched);
    let (mut interrupt, mut terminate) =
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(async move {
        // The streams say when to look, and may say it late: what counts is told once.
        loop {
            if let Some(signal) = untold.take() {
                return signal;
            }
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_signal_that_comes_while_nobody_waits_ends_what_comes_next() {
        let work = || until_signal(async { Ok::<_, Unwatched>(()) });
        assert_eq!(work().await.unwrap(), Ok(()));
        signal_hook::low_level::raise(signal_hook::consts::SIGTERM).unwrap();
        assert_eq!(work().await.unwrap(), Err(Signal::Terminate));
        assert_eq!(work().await.unwrap(), Ok(()), "it was told once");
    }
}
