//! The last calls of one key, and which of them may have arrived late.
//!
//! The server counts calls as they arrive, a limiter sees them leave. The answers tell, roughly,
//! what happens in between: the way to the server was free at the latest when the call was
//! answered, or one that left after it. On a path where that takes about equally long each time, a
//! call for which it took far longer may have been held up, and the call that takes its place a
//! second later must leave as much later.
//!
//! So a stall of the machine or the network, which holds up every call on its way, makes room for
//! all of them. A service that is slow over one call does not: others overtake it.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// The unit in which the server counts.
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// By how much two clocks and two ways may differ: timers round up to a millisecond, and a busy
/// machine wakes a task up to a few later.
const MARGIN: Duration = Duration::from_millis(5);

/// The latest that a call is assumed to arrive after it left. One that was held up for longer has
/// hardly been executed; a refusal now and then costs less than a gate that waits for it.
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// How long a call is remembered: until the one that takes its place may have left.
const REMEMBERED: Duration = LONGEST_DELAY.saturating_add(SECOND).saturating_add(MARGIN);

/// The last calls, as many as there may be in a second.
pub(crate) struct Window {
    /// How many calls the server takes in a second.
    allowed: usize,
    calls: VecDeque<Passed>,
    /// The number of the first of them.
    first: u64,
    /// The number of the first whose way is not known to be free.
    underway: u64,
    ways: Ways,
    opening: Opening,
}

impl Window {
    pub(crate) fn new(allowed: u32) -> Self {
        Self {
            allowed: allowed as usize,
            calls: VecDeque::new(),
            first: 0,
            underway: 0,
            ways: Ways::default(),
            opening: Opening::default(),
        }
    }

    /// When the next call may leave on account of the one whose place it takes, if that one was
    /// late, or is still late: then it is worth asking again at that time.
    pub(crate) fn opens_at(&self, now: Instant) -> Option<Instant> {
        // With fewer calls than allowed, the next one takes the place of none.
        let place = self.calls.len().checked_sub(self.allowed)?;
        let before = self.calls.get(place)?;
        if self.is_opening(place) {
            return Some(self.opening.opens_at(before, now));
        }
        let late = before.late.unwrap_or_else(|| self.ways.late(now - before.at));
        (!late.is_zero()).then(|| before.free_at(late))
    }

    /// A second after the call arrived whose place the next one takes, as far as answers that come
    /// equally fast tell that; otherwise a second after it left.
    #[cfg(feature = "redis")]
    pub(crate) fn second_after(&self) -> Option<Instant> {
        let place = self.calls.len().checked_sub(self.allowed)?;
        let before = self.calls.get(place)?;
        Some(before.at + SECOND + before.arrived_after.unwrap_or(MARGIN))
    }

    /// How many calls have passed: the number of the next one.
    pub(crate) fn passed(&self) -> u64 {
        self.first + self.calls.len() as u64
    }

    /// Notes a call that passes.
    pub(crate) fn note(&mut self, now: Instant) {
        let gone = |call: &Passed| call.at + REMEMBERED < now;
        while self.calls.len() >= self.allowed || self.calls.front().is_some_and(gone) {
            self.calls.pop_front();
            self.first += 1;
        }
        if self.calls.is_empty() {
            // The connections may be gone, or were never there.
            let until = self.passed() + self.allowed as u64;
            self.opening = Opening { until, ..Opening::default() };
            self.ways = Ways::default();
        }
        // A call that is no longer remembered teaches nothing.
        self.underway = self.underway.max(self.first);
        self.calls.push_back(Passed { at: now, late: None, arrived_after: None });
    }

    /// Notes that a call has its answer.
    pub(crate) fn answered(&mut self, number: u64, now: Instant) {
        // A call that others have overtaken says nothing about the way.
        let Some(last) = number.checked_sub(self.underway) else {
            return;
        };
        // When its way was free, so was that of all that left before it. Each call is passed over
        // here once, so answers in any order cost no more than as many in order.
        let from = (self.underway - self.first) as usize;
        let own = from + last as usize;
        self.opening.answered(self.calls[own].at, now);
        for place in from..=own {
            let free_after = now - self.calls[place].at;
            let is_opening = self.is_opening(place);
            let call = &mut self.calls[place];
            call.arrived_after = self.ways.arrived_after(free_after, self.opening.fastest);
            // To open a connection takes longer than what is usual.
            call.late = Some(if is_opening { free_after } else { self.ways.note(free_after) });
        }
        self.underway = number + 1;
    }

    /// Whether the call of this place may have waited for a connection.
    fn is_opening(&self, place: usize) -> bool {
        self.first + (place as u64) < self.opening.until
    }
}

/// A call that has passed.
struct Passed {
    at: Instant,
    /// How late it may have arrived, once its way was free; of a call that may have waited for a
    /// connection, how late its way was free.
    late: Option<Duration>,
    /// How long after it left it had arrived, but for what all take, once that is known.
    arrived_after: Option<Duration>,
}

