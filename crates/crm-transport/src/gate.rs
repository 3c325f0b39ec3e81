//! The gate of one key of a rate limit: a queue, and a task that lets one call after another
//! pass.
//!
//! The task, not the calls, watches the time. So a call that is not polled does not hold up the
//! ones after it, and one that is cancelled gives its place to the next.

use std::{
    fmt, mem,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    task::yield_now,
    time::{Instant, sleep_until},
};

use crate::{
    attendant::{Attendant, Served},
    line::Line,
    lock::lock,
    pace::Pace,
    patience::{Patience, TurnedAway},
    runtime,
    window::{SECOND, Window},
};

/// How late a call may be without delaying the ones after it. Timers round up to a
/// millisecond; without this, each call would lose it.
pub(crate) const CATCH_UP: Duration = Duration::from_millis(5);

/// The pause after an answer 429 that names none; doubled for each further one in a row. The server
/// counts the calls of any second: after one without calls, all of them are allowed again.
pub(crate) const FIRST_PAUSE: Duration = SECOND;

/// The longest such pause. If others use up the allowance, a gate that is tried once a minute
/// notices soon enough that they have stopped.
pub(crate) const LONGEST_BACK_OFF: Duration = Duration::from_secs(60);

/// The longest time for which one answer closes a gate, whatever it asks for: a mistaken one must
/// not stop a program for a day.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// The gate of one key. Everything about it changes at once, under one lock.
pub(crate) struct Gate {
    state: Mutex<State>,
}

struct State {
    /// When the next call may pass by its spacing from the last one; `None` before the first.
    next: Option<Instant>,
    pace: Pace,
    window: Window,
    /// The end of the last pause, which may be over.
    closed_until: Option<Instant>,
    last_pause: Duration,
    /// Each takes its number.
    line: Line<u64>,
    /// Whether a task is emptying the line; the task ends when it is empty.
    has_doorman: bool,
    pauses: u64,
}

/// A call that has passed a [`RateLimit`](crate::RateLimit), held until the call ends.
/// [`Limit::ended`](crate::Limit::ended) takes it back; if it is dropped, it reports nothing.
#[must_use]
pub struct Pass {
    gate: Arc<Gate>,
    number: u64,
}

impl Pass {
    pub(crate) fn ended(self) {
        let now = Instant::now();
        let mut state = lock(&self.gate.state);
        // A refusal comes here too, before it is told to the gate: it found its way like any other,
        // and what it takes off the spacing is a two-thousandth of what it will add.
        state.window.answered(self.number, now);
        state.pace.answered();
    }
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass").finish_non_exhaustive()
    }
}

/// What a gate is doing, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimitState {
    /// How many more calls would leave within a second if they came now: after those that wait, and
    /// evenly spaced, so not at once.
    pub permits: usize,
    /// Calls in the queue.
    pub waiting: usize,
    /// Calls that have passed so far.
    pub passed: u64,
    /// How often an answer 429 closed the gate. One that came while the gate was closed is not
    /// counted here; the metric `crm.client.rate_limit.pauses` counts each.
    pub pauses: u64,
    /// How long the gate remains closed after an answer 429.
    pub closed_for: Duration,
}

impl Gate {
    pub(crate) fn new(calls_per_second: u32) -> Self {
        Self {
            state: Mutex::new(State {
                next: None,
                pace: Pace::new(calls_per_second),
                window: Window::new(calls_per_second.max(1)),
                closed_until: None,
                last_pause: Duration::ZERO,
                line: Line::default(),
                has_doorman: false,
                pauses: 0,
            }),
        }
    }

    /// Waits for the turn of one call, unless the gate stays closed for longer than the call waits,
    /// or it is too late for the call.
    pub(crate) async fn pass(self: Arc<Self>, patience: Patience) -> Result<Pass, TurnedAway> {
        loop {
            let turn = {
                let mut state = lock(&self.state);
                let now = Instant::now();
                patience.outlasts(state.closed_for(now), now)?;
                if state.line.is_empty() && state.opens_at(now).is_none() {
                    let number = state.window.passed();
                    state.let_pass(now);
                    drop(state);
                    return Ok(Pass { gate: self, number });
                }
                if !runtime::is_here() {
                    return Err(TurnedAway::NoRuntime);
                }
                let turn = state.line.join(patience);
                let needs_doorman = !mem::replace(&mut state.has_doorman, true);
                // Before a task is spawned: a runtime that shuts down drops it at once, and then the
                // attendant takes this lock to give the calls up.
                drop(state);
                if needs_doorman {
                    tokio::spawn(let_pass_in_turn(Attendant::of(&self)));
                }
                turn
            };
            if let Ok(number) = turn.await {
                return Ok(Pass { gate: self, number });
            }
            // The gate stays closed for too long, it is too late, or the doorman's runtime is gone.
            yield_now().await;
        }
    }

