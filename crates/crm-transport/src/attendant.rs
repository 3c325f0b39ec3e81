//! The task that serves the calls in a queue. The calls only wait for it, so that one that is not
//! polled does not hold up the ones after it.

use std::sync::Arc;

/// What a task serves until no call waits.
pub(crate) trait Served {
    /// The task was cut off: the calls that wait are turned away to ask again, and the first to ask
    /// starts another task.
    fn abandoned(&self);
}

/// Held by the task. If the runtime ends, or the task panics, it is dropped before the work is
/// done.
pub(crate) struct Attendant<Q: Served> {
    queue: Arc<Q>,
    is_done: bool,
}

impl<Q: Served> Attendant<Q> {
    pub(crate) fn of(queue: &Arc<Q>) -> Self {
        Self { queue: Arc::clone(queue), is_done: false }
    }

    pub(crate) fn queue(&self) -> &Q {
        &self.queue
    }

    /// No call waits: the queue then knows that it has no task.
    pub(crate) fn done(mut self) {
        self.is_done = true;
    }
}

impl<Q: Served> Drop for Attendant<Q> {
    fn drop(&mut self) {
        if !self.is_done {
            self.queue.abandoned();
        }
    }
}
