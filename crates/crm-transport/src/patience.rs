//! How long a call waits at a gate.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    call::{Call, expired},
    clock::Moment,
    error::{Delivery, TransportError, TransportErrorKind},
    runtime,
};

/// How long a call waits for a closed gate to open. A gate that stays closed for longer turns the
/// call away at once.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    longest_wait: Duration,
    deadline: Option<Instant>,
    begin_by: Option<Moment>,
}

impl Patience {
    pub(crate) fn of(call: &Call, longest_wait: Duration) -> Self {
        Self { longest_wait, deadline: call.deadline, begin_by: call.begin_by }
    }

    /// Whether a reading decided the call, so that it ages while it waits.
    pub(crate) fn is_decided(self) -> bool {
        self.begin_by.is_some()
    }

    /// Checks whether the call waits at a gate that is closed for that long. A call that is too old
    /// to begin does not wait even at an open one.
    pub(crate) fn outlasts(self, closed_for: Duration, now: Instant) -> Result<(), TurnedAway> {
        let ends_before = |end: Instant| closed_for > end.saturating_duration_since(now);
        if (self.begin_by).is_some_and(|moment| moment.time_left() <= closed_for) {
            Err(TurnedAway::TooOld)
        } else if closed_for.is_zero() {
            Ok(())
        } else if closed_for > self.longest_wait || self.deadline.is_some_and(ends_before) {
            Err(TurnedAway::Closed)
        } else {
            Ok(())
        }
    }
}

/// Why a call does not wait.
#[derive(Clone, Copy)]
pub(crate) enum TurnedAway {
    /// The gate is closed for too long.
    Closed,
    /// It would be too late to begin the call by the time it may pass.
    TooOld,
    /// It would have to wait, and nothing can.
    NoRuntime,
}

impl From<TurnedAway> for TransportError {
    fn from(turned_away: TurnedAway) -> Self {
        match turned_away {
            TurnedAway::Closed => Self::new(TransportErrorKind::RateLimited, Delivery::NotExecuted),
            TurnedAway::TooOld => expired(),
            TurnedAway::NoRuntime => runtime::missing(),
        }
    }
}
