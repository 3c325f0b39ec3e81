//! The thread, and how it ends.

use std::{
    future::poll_fn,
    io,
    panic::resume_unwind,
    path::Path,
    pin::pin,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
};

use futures_util::{FutureExt, future::FusedFuture};
use tokio::sync::{oneshot, watch};

use crate::error::MirrorError;

/// How many threads of this crate are at work.
static WORKING: LazyLock<watch::Sender<usize>> = LazyLock::new(watch::Sender::default);

/// Completes once no work of this crate is going on in this process any longer.
///
/// Dropping a future or a stream of this crate stops its work without waiting for that: a thread may
/// still be removing a temporary file or closing a change set. Await this before the process ends, so
/// that nothing is left beside your files. What is left otherwise is safe: the next run continues.
///
/// ```
/// # async fn example() {
/// crm_mirror::idle().await;
/// # }
/// ```
pub async fn idle() {
    // The sender is never dropped.
    let _ = WORKING.subscribe().wait_for(|threads| *threads == 0).await;
}

/// A thread that is at work, until this is dropped.
#[derive(Debug)]
pub struct Working(());

impl Working {
    pub fn begin() -> Self {
        WORKING.send_modify(|threads| *threads += 1);
        Self(())
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        WORKING.send_modify(|threads| *threads -= 1);
    }
}

/// Completes once this holds, which is looked at whenever a thread has ended.
pub async fn when_ended(mut holds: impl FnMut() -> bool) {
    let _ = WORKING.subscribe().wait_for(|_| holds()).await;
}

/// Says that nobody waits for the work any longer.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    pub fn is_asked_for(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// Ends the work on this file if the stop is asked for. Nobody sees the error.
    pub fn check(&self, path: &Path) -> Result<(), MirrorError> {
        let stopped = || MirrorError::file(path, "finished", io::ErrorKind::Interrupted.into());
        if self.is_asked_for() { Err(stopped()) } else { Ok(()) }
    }
}

/// Asks for the stop when the future that waits is dropped.
struct Waiting(Stop);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.0.store(true, Relaxed);
    }
}

/// Does work on a file on a thread of its own, begun when the future is first polled. A panic of the
/// work is one of whoever waits.
///
/// When the future is dropped, nothing waits for the thread: it is told to stop, and drops what it
/// has made.
pub async fn on_thread<R: Send + 'static, E: From<MirrorError> + Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path, &Stop) -> Result<R, E> + Send + 'static,
) -> Result<R, E> {
    let file = path.to_owned();
    let waiting = Waiting(Stop::default());
    let (stop, working) = (waiting.0.clone(), Working::begin());
    let (sender, done) = oneshot::channel();
    let thread = thread::Builder::new()
        .name("crm-file".to_owned())
        .spawn(move || {
            let _working = working;
            // Nobody may be waiting any more.
            let _ = sender.send(work(&file, &stop));
        })
        .map_err(|e| MirrorError::file(path, "given a thread", e))?;
    match done.await {
        Ok(done) => done,
        // It unwinds, and has ended but for that.
        Err(_) => match thread.join() {
            Err(panic) => resume_unwind(panic),
            Ok(()) => {
                Err(MirrorError::file(path, "worked on", io::Error::other("a thread ended")).into())
            }
        },
    }
}

/// Polls `help` until `work` is done.
///
/// Once more after that: what the work has told before its end is taken note of.
pub async fn alongside<R>(work: impl Future<Output = R>, help: impl Future<Output = ()>) -> R {
    let (mut work, mut help) = (pin!(work), pin!(help.fuse()));
    poll_fn(|context| {
        let done = work.as_mut().poll(context);
        if !help.is_terminated() {
            let _ = help.as_mut().poll(context);
        }
        done
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, task::Context};

    use futures_util::task::noop_waker_ref;

    use super::*;

    #[tokio::test]
    async fn a_dropped_future_stops_its_thread_without_waiting_for_it() {
        let (begun, has_begun) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let (ended, has_ended) = mpsc::channel();
        {
            let mut work = pin!(on_thread(Path::new("file"), move |_, stop| {
                begun.send(()).unwrap();
                may_go_on.recv().unwrap();
                while !stop.is_asked_for() {
                    thread::yield_now();
                }
                ended.send(()).unwrap();
                Ok::<_, MirrorError>(())
            }));
            let mut context = Context::from_waker(noop_waker_ref());
            assert!(work.as_mut().poll(&mut context).is_pending());
            has_begun.recv().unwrap();
        }
        // Had the drop waited, it would not be over: the thread still does.
        go_on.send(()).unwrap();
        has_ended.recv().unwrap();
        idle().await;
    }

    #[tokio::test]
    #[should_panic(expected = "of the work")]
    async fn a_panic_of_the_work_reaches_whoever_waits() {
        let _ = on_thread(Path::new("file"), |_, _| -> Result<(), MirrorError> {
            panic!("of the work")
        })
        .await;
    }
}
