//! How often a decision is made again, and when.

use std::time::Duration;

use crm_transport::{Transport, TransportErrorKind};
use tokio::time::Instant;

use crate::{
    error::{Advice, ContactsError, RefusalKind},
    pause,
    service::ContactsService,
};

/// How long a decision may be made again, and with what pauses.
pub(crate) struct Patience {
    end: Instant,
    pauses: u32,
}

/// The pause before the second time that a decision is made again; doubled each time. Mostly what
/// keeps a write from leaving in time makes the reading wait too, so it need not be long.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest pause that the service did not ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Patience {
    pub(crate) fn of<T: Transport>(service: &ContactsService<T>) -> Self {
        Self { end: service.bounds().end(), pauses: 0 }
    }

    /// Returns how long to pause before a decision is made again after this error, or `None` when
    /// the error is final: the write may have been carried out, waiting has been tried or is not
    /// possible, or the time is up.
    pub(crate) fn after<T: Transport>(
        &mut self,
        service: &ContactsService<T>,
        error: &ContactsError,
        not_before: Option<Instant>,
    ) -> Option<Duration> {
        if !is_passing(error) || service.bounds().is_late() {
            return None;
        }
        let pause = match self.pauses {
            0 => Duration::ZERO,
            made => PAUSE.saturating_mul(1 << (made - 1).min(16)).min(LONGEST_PAUSE),
        };
        self.pauses += 1;
        let pause = self.until(not_before)?.max(pause);
        (pause::is_possible(pause) && Instant::now() + pause < self.end).then_some(pause)
    }

    /// Returns how long it is until the service may be asked again, or `None` when that is too
    /// long, or nothing can wait for it.
    pub(crate) fn until(&self, not_before: Option<Instant>) -> Option<Duration> {
        let now = Instant::now();
        let not_before = not_before.unwrap_or(now);
        let pause = not_before.saturating_duration_since(now);
        (not_before < self.end && pause::is_possible(pause)).then_some(pause)
    }
}

/// Whether a write was certainly not carried out, for a reason that passes and for which no layer
/// has waited yet.
fn is_passing(error: &ContactsError) -> bool {
    use TransportErrorKind::{BudgetSpent, LimitServer, RateLimited, RefusedForNow, TokenEndpoint};

    // A layer that refuses for now knows better than these pauses when it lets calls pass again.
    let is_waited_for = |kind| {
        matches!(kind, BudgetSpent | LimitServer | RateLimited | RefusedForNow | TokenEndpoint)
    };
    match error {
        _ if error.advice() != Advice::Later => false,
        ContactsError::Transport { source, .. } => !is_waited_for(source.kind()),
        ContactsError::Refused(refusal) => {
            matches!(refusal.kind, RefusalKind::RateLimited | RefusalKind::Maintenance)
        }
        _ => false,
    }
}
