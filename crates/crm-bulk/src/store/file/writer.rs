//! The one writer of a change set that is being carried out.

use std::{
    collections::VecDeque,
    fmt,
    fs::File,
    io, mem,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use crm_mirror::{
    database::Database,
    job::{Working, when_ended},
    lock::lock,
};
use rusqlite::{Transaction, TransactionBehavior};
use tokio::{sync::oneshot, task::yield_now};

use super::owner;
use crate::{
    error::BulkError,
    store::lease::{Lease, Renewal},
};

/// Does jobs on the file, one after another in a thread of its own. All jobs that wait at one
/// time share one transaction, so that one write to the disk makes many changes durable; a job
/// is answered only after that.
///
/// From the time that it [holds](Self::hold) a lease, every transaction is one under its epoch,
/// and the thread renews it whether or not there are jobs: behind a closed rate limit there are
/// none.
///
/// A commit takes as much of the processor as ten jobs. So whoever brings the first job of a burst lets
/// everybody who is ready bring theirs, and waits for no clock: where nobody else is, the thread has it
/// at once.
///
/// Dropping it waits for nothing: the thread does what was handed over, then closes the file.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Vec<Job>>,
    /// The jobs of the burst that has begun.
    gathered: Mutex<Vec<Job>>,
    shared: Arc<Shared>,
    path: PathBuf,
}

/// What the thread and its owner both know.
#[derive(Debug, Default)]
struct Shared {
    lease: Mutex<Option<Lease>>,
    /// What is to be synced after each commit.
    journal: Mutex<Option<File>>,
    /// Why the writer stopped, for the first one who asks.
    failure: Mutex<Option<BulkError>>,
    /// Whether the thread is to end.
    ends: AtomicBool,
    /// Whether the file is closed.
    is_closed: AtomicBool,
}

impl Shared {
    fn lease(&self) -> MutexGuard<'_, Option<Lease>> {
        lock(&self.lease)
    }

    /// Makes durable what is committed.
    fn sync(&self) -> io::Result<()> {
        match &*lock(&self.journal) {
            Some(journal) => journal.sync_data(),
            None => Ok(()),
        }
    }

    fn failure(&self) -> MutexGuard<'_, Option<BulkError>> {
        lock(&self.failure)
    }
}

/// One job: it tells whether it went well, and has the answer for whoever waits.
struct Job {
    /// Outside a transaction, and not under the lease.
    is_alone: bool,
    work: Box<dyn FnOnce(&Database) -> Worked + Send>,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("is_alone", &self.is_alone).finish_non_exhaustive()
    }
}

/// A burst of jobs, in the hands of whoever brought the first. Dropping it gives them to the thread, also
/// where nobody waits for the first of them any more.
struct Burst<'a>(&'a Writer);

impl Burst<'_> {
    /// Lets others bring theirs, for as long as each turn of the executor brings some.
    async fn grow(self) {
        let (mut before, mut now) = (0, 1);
        while before < now {
            yield_now().await;
            (before, now) = (now, lock(&self.0.gathered).len());
        }
    }
}

impl Drop for Burst<'_> {
    fn drop(&mut self) {
        self.0.give();
    }
}

/// Whether a job went well, and its answer.
type Worked = (Result<(), BulkError>, Answer);

/// Hands a job's result over once its transaction is committed; dropped, it tells that there
/// is none.
type Answer = Box<dyn FnOnce()>;

/// From how many jobs on no more share a transaction.
const JOBS_PER_COMMIT: usize = 1_000;
/// How often the thread looks whether the lease is to be renewed.
const LOOK_AT_LEASE: Duration = Duration::from_millis(100);

