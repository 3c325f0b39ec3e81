//! What became of a change.

use crm_models::Timestamp;
use serde::Serialize;

use super::{caution, state::State};

/// What a row is told that names a value that no contact has.
pub(crate) const NO_SUCH_VALUE: &str = "no contact has this value";

/// What became of a change, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Outcome {
    /// How far it is.
    pub state: State,
    /// What happened, in words for people; it never contains a number, an address or a memo.
    pub message: Option<String>,
    /// What the API reported about single members, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_errors: Option<String>,
    /// The vendor's trace id, if the answer had one.
    pub trace_id: Option<String>,
    /// The HTTP status of the last answer that was a refusal.
    pub http_status: Option<u16>,
    /// When the state was reached; `None` for a state that the plan decided.
    pub at: Option<Timestamp>,
    /// How many times the change was handed to the transport.
    pub attempts: u32,
}

impl Outcome {
    /// Creates an outcome with this state and no further details.
    #[must_use]
    pub fn new(state: State) -> Self {
        Self {
            state,
            message: None,
            field_errors: None,
            trace_id: None,
            http_status: None,
            at: None,
            attempts: 0,
        }
    }

    /// With the reason for a change that is planned, as the store keeps it; where it is not, what
    /// became of it says why.
    pub(crate) fn for_reason(self, why: Option<String>) -> Self {
        match self.state {
            State::Planned => Self { message: self.message.or(why), ..self },
            _ => self,
        }
    }

    /// With what is to be looked at before a change that is planned is applied.
    pub(crate) fn cautioned(self, caution: &str) -> Self {
        let message = Some(caution::together(self.message.as_deref(), caution));
        Self { message, ..self }
    }

    pub(crate) fn because(state: State, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..Self::new(state) }
    }
}
