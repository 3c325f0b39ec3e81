//! Wishes that a set leaves with the numbers and addresses that contacts have no longer.

use crm_bulk::{Action, ChangeSet, OwnerId, Selection, State, Target};
use crm_consent::{ConsentError, Ledger, Scope, Wish};
use crm_mirror::keys::Keys;
use crm_models::ContactId;
use crm_values::PhoneReader;

use crate::error::CliError;

/// A contact and whose it is.
type Place = (OwnerId, ContactId);

/// The contacts that a set gives another number or address although a wish against the one that they
/// have stands, and none against the new one: with what is to be said of each.
pub(in crate::commands) fn left_behind(
    ledger: &Ledger,
    set: &ChangeSet,
    reader: PhoneReader,
) -> Result<Vec<(Place, String)>, CliError> {
    let mut left = Vec::new();
    for change in set.changes(&Selection::states([State::Planned]).actions(["update"])) {
        let change = change?;
        let (Action::Update(wanted), Target::Contact { owner, contact: Some(contact) }) =
            (&change.action, change.target)
        else {
            continue;
        };
        let Some((new, old)) = wanted.change.get_value().zip(change.value()) else {
            continue;
        };
        // Many only write it otherwise.
        let keys = |text| Keys::of(text, reader);
        if new == old || keys(new) == keys(old) {
            continue;
        }
        if let Some(record) = out(ledger, old)?
            && out(ledger, new)?.is_none()
        {
            let told = format!(
                "the wish of the consent ledger against what it has (record {record}) stays with that \
                 and is none against the new one: take it in for that as well if it is the same \
                 person's (`crm consent add`)"
            );
            left.push(((owner, contact), told));
        }
    }
    Ok(left)
}

/// The record of the wish by which a number or an address is out, if it is.
fn out(ledger: &Ledger, value: &str) -> Result<Option<u64>, CliError> {
    match ledger.status(value, Scope::Marketing) {
        Ok(standing) if standing.wish == Some(Wish::Out) => Ok(standing.decided_by),
        // No wish can be of what is neither a number nor an address.
        Ok(_) | Err(ConsentError::Value(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
