//! Which wish of the ledger asks for a change.

use crm_bulk::{Action, Change};
use crm_consent::{ConsentError, Ledger, Scope, Wish};

use crate::error::CliError;

/// The record whose wish asks for what a change turns off, if it stands.
pub(in crate::commands) fn asked_by(
    ledger: &Ledger,
    change: &Change,
) -> Result<Option<u64>, CliError> {
    let turns_off = match &change.action {
        Action::Update(wanted) => wanted.change.get_preferences().iter().any(|(_, on)| !on),
        Action::MethodPreferences(wanted) => wanted.values().any(|on| !on),
        _ => false,
    };
    let Some(value) = change.value().filter(|_| turns_off) else {
        return Ok(None);
    };
    match ledger.status(value, Scope::Marketing) {
        Ok(standing) => Ok(standing.decided_by.filter(|_| standing.wish == Some(Wish::Out))),
        // No wish can be of what is neither a number nor an address.
        Err(ConsentError::Value(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
