//! What the error of a call makes of a change and of the run.

use crm_contacts::{Advice, ContactsError, RefusalKind};
use crm_transport::TransportErrorKind;

use super::{StopReason, step};
use crate::{Change, Outcome, State, present};

/// What an error makes of a change. `touched`: an earlier request of it changed the record, or
/// may have.
pub(super) fn outcome(error: &ContactsError, touched: bool) -> Outcome {
    let state = match error {
        ContactsError::OutcomeUnknown { .. } => State::Unknown,
        _ if error.is_not_found() => State::NotFound,
        // The write was carried out, but what came of it can only be read back.
        ContactsError::Unreadable { .. } => State::Unknown,
        // Not sent, or only a read: for whatever reason, the change is still to be made.
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
    let state = match step::is_touched(change) {
        true => State::Unknown,
        false => State::Planned,
    };
    Outcome {
        state,
        message: Some(present::why_unread(error)),
        ..outcome(error, false)
    }
}

/// Why every other write would be refused too, if that is so.
pub(super) fn stops(error: &ContactsError) -> Option<StopReason> {
    match error.refusal_kind() {
        _ if error.is_credentials() => Some(StopReason::Credentials),
        _ if is_withheld(error) => Some(StopReason::Withheld),
        Some(RefusalKind::Forbidden | RefusalKind::NoRoute) => Some(StopReason::Forbidden),
        _ => None,
    }
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
    let Some(transport) = error.transport_error() else {
        return Some(true);
    };
    use TransportErrorKind::{ClosedWhileIdle, Connect, Timeout, Tls};
    matches!(transport.kind(), ClosedWhileIdle | Connect | Timeout | Tls).then_some(false)
}

/// The transport was told not to send it.
pub(super) fn is_withheld(error: &ContactsError) -> bool {
    matches!(error, ContactsError::Transport { source, .. }
        if source.kind() == TransportErrorKind::Refused)
}
