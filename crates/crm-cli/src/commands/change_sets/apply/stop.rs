//! What stops a run before its end.

use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

use crate::{
    output::note,
    signal::{Signal, Unwatched, signal},
};

/// What stops a run.
#[derive(Default)]
pub(super) struct Stop {
    /// The first signal that came.
    pub(super) signal: OnceLock<Signal>,
    /// Notified when something else stops the run.
    pub(super) halt: Notify,
}

impl Stop {
    /// Completes at Ctrl-C, or when something else stops the run. After Ctrl-C a second one ends
    /// the process: what is in flight is checked by the next run.
    pub(super) fn wanted(
        self: Arc<Self>,
    ) -> Result<impl Future<Output = ()> + Send + 'static, Unwatched> {
        let first = signal()?;
        Ok(async move {
            tokio::select! {
                signal = first => self.signal.get_or_init(|| signal),
                () = self.halt.notified() => return,
            };
            note("finishing what is in flight; press Ctrl-C again to end at once");
            tokio::spawn(async {
                if let Ok(second) = signal() {
                    second.await.end();
                }
            });
        })
    }
}
