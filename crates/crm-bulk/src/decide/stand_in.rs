//! What a plan says of a deletion for which another contact is to stand in.

use crm_mirror::keys::Keys;
use crm_models::Contact;
use crm_values::PhoneReader;

use super::judge;
use crate::set::{Action, Lacks, Outcome, StandIn};

/// A deletion with the contact that stands in as it is now, and what a plan says of it. A memo that
/// is still to be taken over is the matter of another change.
pub(crate) fn planned(
    stand_in: &StandIn,
    gone: Option<&Contact>,
    kept: Option<&Contact>,
    reader: PhoneReader,
) -> (Action, Outcome) {
    let (Some(gone), Some(seen)) = (gone, kept) else {
        let outcome = match gone {
            Some(_) => Lacks::Contact.outcome(stand_in),
            None => judge::delete(None),
        };
        return (Action::Delete(Some(stand_in.clone())), outcome);
    };
    let key = |contact: &Contact| Keys::of(&contact.value, reader).key;
    let is_same = gone.contact_type.same_value(&gone.value, &seen.value) || key(gone) == key(seen);
    let value = if is_same { &seen.value } else { &gone.value };
    let stand_in = StandIn { contact: stand_in.contact, value: value.clone() };
    let outcome = match stand_in.compare(gone, kept) {
        Err(lacks) if !lacks.is_memo() => lacks.outcome(&stand_in),
        _ => judge::delete(Some(gone)),
    };
    (Action::Delete(Some(stand_in)), outcome)
}
