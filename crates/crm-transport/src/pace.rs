//! The time between two calls of one key, which learns from the answers 429.
//!
//! Calls that leave evenly do not arrive evenly: a network that delays one by 10 ms more than the
//! other lets 61 of them arrive in a second that 60 left in. How much room that takes is not seen
//! in the times of answers, since a service whose own time varies by 400 ms may well be reached in
//! equal times. Only refusals tell. So each makes the spacing wider and each other answer a little
//! narrower, until they balance: at one refusal in two thousand calls.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::window::SECOND;

/// By how much a second's calls are spaced wider than the limit asks for, until something is
/// learned. A call can be held up by 12 ms, the jitter of a busy machine on a local network.
pub(crate) const FIRST: f64 = 0.0125;

/// The least that it is ever taken to need: beside the service, timers and a busy machine alone hold a
/// call up by some milliseconds now and then.
pub(crate) const LEAST: f64 = 0.0075;

/// What one refusal adds: room for 5 ms more in a second.
pub(crate) const STEP: f64 = 0.005;

/// What any other answer takes away: the two balance at one refusal in two thousand calls.
pub(crate) const RELIEF: f64 = STEP / 2_000.0;

/// What it adds when so many calls are refused that the gate closes: the spacing is far from what
/// the network needs, or others use the same allowance.
pub(crate) const JUMP: f64 = 0.02;

/// Twice the time per call: half of the allowance. Whoever gets less shares it with others, and the
/// closed gate does the rest.
pub(crate) const MOST: f64 = 1.0;

/// A refusal so soon after another counts twice: the way to the service is new, and the spacing has
/// far to go.
pub(crate) const SOON: Duration = Duration::from_secs(2);

/// So many refusals in a second leave the gate open: one hold-up of the network may cost two calls
/// their place. More mean that the allowance is used up, and every call would be refused.
const BORNE: usize = 2;

/// The longest time that an answer may ask for without closing the gate. A limit by the second is
/// free again after one; who asks for longer means something else.
pub(crate) const SHORT: Duration = Duration::from_secs(2);

/// The spacing of one gate.
pub(crate) struct Pace {
    allowed: f64,
    extra: f64,
    refused: VecDeque<Instant>,
}

impl Pace {
    pub(crate) fn new(calls_per_second: u32) -> Self {
        Self { allowed: f64::from(calls_per_second.max(1)), extra: FIRST, refused: VecDeque::new() }
    }

    /// The time between two calls.
    pub(crate) fn interval(&self) -> Duration {
        let nanos = SECOND.as_nanos() as f64 * (1.0 + self.extra) / self.allowed;
        Duration::from_nanos(nanos as u64)
    }

    /// Notes an answer that refuses nothing.
    pub(crate) fn answered(&mut self) {
        self.extra = (self.extra - RELIEF).max(LEAST);
    }

    /// Notes a refusal that asks for this wait. Returns whether the gate has to close: the call
    /// alone waits for a short time, and the others go on.
    pub(crate) fn refused(&mut self, now: Instant, asks_for: Option<Duration>) -> bool {
        // Asked before the old ones go: this looks back two seconds, the count below only one.
        let again = self.refused.back().is_some_and(|last| now < *last + SOON);
        self.refused.retain(|at| now < *at + SECOND);
        self.refused.push_back(now);
        let closes = self.refused.len() > BORNE || asks_for.is_some_and(|wait| wait > SHORT);
        let step = if closes {
            // Those that closed it must not close it once more when it opens.
            self.refused.clear();
            JUMP
        } else if again {
            2.0 * STEP
        } else {
            STEP
        };
        self.extra = (self.extra + step).min(MOST);
        closes
    }
}