impl Writer {
    /// `tick` is done whenever the lease was renewed, `last` as the last of each transaction.
    /// `end` is done last, just before the file is closed, with the epoch of the lease; not after
    /// a failure.
    pub(super) fn start(
        database: Database,
        tick: impl Fn(&Database) + Send + 'static,
        last: impl Fn(&Database) -> Result<(), BulkError> + Send + 'static,
        end: impl FnOnce(&Database, u64) + Send + 'static,
    ) -> Result<Self, BulkError> {
        let path = database.path().to_owned();
        let (sender, jobs) = mpsc::channel();
        let shared = Arc::<Shared>::default();
        let (theirs, working) = (Arc::clone(&shared), Working::begin());
        thread::Builder::new()
            .name("crm-change-set".to_owned())
            .spawn(move || {
                // Dropped last: whoever waits for the thread finds the file closed.
                let _working = working;
                carry_out(database, &jobs, &theirs, tick, last, end);
                theirs.is_closed.store(true, Relaxed);
            })
            .map_err(|e| BulkError::file(&path, "given a thread", e))?;
        Ok(Self { jobs: sender, gathered: Mutex::default(), shared, path })
    }

    /// Has every transaction from now on be one under this lease, renews it, and syncs this file
    /// after each commit.
    pub(super) fn hold(&self, lease: Lease, journal: Option<File>) {
        let shared = &self.shared;
        *lock(&shared.journal) = journal;
        *shared.lease() = Some(lease);
    }

    /// The epoch of the lease that is held.
    pub(super) fn epoch(&self) -> Option<u64> {
        self.shared.lease().as_ref().map(Lease::epoch)
    }

    /// Does one job outside a transaction, before there is a lease.
    pub(super) async fn run_alone<R: Send + 'static>(
        &self,
        job: impl FnOnce(&Database) -> Result<R, BulkError> + Send + 'static,
    ) -> Result<R, BulkError> {
        self.hand_over(true, job).await
    }

    /// Does one job; what it wrote is durable when this returns.
    ///
    /// Dropping the future does not take the job back.
    pub(super) async fn run<R: Send + 'static>(
        &self,
        job: impl FnOnce(&Database) -> Result<R, BulkError> + Send + 'static,
    ) -> Result<R, BulkError> {
        self.hand_over(false, job).await
    }

    async fn hand_over<R: Send + 'static>(
        &self,
        is_alone: bool,
        job: impl FnOnce(&Database) -> Result<R, BulkError> + Send + 'static,
    ) -> Result<R, BulkError> {
        let (sender, answer) = oneshot::channel();
        let work = Box::new(move |database: &Database| -> Worked {
            match job(database) {
                // Nobody may be waiting any more.
                Ok(result) => (Ok(()), Box::new(move || drop(sender.send(result)))),
                Err(error) => (Err(error), Box::new(move || drop(sender))),
            }
        });
        let is_first = self.gather(Job { is_alone, work });
        if is_alone {
            self.give();
        } else if is_first {
            Burst(self).grow().await;
        }
        answer.await.map_err(|_| self.failure())
    }

    /// Adds a job to the burst, and says whether it is the first.
    fn gather(&self, job: Job) -> bool {
        let mut gathered = lock(&self.gathered);
        gathered.push(job);
        gathered.len() == 1
    }

    /// Gives the burst to the thread.
    fn give(&self) {
        let burst = mem::take(&mut *lock(&self.gathered));
        if !burst.is_empty() {
            // A writer that is gone drops the jobs, and with them the senders of the answers.
            let _ = self.jobs.send(burst);
        }
    }

    /// Waits until what was handed over is on disk and the file is closed.
    pub(super) async fn end(&self) {
        self.shared.ends.store(true, Relaxed);
        // Has it look; one that has failed is ending already.
        let _ = self.run_alone(|_| Ok(())).await;
        when_ended(|| self.shared.is_closed.load(Relaxed)).await;
    }

    fn failure(&self) -> BulkError {
        let mut slot = self.shared.failure();
        if let Some(BulkError::Superseded { path }) = &*slot {
            // It holds for every later job, and each has to be told.
            return BulkError::Superseded { path: path.clone() };
        }
        slot.take().unwrap_or_else(|| {
            let gone = io::Error::other("the writer stopped after an earlier failure");
            BulkError::file(&self.path, "written", gone)
        })
    }
}

