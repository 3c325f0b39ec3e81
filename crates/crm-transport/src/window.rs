//! The last calls of one key, and which of them may have arrived late.
//!
//! The server counts calls as they arrive, a limiter sees them leave. What lies between is
//! told, roughly, by the answers: the way there was free at the latest when the call was
//! answered, or one that left after it. On a path where that takes about equally long, a call
//! for which it took far longer may have been held up, and the call that takes its place a
//! second later must leave as much later.
//!
//! So a stall of the machine or the network, which holds up every call on its way, makes room
//! for all of them. A service that takes its time over one call does not: others overtake it.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// The unit in which the server counts.
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// What two clocks and two ways may differ by. If one call is overtaken in each second, this
/// and the second are the time of 59 calls of 60.
const MARGIN: Duration = Duration::from_millis(3);

/// The latest that a call is taken to arrive after it left.
const LONGEST_DELAY: Duration = Duration::from_secs(5);

pub(crate) struct Window {
    /// How many calls the server takes in a second.
    allowed: usize,
    calls: VecDeque<Passed>,
    /// The number of the first of them.
    first: u64,
    /// The number of the first whose way is not known to be free.
    underway: u64,
    answers: AnswerTimes,
}

struct Passed {
    at: Instant,
    /// How long until it was answered, or one that left after it.
    way_free_after: Option<Duration>,
}

impl Window {
    pub(crate) fn new(allowed: u32) -> Self {
        Self {
            allowed: allowed as usize,
            calls: VecDeque::new(),
            first: 0,
            underway: 0,
            answers: AnswerTimes::default(),
        }
    }

    /// When the next call may leave on account of the one whose place it takes, if that one
    /// was late, or is: then it is worth asking again at that time.
    pub(crate) fn opens_at(&self, now: Instant) -> Option<Instant> {
        let place = self.calls.len().checked_sub(self.allowed)?;
        let before = self.calls.get(place)?;
        let way_free_after = before.way_free_after.unwrap_or_else(|| now - before.at);
        let delay = self.answers.delay(way_free_after)?;
        Some(before.at + delay.min(LONGEST_DELAY) + SECOND + MARGIN)
    }

    /// How many calls have passed: the number of the next one.
    pub(crate) fn passed(&self) -> u64 {
        self.first + self.calls.len() as u64
    }

    /// Notes a call that passes.
    pub(crate) fn note(&mut self, now: Instant) {
        let gone = |call: &Passed| call.at + LONGEST_DELAY + SECOND + MARGIN < now;
        while self.calls.len() >= self.allowed || self.calls.front().is_some_and(gone) {
            self.calls.pop_front();
            self.first += 1;
        }
        self.underway = self.underway.max(self.first);
        self.calls.push_back(Passed {
            at: now,
            way_free_after: None,
        });
    }

    /// Notes that a call has its answer.
    pub(crate) fn answered(&mut self, number: u64, now: Instant) {
        // One that others have overtaken tells nothing of the way.
        let Some(last) = number.checked_sub(self.underway) else {
            return;
        };
        let from = (self.underway - self.first) as usize;
        for call in self.calls.iter_mut().skip(from).take(last as usize + 1) {
            call.way_free_after = Some(now - call.at);
        }
        self.underway = number + 1;
        if let Some(call) = self.calls.get(from + last as usize) {
            self.answers.note(now - call.at);
        }
    }
}

/// How long answers take that are not overtaken, and how far they spread: smoothed as RFC 6298, section 2, smooths
/// round trips, in nanoseconds.
#[derive(Default, PartialEq)]
struct AnswerTimes {
    mean: i64,
    spread: i64,
}

/// So many times the mean deviation lies an answer away that is far from the others.
const FAR: i64 = 8;

/// Answers that spread further tell nothing of the way there.
const WIDEST_SPREAD: i64 = 50_000_000;

impl AnswerTimes {
    fn note(&mut self, took: Duration) {
        let took = took.as_nanos() as i64;
        if *self == Self::default() {
            (self.mean, self.spread) = (took, took / 2);
        } else {
            self.spread += ((self.mean - took).abs() - self.spread) / 4;
            self.mean += (took - self.mean) / 8;
        }
    }

    /// How late the call may have arrived whose way was free after this long. Before the first
    /// answer nothing is known.
    fn delay(&self, way_free_after: Duration) -> Option<Duration> {
        let beyond = way_free_after.as_nanos() as i64 - self.mean;
        let far = FAR * self.spread;
        let late = *self != Self::default() && far <= WIDEST_SPREAD && beyond > far;
        late.then(|| Duration::from_nanos(beyond as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn answers_are_smoothed_as_the_rfc_has_it() {
        let mut answers = AnswerTimes::default();
        answers.note(100 * MS);
        assert_eq!((answers.mean, answers.spread), (100_000_000, 50_000_000));
        answers.note(60 * MS);
        // Three quarters of 50 ms and one of the 40 ms that it was off; then 7/8 and 1/8.
        assert_eq!((answers.mean, answers.spread), (95_000_000, 47_500_000));
    }

    #[test]
    fn only_an_answer_far_from_others_that_are_alike_tells_of_a_delay() {
        let alike = AnswerTimes {
            mean: 10_000_000,
            spread: 1_000_000,
        };
        assert_eq!(alike.delay(18 * MS), None, "not beyond 8 deviations");
        assert_eq!(alike.delay(30 * MS), Some(20 * MS));
        let widest = AnswerTimes {
            spread: WIDEST_SPREAD / FAR,
            ..alike
        };
        assert_eq!(widest.delay(100 * MS), Some(90 * MS));
        let wider = AnswerTimes {
            spread: WIDEST_SPREAD / FAR + 1,
            ..alike
        };
        assert_eq!(wider.delay(100 * MS), None);
    }

    #[test]
    fn a_window_keeps_no_more_calls_than_it_needs() {
        let mut window = Window::new(3);
        let now = Instant::now();
        for number in 0..100 {
            assert_eq!(window.passed(), number);
            window.note(now);
            assert!(window.calls.len() <= 3);
        }
        window.note(now + LONGEST_DELAY + SECOND + 2 * MARGIN);
        assert_eq!(window.calls.len(), 1, "the others are gone");
        assert_eq!(window.passed(), 101);
        window.answered(3, now + SECOND);
        assert_eq!(
            window.underway, 100,
            "it left too long ago to tell anything"
        );
    }

    #[test]
    fn an_answer_tells_that_the_way_was_free_for_all_that_left_before() {
        let mut window = Window::new(5);
        let now = Instant::now();
        for number in 0..5 {
            window.note(now + number * MS);
        }
        for (number, after) in [(2, 30), (0, 300), (4, 32), (3, 31)] {
            window.answered(number, now + after * MS);
        }
        let free: Vec<_> = window
            .calls
            .iter()
            .map(|call| call.way_free_after)
            .collect();
        assert_eq!(free, [30, 29, 28, 29, 28].map(|after| Some(after * MS)));
        assert_eq!(
            window.answers.mean, 28_000_000,
            "only of those not overtaken"
        );
    }
}