    /// Lets pass the calls that may. Returns when the next one may, or `None` when none is waiting.
    fn let_pass(&self) -> Option<Instant> {
        let mut state = lock(&self.state);
        loop {
            let now = Instant::now();
            let closed_for = state.closed_for(now);
            // A pause may be too long for any of them. At an open gate, each is checked when its
            // turn comes: to check all for each that passes would take the square of their number.
            if closed_for > Duration::ZERO {
                state.line.turn_away(closed_for, now);
            } else {
                state.line.turn_away_first(now);
            }
            if state.line.is_empty() {
                state.has_doorman = false;
                return None;
            }
            let opens_at = state.opens_at(now);
            if opens_at.is_some() {
                return opens_at;
            }
            // Only a call that takes its number has passed: one that was cancelled just now leaves
            // both number and place to the next.
            let number = state.window.passed();
            if state.line.give(number) {
                state.let_pass(now);
            }
        }
    }

    /// Notes an answer 429. The gate stays open for a few of them; the calls are then spaced wider.
    pub(crate) fn refused(&self, asks_for: Option<Duration>) {
        let mut state = lock(&self.state);
        let now = Instant::now();
        // One that was refused with those that closed the gate teaches nothing more.
        if state.closed_for(now) > Duration::ZERO || state.pace.refused(now, asks_for) {
            drop(state);
            self.close(asks_for);
        }
    }

    /// Closes the gate for all calls, as long as an answer 429 asks or, if it names no time, twice
    /// as long as the last time; never opens it earlier than another answer asked.
    pub(crate) fn close(&self, pause: Option<Duration>) {
        let mut state = lock(&self.state);
        let now = Instant::now();
        let closed_for = state.closed_for(now);
        let pause = match pause {
            Some(pause) => pause.min(LONGEST_PAUSE),
            // This answer is one of those that closed it.
            None if closed_for > Duration::ZERO => return,
            None => back_off(state.last_pause, state.closed_until, now),
        };
        state.pauses += u64::from(closed_for.is_zero() && !pause.is_zero());
        state.last_pause = pause;
        state.closed_until = state.closed_until.max(Some(now + pause));
    }

    pub(crate) fn report(&self) -> RateLimitState {
        let state = lock(&self.state);
        let now = Instant::now();
        let waiting = state.line.waiting();
        let opens_in = state.opens_at(now).map_or(Duration::ZERO, |at| at - now);
        RateLimitState {
            permits: permits(opens_in, state.pace.interval(), waiting),
            waiting,
            passed: state.window.passed(),
            pauses: state.pauses,
            closed_for: state.closed_for(now),
        }
    }
}

impl Served for Gate {
    fn abandoned(&self) {
        let mut state = lock(&self.state);
        state.has_doorman = false;
        state.line.clear();
    }
}

/// The doorman: lets the calls pass, each when it may, until none is waiting.
async fn let_pass_in_turn(doorman: Attendant<Gate>) {
    while let Some(opens_at) = doorman.queue().let_pass() {
        sleep_until(opens_at).await;
    }
    doorman.done();
}

impl State {
    /// When the next call may pass; `None` means now. Three bounds hold at once, so the latest
    /// decides: a pause, the spacing from the last call, and the place of the one a second before.
    fn opens_at(&self, now: Instant) -> Option<Instant> {
        let times = [self.closed_until, self.next, self.window.opens_at(now)];
        times.into_iter().flatten().filter(|at| *at > now).max()
    }

    fn closed_for(&self, now: Instant) -> Duration {
        self.closed_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    fn let_pass(&mut self, now: Instant) {
        // Counted from the planned time: a call that is a little late delays none after it. What was
        // missed by more is lost, since catching up would be a burst.
        let planned = self.next.unwrap_or(now);
        self.next = Some(planned.max(now - CATCH_UP) + self.pace.interval());
        self.window.note(now);
    }
}

/// How many calls leave within a second, after those that wait, from a gate that opens then.
pub(crate) fn permits(opens_in: Duration, interval: Duration, waiting: usize) -> usize {
    let left = SECOND.saturating_sub(opens_in).as_nanos();
    (left.div_ceil(interval.as_nanos().max(1)) as usize).saturating_sub(waiting)
}

/// The pause that follows one that ended at `until`: twice as long if that was just now.
fn back_off(last: Duration, until: Option<Instant>, now: Instant) -> Duration {
    let again = until.is_some_and(|until| now < until + last.max(FIRST_PAUSE));
    if again { (last * 2).clamp(FIRST_PAUSE, LONGEST_BACK_OFF) } else { FIRST_PAUSE }
}