impl Passed {
    /// When the place of a call is free that was so late.
    fn free_at(&self, late: Duration) -> Instant {
        self.at + late.min(LONGEST_DELAY) + SECOND + MARGIN
    }
}

/// The calls of the first second, and of the first after a pause. They wait for connections to
/// open, so they leave later than those that find one open, or all together.
#[derive(Default)]
struct Opening {
    /// The number of the first call after them.
    until: u64,
    /// When the first answer came.
    answered_at: Option<Instant>,
    /// The shortest time that an answer took.
    fastest: Duration,
    /// Whether one of the answers was to a call that found a connection open.
    found_open: bool,
}

/// Opening a connection takes a round trip for TCP and one for TLS, so the first answer takes three
/// times as long as one to a call that finds a connection open.
const ROUND_TRIPS: u32 = 3;

impl Opening {
    /// Notes an answer to a call that left then.
    fn answered(&mut self, left: Instant, now: Instant) {
        let took = now - left;
        self.fastest = if self.answered_at.is_some() { self.fastest.min(took) } else { took };
        self.found_open |= left >= *self.answered_at.get_or_insert(now);
    }

    /// When the place of a call is free: a second after it arrived, which was as much later than
    /// usual as its answer. Until one call is known to have found a connection open, that is a
    /// guess, and it is worth asking again when it can be known.
    fn opens_at(&self, call: &Passed, now: Instant) -> Instant {
        let free_after = call.late.unwrap_or(now - call.at);
        let usual = if self.found_open { self.fastest } else { self.fastest / ROUND_TRIPS };
        let free_at = call.free_at(free_after.saturating_sub(usual));
        let known_at = self.answered_at.map(|at| at + self.fastest + MARGIN);
        known_at.filter(|at| !self.found_open && *at > now).map_or(free_at, |at| at.min(free_at))
    }
}

/// How long it takes until the way is known to be free, and how far that spreads: the mean, and the mean
/// deviation from it, in nanoseconds. Late calls are left out.
#[derive(Default)]
struct Ways {
    mean: i64,
    spread: i64,
    /// How many times they are made of, up to [`USUAL`].
    times: u32,
    late_in_a_row: u32,
}

/// Over so many times it is smoothed, a second's worth at the vendor's limit: what holds up calls for a
/// part of a second, each a little longer than the one before, must not pass for usual meanwhile. So many
/// late ones in a row are not a hold-up: the service has become slower.
const USUAL: u32 = 60;

/// A time that is this many mean deviations away counts as far from the others: twice as many as
/// RFC 6298 waits before it sends again. To miss a hold-up costs one refused call; to see one in
/// each slow answer would cost a part of the allowance.
const FAR: i64 = 8;

/// Times for which far from the others means more than this, in nanoseconds, say nothing about the
/// way to the server: what could still be seen would be the hold-up of three places and more.
const WIDEST_SPREAD: i64 = 50_000_000;

/// Times that spread by no more than this, in nanoseconds, tell of each call when it arrived: a fifth of
/// what the pace has to spare in a second.
const ALIKE: i64 = 2_500_000;

/// What the pace has to spare in a second: so much of what all calls take need not be known to be the
/// service's own.
const ROOM: Duration = Duration::from_millis(10);

/// The longest that a call is assumed to have been held up while nothing is known of what is usual: it
/// costs so much once.
const LONGEST_GUESS: Duration = Duration::from_millis(50);

impl Ways {
    /// Notes one more of these times. Returns how late its call may have arrived.
    fn note(&mut self, free_after: Duration) -> Duration {
        let late = self.late(free_after);
        if !late.is_zero() {
            self.late_in_a_row += 1;
            if self.late_in_a_row < USUAL {
                return late;
            }
            // What is usual now is learned anew: smoothed times would follow only slowly.
            *self = Self::default();
        }
        self.late_in_a_row = 0;
        let took = free_after.as_nanos() as i64;
        self.times = (self.times + 1).min(USUAL);
        if self.times == 1 {
            // Nothing is known of the spread yet, so it is taken for wide (RFC 6298, section 2.2).
            (self.mean, self.spread) = (took, took / 2);
        } else {
            // The spread comes first, since it is from the mean as it was before this time.
            let times = i64::from(self.times);
            self.spread += ((self.mean - took).abs() - self.spread) / times;
            self.mean += (took - self.mean) / times;
        }
        late
    }

    /// How long after it left a call had surely arrived whose way was free after this long; unless these
    /// times are so different that most of it says nothing about the way. Where a second's worth is not
    /// known yet, that cannot be told: what it took longer than the `fastest` counts, within bounds.
    fn arrived_after(&self, free_after: Duration, fastest: Duration) -> Option<Duration> {
        if self.times < USUAL {
            return Some(free_after.saturating_sub(fastest).clamp(MARGIN, LONGEST_GUESS));
        }
        let all_take = Duration::from_nanos(self.mean as u64).saturating_sub(ROOM);
        let are_alike = self.spread <= ALIKE;
        are_alike.then(|| free_after.saturating_sub(all_take))
    }

