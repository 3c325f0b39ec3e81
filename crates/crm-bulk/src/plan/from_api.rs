//! Completing an outline by reading the owners.

use crm_contacts::ContactsService;
use crm_models::{Contact, ContactOwner, CustomerId, LocationId, Timestamp};
use crm_transport::Transport;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::judge;
use crate::{
    Action, BulkError, OwnerId, Target, clock,
    present::{self, OWNERS_PER_CALL, Present},
    set::draft::{Draft, Unread},
};

/// How many calls are on their way at once; the transport keeps the rate.
const CALLS_AT_ONCE: usize = 8;

/// Reads the owners of all changes that were kept unread, and judges each change. Answers when
/// it began.
pub(super) async fn read<T: Transport>(
    service: &ContactsService<T>,
    draft: &mut Draft,
) -> Result<Timestamp, BulkError> {
    let began = clock::now();
    draft.index_records()?;
    for kind in [CustomerId::NOUN, LocationId::NOUN] {
        let mut last = 0;
        loop {
            let ids = draft.unread_owners(kind, last, OWNERS_PER_CALL * CALLS_AT_ONCE)?;
            let Some(newest) = ids.last() else {
                break;
            };
            last = *newest;
            let owners: Vec<_> = ids
                .iter()
                .filter_map(|id| OwnerId::new(kind, *id))
                .collect();
            let blocks = owners.chunks(OWNERS_PER_CALL).map(<[_]>::to_vec);
            let read = async |block: Vec<OwnerId>| present::contacts(service, &block).await;
            let present: Vec<Present> = stream::iter(blocks)
                .map(read)
                .buffer_unordered(CALLS_AT_ONCE)
                .try_collect()
                .await?;
            let present: Present = present.into_iter().flatten().collect();
            for id in ids {
                let contacts = OwnerId::new(kind, id).and_then(|owner| present.get(&owner));
                for change in draft.unread(kind, id)? {
                    settle(draft, &change, contacts.map_or(&[], Vec::as_slice))?;
                }
            }
        }
    }
    Ok(began)
}

/// Judges one change against its owner's contacts.
fn settle(draft: &Draft, change: &Unread, contacts: &[Contact]) -> Result<(), BulkError> {
    let Target::Contact { owner, contact } = change.target else {
        return Ok(());
    };
    let present = contacts.iter().find(|found| Some(found.id) == contact);
    let (outcome, contact) = match &change.action {
        Action::Create(wanted) => judge::create(wanted, contacts.iter()),
        Action::Update(wanted) => (judge::update(wanted, present), contact),
        _ => (judge::delete(present), contact),
    };
    let before = present.map(serde_json::to_string).transpose();
    let before = before.map_err(|e| draft.unwritable(e))?;
    let target = Target::Contact { owner, contact };
    draft.settle(change.id, &target, before.as_deref(), &outcome)
}
