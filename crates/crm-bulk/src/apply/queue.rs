//! The changes on which nothing is decided yet.

use std::{
    collections::{HashSet, VecDeque},
    mem,
    sync::Arc,
    time::Duration,
};

use crm_mirror::OwnerId;
use crm_transport::Moment;
use tokio::time::Instant;

use super::creations::Creations;
use crate::{
    current::{Current, OWNERS_PER_CALL},
    decide::step,
    set::Change,
    store::Loaded,
};

/// How old a reading may be when it decides. The rest of
/// [`DECISION_AGE`](crm_contacts::DECISION_AGE) is for the way through the rate limit.
const DECIDES: Duration = Duration::from_millis(1_700);

/// From this age of a reading on the next reading is asked for, so that it is there in time.
pub(super) const YOUNG: Duration = Duration::from_secs(1);

/// A change that waits for its decision.
#[derive(Debug)]
pub(super) struct Undecided {
    /// Boxed, since a change is large and is moved from list to list.
    pub(super) loaded: Box<Loaded>,
    /// How often it was decided or read, and yet not sent in time.
    pub(super) returns: u32,
    /// How often its contact was looked for in vain.
    pub(super) looks: usize,
    /// Its owner is not read again before this.
    pub(super) not_before: Option<Instant>,
}

impl Undecided {
    pub(super) fn new(loaded: Loaded) -> Self {
        Self { loaded: Box::new(loaded), returns: 0, looks: 0, not_before: None }
    }

    pub(super) fn change(&self) -> &Change {
        &self.loaded.change
    }

    pub(super) fn owner(&self) -> Option<OwnerId> {
        self.change().target.owner()
    }

    fn is_due(&self) -> bool {
        self.not_before.is_none_or(|at| at <= Instant::now())
    }

    /// The order of a set: owner by owner, creations first.
    fn place(&self) -> (Option<OwnerId>, bool, i64) {
        let others = !step::is_creation(&self.loaded);
        (self.owner(), others, self.change().id.0)
    }
}

/// What some owners have, and when that was asked for.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) current: Current,
    pub(super) asked: Instant,
    /// When its first request left: from then on it ages.
    pub(super) left: Moment,
}

/// Changes whose owners were read with one call.
#[derive(Debug)]
struct Batch {
    changes: VecDeque<Undecided>,
    reading: Arc<Reading>,
}

/// The changes of a pass on which nothing is decided yet.
///
/// A change is decided as late as can be: when its write may be handed over, on a reading that
/// is young enough. What is left of a batch when its reading is old is read again, together with
/// the changes that come next.
#[derive(Debug)]
pub(super) struct Queue {
    unread: Vec<Undecided>,
    read: VecDeque<Batch>,
    /// The owners that are being read.
    reading: HashSet<OwnerId>,
    /// How many owners are read at a time: fewer where a reading is old before it is there.
    owners: usize,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            unread: Vec::new(),
            read: VecDeque::new(),
            reading: HashSet::new(),
            owners: OWNERS_PER_CALL,
        }
    }

    pub(super) fn put(&mut self, changes: impl IntoIterator<Item = Undecided>) {
        self.unread.extend(changes);
    }

    /// The next change that can be decided, and the reading that decides it.
    pub(super) fn next(&mut self, now: Moment) -> Option<(Undecided, Arc<Reading>)> {
        loop {
            let batch = self.read.front_mut()?;
            if now.since(batch.reading.left) >= DECIDES || batch.changes.is_empty() {
                let rest = self.read.pop_front()?;
                self.unread.extend(rest.changes);
                continue;
            }
            let change = batch.changes.pop_front()?;
            // Nobody could tell whether the reading that is on its way shows its contact.
            let overlaps = |owner: OwnerId| self.reading.contains(&owner);
            if step::is_creation(&change.loaded) && change.owner().is_some_and(overlaps) {
                self.unread.push(change);
                continue;
            }
            return Some((change, Arc::clone(&batch.reading)));
        }
    }

    /// How many changes can be decided on a young reading.
    pub(super) fn young(&self, now: Moment) -> usize {
        let young = |batch: &&Batch| now.since(batch.reading.left) < YOUNG;
        self.read.iter().filter(young).map(|b| b.changes.len()).sum()
    }

    /// Whether there are too few changes to fill the next reading.
    pub(super) fn runs_low(&self) -> bool {
        let due = self.unread.iter().filter(|change| change.is_due());
        due.take(self.owners).count() < self.owners
    }

    /// The owners of which something is to be decided.
    pub(super) fn owners(&self) -> HashSet<OwnerId> {
        let read = self.read.iter().flat_map(|batch| &batch.changes);
        self.unread.iter().chain(read).filter_map(Undecided::owner).collect()
    }

    /// Takes out the changes whose owners are to be read next; those of no owner need no call.
    pub(super) fn begin_reading(&mut self, creations: &Creations) -> Vec<Undecided> {
        self.unread.sort_by_key(Undecided::place);
        let (most, owners) = (self.owners, &mut self.reading);
        let (taken, left) = mem::take(&mut self.unread).into_iter().partition(|change| {
            let Some(owner) = change.owner() else {
                return true;
            };
            let may_be_read = change.is_due() && !creations.are_in_flight(owner);
            may_be_read && (owners.contains(&owner) || owners.len() < most && owners.insert(owner))
        });
        self.unread = left;
        taken
    }

    /// The owners of these changes were read, as far as they could be in time.
    pub(super) fn end_reading(&mut self, changes: Vec<Undecided>, reading: Reading) {
        self.reading.clear();
        let age = reading.left.age();
        // Halved where a reading came too late to decide, doubled where it came early: pages that are
        // slow to come get small within a few of them, and large again as quickly.
        self.owners = match age {
            _ if age >= DECIDES => (self.owners / 2).max(1),
            _ if age < YOUNG => (self.owners * 2).min(OWNERS_PER_CALL),
            _ => self.owners,
        };
        let mut batch = VecDeque::new();
        for mut change in changes {
            change.returns += u32::from(age >= DECIDES);
            if change.owner().is_none_or(|owner| reading.current.has(owner)) {
                batch.push_back(change)
            } else {
                self.unread.push(change)
            }
        }
        self.read.push_back(Batch { changes: batch, reading: Arc::new(reading) });
    }
}

