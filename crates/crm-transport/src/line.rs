//! The calls that wait for their turn, in the order in which they get it.
//!
//! A write that a reading decided goes before the others. It ages while it waits, and once it is too
//! old it is read and decided anew, which takes two more calls: where many wait, all would wait for
//! readings that come to nothing. Within each kind, who comes first is served first.

use std::{collections::VecDeque, time::Duration};

use tokio::{sync::oneshot, time::Instant};

use crate::patience::Patience;

/// So many decided calls in a row go before others that wait: of four calls at least one is theirs,
/// so no number of decisions stops the reading on which the next ones rest.
const BEFORE_OTHERS: u32 = 3;

/// The calls that wait; each takes a `T` when its turn comes.
pub(crate) struct Line<T> {
    decided: VecDeque<Waiting<T>>,
    others: VecDeque<Waiting<T>>,
    /// How many decided calls have gone since the last other one.
    decided_in_a_row: u32,
}

/// A call that waits.
struct Waiting<T> {
    /// Dropped, it turns the call away.
    turn: oneshot::Sender<T>,
    patience: Patience,
}

impl<T> Waiting<T> {
    /// Whether it is still there, and waits until a gate opens that is closed for that long.
    fn outlasts(&self, closed_for: Duration, now: Instant) -> bool {
        !self.turn.is_closed() && self.patience.outlasts(closed_for, now).is_ok()
    }
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self { decided: VecDeque::new(), others: VecDeque::new(), decided_in_a_row: 0 }
    }
}

impl<T> Line<T> {
    /// Adds a call, which waits for what it takes.
    pub(crate) fn join(&mut self, patience: Patience) -> oneshot::Receiver<T> {
        let (turn, takes) = oneshot::channel();
        let queue = if patience.is_decided() { &mut self.decided } else { &mut self.others };
        queue.push_back(Waiting { turn, patience });
        takes
    }

    /// Drops the calls that have gone away, are too late, or do not wait for that long.
    pub(crate) fn turn_away(&mut self, closed_for: Duration, now: Instant) {
        for queue in [&mut self.decided, &mut self.others] {
            queue.retain(|call| call.outlasts(closed_for, now));
        }
    }

    /// Drops those calls of an open gate whose turn it would be.
    pub(crate) fn turn_away_first(&mut self, now: Instant) {
        for queue in [&mut self.decided, &mut self.others] {
            while queue.front().is_some_and(|call| !call.outlasts(Duration::ZERO, now)) {
                queue.pop_front();
            }
        }
    }

    /// Gives this to the call whose turn it is. Returns whether that was still there to take it.
    pub(crate) fn give(&mut self, it: T) -> bool {
        let is_others = !self.others.is_empty()
            && (self.decided.is_empty() || self.decided_in_a_row >= BEFORE_OTHERS);
        let queue = if is_others { &mut self.others } else { &mut self.decided };
        let Some(call) = queue.pop_front() else {
            return false;
        };
        let is_taken = call.turn.send(it).is_ok();
        if is_taken {
            self.decided_in_a_row = if is_others { 0 } else { self.decided_in_a_row + 1 };
        }
        is_taken
    }

    /// Tells all calls this, and drops them.
    #[cfg(feature = "redis")]
    pub(crate) fn tell(&mut self, mut told: impl FnMut() -> T) {
        for call in self.decided.drain(..).chain(self.others.drain(..)) {
            // A caller that is gone needs no answer.
            let _ = call.turn.send(told());
        }
    }

    /// Turns all calls away.
    pub(crate) fn clear(&mut self) {
        self.decided.clear();
        self.others.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.decided.is_empty() && self.others.is_empty()
    }

    /// How many calls wait that have not gone away.
    pub(crate) fn waiting(&self) -> usize {
        let calls = self.decided.iter().chain(&self.others);
        calls.filter(|call| !call.turn.is_closed()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        call::{Call, Effect},
        clock::Moment,
    };

    /// A line, and how its calls left: `w` for a decided write, `r` for a reading.
    struct Calls {
        line: Line<char>,
        takes: Vec<(char, oneshot::Receiver<char>)>,
    }

    impl Calls {
        fn join(&mut self, kinds: &str) {
            for kind in kinds.chars() {
                let call = match kind {
                    'w' => Call::new("Test", Effect::Idempotent)
                        .begin_by(Moment::now().after(Duration::from_secs(2))),
                    _ => Call::new("Test", Effect::Read),
                };
                let takes = self.line.join(Patience::of(&call, Duration::MAX));
                self.takes.push((kind, takes));
            }
        }

        fn order(&mut self, calls: usize) -> String {
            let mut order = String::new();
            for _ in 0..calls {
                assert!(self.line.give('!'));
                let taken =
                    |(_, takes): &mut (char, oneshot::Receiver<char>)| takes.try_recv().is_ok();
                let place = self.takes.iter_mut().position(taken).unwrap();
                order.push(self.takes.remove(place).0);
            }
            order
        }
    }

    #[tokio::test(start_paused = true)]
    async fn decided_calls_go_first_and_every_fourth_is_of_others() {
        let mut calls = Calls { line: Line::default(), takes: Vec::new() };
        calls.join("rrrwwwwwww");
        assert_eq!(calls.order(10), "wwwrwwwrwr");
        calls.join("rrr");
        assert_eq!(calls.order(3), "rrr");
        assert!(!calls.line.give('!'));
        calls.join("wwwww");
        assert_eq!(calls.order(4), "wwww");
        calls.join("rww");
        assert_eq!(calls.order(4), "rwww", "one that comes after many decided ones goes at once");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_gone_costs_nobody_a_turn() {
        let mut calls = Calls { line: Line::default(), takes: Vec::new() };
        calls.join("wwr");
        calls.takes.remove(0);
        assert_eq!(calls.line.waiting(), 2);
        assert!(!calls.line.give('!'));
        assert_eq!(calls.order(2), "wr");
        assert!(calls.line.is_empty());
    }
}
