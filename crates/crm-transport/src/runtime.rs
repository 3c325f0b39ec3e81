//! Tokio's runtime, by which everything here waits: outside one, its timers and tasks panic.

use tokio::runtime::Handle;

use crate::error::{Delivery, TransportError, TransportErrorKind};

/// Whether there is one around this call.
pub(crate) fn is_here() -> bool {
    Handle::try_current().is_ok()
}

/// The error of a call that takes one, not sent, where there is none.
pub(crate) fn missing() -> TransportError {
    TransportError::new(TransportErrorKind::NoRuntime, Delivery::NotExecuted)
}

/// Returns that error where there is none.
pub(crate) fn required() -> Result<(), TransportError> {
    is_here().then_some(()).ok_or_else(missing)
}
