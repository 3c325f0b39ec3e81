//! How long one poll of a run is.

use std::{
    pin::pin,
    sync::Arc,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    task::Poll,
};

use futures_util::{FutureExt, future};

/// How many steps of changes one poll takes at most; a step takes some 25 µs of the processor. One
/// commit makes the claims of up to 64 changes durable, and all of them would go on in the poll
/// after it: nearly two milliseconds in which nothing else on the thread does.
const STEPS_OF_A_POLL: u32 = 16;

/// The steps that are left of this poll of a run.
#[derive(Debug)]
pub(super) struct Turns(AtomicU32);

impl Default for Turns {
    fn default() -> Self {
        Self(AtomicU32::new(STEPS_OF_A_POLL))
    }
}

impl Turns {
    /// Polls `work` only while there is a step left, and otherwise in the next poll.
    pub(super) fn take_for<F: Future + Unpin>(
        self: Arc<Self>,
        mut work: F,
    ) -> impl Future<Output = F::Output> {
        future::poll_fn(move |context| {
            let left = self.0.load(Relaxed);
            if left == 0 {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            // All polls are those of one stream: nobody else writes in between.
            self.0.store(left - 1, Relaxed);
            work.poll_unpin(context)
        })
    }

    /// Polls what all the changes are part of. Where it is pending, the poll of the run ends, and
    /// the next one has all its steps; where it is ready, whoever polls the run may go on at once.
    pub(super) async fn share<F: Future>(&self, all: F) -> F::Output {
        let mut all = pin!(all);
        future::poll_fn(|context| {
            let polled = all.as_mut().poll(context);
            if polled.is_pending() {
                self.0.store(STEPS_OF_A_POLL, Relaxed);
            }
            polled
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream::FuturesUnordered};

    use super::*;

    #[test]
    fn what_is_woken_at_once_goes_on_in_polls_of_some_steps() {
        let turns = Arc::<Turns>::default();
        let tasks = (0..100).map(|_| Arc::clone(&turns).take_for(future::ready(())).boxed());
        let mut tasks: FuturesUnordered<_> = tasks.collect();
        let all = async {
            let mut ended = 0;
            while turns.share(tasks.next()).await.is_some() {
                ended += 1;
            }
            ended
        };
        let (mut all, mut polls) = (pin!(all), 0);
        let ended = loop {
            polls += 1;
            if let Some(ended) = (&mut all).now_or_never() {
                break ended;
            }
        };
        assert_eq!((ended, polls), (100, 100 / STEPS_OF_A_POLL + 1));
    }
}