    fn is_unknown(&self) -> bool {
        self.times == 0
    }

    /// How late a call may have arrived whose way was free after this long. The others that it is
    /// compared with may have been late by their spread.
    fn late(&self, free_after: Duration) -> Duration {
        let beyond = free_after.as_nanos() as i64 - self.mean;
        let far = FAR * self.spread;
        if self.is_unknown() || far > WIDEST_SPREAD || beyond <= far {
            return Duration::ZERO;
        }
        Duration::from_nanos((beyond + self.spread) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn what_is_usual_is_the_mean_of_the_last_times() {
        let mut ways = Ways::default();
        ways.note(100 * MS);
        assert_eq!((ways.mean, ways.spread), (100_000_000, 50_000_000));
        ways.note(60 * MS);
        // Half of the 50 ms, and of the 40 ms that it was off.
        assert_eq!((ways.mean, ways.spread), (80_000_000, 45_000_000));
        for _ in 0..USUAL {
            ways.note(79 * MS);
            ways.note(81 * MS);
        }
        let before = ways.mean;
        ways.note(86 * MS);
        assert_eq!(ways.mean, before + (86_000_000 - before) / 60);
    }

    fn around_10_ms(spread: i64) -> Ways {
        Ways { mean: 10_000_000, spread, times: USUAL, late_in_a_row: 0 }
    }

    #[test]
    fn only_a_time_far_from_others_that_are_alike_tells_of_a_delay() {
        let alike = around_10_ms(1_000_000);
        assert_eq!(alike.late(18 * MS), Duration::ZERO, "not beyond 8 deviations");
        assert_eq!(alike.late(30 * MS), 21 * MS);
        let widest = around_10_ms(WIDEST_SPREAD / FAR);
        assert!(widest.late(100 * MS) > 90 * MS);
        let wider = around_10_ms(WIDEST_SPREAD / FAR + 1);
        assert_eq!(wider.late(100 * MS), Duration::ZERO);
    }

    #[test]
    fn a_hold_up_changes_nothing_of_what_is_usual_and_a_slower_service_does() {
        let mut ways = around_10_ms(1_000_000);
        for _ in 1..USUAL {
            ways.note(100 * MS);
        }
        assert_eq!(ways.late(100 * MS), 91 * MS);
        ways.note(100 * MS);
        assert_eq!(ways.late(100 * MS), Duration::ZERO);
    }

    #[cfg(feature = "redis")]
    #[test]
    fn a_call_leaves_a_second_after_the_one_before_it_arrived_where_answers_come_equally_fast() {
        let mut window = Window::new(2);
        let begun = Instant::now();
        let mut gaps = Vec::new();
        let usual = [3; 1 + USUAL as usize];
        let times = [3, 3].into_iter().chain(usual).chain([12, 3, 90, 3, 3]);
        for (number, took) in (0..).zip(times) {
            let now = begun + number * SECOND / 2;
            window.note(now);
            window.answered(u64::from(number), now + took * MS);
            if let Some(after) = window.second_after() {
                gaps.push((after + SECOND / 2 - now - SECOND).as_millis());
            }
        }
        let known = gaps.len() - 5;
        assert!(gaps[..known].iter().all(|gap| *gap == 5), "{gaps:?}");
        // One so late changes nothing of what is usual.
        assert_eq!(gaps[known..], [3, 12, 3, 90, 3]);
    }

    #[cfg(feature = "redis")]
    #[test]
    fn until_it_is_known_what_is_usual_what_takes_longer_than_the_fastest_makes_room() {
        let begun = Instant::now();
        let mut window = Window::new(2);
        let mut rooms = Vec::new();
        for (number, took) in (0..).zip([20, 48, 200, 20, 20]) {
            let left = begun + number * SECOND;
            window.note(left);
            window.answered(number.into(), left + took * MS);
            // Of the one before.
            rooms.extend(window.second_after().map(|after| (after - left).as_millis()));
        }
        assert_eq!(rooms, [5, 28, 50, 5]);
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
        assert_eq!(window.underway, 100, "it left too long ago to tell anything");
    }

    #[test]
    fn an_answer_tells_that_the_way_was_free_for_all_that_left_before() {
        let mut window = Window::new(5);
        let mut now = Instant::now();
        let mut free = Vec::new();
        for first in [0, 5] {
            for number in 0..5 {
                window.note(now + number * MS);
            }
            for (number, after) in [(2, 30), (0, 300), (4, 32), (3, 31)] {
                window.answered(first + number, now + after * MS);
            }
            free.extend(window.calls.iter().map(|call| call.late.unwrap().as_millis()));
            now += SECOND;
        }
        assert_eq!(
            free,
            [30, 29, 28, 29, 28, 0, 0, 0, 0, 0],
            "the first may have waited for a connection"
        );
        assert_eq!(window.ways.mean / 1_000_000, 28, "300 ms tell nothing");
    }
}
