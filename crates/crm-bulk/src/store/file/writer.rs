//! The one writer of a change set that is being carried out.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use rusqlite::{Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::owner;
use crate::{BulkError, ChangeSet, database::Database};

/// Does jobs on the file, one after another in a thread of its own. All jobs that wait at one
/// time share one transaction, so that one write to the disk makes many changes durable; a job
/// is answered only after that.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<thread::JoinHandle<()>>,
    failure: Failure,
    path: PathBuf,
    /// Held until the writer is gone.
    _lock: File,
}

/// One job: it tells whether it went well, and has the answer for whoever waits.
struct Job {
    /// The transaction holds only while this is the newest epoch.
    epoch: Option<u64>,
    work: Box<dyn FnOnce(&Database) -> (Result<(), BulkError>, Answer) + Send>,
}
/// Hands a job's result over once its transaction is committed; dropped, it tells that there
/// is none.
type Answer = Box<dyn FnOnce()>;
/// Why the writer stopped, for the first one who asks.
type Failure = Arc<Mutex<Option<BulkError>>>;

/// How many jobs share a transaction at most.
const JOBS_PER_COMMIT: usize = 1_000;

impl Writer {
    /// Takes the set for this process alone.
    ///
    /// The lock is on a file beside the set, since SQLite's own locks would also keep readers
    /// away. The operating system drops it when the process ends, however that happens.
    pub(super) fn start(set: ChangeSet) -> Result<Self, BulkError> {
        let path = set.path().to_owned();
        let lock = lock(&path)?;
        set.database.make_durable()?;
        let (sender, jobs) = mpsc::channel();
        let failure = Failure::default();
        let slot = Arc::clone(&failure);
        let thread = thread::Builder::new()
            .name("crm-change-set".to_owned())
            .spawn(move || work(&set.database, &jobs, &slot))
            .map_err(|e| BulkError::file(&path, "given a thread", e))?;
        Ok(Self {
            jobs: Some(sender),
            thread: Some(thread),
            failure,
            path,
            _lock: lock,
        })
    }

    /// Does one job; what it wrote is durable when this returns.
    ///
    /// Dropping the future does not take the job back.
    pub(super) async fn run<R: Send + 'static>(
        &self,
        epoch: Option<u64>,
        job: impl FnOnce(&Database) -> Result<R, BulkError> + Send + 'static,
    ) -> Result<R, BulkError> {
        let (sender, answer) = oneshot::channel();
        let work = Box::new(move |database: &Database| -> (_, Answer) {
            match job(database) {
                // Nobody may be waiting any more.
                Ok(result) => (Ok(()), Box::new(move || drop(sender.send(result)))),
                Err(error) => (Err(error), Box::new(move || drop(sender))),
            }
        });
        let job = Job { epoch, work };
        if let Some(jobs) = &self.jobs {
            // A writer that is gone drops the job, and with it the sender of the answer.
            let _ = jobs.send(job);
        }
        answer.await.map_err(|_| self.failure())
    }

    fn failure(&self) -> BulkError {
        let mut slot = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
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

impl Drop for Writer {
    /// Waits until what was handed over is on disk and the file is closed.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the writer was reported when it happened.
            let _ = thread.join();
        }
    }
}

/// Does jobs until nobody can send one any more, or until one fails: then nothing of its
/// transaction is kept, and whoever waits for an answer is told that there is none.
fn work(database: &Database, jobs: &mpsc::Receiver<Job>, failure: &Failure) {
    while let Ok(first) = jobs.recv() {
        let waiting = jobs.try_iter().take(JOBS_PER_COMMIT - 1);
        // Outlives the transaction: whoever waits is told of a failure once it can be asked for.
        let mut batch = std::iter::once(first).chain(waiting);
        let mut answers = Vec::new();
        match transact(database, &mut batch, &mut answers) {
            Ok(()) => answers.into_iter().for_each(|answer| answer()),
            Err(error) => {
                *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                return;
            }
        }
    }
}

