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

/// The calls that wait, and what is known of their gate.
#[derive(Default)]
pub(super) struct Queue {
    pub(super) line: Line<Result<Instant, NoPlace>>,
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
