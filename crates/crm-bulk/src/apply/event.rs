//! What a run tells.

use std::collections::BTreeMap;

use crm_models::Timestamp;

use crate::{
    disk::watch::Displaced,
    set::{Change, ChangeId, State, Target},
};

/// Something that happened while a set was carried out.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The run has begun.
    Started {
        /// The number of changes that the run takes up: those that are not settled, and the failed
        /// ones that are to be repeated.
        open: u64,
    },
    /// The outcome of a change is durable. It can also be [`State::Planned`](crate::State) again,
    /// which means that the change was not sent for a passing reason given in the message. What is
    /// still open is looked at again at the end of the run, and is then settled again.
    Settled(Box<Change>),
    /// A request that may change a record was answered, or its answer was lost, or a request of an
    /// earlier run turned out to have been carried out. This event comes before the change is
    /// [`Settled`](Self::Settled).
    Written(Written),
    /// The answer to this creation was lost, and so far its contact has not shown up. Once
    /// everything else is done, the run looks for it for as long as the service may be working on
    /// it ([`Apply::server_timeout`](crate::Apply::server_timeout)), and only then sends the creation
    /// again; not while a process that was stopped might still send it
    /// ([`StopReason::StoppedOwner`]).
    Awaited(Box<Change>),
    /// This change would be sent; only in a dry run.
    WouldSend(Box<Change>),
    /// This change was in flight when the run lost its set, as reported by
    /// [`StopReason::Superseded`] or [`StopReason::Displaced`]. It has its outcome if it has been
    /// answered since, and is in flight otherwise; the set may know less. This event comes just
    /// before the last one.
    InFlight(Box<Change>),
    /// The run is over and nothing is in flight any longer. This is the last event.
    Finished(Finished),
}

/// A write: a request that may change a record, and how it was answered. It contains no value.
///
/// A change can take several writes: a creation whose preferences are set afterwards takes two, and
/// each preference of a contact method is a write of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The change of the set that the write belongs to.
    pub change: ChangeId,
    /// The row of the input that asks for it; `None` when no single row does.
    pub row: Option<u64>,
    /// The record that the write is about.
    pub target: Target,
    /// `create`, `update`, `delete` or `method-preferences`.
    pub action: &'static str,
    /// The name of the preference, for a contact method.
    pub preference: Option<String>,
    /// How the write was answered, as a state of a change: planned means that it was certainly not
    /// executed.
    pub state: State,
    /// The HTTP status, if the answer is a refusal.
    pub http_status: Option<u16>,
    /// The vendor's trace id, if the answer had one.
    pub trace_id: Option<String>,
    /// Whether the write was read back: its answer was not seen, since the run that sent it was
    /// killed or the answer was lost, and this run found the record changed accordingly. A write
    /// that was reported before can be reported again.
    pub read_back: bool,
    /// When the answer arrived, or the record was read.
    pub at: Timestamp,
}

/// The reason why a run is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// Everything was looked at.
    Complete,
    /// The caller asked to stop.
    Stopped,
    /// The changes of the canary have been sent.
    Canary,
    /// As many changes failed as were allowed.
    TooManyFailures,
    /// A record is not what the plan saw.
    Drift,
    /// The API cannot be reached, after repeated attempts.
    Unreachable,
    /// Writes get no answer: 20 in a row, or half of the last 60; or 20 in a row are not sent again,
    /// since none that was is answered. The next run reads what became of them.
    Outage,
    /// The API or the token endpoint refuses the credentials.
    Credentials,
    /// The API does not let the app write, or the gateway does not know the operation: a scope, the
    /// app key or the tenant is wrong.
    Forbidden,
    /// A layer of the transport refuses writes, 20 in a row, for good or for now: it is read-only,
    /// or a circuit breaker that is open. What was refused
    /// [for good](crm_transport::TransportError::refused) has failed, what was refused for now is
    /// still planned.
    Withheld,
    /// What is left are creations that got no answer from a process that was stopped, from which this
    /// run took the set over. It has not ended yet, and might still send them if it went on: end it, and
    /// apply the set again.
    StoppedOwner,
    /// Another process took over the set. It reads back what was in flight and continues.
    Superseded,
    /// The set's file was deleted, moved, or given a second name. If the file still exists, it can
    /// be applied again.
    Displaced(Displaced),
}

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finished {
    /// Why the run is over.
    pub reason: StopReason,
    pub(super) counts: BTreeMap<State, u64>,
}

impl Finished {
    /// Returns how many changes this run brought into this state.
    #[must_use]
    pub fn count(&self, state: State) -> u64 {
        self.counts.get(&state).copied().unwrap_or(0)
    }
}
