//! The task that serves calls in a queue: theirs to wait for, not to do, so that one that nobody
//! polls holds up none behind it.

use std::sync::Arc;

/// What a task serves until nobody waits.
pub(crate) trait Served {
    /// The task was cut off: those that wait are turned away to ask again, and the first to ask
    /// starts another one.
    fn abandoned(&self);
}

/// Held by the task. A runtime that ends, or a panic, drops it before the work is done.
pub(crate) struct Attendant<Q: Served> {
    queue: Arc<Q>,
    is_done: bool,
}

impl<Q: Served> Attendant<Q> {
    pub(crate) fn of(queue: &Arc<Q>) -> Self {
        Self {
            queue: Arc::clone(queue),
            is_done: false,
        }
    }

    pub(crate) fn queue(&self) -> &Q {
        &self.queue
    }

    /// Nobody waits: the queue knows that it has no task.
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