/// Does some jobs in one transaction.
fn transact(
    database: &Database,
    jobs: &mut impl Iterator<Item = Job>,
    answers: &mut Vec<Answer>,
) -> Result<(), BulkError> {
    let transaction =
        Transaction::new_unchecked(&database.connection, TransactionBehavior::Immediate);
    let transaction = database.check(transaction)?;
    let mut admitted = None;
    for Job { epoch, work } in jobs {
        if let Some(epoch) = epoch
            && admitted != Some(epoch)
        {
            owner::admit(database, epoch)?;
            admitted = Some(epoch);
        }
        let (result, answer) = work(database);
        answers.push(answer);
        result?;
    }
    database.check(transaction.commit())
}

/// The lock of the set at `path`: `NAME.lock` beside it, wherever symbolic links to it lie. The
/// file stays behind, empty, since removing it would open a gap between two processes that start
/// at once.
fn lock(path: &Path) -> Result<File, BulkError> {
    let real = path.canonicalize();
    let mut name = real
        .map_err(|e| BulkError::file(path, "found", e))?
        .into_os_string();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(|e| BulkError::file(&name, "created", e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BulkError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(e)) => Err(BulkError::file(&name, "locked", e)),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::params;

    use super::*;
    use crate::{Site, set::SetKind, set::draft::Draft};

    fn set(folder: &Path) -> ChangeSet {
        let path = folder.join("set.crm");
        let site = Site::new(1_001.try_into().unwrap(), "https://api.example");
        let draft = Draft::create(&path, &site, SetKind::Plan).unwrap();
        draft.finish().unwrap();
        ChangeSet::open(path).unwrap()
    }

    fn add(database: &Database, row: u64) -> Result<(), BulkError> {
        let sql = "INSERT INTO rows (row, line, data) VALUES (?, 1, ?)";
        let data = "x".repeat(2_000);
        database.check(database.connection.execute(sql, params![row, data]))?;
        Ok(())
    }

    #[tokio::test]
    async fn a_full_disk_stops_the_writer_and_keeps_what_was_answered() {
        let folder = tempfile::tempdir().unwrap();
        let small = set(folder.path());
        small
            .database
            .connection
            .pragma_update(None, "max_page_count", 40)
            .unwrap();
        let writer = Writer::start(small).unwrap();
        let mut kept = 0;
        let error = loop {
            match writer
                .run(None, move |database| add(database, kept + 1))
                .await
            {
                Ok(()) => kept += 1,
                Err(error) => break error,
            }
        };
        assert!(kept > 10);
        assert!(matches!(error, BulkError::DiskFull { .. }), "{error}");
        let later = writer.run(None, |_| Ok(())).await.unwrap_err();
        assert!(later.to_string().contains("earlier failure"), "{later}");
        drop(writer);

        let set = ChangeSet::open(folder.path().join("set.crm")).unwrap();
        let rows = set
            .database
            .connection
            .query_row("SELECT count(*) FROM rows", [], |row| row.get(0));
        assert_eq!(rows, Ok(kept));
    }

    #[tokio::test]
    async fn a_job_that_fails_takes_its_whole_transaction_back() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::start(set(folder.path())).unwrap();
        writer.run(None, |database| add(database, 1)).await.unwrap();
        let half = writer.run(None, |database| {
            add(database, 2)?;
            add(database, 1)
        });
        assert!(matches!(half.await, Err(BulkError::Database { .. })));
        drop(writer);
        let set = ChangeSet::open(folder.path().join("set.crm")).unwrap();
        let rows = set
            .database
            .connection
            .query_row("SELECT count(*) FROM rows", [], |row| row.get(0));
        assert_eq!(rows, Ok(1_u64));
    }

    #[cfg(unix)]
    #[test]
    fn a_set_is_one_by_whatever_name_it_is_reached() {
        let folder = tempfile::tempdir().unwrap();
        let _running = Writer::start(set(folder.path())).unwrap();
        let link = folder.path().join("link.crm");
        std::os::unix::fs::symlink(folder.path().join("set.crm"), &link).unwrap();
        let second = Writer::start(ChangeSet::open(link).unwrap()).err().unwrap();
        assert!(matches!(second, BulkError::InUse { .. }), "{second}");
    }
}
