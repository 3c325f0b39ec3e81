//! The calls of this process that wait for a place of one key.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    attendant::Served,
    error::{Delivery, TransportError, TransportErrorKind},
    line::Line,
    lock::lock,
    patience::TurnedAway,
    window::Window,
};

/// Why there is no place.
#[derive(Clone)]
pub(super) enum NoPlace {
    /// The gate stays closed for too long, or it is too late to begin.
    TurnedAway(TurnedAway),
    /// The server gives no place, for this reason.
    Away(Arc<str>),
}

impl From<NoPlace> for TransportError {
    fn from(refused: NoPlace) -> Self {
        match refused {
            NoPlace::TurnedAway(turned_away) => turned_away.into(),
            NoPlace::Away(reason) => {
                Self::new(TransportErrorKind::LimitServer, Delivery::NotExecuted)
                    .with_source(&*reason)
            }
        }
    }
}

/// The calls that wait, those that left, and what is known of their gate.
pub(super) struct Queue {
    pub(super) line: Line<Result<Instant, NoPlace>>,
    /// Where one process has all of the allowance, a call takes the place of one of its own.
    window: Window,
    /// Whether a task asks for places. The calls do not ask themselves, so that one that is not
    /// polled does not hold up the ones after it. The task ends with the queue.
    pub(super) has_asker: bool,
    /// As the server last reported.
    pub(super) closed_until: Option<Instant>,
    pub(super) passed: u64,
    pub(super) pauses: u64,
}

impl Served for Mutex<Queue> {
    fn abandoned(&self) {
        let mut queue = lock(self);
        queue.has_asker = false;
        queue.line.clear();
    }
}

impl Queue {
    pub(super) fn new(calls_per_second: u32) -> Self {
        Self {
            line: Line::default(),
            window: Window::new(calls_per_second),
            has_asker: false,
            closed_until: None,
            passed: 0,
            pauses: 0,
        }
    }

    /// When a call may leave that has a place: later than now if the call of this process whose place
    /// it takes left or arrived late.
    pub(super) fn opens_at(&self) -> Instant {
        let now = Instant::now();
        let times = [self.window.second_after(), self.window.opens_at(now)];
        times.into_iter().flatten().fold(now, Instant::max)
    }

    /// Lets a call leave, and returns its number.
    pub(super) fn leave(&mut self) -> u64 {
        let number = self.window.passed();
        self.window.note(Instant::now());
        number
    }

    /// Notes that a call that left has its answer.
    pub(super) fn answered(&mut self, number: u64) {
        self.window.answered(number, Instant::now());
    }

    /// How many calls wait and may still begin; `None` ends the asker.
    pub(super) fn wanted(&mut self) -> Option<usize> {
        self.turn_away();
        if self.line.is_empty() {
            self.has_asker = false;
            return None;
        }
        Some(self.line.waiting())
    }

    /// Gives a place to the first call that still wants one.
    pub(super) fn give(&mut self, place: Instant) {
        while !self.line.is_empty() {
            if self.line.give(Ok(place)) {
                self.passed += 1;
                return;
            }
        }
    }

    /// Notes until when the gate is closed, and turns away the calls that do not wait for that long.
    pub(super) fn closed_until(&mut self, until: Instant) {
        self.closed_until = Some(until);
        self.turn_away();
    }

    /// Drops the calls that have gone away, are too late, or do not wait until the gate opens.
    fn turn_away(&mut self) {
        self.line.turn_away(self.closed_for(), Instant::now());
    }

    pub(super) fn closed_for(&self) -> Duration {
        let now = Instant::now();
        self.closed_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// Tells all calls that wait why there is no place for them.
    pub(super) fn fall_back(&mut self, refused: &NoPlace) {
        self.line.tell(|| Err(refused.clone()));
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep_until;

    use super::{super::SLACK, *};
    use crate::window::SECOND;

    const MS: Duration = Duration::from_millis(1);

    /// The time between two places: sixty take 1.02 s.
    const PLACE: Duration = Duration::from_millis(17);

    /// When calls arrive that each take a place. `way`: when one arrives, by its number, that left
    /// so long after the first; it has its answer `service` later.
    async fn arrivals(way: impl Fn(u64, Duration) -> Duration, service: Duration) -> Vec<Duration> {
        let begun = Instant::now();
        let queue = Arc::new(Mutex::new(Queue::new(60)));
        let mut calls = Vec::new();
        for place in (0..).map(|place| begun + place * PLACE) {
            sleep_until(place).await;
            let opens_at = lock(&queue).opens_at();
            if opens_at >= place + SLACK {
                continue;
            }
            sleep_until(opens_at).await;
            let (number, queue) = (lock(&queue).leave(), Arc::clone(&queue));
            let arrives = way(number, begun.elapsed());
            calls.push(tokio::spawn(async move {
                sleep_until(begun + arrives + service).await;
                lock(&queue).answered(number);
                arrives
            }));
            if number == CALLS - 1 {
                break;
            }
        }
        let mut arrivals = Vec::new();
        for call in calls {
            arrivals.push(call.await.unwrap());
        }
        arrivals.sort();
        arrivals
    }

    const CALLS: u64 = 1_500;

    /// Checks that none is refused, and that all arrive in the time of their places and so much more.
    fn check(what: &str, arrivals: &[Duration], more: Duration) {
        for seconds in arrivals.windows(61) {
            assert!(seconds[60] - seconds[0] >= SECOND, "{what}: 61 calls in a second");
        }
        let took = arrivals[arrivals.len() - 1] - arrivals[0];
        assert!(took < CALLS as u32 * PLACE + more, "{what}: {took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_held_up_makes_room_a_second_later() {
        for stall in [0, 30, 80, 300, 900] {
            // From the tenth second on nothing arrives until this time has passed.
            let (stalls, ends) = (10 * SECOND, 10 * SECOND + stall * MS);
            let way = |number: u64, left| {
                let arrives = left + Duration::from_millis(28 + number * 7 % 4);
                if (stalls..ends).contains(&arrives) { ends } else { arrives }
            };
            let arrivals = arrivals(way, 5 * MS).await;
            check(&format!("{stall} ms"), &arrivals, stall * MS + 100 * MS);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_stretch_of_the_machine_makes_room_a_second_later() {
        // Every seven seconds the calls of a part of one are held up, each a little longer than the
        // one before and then a little shorter, as on a machine that is busy at the time.
        let busy = [2, 3, 5, 9, 10, 16, 21, 31, 31, 28, 24, 22, 22, 23, 15, 6, 3, 2];
        let way = |number, left| {
            let held_up = busy.get((number % 420) as usize).map(|ms| *ms * MS);
            let usual = Duration::from_micros(300 + number * 431 % 900);
            left + usual + held_up.unwrap_or_default()
        };
        let arrivals = arrivals(way, MS / 5).await;
        check("busy", &arrivals, 300 * MS);
    }
}
