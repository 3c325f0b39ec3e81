//! Planning without a call.

use crm_mirror::{Known, Snapshot};
use crm_models::ContactChange;
use crm_values::PhoneReader;

use super::{left::Left, rows::RowPlace};
use crate::{
    clean_up::CleanUp,
    decide::{judge, stand_in},
    error::BulkError,
    input::{RowRequest, Select},
    set::{Action, NO_SUCH_VALUE, Outcome, State, Target, Wanted},
    store::file::{Draft, Planned},
};

/// Rows that are planned together: their contacts are looked up in the order of the snapshot,
/// whatever the order of the rows, which reads its pages one after another.
pub(super) struct Batch<'a> {
    snapshot: &'a Snapshot,
    draft: &'a Draft,
    unknown_flags: Option<bool>,
    rows: Vec<(RowPlace, RowRequest)>,
}

/// How many rows; with their contacts a few megabytes.
const ROWS: usize = 8_192;

impl<'a> Batch<'a> {
    pub(super) fn new(
        snapshot: &'a Snapshot,
        draft: &'a Draft,
        unknown_flags: Option<bool>,
    ) -> Self {
        Self { snapshot, draft, unknown_flags, rows: Vec::with_capacity(ROWS) }
    }

    pub(super) fn add(&mut self, place: RowPlace, request: RowRequest) -> Result<(), BulkError> {
        self.rows.push((place, request));
        match self.rows.len() {
            ROWS => self.finish(),
            _ => Ok(()),
        }
    }

    /// Plans the rows so far, in their own order.
    pub(super) fn finish(&mut self) -> Result<(), BulkError> {
        let mut wanted: Vec<_> = self
            .rows
            .iter()
            .enumerate()
            .filter_map(|(at, (_, request))| match request.select {
                Select::Contact(owner, id) => Some((owner, id, at)),
                _ => None,
            })
            .collect();
        wanted.sort_unstable();
        let mut current: Vec<_> = self.rows.iter().map(|_| None).collect();
        for (owner, id, at) in wanted {
            current[at] = self.snapshot.contact(owner, id)?;
        }
        let (snapshot, draft, unknown) = (self.snapshot, self.draft, self.unknown_flags);
        for ((place, request), current) in self.rows.drain(..).zip(current) {
            plan(snapshot, draft, unknown, place, request, current)?;
        }
        Ok(())
    }
}

/// Plans one row; `current` is the contact that it names, if there is one.
fn plan(
    snapshot: &Snapshot,
    draft: &Draft,
    unknown: Option<bool>,
    place: RowPlace,
    request: RowRequest,
    current: Option<Known>,
) -> Result<(), BulkError> {
    let RowRequest { select, action, why, .. } = request;
    let row = Some(place.row);
    match select {
        Select::Contact(owner, id) => {
            let target = Target::Contact { owner, contact: Some(id) };
            if current.is_none() && snapshot.is_unreadable(owner, id)? {
                let why = "the service's record of it cannot be read";
                return draft.add_change(&Planned {
                    row,
                    target,
                    action: &action,
                    before: None,
                    outcome: Outcome::because(State::Failed, why),
                });
            }
            let contact = current.as_ref().map(|known| &known.contact);
            if let Some(needed) = action.stand_in() {
                let kept = snapshot.contact(owner, needed.contact)?;
                let kept = kept.as_ref().map(|known| &known.contact);
                let reader = PhoneReader::new(snapshot.region());
                let judged = stand_in::planned(needed, contact, kept, reader);
                let (action, outcome) = (&judged.action, judged.outcome.for_reason(why));
                let before = contact.cloned().map(Into::into);
                draft.add_change(&Planned { row, target, action, before, outcome })?;
                if judged.needs_hand_over {
                    draft.last_needs_hand_over();
                }
                return Ok(());
            }
            let action = judge::completed(&action, contact, unknown);
            draft.add_change(&judged(row, target, &action, current.as_ref(), why))
        }
        Select::New(owner) => {
            let action = judge::completed(&action, None, unknown);
            let Action::Create(wanted) = &*action else {
                return Ok(());
            };
            let value = wanted.change.get_value().unwrap_or_default();
            let siblings = snapshot.with_same_number(value, Some(owner))?;
            let siblings = siblings.iter().map(|(_, known)| &known.contact);
            let (outcome, contact) = judge::create(wanted, siblings);
            let (target, outcome) = (Target::Contact { owner, contact }, outcome.for_reason(why));
            draft.add_change(&Planned { row, target, action: &action, before: None, outcome })
        }
        Select::Value(value, owner) => {
            let found = snapshot.with_value(&value, owner)?;
            if found.is_empty() {
                draft.settle_row(place.row, Some(State::NotFound), NO_SUCH_VALUE)?;
            }
            for (owner, current) in &found {
                let target = Target::Contact { owner: *owner, contact: Some(current.contact.id) };
                let action = judge::completed(&action, Some(&current.contact), unknown);
                draft.add_change(&judged(row, target, &action, Some(current), why.clone()))?;
            }
            Ok(())
        }
    }
}

fn judged<'a>(
    row: Option<u64>,
    target: Target,
    action: &'a Action,
    current: Option<&'a Known>,
    why: Option<String>,
) -> Planned<'a> {
    let contact = current.map(|known| &known.contact);
    let outcome = judge::action(action, contact).for_reason(why);
    let before = current.map(|known| known.contact.clone().into());
    Planned { row, target, action, before, outcome }
}

/// Plans what the clean-ups propose for all contacts.
pub(super) fn clean_ups(
    snapshot: &Snapshot,
    clean_up: &CleanUp,
    draft: &Draft,
) -> Result<(), BulkError> {
    let mut left = Left::default();
    snapshot.for_each(|owner, current| {
        let contact = &current.contact;
        let Some(value) = clean_up.value(&contact.contact_type, &contact.value) else {
            if clean_up.has_old_domain(&contact.value) {
                left.add_contact(snapshot, owner, contact)?;
            }
            return Ok(());
        };
        let action = Action::Update(Wanted::exactly(ContactChange::new().value(value)));
        let target = Target::Contact { owner, contact: Some(contact.id) };
        draft.add_change(&Planned {
            row: None,
            target,
            action: &action,
            before: Some(contact.clone().into()),
            outcome: Outcome::new(State::Planned),
        })
    })?;
    if clean_up.moves_addresses() {
        snapshot.for_each_method(|method, _| {
            if clean_up.has_old_domain(&method.value) {
                left.add_method(snapshot, &method)?;
            }
            Ok::<_, BulkError>(())
        })?;
        draft.set_notes(&left.notes(snapshot.people_known_at()?.is_some()))?;
    }
    Ok(())
}
