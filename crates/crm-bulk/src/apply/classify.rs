//! What the error of a call makes of a change and of the run.

use crm_contacts::{Advice, ContactsError, RefusalKind};
use crm_transport::TransportErrorKind::{
    self, BudgetSpent, ClosedWhileIdle, Connect, Expired, RateLimited, Refused, RefusedForNow,
    Timeout, Tls,
};

use super::event::StopReason;
use crate::{
    current,
    decide::step,
    set::{Change, Outcome, State},
};

/// What an error makes of a change. `touched`: an earlier request of it changed the record, or
/// may have.
pub(super) fn outcome(error: &ContactsError, touched: bool) -> Outcome {
    let state = match error {
        ContactsError::OutcomeUnknown { .. } => State::Unknown,
        _ if error.is_not_found() => State::NotFound,
        // The write was carried out, but what came of it can only be read back.
        ContactsError::Unreadable { .. } => State::Unknown,
        _ if is_refused_for_good(error) => State::Failed,
        // Not sent, or only a read: for whatever other reason, the change is still to be made.
        ContactsError::Transport { .. } if !error.outcome_is_unknown() => State::Planned,
        _ if stops(error).is_some() => State::Planned,
        _ => match error.advice() {
            Advice::LookFirst => State::Unknown,
            Advice::Later => State::Planned,
            _ => State::Failed,
        },
    };
    // This request was not executed, but another one was.
    let state = match state {
        State::Planned if touched => State::Unknown,
        state => state,
    };
    let refusal = error.refusal();
    let field_errors = refusal
        .map(|refusal| &refusal.problem.errors)
        .filter(|errors| !errors.is_empty())
        .and_then(|errors| serde_json::to_string(errors).ok());
    Outcome {
        field_errors,
        trace_id: error.trace_id().map(str::to_owned),
        http_status: refusal.map(|refusal| refusal.status.as_u16()),
        ..Outcome::because(state, error.to_string())
    }
}

/// What a change is whose owner cannot be read: it is still to be made, or to be looked for.
pub(super) fn unread(error: &ContactsError, change: &Change) -> Outcome {
    let state = if step::is_touched(change) { State::Unknown } else { State::Planned };
    Outcome { state, message: Some(current::why_unread(error)), ..outcome(error, false) }
}

/// Why every other write would be refused too, if that is so.
pub(super) fn stops(error: &ContactsError) -> Option<StopReason> {
    match error.refusal_kind() {
        _ if error.is_credentials() => Some(StopReason::Credentials),
        Some(RefusalKind::Forbidden | RefusalKind::NoRoute) => Some(StopReason::Forbidden),
        _ => None,
    }
}

/// What a change is whose owner cannot be read, or written to, before what was read is old.
pub(super) fn never_fresh(change: &Change) -> Outcome {
    let state = if step::is_touched(change) { State::Unknown } else { State::Planned };
    let why = "its owner cannot be read in time: a write is sent within 2 seconds of the reading \
               that it rests on; apply the set again";
    Outcome::because(state, why)
}

/// Whether a write surely was not executed and is still to be made.
pub(super) fn is_not_executed(error: &ContactsError) -> bool {
    outcome(error, false).state == State::Planned
}

/// Whether a write was not executed for the time alone: what decided it had grown old, or the
/// limit is closed for longer. It is to be decided again.
pub(super) fn is_turned_away(error: &ContactsError) -> bool {
    let refused = error.refusal_kind() == Some(RefusalKind::RateLimited);
    is_not_executed(error) && (refused || is_of(error, &[Expired, RateLimited]))
}

/// What is wrong if many writes in a row end so without being executed. What is not sent again for
/// the budget was not answered before, and neither was the one that was sent again to find out.
pub(super) fn sign_of(error: &ContactsError) -> StopReason {
    if is_of(error, &[BudgetSpent]) { StopReason::Outage } else { StopReason::Unreachable }
}

/// Whether a write was never begun: it is not told as one.
pub(super) fn is_held_back(error: &ContactsError) -> bool {
    is_withheld(error)
        || (is_not_executed(error) && is_of(error, &[Expired, RateLimited, BudgetSpent]))
}

fn is_of(error: &ContactsError, kinds: &[TransportErrorKind]) -> bool {
    error.transport_error().is_some_and(|error| kinds.contains(&error.kind()))
}

/// Whether a write that ended so had an answer. `None` when it was held back before it came to
/// that: by the limit, the credentials, or a layer of the caller's own.
pub(super) fn is_answered(error: &ContactsError) -> Option<bool> {
    if error.outcome_is_unknown() {
        return Some(false);
    }
    if error.refusal_kind() == Some(RefusalKind::RateLimited) {
        return None;
    }
    if error.transport_error().is_none() {
        return Some(true);
    }
    is_of(error, &[ClosedWhileIdle, Connect, Timeout, Tls]).then_some(false)
}

/// Whether a layer of the caller's own did not let it pass.
pub(super) fn is_withheld(error: &ContactsError) -> bool {
    matches!(error, ContactsError::Transport { source, .. }
        if matches!(source.kind(), Refused | RefusedForNow))
}

/// Whether such a layer will never let it pass: the change is not one to be made.
fn is_refused_for_good(error: &ContactsError) -> bool {
    matches!(error, ContactsError::Transport { source, .. } if source.kind() == Refused)
}