/// What the thread does, until the file is closed.
fn carry_out(
    database: Database,
    jobs: &mpsc::Receiver<Vec<Job>>,
    shared: &Shared,
    tick: impl Fn(&Database),
    last: impl Fn(&Database) -> Result<(), BulkError>,
    end: impl FnOnce(&Database, u64),
) {
    if let Some(epoch) = work(&database, jobs, shared, tick, last) {
        end(&database, epoch);
    }
}

/// Does jobs until nobody can send one any longer, or until one fails: then nothing of its
/// transaction is kept, and whoever waits for an answer is told that there is none. Gives the
/// epoch of the lease, unless something failed.
fn work(
    database: &Database,
    jobs: &mpsc::Receiver<Vec<Job>>,
    shared: &Shared,
    tick: impl Fn(&Database),
    last: impl Fn(&Database) -> Result<(), BulkError>,
) -> Option<u64> {
    let mut waiting = VecDeque::new();
    loop {
        if waiting.is_empty() {
            if shared.ends.load(Relaxed) {
                return shared.lease().as_ref().map(Lease::epoch);
            }
            match jobs.recv_timeout(LOOK_AT_LEASE) {
                Ok(burst) => waiting.extend(burst),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return shared.lease().as_ref().map(Lease::epoch);
                }
            }
        }
        while waiting.len() < JOBS_PER_COMMIT
            && let Ok(burst) = jobs.try_recv()
        {
            waiting.extend(burst);
        }
        let lease = shared.lease().clone();
        let is_due = lease.as_ref().is_some_and(Lease::is_due);
        // Outlives the transaction: whoever waits is told of a failure once it can be asked for.
        let mut answers = Vec::new();
        let done = match waiting.front() {
            Some(first) if first.is_alone => alone(database, &mut waiting, &mut answers),
            None if !is_due => Ok(()),
            _ => transact(database, &mut waiting, lease.as_ref(), &mut answers, &last)
                .and_then(|()| shared.sync().map_err(|e| unsynced(database, e))),
        };
        match done {
            Ok(()) => answers.into_iter().for_each(|answer| answer()),
            Err(error) => {
                *shared.failure() = Some(error);
                return None;
            }
        }
        if is_due {
            tick(database);
        }
    }
}

fn unsynced(database: &Database, error: io::Error) -> BulkError {
    BulkError::file(database.path(), "written", error)
}

/// Does the first job, outside a transaction.
fn alone(
    database: &Database,
    waiting: &mut VecDeque<Job>,
    answers: &mut Vec<Answer>,
) -> Result<(), BulkError> {
    if let Some(job) = waiting.pop_front() {
        let (result, answer) = (job.work)(database);
        answers.push(answer);
        result?;
    }
    Ok(())
}

