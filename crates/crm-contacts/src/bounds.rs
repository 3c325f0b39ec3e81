//! By when the calls of a service begin and end.

use std::time::Duration;

use crm_transport::{Call, Effect, Moment, Request};
use tokio::time::Instant;

/// The times by which the calls of a service must begin and end.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bounds {
    /// The time by which everything must have ended.
    pub(crate) deadline: Option<Instant>,
    /// The last moment at which a write may begin.
    begin_by: Option<Moment>,
    /// Whether its writes repeat earlier ones.
    pub(crate) resend: bool,
}

/// How long a call may take without a deadline. It is the default of
/// [`RetryPolicy::total_time`](crm_transport::RetryPolicy::total_time), so that a decision is not
/// made again after the layers would have given up.
const TOTAL_TIME: Duration = Duration::from_secs(5 * 60);

impl Bounds {
    /// Lets no write begin after this moment, nor after one that was set before.
    pub(crate) fn begin_by(&mut self, moment: Moment) {
        self.begin_by = Some(match self.begin_by {
            Some(before) => before.earlier(moment),
            None => moment,
        });
    }

    /// Whether no write may begin any longer.
    pub(crate) fn is_late(&self) -> bool {
        self.begin_by.is_some_and(Moment::has_passed)
    }

    /// The time by which what begins now must have ended.
    pub(crate) fn end(&self) -> Instant {
        self.deadline.unwrap_or_else(|| Instant::now() + TOTAL_TIME)
    }

    /// Writes the bounds into the request, where the layers read them. A call that only reads may
    /// begin at any time.
    pub(crate) fn set(&self, request: &mut Request) {
        let call = Call::of_mut(request);
        call.deadline = self.deadline.or(call.deadline);
        if call.effect != Effect::Read {
            call.begin_by = self.begin_by.or(call.begin_by);
            call.resend |= self.resend;
        }
    }
}
