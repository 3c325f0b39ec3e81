//! Reading ahead: which changes come next, and what their owners have now.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use crm_contacts::ContactsError;
use crm_models::{Contact, ContactId};
use crm_transport::Transport;
use tokio::{sync::mpsc, time::Instant};

use super::{
    answer,
    send::{Run, Work},
    step::{self, Step},
};
use crate::{
    BulkError, OwnerId,
    present::{self, Present},
    store::{Cursor, Loaded, Which},
};

/// When to look again for what was created, or may have been: ordinary lists may lag.
const LOOK_AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// How often to look after that while the service may still be working on it.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// How old a reading may be when a change is decided by it.
const FRESH: Duration = Duration::from_secs(2);

impl<T: Transport> Run<'_, T> {
    /// Reads the open changes owner by owner, decides on each, and hands it to the queue.
    ///
    /// `done_by`: when the service has surely carried out what it was sent in an earlier pass or
    /// run. Without it, a creation whose answer got lost is not sent again in this pass.
    pub(super) async fn read(
        self: Arc<Self>,
        queue: mpsc::Sender<Work>,
        which: Which,
        done_by: Option<Instant>,
    ) -> Result<(), BulkError> {
        let mut cursor = Cursor::default();
        loop {
            let (block, next) = self.store.next_block(&self.lease, cursor, which).await?;
            if block.is_empty() || self.decide(block, &queue, done_by).await?.is_none() {
                return Ok(());
            }
            cursor = next;
        }
    }

    /// Decides on the changes of a block, each when the queue has room for it, so that what it
    /// rests on is not old. `None` when nobody takes them any more.
    async fn decide(
        &self,
        block: Vec<Loaded>,
        queue: &mpsc::Sender<Work>,
        done_by: Option<Instant>,
    ) -> Result<Option<()>, BulkError> {
        let mut block = VecDeque::from(block);
        let mut present = self.present(&block, done_by).await?;
        let mut read_at = Instant::now();
        let (creations, others) = block.drain(..).partition::<Vec<_>, _>(step::is_creation);
        // All at once: see `Store::next_block`.
        let mut taken = HashMap::<_, HashSet<ContactId>>::new();
        // Not before: of two that are alike one may have shown up.
        let resends = done_by.is_some_and(|done_by| done_by <= read_at);
        let creations: Vec<_> = creations
            .into_iter()
            .map(|loaded| {
                let taken = taken.entry(loaded.change.target.owner()).or_default();
                let work = self.work(loaded, &present, taken);
                if resends {
                    work
                } else {
                    work.sends_nothing_again()
                }
            })
            .collect();
        for work in creations {
            if queue.send(work).await.is_err() {
                return Ok(None);
            }
        }
        block.extend(others);
        while let Some(loaded) = block.pop_front() {
            let Ok(place) = queue.reserve().await else {
                return Ok(None);
            };
            if read_at.elapsed() >= FRESH {
                let owners = owners(std::iter::once(&loaded).chain(&block));
                present = present::contacts(self.service, &owners).await?;
                read_at = Instant::now();
            }
            place.send(self.work(loaded, &present, &mut HashSet::new()));
        }
        Ok(Some(()))
    }

    fn work(&self, loaded: Loaded, present: &Present, taken: &mut HashSet<ContactId>) -> Work {
        let step = match contacts(&loaded, present) {
            Ok(contacts) => step::decide(&loaded, contacts, self.options.on_drift, taken),
            Err(error) => Step::Settle(answer::unread(error, &loaded.change), None),
        };
        Work {
            change: loaded.change,
            step,
        }
    }

    /// What the owners of a block have now.
    async fn present(
        &self,
        block: &VecDeque<Loaded>,
        done_by: Option<Instant>,
    ) -> Result<Present, BulkError> {
        let owners = owners(block.iter());
        let mut pauses = LOOK_AGAIN.into_iter();
        loop {
            let present = present::contacts(self.service, &owners).await?;
            let missing = |is_missing: fn(&Loaded, &[Contact]) -> bool| {
                block.iter().any(|loaded| {
                    contacts(loaded, &present).is_ok_and(|contacts| is_missing(loaded, contacts))
                })
            };
            let pause = match (pauses.next(), done_by) {
                (Some(pause), _) if missing(step::misses_its_contact) => pause,
                (pause, Some(done_by)) if missing(step::may_still_be_created) => {
                    let left = done_by.saturating_duration_since(Instant::now());
                    pause.unwrap_or(LOOK_EVERY).min(left)
                }
                _ => return Ok(present),
            };
            if pause.is_zero() {
                return Ok(present);
            }
            tokio::time::sleep(pause).await;
        }
    }
}

/// The owners of contacts; they come one after another.
fn owners<'a>(block: impl Iterator<Item = &'a Loaded>) -> Vec<OwnerId> {
    let mut owners: Vec<_> = block
        .filter_map(|loaded| loaded.change.target.owner())
        .collect();
    owners.dedup();
    owners
}

fn contacts<'a>(loaded: &Loaded, present: &'a Present) -> Result<&'a [Contact], &'a ContactsError> {
    match loaded.change.target.owner() {
        Some(owner) => present.of(owner),
        None => Ok(&[]),
    }
}
