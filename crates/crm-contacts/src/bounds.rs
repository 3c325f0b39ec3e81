//! By when the calls of a service begin and end.

use std::time::Duration;

use crm_transport::{Call, Effect, Moment, Request};
use tokio::time::Instant;

/// By when the calls of a service begin and end.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bounds {
    /// When everything must have ended.
    pub(crate) deadline: Option<Instant>,
    /// The last moment at which a write may begin.
    begin_by: Option<Moment>,
    /// Whether its writes repeat earlier ones.
    pub(crate) resend: bool,
}

/// How long a call is worked on without a deadline, as
/// [`RetryPolicy::total_time`](crm_transport::RetryPolicy::total_time).
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

    /// When what begins now must have ended.
    pub(crate) fn end(&self) -> Instant {
        self.deadline.unwrap_or_else(|| Instant::now() + TOTAL_TIME)
    }

    /// Tells the layers. What only reads may begin at any time.
    pub(crate) fn set(&self, request: &mut Request) {
        let call = Call::of_mut(request);
        call.deadline = self.deadline.or(call.deadline);
        if call.effect != Effect::Read {
            call.begin_by = self.begin_by.or(call.begin_by);
            call.resend |= self.resend;
        }
    }
}