/// Does the waiting jobs in one transaction, which also renews the lease if that is due.
fn transact(
    database: &Database,
    waiting: &mut VecDeque<Job>,
    lease: Option<&Lease>,
    answers: &mut Vec<Answer>,
    last: impl Fn(&Database) -> Result<(), BulkError>,
) -> Result<(), BulkError> {
    // Before the file says so: nobody may take this lease for over while its owner relies on it.
    let asked = Renewal::now();
    // Not deferred: it reads the epoch first, and a transaction that has read cannot begin to write
    // once another process has written, however long it waits (SQLITE_BUSY_SNAPSHOT).
    let transaction =
        Transaction::new_unchecked(&database.connection, TransactionBehavior::Immediate);
    let transaction = database.check(transaction)?;
    if let Some(lease) = lease
        && !owner::is_newest(database, lease.epoch())?
    {
        return Err(BulkError::Superseded { path: database.path().to_owned() });
    }
    let due = lease.filter(|lease| lease.is_due());
    if due.is_some() {
        owner::renew(database)?;
    }
    while waiting.front().is_some_and(|job| !job.is_alone) {
        if let Some(job) = waiting.pop_front() {
            let (result, answer) = (job.work)(database);
            answers.push(answer);
            result?;
        }
    }
    last(database)?;
    database.check(transaction.commit())?;
    if let Some(lease) = due {
        lease.renew(asked);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::atomic::AtomicU32};

    use futures_util::{FutureExt, future};
    use rusqlite::params;

    use crm_mirror::MirrorError;

    use super::*;
    use crate::store::file::{change_set::ChangeSet, test_sets::draft};

    fn set(folder: &Path) -> Database {
        let path = folder.join("set.crm");
        draft(&path).finish().unwrap();
        ChangeSet::open(path).unwrap().database
    }

    fn start(database: Database) -> Writer {
        Writer::start(database, |_| (), |_| Ok(()), |_, _| ()).unwrap()
    }

    fn add(database: &Database, row: u64) -> Result<(), BulkError> {
        let sql = "INSERT INTO rows (row, other_lines, data) VALUES (?, 1, ?)";
        let data = "x".repeat(2_000);
        database.check(database.connection.execute(sql, params![row, data]))?;
        Ok(())
    }

    #[tokio::test]
    async fn a_full_disk_stops_the_writer_and_keeps_what_was_answered() {
        let folder = tempfile::tempdir().unwrap();
        let small = set(folder.path());
        small.connection.pragma_update(None, "max_page_count", 40).unwrap();
        let writer = start(small);
        let mut kept = 0;
        let error = loop {
            match writer.run(move |database| add(database, kept + 1)).await {
                Ok(()) => kept += 1,
                Err(error) => break error,
            }
        };
        assert!(kept > 10);
        assert!(matches!(error, BulkError::Mirror(MirrorError::DiskFull { .. })), "{error}");
        let later = writer.run(|_| Ok(())).await.unwrap_err();
        assert!(later.to_string().contains("earlier failure"), "{later}");
        drop(writer);

        let set = ChangeSet::open(folder.path().join("set.crm")).unwrap();
        let rows =
            set.database.connection.query_row("SELECT count(*) FROM rows", [], |row| row.get(0));
        assert_eq!(rows, Ok(kept));
    }

    #[tokio::test]
    async fn what_is_ready_at_one_time_shares_a_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let (commits, database) = (Arc::<AtomicU32>::default(), set(folder.path()));
        let counted = Arc::clone(&commits);
        let count = move |_: &Database| {
            counted.fetch_add(1, Relaxed);
            Ok(())
        };
        let writer = Writer::start(database, |_| (), count, |_, _| ()).unwrap();
        let jobs = (1..=64).map(|row| writer.run(move |database| add(database, row)));
        future::try_join_all(jobs).await.unwrap();
        assert_eq!(commits.load(Relaxed), 1);
    }

    #[tokio::test]
    async fn a_burst_is_done_though_nobody_waits_for_its_first_job() {
        let folder = tempfile::tempdir().unwrap();
        let writer = start(set(folder.path()));
        let mut first = Box::pin(writer.run(|database| add(database, 1)));
        assert!((&mut first).now_or_never().is_none());
        let second = writer.run(|database| add(database, 2));
        drop(first);
        second.await.unwrap();
        let rows = writer
            .run_alone(|database| Ok(database.value::<u64>("SELECT count(*) FROM rows", [])?));
        assert_eq!(rows.await.unwrap(), Some(2));
    }

    #[tokio::test]
    async fn a_job_that_fails_takes_its_whole_transaction_back() {
        let folder = tempfile::tempdir().unwrap();
        let writer = start(set(folder.path()));
        writer.run(|database| add(database, 1)).await.unwrap();
        let half = writer.run(|database| {
            add(database, 2)?;
            add(database, 1)
        });
        assert!(matches!(half.await, Err(BulkError::Mirror(MirrorError::Database { .. }))));
        drop(writer);
        let set = ChangeSet::open(folder.path().join("set.crm")).unwrap();
        let rows =
            set.database.connection.query_row("SELECT count(*) FROM rows", [], |row| row.get(0));
        assert_eq!(rows, Ok(1_u64));
    }
}
