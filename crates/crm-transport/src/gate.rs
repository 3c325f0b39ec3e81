//! The gate of one key of a rate limit: a queue, and a task that lets one call after another
//! pass.
//!
//! The task, not the calls, watches the time. So a call that nobody polls holds up none behind
//! it, one that is cancelled gives its place to the next, and the first to come is the first to
//! pass.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

/// How late a call may be without delaying the ones after it. Timers round up to a
/// millisecond; without this, each call would lose it.
pub(crate) const CATCH_UP: Duration = Duration::from_millis(5);

pub(crate) struct Gate {
    interval: Duration,
    /// Closed for longer than this, the gate turns calls away.
    longest_wait: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: Option<Instant>,
    closed_until: Option<Instant>,
    queue: VecDeque<oneshot::Sender<()>>,
    /// Empties the queue, and ends with it.
    doorman: Option<JoinHandle<()>>,
    passed: u64,
    pauses: u64,
}

/// The gate is closed for too long.
pub(crate) struct TurnedAway;

/// What a gate is doing, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimitState {
    /// Calls in the queue.
    pub waiting: usize,
    /// Calls that passed so far.
    pub passed: u64,
    /// How often an answer 429 closed the gate.
    pub pauses: u64,
    /// How long the gate is still closed after an answer 429.
    pub closed_for: Duration,
}

impl Gate {
    pub(crate) fn new(interval: Duration, longest_wait: Duration) -> Self {
        Self {
            interval,
            longest_wait,
            state: Mutex::default(),
        }
    }

    /// Waits for the turn of one call.
    pub(crate) async fn pass(self: Arc<Self>) -> Result<(), TurnedAway> {
        let turn = {
            let mut state = self.state();
            let now = Instant::now();
            match state.opens_at(now) {
                None if state.queue.is_empty() => {
                    state.let_pass(now, self.interval);
                    return Ok(());
                }
                _ if state.closed_for() > self.longest_wait => return Err(TurnedAway),
                _ => {}
            }
            let (sender, turn) = oneshot::channel();
            state.queue.push_back(sender);
            // A task that has ended belonged to a runtime that is gone.
            if state.doorman.as_ref().is_none_or(JoinHandle::is_finished) {
                state.doorman = Some(tokio::spawn(Arc::clone(&self).let_pass_in_turn()));
            }
            turn
        };
        turn.await.map_err(|_| TurnedAway)
    }

    async fn let_pass_in_turn(self: Arc<Self>) {
        loop {
            let opens_at = {
                let mut state = self.state();
                while state.queue.front().is_some_and(oneshot::Sender::is_closed) {
                    state.queue.pop_front();
                }
                if state.closed_for() > self.longest_wait {
                    // Dropping its sender turns a call away.
                    state.queue.clear();
                }
                if state.queue.is_empty() {
                    state.doorman = None;
                    return;
                }
                let now = Instant::now();
                let opens_at = state.opens_at(now);
                if opens_at.is_none()
                    && let Some(turn) = state.queue.pop_front()
                    && turn.send(()).is_ok()
                {
                    state.let_pass(now, self.interval);
                }
                opens_at
            };
            if let Some(opens_at) = opens_at {
                sleep_until(opens_at).await;
            }
        }
    }

    /// Closes the gate for all calls; never opens it earlier than another answer 429 asked.
    pub(crate) fn close(&self, pause: Duration) {
        let mut state = self.state();
        state.closed_until = state.closed_until.max(Some(Instant::now() + pause));
        state.pauses += 1;
    }

    pub(crate) fn report(&self) -> RateLimitState {
        let state = self.state();
        RateLimitState {
            waiting: state.queue.iter().filter(|turn| !turn.is_closed()).count(),
            passed: state.passed,
            pauses: state.pauses,
            closed_for: state.closed_for(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// When the next call may pass; `None` is now.
    fn opens_at(&self, now: Instant) -> Option<Instant> {
        self.closed_until.max(self.next).filter(|at| *at > now)
    }

    fn closed_for(&self) -> Duration {
        self.closed_until.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now())
        })
    }

    fn let_pass(&mut self, now: Instant, interval: Duration) {
        let planned = self.next.unwrap_or(now);
        self.next = Some(planned.max(now - CATCH_UP.min(interval)) + interval);
        self.passed += 1;
    }
}
