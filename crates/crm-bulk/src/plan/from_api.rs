//! Completing an outline by reading the owners.

use std::time::Duration;

use crm_contacts::{ContactsError, ContactsService};
use crm_mirror::OwnerId;
use crm_models::{Contact, ContactOwner, CustomerId, LocationId, Timestamp};
use crm_transport::Transport;
use crm_values::PhoneReader;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    clock,
    current::{self, Current, OWNERS_PER_CALL},
    decide::{judge, stand_in},
    error::BulkError,
    set::{Action, Outcome, State, Target},
    store::file::{Draft, Unread},
};

/// How many calls are on their way at once; the transport keeps the rate.
const CALLS_AT_ONCE: usize = 8;

/// Reads the owners of all changes that were kept unread, and judges each change. Answers when
/// it began. An owner that cannot be read fails its own changes alone, unless no owner can.
pub(super) async fn read<T: Transport>(
    service: &ContactsService<T>,
    draft: &mut Draft,
    unknown_flags: Option<bool>,
    reader: PhoneReader,
) -> Result<Timestamp, BulkError> {
    let began = clock::now();
    let (mut some_read, mut failure) = (false, None);
    for kind in [CustomerId::NOUN, LocationId::NOUN] {
        let mut last = 0;
        loop {
            let ids = draft.unread_owners(kind, last, OWNERS_PER_CALL * CALLS_AT_ONCE)?;
            let Some(newest) = ids.last() else {
                break;
            };
            last = *newest;
            let owners: Vec<_> = ids.iter().filter_map(|id| OwnerId::new(kind, *id)).collect();
            let blocks = owners.chunks(OWNERS_PER_CALL).map(<[_]>::to_vec);
            let read =
                async |block: Vec<OwnerId>| current::contacts(service, &block, Duration::MAX).await;
            let join = |mut all: Current, block| async {
                all.extend(block);
                Ok(all)
            };
            let current = stream::iter(blocks)
                .map(read)
                .buffer_unordered(CALLS_AT_ONCE)
                .try_fold(Current::default(), join)
                .await?;
            for owner in &owners {
                for change in draft.unread(kind, owner.get())? {
                    match current.of(*owner) {
                        Ok(contacts) => settle(draft, &change, contacts, unknown_flags, reader)?,
                        Err(error) => leave(draft, &change, error)?,
                    }
                }
            }
            some_read |= current.unread() < owners.len();
            failure = failure.or(current.into_error());
        }
    }
    match failure {
        Some(error) if !some_read => Err(error.into()),
        _ => Ok(began),
    }
}

/// Leaves a change out whose owner cannot be read.
fn leave(draft: &Draft, change: &Unread, error: &ContactsError) -> Result<(), BulkError> {
    let outcome = Outcome::because(State::Failed, current::why_unread(error));
    draft.settle(change, change.target, &change.action, None, &outcome)
}

/// Judges one change against its owner's contacts.
fn settle(
    draft: &Draft,
    change: &Unread,
    contacts: &[Contact],
    unknown_flags: Option<bool>,
    reader: PhoneReader,
) -> Result<(), BulkError> {
    let Target::Contact { owner, contact } = change.target else {
        return Ok(());
    };
    let current = contacts.iter().find(|found| Some(found.id) == contact);
    if let Some(needed) = change.action.stand_in() {
        let kept = contacts.iter().find(|found| found.id == needed.contact);
        let judged = stand_in::planned(needed, current, kept, reader);
        let before = current.cloned().map(Into::into);
        if judged.needs_hand_over {
            draft.needs_hand_over(change);
        }
        return draft.settle(change, change.target, &judged.action, before, &judged.outcome);
    }
    let action = judge::completed(&change.action, current, unknown_flags);
    let (outcome, contact) = match &*action {
        Action::Create(wanted) => judge::create(wanted, contacts.iter()),
        action => (judge::action(action, current), contact),
    };
    let (target, before) = (Target::Contact { owner, contact }, current.cloned());
    draft.settle(change, target, &action, before.map(Into::into), &outcome)
}
