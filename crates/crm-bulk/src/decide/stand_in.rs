//! What a plan says of a deletion for which another contact is to stand in.

use crm_mirror::keys::Keys;
use crm_models::Contact;
use crm_values::PhoneReader;

use super::judge;
use crate::set::{Action, Lacks, Outcome, StandIn};

/// What a plan says of a deletion.
pub(crate) struct Judged {
    /// With the contact that stands in, as it is now.
    pub(crate) action: Action,
    pub(crate) outcome: Outcome,
    /// Whether that one is still to take over the memo, which is the matter of another change.
    pub(crate) needs_hand_over: bool,
}

/// Judges a deletion for which a contact is to stand in.
pub(crate) fn planned(
    stand_in: &StandIn,
    gone: Option<&Contact>,
    kept: Option<&Contact>,
    reader: PhoneReader,
) -> Judged {
    let (Some(gone), Some(seen)) = (gone, kept) else {
        let outcome = match gone {
            Some(_) => Lacks::Contact.outcome(stand_in),
            None => judge::delete(None),
        };
        let action = Action::Delete(Some(stand_in.clone()));
        return Judged { action, outcome, needs_hand_over: false };
    };
    let key = |contact: &Contact| Keys::of(&contact.value, reader).key;
    let is_same = gone.contact_type.same_value(&gone.value, &seen.value) || key(gone) == key(seen);
    let value = if is_same { &seen.value } else { &gone.value };
    let stand_in = StandIn { contact: stand_in.contact, value: value.clone() };
    let lacks = stand_in.compare(gone, kept).err();
    let needs_hand_over = lacks.as_ref().is_some_and(Lacks::is_memo);
    let outcome = match lacks {
        Some(lacks) if !needs_hand_over => lacks.outcome(&stand_in),
        _ => judge::delete(Some(gone)),
    };
    Judged { action: Action::Delete(Some(stand_in)), outcome, needs_hand_over }
}
