//! The gate of one key of a rate limit: a queue, and a task that lets one call after another
//! pass.
//!
//! The task, not the calls, watches the time. So a call that nobody polls holds up none behind
//! it, one that is cancelled gives its place to the next, and the first to come is the first to
//! pass.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use crate::window::{SECOND, Window};

/// How late a call may be without delaying the ones after it. Timers round up to a
/// millisecond; without this, each call would lose it.
pub(crate) const CATCH_UP: Duration = Duration::from_millis(5);

/// How much longer than a second the calls of one second take.
const STRETCH: f64 = 1.015;

/// The pause after an answer 429 that names none; doubled for the next one in a row.
pub(crate) const FIRST_PAUSE: Duration = SECOND;

/// The longest of these.
pub(crate) const LONGEST_BACK_OFF: Duration = Duration::from_secs(60);

/// The longest that one answer closes a gate, whatever it asks.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// The time between two calls.
pub(crate) fn interval(calls_per_second: u32) -> Duration {
    SECOND.mul_f64(STRETCH) / calls_per_second.max(1)
}

pub(crate) struct Gate {
    interval: Duration,
    /// Closed for longer than this, the gate turns calls away.
    longest_wait: Duration,
    state: Mutex<State>,
}

struct State {
    next: Option<Instant>,
    window: Window,
    closed_until: Option<Instant>,
    last_pause: Duration,
    queue: VecDeque<oneshot::Sender<u64>>,
    /// Empties the queue, and ends with it.
    doorman: Option<JoinHandle<()>>,
    pauses: u64,
}

/// A call that has passed a [`RateLimit`](crate::RateLimit), held until its answer is there.
#[must_use = "dropped, it tells that the answer is there"]
pub struct Pass {
    gate: Arc<Gate>,
    number: u64,
}

impl Drop for Pass {
    fn drop(&mut self) {
        let now = Instant::now();
        self.gate.state().window.answered(self.number, now);
    }
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass").finish_non_exhaustive()
    }
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
    pub(crate) fn new(calls_per_second: u32, longest_wait: Duration) -> Self {
        Self {
            interval: interval(calls_per_second),
            longest_wait,
            state: Mutex::new(State {
                next: None,
                window: Window::new(calls_per_second.max(1)),
                closed_until: None,
                last_pause: Duration::ZERO,
                queue: VecDeque::new(),
                doorman: None,
                pauses: 0,
            }),
        }
    }

    /// Waits for the turn of one call.
    pub(crate) async fn pass(self: Arc<Self>) -> Result<Pass, TurnedAway> {
        let turn = {
            let mut state = self.state();
            let now = Instant::now();
            match state.opens_at(now) {
                None if state.queue.is_empty() => {
                    let number = state.window.passed();
                    state.let_pass(now, self.interval);
                    drop(state);
                    return Ok(Pass { gate: self, number });
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
        let number = turn.await.map_err(|_| TurnedAway)?;
        Ok(Pass { gate: self, number })
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
                    && turn.send(state.window.passed()).is_ok()
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

    /// Closes the gate for all calls, as long as an answer 429 asks or, if it names no time,
    /// twice as long as the last time; never opens it earlier than another one asked.
    pub(crate) fn close(&self, pause: Option<Duration>) {
        let mut state = self.state();
        let now = Instant::now();
        state.pauses += 1;
        let pause = match pause {
            Some(pause) => pause.min(LONGEST_PAUSE),
            // This answer is one of those that closed it.
            None if state.closed_until.is_some_and(|until| now < until) => return,
            None => back_off(state.last_pause, state.closed_until, now),
        };
        state.last_pause = pause;
        state.closed_until = state.closed_until.max(Some(now + pause));
    }

    pub(crate) fn report(&self) -> RateLimitState {
        let state = self.state();
        RateLimitState {
            waiting: state.queue.iter().filter(|turn| !turn.is_closed()).count(),
            passed: state.window.passed(),
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
        let times = [self.closed_until, self.next, self.window.opens_at()];
        times.into_iter().flatten().filter(|at| *at > now).max()
    }

    fn closed_for(&self) -> Duration {
        self.closed_until.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now())
        })
    }

    fn let_pass(&mut self, now: Instant, interval: Duration) {
        let planned = self.next.unwrap_or(now);
        self.next = Some(planned.max(now - CATCH_UP) + interval);
        self.window.note(now);
    }
}

/// The pause that follows one that ended at `until`: twice as long if that was just now.
fn back_off(last: Duration, until: Option<Instant>, now: Instant) -> Duration {
    let again = until.is_some_and(|until| now < until + last.max(FIRST_PAUSE));
    match again {
        true => (last * 2).clamp(FIRST_PAUSE, LONGEST_BACK_OFF),
        false => FIRST_PAUSE,
    }
}
