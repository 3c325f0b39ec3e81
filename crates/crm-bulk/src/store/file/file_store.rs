//! The store of a change set in its SQLite file.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use crm_mirror::{
    database::Database,
    disk::file_id::{Locked, Reserved},
    job::when_ended,
    lock::lock,
};
use crm_models::ContactId;
use tokio::time::Instant;

use super::{
    change_set::ChangeSet,
    decisions::{self, DropSummary},
    moved,
    owner::{self, Owner, Taken},
    progress::{self, Known, Shift},
    seal, sql,
    totals::Moves,
    writer::Writer,
};
use crate::{
    disk::watch::Watch,
    error::BulkError,
    set::{Change, ChangeId, Digest, Moved, Remark},
    store::{
        interface::{Claim, Cursor, Expected, Loaded, Store, Which},
        lease::{Lease, Renewal},
    },
};

/// A change set in its file, to be carried out by this process.
#[derive(Debug)]
pub(crate) struct FileStore {
    writer: Writer,
    /// Its lock is held until the thread of the writer has closed the file.
    place: Arc<Place>,
    lease: Duration,
    /// What the jobs of the next commit moved from one state to another.
    moves: Arc<Moves>,
    known: Arc<Known>,
}

/// Where the file is, and whose.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    reserved: Mutex<Reserved>,
    /// From the time that the set is taken.
    watch: OnceLock<Watch>,
}

impl Place {
    fn reserved(&self) -> MutexGuard<'_, Reserved> {
        lock(&self.reserved)
    }

    fn try_lock(&self) -> Result<Locked, BulkError> {
        let locked = self.reserved().try_lock(&self.path);
        locked.map_err(|e| BulkError::file(&self.path, "locked", e))
    }

    /// Whether the lock is still with a process from which the set was taken.
    fn is_locked_elsewhere(&self) -> bool {
        self.try_lock().is_ok_and(|locked| locked == Locked::Elsewhere)
    }

    fn has_other_names(&self) -> bool {
        self.reserved().links().is_some_and(|links| links > 1)
    }

    fn is_in_place(&self) -> Result<(), BulkError> {
        let watch = self.watch.get();
        match watch.and_then(|watch| watch.look(|| self.reserved().links())) {
            Some(how) => Err(BulkError::Displaced { path: self.path.clone(), how }),
            None => Ok(()),
        }
    }

    /// Ends the run, before the file is closed.
    fn leave(&self, database: &Database, epoch: u64) {
        let Some(watch) = self.watch.get() else {
            return;
        };
        // Another program's VACUUM makes the file shorter too, and the set is in it all the same.
        if watch.is_overwritten() && !watch.was_longer_than(database.length()) {
            database.keep_journal();
            watch.tidy();
        } else if owner::leave(database, epoch).is_ok_and(|all_is_in_the_file| all_is_in_the_file) {
            watch.tidy();
        }
    }
}

