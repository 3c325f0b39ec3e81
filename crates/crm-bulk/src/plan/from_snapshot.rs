//! Planning without a call.

use super::{NO_SUCH_VALUE, RowPlace, judge, known};
use crate::{
    Action, BulkError, CleanUp, Outcome, Snapshot, State, Target, Wanted,
    input::{RowRequest, Select, key},
    set::draft::Draft,
    snapshot::Known,
};

/// Plans one row.
pub(super) fn plan(
    snapshot: &Snapshot,
    draft: &Draft,
    place: RowPlace,
    request: RowRequest,
) -> Result<(), BulkError> {
    let RowRequest { select, action } = request;
    let row = Some(place.row);
    match select {
        Select::Contact(owner, id) => {
            let present = snapshot.contact(owner, id)?;
            let target = Target::Contact {
                owner,
                contact: Some(id),
            };
            draft.add_change(&judged(row, target, &action, present.as_ref()))
        }
        Select::New(owner) => {
            let Action::Create(wanted) = &action else {
                return Ok(());
            };
            let key = key(wanted.value.as_deref().unwrap_or_default());
            let siblings = snapshot.with_key(&key, Some(owner))?;
            let siblings = siblings.iter().map(|(_, known)| &known.contact);
            let (outcome, contact) = judge::create(wanted, siblings);
            let target = Target::Contact { owner, contact };
            draft.add_change(&known(row, target, &action, None, outcome))
        }
        Select::Value(key, owner) => {
            let found = snapshot.with_key(&key, owner)?;
            if found.is_empty() {
                draft.settle_row(place.row, State::NotFound, NO_SUCH_VALUE)?;
            }
            for (owner, present) in &found {
                let target = Target::Contact {
                    owner: *owner,
                    contact: Some(present.contact.id),
                };
                draft.add_change(&judged(row, target, &action, Some(present)))?;
            }
            Ok(())
        }
    }
}

fn judged<'a>(
    row: Option<u64>,
    target: Target,
    action: &'a Action,
    present: Option<&'a Known>,
) -> crate::set::draft::Planned<'a> {
    let contact = present.map(|known| &known.contact);
    let outcome = match action {
        Action::Update(wanted) => judge::update(wanted, contact),
        _ => judge::delete(contact),
    };
    let before = present.map(|known| known.json.as_str());
    known(row, target, action, before, outcome)
}

/// Plans what the clean-ups propose for all contacts.
pub(super) fn clean_ups(
    snapshot: &Snapshot,
    clean_up: &CleanUp,
    draft: &Draft,
) -> Result<(), BulkError> {
    snapshot.for_each(|owner, present| {
        let contact = &present.contact;
        let Some(value) = clean_up.value(&contact.contact_type, &contact.value) else {
            return Ok(());
        };
        let action = Action::Update(Wanted {
            value: Some(value),
            exact: true,
            ..Wanted::default()
        });
        let target = Target::Contact {
            owner,
            contact: Some(contact.id),
        };
        let outcome = Outcome::new(State::Planned);
        draft.add_change(&known(None, target, &action, Some(&present.json), outcome))
    })
}
