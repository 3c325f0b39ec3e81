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
    use tokio::time::{sleep, sleep_until};

    use super::*;
    use crate::window::SECOND;

    const MS: Duration = Duration::from_millis(1);

    /// When calls arrive for which there is a place each 17 ms, over a way on which nothing arrives from
    /// the tenth second on until this time has passed.
    async fn arrivals(stall: Duration) -> Vec<Instant> {
        let begun = Instant::now();
        let (stalls, ends) = (begun + 10 * SECOND, begun + 10 * SECOND + stall);
        let queue = Arc::new(Mutex::new(Queue::new(60)));
        let mut calls = Vec::new();
        for place in (0..).map(|place| begun + place * 17 * MS) {
            sleep_until(place).await;
            if lock(&queue).opens_at() > place {
                continue;
            }
            let (number, queue) = (lock(&queue).leave(), Arc::clone(&queue));
            calls.push(tokio::spawn(async move {
                sleep((28 + number as u32 * 7 % 4) * MS).await;
                if (stalls..ends).contains(&Instant::now()) {
                    sleep_until(ends).await;
                }
                let arrived = Instant::now();
                sleep(5 * MS).await;
                lock(&queue).answered(number);
                arrived
            }));
            if number == 1_499 {
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

    #[tokio::test(start_paused = true)]
    async fn what_was_held_up_makes_room_a_second_later() {
        for stall in [0, 30, 80, 300, 900] {
            let arrivals = arrivals(stall * MS).await;
            for seconds in arrivals.windows(61) {
                assert!(seconds[60] - seconds[0] >= SECOND, "{stall} ms: 61 calls in a second");
            }
            let took = arrivals[1_499] - arrivals[0];
            assert!(took < 1_500 * 17 * MS + stall * MS + 100 * MS, "{stall} ms: {took:?}");
        }
    }
}