/// How often a set is looked at that another process may be carrying out.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl FileStore {
    /// Makes the set ready to be taken. Each renewal makes the lease last for `lease`.
    ///
    /// # Errors
    ///
    /// [`BulkError::InUse`] when this process carries it out already.
    pub(crate) fn open(set: ChangeSet, lease: Duration) -> Result<Self, BulkError> {
        let path = set.path().to_owned();
        let reserved = set.database.connected().reserve();
        let reserved = reserved.ok_or_else(|| BulkError::InUse { path: path.clone() })?;
        let place =
            Arc::new(Place { path, reserved: Mutex::new(reserved), watch: OnceLock::new() });
        let (ours, theirs) = (Arc::clone(&place), Arc::clone(&place));
        // Taken from one that was stopped, the set is locked once that lets go.
        let lock = move |_: &Database| drop(ours.try_lock());
        let end = move |database: &Database, epoch: u64| theirs.leave(database, epoch);
        let moves = Arc::<Moves>::default();
        let known = Arc::<Known>::default();
        let (moved, noted) = (Arc::clone(&moves), Arc::clone(&known));
        let last = move |database: &Database| {
            noted.write(database)?;
            moved.write(database)
        };
        let writer = Writer::start(set.database, lock, last, end)?;
        Ok(Self { writer, place, lease, moves, known })
    }

    /// Does a job in a transaction that holds only while the lease's epoch is the newest.
    pub(super) async fn run<R: Send + 'static>(
        &self,
        lease: &Lease,
        job: impl FnOnce(&Database) -> Result<R, BulkError> + Send + 'static,
    ) -> Result<R, BulkError> {
        let known = Arc::clone(&self.known);
        let job = move |database: &Database| {
            known.write(database)?;
            job(database)
        };
        self.note(lease, job).await
    }

    /// Does a job that reads no progress in such a transaction.
    async fn note<R: Send + 'static>(
        &self,
        lease: &Lease,
        job: impl FnOnce(&Database) -> Result<R, BulkError> + Send + 'static,
    ) -> Result<R, BulkError> {
        if self.writer.epoch() != Some(lease.epoch()) {
            return Err(BulkError::Superseded { path: self.place.path.clone() });
        }
        self.writer.run(job).await
    }

    /// Takes changes out of the set: see [`ChangeSet::drop_changes`].
    pub(crate) async fn drop_changes(
        &self,
        lease: &Lease,
        ids: Vec<ChangeId>,
        remark: Remark,
    ) -> Result<DropSummary, BulkError> {
        let known = Arc::clone(&self.known);
        let drop = move |database: &Database| {
            known.forget();
            decisions::drop_changes(database, &ids, &remark)
        };
        self.run(lease, drop).await?
    }

    /// Takes the set whether or not it was moved to another store.
    pub(super) async fn take_wherever_it_is(&self, owner: &str) -> Result<Lease, BulkError> {
        self.wait_for_earlier_run().await?;
        self.wait_for_owner().await?;
        let watch = Watch::begin(&self.place.path);
        let watch = watch.map_err(|e| BulkError::file(&self.place.path, "found", e))?;
        // One that is taken again is watched from the first time on.
        let _ = self.place.watch.set(watch);
        let (name, lasts) = (owner.to_owned(), self.lease);
        let asked = Renewal::now();
        let known = Arc::clone(&self.known);
        let take = move |database: &Database| {
            known.forget();
            owner::take(database, &name, lasts)
        };
        let Taken { epoch, journal } = self.writer.run_alone(take).await?;
        let lease = Lease::new(epoch, lasts, asked);
        self.writer.hold(lease.clone(), journal);
        Ok(lease)
    }

    /// Waits until an earlier run of this process has closed the file, if one was dropped just now.
    async fn wait_for_earlier_run(&self) -> Result<(), BulkError> {
        let mut is_ours = None;
        when_ended(|| {
            is_ours = self.place.reserved().claim();
            is_ours.is_some()
        })
        .await;
        match is_ours {
            Some(false) => Err(BulkError::InUse { path: self.place.path.clone() }),
            _ => Ok(()),
        }
    }

    /// Waits until the set is free: its lock is, or its owner has shown no sign of life for as
    /// long as its lease lasts.
    async fn wait_for_owner(&self) -> Result<(), BulkError> {
        let mut first: Option<(Option<Owner>, Instant)> = None;
        loop {
            let locked = self.place.try_lock()?;
            if locked == Locked::Ours {
                return Ok(());
            }
            if locked == Locked::Elsewhere && self.place.has_other_names() {
                // Its signs of life are in a journal of the other name.
                return Err(BulkError::InUse { path: self.place.path.clone() });
            }
            let now = self.writer.run_alone(Owner::read).await?;
            if locked == Locked::Unknown && now.as_ref().is_none_or(Owner::is_gone) {
                return Ok(());
            }
            let patience = now.as_ref().map_or(self.lease, |owner| owner.lease);
            match &first {
                None => first = Some((now, Instant::now())),
                Some((then, _)) if *then != now => {
                    return Err(BulkError::InUse { path: self.place.path.clone() });
                }
                Some((_, since)) if since.elapsed() > patience => return Ok(()),
                Some(_) => {}
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for FileStore {
    /// The thread closes the file; the next run of this process waits for that.
    fn drop(&mut self) {
        self.place.reserved().leave();
    }
}

#[async_trait]
impl Store for FileStore {
    async fn take(&self, owner: &str) -> Result<Lease, BulkError> {
        let lease = self.take_wherever_it_is(owner).await?;
        // Now nobody moves it.
        match self.run(&lease, moved::read).await? {
            Some(Moved { to, .. }) => Err(BulkError::Moved { path: self.place.path.clone(), to }),
            None => Ok(lease),
        }
    }

    async fn digest(&self, lease: &Lease) -> Result<Digest, BulkError> {
        // Not as a failure of the job: the writer still has to leave the set in order.
        self.run(lease, |database| Ok(seal::digest(database))).await?
    }

    async fn check(&self, lease: &Lease) -> Result<Digest, BulkError> {
        self.run(lease, |database| Ok(seal::check(database))).await?
    }

    async fn is_approved(&self, lease: &Lease, digest: Digest) -> Result<bool, BulkError> {
        self.run(lease, move |database| decisions::is_approved(database, digest)).await
    }

    async fn keep_run(
        &self,
        lease: &Lease,
        chosen: Vec<String>,
        open: u64,
    ) -> Result<(), BulkError> {
        self.run(lease, move |database| decisions::keep_run(database, &chosen, open)).await
    }

    async fn count(&self, lease: &Lease, which: Which) -> Result<u64, BulkError> {
        self.run(lease, move |database| sql::count(database, which)).await
    }

    async fn next_block(
        &self,
        lease: &Lease,
        after: Cursor,
        which: Which,
    ) -> Result<(Vec<Loaded>, Cursor), BulkError> {
        // Not as a failure of the job: what was sent before is still to be settled.
        let known = Arc::clone(&self.known);
        let load = move |database: &Database| Ok(sql::next_block(database, &known, after, which));
        self.run(lease, load).await?
    }

    async fn claim(
        &self,
        lease: &Lease,
        expected: Expected,
        change: Box<Change>,
        siblings: Option<Vec<ContactId>>,
    ) -> Result<Claim, BulkError> {
        let (moves, known) = (Arc::clone(&self.moves), Arc::clone(&self.known));
        let claim = move |database: &Database| {
            let siblings = siblings.as_deref();
            let moved = progress::claim(database, &known, expected, &change, siblings)?;
            Ok(won(&moves, moved, change))
        };
        self.note(lease, claim).await
    }

    async fn release(
        &self,
        lease: &Lease,
        attempts: u32,
        former: Box<Change>,
    ) -> Result<Claim, BulkError> {
        let (moves, known) = (Arc::clone(&self.moves), Arc::clone(&self.known));
        let release = move |database: &Database| {
            let moved = progress::release(database, &known, attempts, &former)?;
            Ok(won(&moves, moved, former))
        };
        self.note(lease, release).await
    }

    async fn settle(&self, lease: &Lease, change: Box<Change>) -> Result<Box<Change>, BulkError> {
        let (moves, known) = (Arc::clone(&self.moves), Arc::clone(&self.known));
        let settle = move |database: &Database| {
            if let Some(moved) = progress::settle(database, &known, &change)? {
                moves.add(&change, moved);
            }
            Ok(change)
        };
        self.note(lease, settle).await
    }

    async fn renew(&self, lease: &Lease) -> Result<(), BulkError> {
        let asked = Renewal::now();
        self.run(lease, owner::renew).await?;
        lease.renew(asked);
        Ok(())
    }

    fn is_in_place(&self) -> Result<(), BulkError> {
        self.place.is_in_place()
    }

    fn has_stopped_owner(&self) -> bool {
        self.place.is_locked_elsewhere()
    }

    async fn leave(&self) {
        self.writer.end().await;
    }

    async fn is_mine(&self, lease: &Lease) -> Result<bool, BulkError> {
        match self.run(lease, |_| Ok(())).await {
            Ok(()) => Ok(true),
            Err(BulkError::Superseded { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn won(moves: &Moves, moved: Option<Shift>, change: Box<Change>) -> Claim {
    match moved {
        Some(moved) => {
            moves.add(&change, moved);
            Claim::Won(change)
        }
        None => Claim::Lost,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rusqlite::Connection;

    use super::*;
    use crate::{
        set::{Action, State},
        store::{contract, file::test_sets::set_of},
    };

    const LEASE: Duration = Duration::from_secs(10);

    fn plan(path: &Path) -> ChangeSet {
        set_of(path, &Action::Delete(None))
    }

    #[tokio::test]
    async fn the_file_keeps_every_promise_of_a_store() {
        contract::check(async |set| FileStore::open(set, LEASE).unwrap()).await;
    }

    #[tokio::test]
    async fn what_another_process_took_over_is_written_no_more_whatever_is_tried() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.crm");
        let store = FileStore::open(plan(&path), LEASE).unwrap();
        let lease = store.take("this process").await.unwrap();
        let (block, _) = store.next_block(&lease, Cursor::default(), Which::Open).await.unwrap();
        let change = block[0].change.clone();
        let other = Connection::open(&path).unwrap();
        other.execute("UPDATE owner SET epoch = epoch + 1", []).unwrap();
        for _ in 0..2 {
            let mut claimed = change.clone();
            claimed.outcome.attempts = 1;
            let claim = store.claim(&lease, Expected::of(&change), claimed.into(), None);
            assert!(matches!(claim.await, Err(BulkError::Superseded { .. })));
            let settle = store.settle(&lease, change.clone().into());
            assert!(matches!(settle.await, Err(BulkError::Superseded { .. })));
        }
        let attempts: u32 =
            other.query_row("SELECT count(*) FROM progress", [], |row| row.get(0)).unwrap();
        assert_eq!(attempts, 0);
    }

    #[tokio::test]
    async fn what_others_wrote_of_a_claim_is_kept_once_the_set_is_taken_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.crm");
        let store = FileStore::open(plan(&path), LEASE).unwrap();
        let lease = store.take("this process").await.unwrap();
        let (block, _) = store.next_block(&lease, Cursor::default(), Which::Open).await.unwrap();
        let mut change = block[0].change.clone();
        let expected = Expected::of(&change);
        change.outcome.attempts = 1;
        let claim = store.claim(&lease, expected, change.clone().into(), None).await.unwrap();
        assert!(matches!(claim, Claim::Won(_)));
        let other = Connection::open(&path).unwrap();
        other.execute("UPDATE owner SET epoch = epoch + 1", []).unwrap();
        other.execute("UPDATE progress SET siblings = '[9]'", []).unwrap();
        let lease = store.take("this process").await.unwrap();
        change.outcome.state = State::Done;
        store.settle(&lease, change.into()).await.unwrap();
        let siblings: String =
            other.query_row("SELECT siblings FROM progress", [], |row| row.get(0)).unwrap();
        assert_eq!(siblings, "[9]");
    }

    #[tokio::test]
    async fn a_lease_is_renewed_while_there_is_nothing_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.crm");
        let store = FileStore::open(plan(&path), Duration::from_millis(100)).unwrap();
        let lease = store.take("this process").await.unwrap();
        let other = Connection::open(&path).unwrap();
        let beat =
            || -> u64 { other.query_row("SELECT beat FROM owner", [], |row| row.get(0)).unwrap() };
        let (first, deadline) = (beat(), std::time::Instant::now() + LEASE);
        while beat() < first + 3 {
            assert!(std::time::Instant::now() < deadline, "it is not renewed");
            tokio::task::yield_now().await;
        }
        assert!(store.is_mine(&lease).await.unwrap());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_set_is_marked_while_a_run_is_open_and_whole_without_its_journal_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.crm");
        let copy = folder.path().join("copy.crm");
        let store = FileStore::open(plan(&path), LEASE).unwrap();
        store.take("this process").await.unwrap();
        // By a process of its own: closing a descriptor here would drop locks.
        let copied = || std::process::Command::new("cp").args([&path, &copy]).status();
        assert!(copied().unwrap().success());
        let told = ChangeSet::open(&copy).unwrap_err();
        assert!(matches!(told, BulkError::Parted { .. }), "{told}");
        store.leave().await;
        assert!(copied().unwrap().success());
        assert_eq!(ChangeSet::open(&copy).unwrap().totals().unwrap().open(), 1);
        let beside = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(beside, 2, "nothing is left beside them");
    }
}