#[cfg(test)]
mod tests {
    use crm_models::{ContactId, LocationId};

    use super::*;
    use crate::set::{Action, ChangeId, Outcome, State, Target, Wanted};

    const SECOND: Duration = Duration::from_secs(1);

    fn owner(id: i64) -> OwnerId {
        LocationId::new(id).unwrap().into()
    }

    fn undecided(id: i64, of: i64, action: Action) -> Undecided {
        Undecided::new(Loaded {
            change: Change {
                id: ChangeId(id),
                row: None,
                target: Target::Contact { owner: owner(of), contact: ContactId::new(id).ok() },
                action,
                why: None,
                caution: None,
                before: None,
                after: None,
                outcome: Outcome::new(State::Planned),
            },
            not_ours: Vec::new(),
        })
    }

    fn deletion(id: i64, of: i64) -> Undecided {
        undecided(id, of, Action::Delete(None))
    }

    fn creation(id: i64, of: i64) -> Undecided {
        undecided(id, of, Action::Create(Wanted::default()))
    }

    /// A reading of this many seconds ago.
    fn reading(owners: impl IntoIterator<Item = i64>, ago: u32) -> Reading {
        let left = Moment::now();
        crm_transport::pretend_suspended(ago * SECOND);
        Reading {
            current: Current::nothing_of(owners.into_iter().map(owner)),
            asked: Instant::now(),
            left,
        }
    }

    fn ids(changes: &[Undecided]) -> Vec<i64> {
        changes.iter().map(|undecided| undecided.change().id.0).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_too_long_ago_is_read_again_in_the_order_of_the_set() {
        let (mut queue, creations) = (Queue::new(), Creations::default());
        queue.put([deletion(3, 1), deletion(2, 2), creation(9, 1), deletion(1, 1)]);
        let first = queue.begin_reading(&creations);
        assert_eq!(ids(&first), [9, 1, 3, 2], "owner by owner, creations first");
        queue.end_reading(first, reading([1, 2], 0));
        assert_eq!(queue.young(Moment::now()), 4);
        let (next, _) = queue.next(Moment::now()).unwrap();
        assert_eq!(next.change().id.0, 9);

        crm_transport::pretend_suspended(SECOND);
        assert_eq!(queue.young(Moment::now()), 0, "the next reading is asked for");
        assert_eq!(
            queue.next(Moment::now()).unwrap().0.change().id.0,
            1,
            "and this one still decides"
        );
        crm_transport::pretend_suspended(SECOND);
        assert!(queue.next(Moment::now()).is_none());
        queue.put([next]);
        assert_eq!(ids(&queue.begin_reading(&creations)), [9, 3, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_owner_is_not_read_while_a_creation_of_it_is_in_flight_nor_the_other_way_round() {
        let (mut queue, mut creations) = (Queue::new(), Creations::default());
        queue.put([creation(1, 1), creation(2, 1), deletion(3, 2)]);
        let first = queue.begin_reading(&creations);
        queue.end_reading(first, reading([1, 2], 0));
        queue.next(Moment::now()).unwrap();
        creations.began(owner(1));
        queue.put([deletion(4, 1), deletion(5, 2)]);
        assert_eq!(ids(&queue.begin_reading(&creations)), [5]);
        queue.end_reading(Vec::new(), reading([2], 0));

        creations.ended(owner(1), None);
        let again = queue.begin_reading(&creations);
        assert_eq!(ids(&again), [4]);
        // Of the first reading, but the second one may show its contact or not.
        let (next, _) = queue.next(Moment::now()).unwrap();
        assert_eq!(next.change().id.0, 3);
        assert!(queue.next(Moment::now()).is_none());
        queue.end_reading(again, reading([1], 0));
        assert_eq!(ids(&queue.begin_reading(&creations)), [2]);
    }

    #[tokio::test(start_paused = true)]
    async fn where_a_reading_is_old_when_it_is_there_fewer_owners_are_read_at_a_time() {
        let (mut queue, creations) = (Queue::new(), Creations::default());
        queue.put((1..=100).map(|id| deletion(id, id)));
        for (many, ago) in [(50, 2), (25, 2), (12, 1), (12, 0), (24, 0), (48, 0), (50, 0)] {
            let changes = queue.begin_reading(&creations);
            assert_eq!(changes.len(), many);
            let returns = changes[0].returns;
            queue.end_reading(changes, reading(1..=100, ago));
            assert_eq!(queue.next(Moment::now()).is_none(), ago == 2);
            crm_transport::pretend_suspended(2 * SECOND);
            assert!(queue.next(Moment::now()).is_none());
            let counted = queue.unread.iter().map(|change| change.returns).max();
            assert!(counted >= Some(returns + u32::from(ago == 2)));
            // Back to as many as before.
            queue.unread.clear();
            queue.put((1..=100).map(|id| deletion(id, id)));
        }
    }
}
