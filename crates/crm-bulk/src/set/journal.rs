//! The one writer of a change set that is being applied.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use rusqlite::{Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use crate::{BulkError, ChangeSet, database::Database};

/// Does jobs on the file, one after another in a thread of its own. All jobs that wait at one
/// time share one transaction, so that one write to the disk makes many changes durable; a job
/// is answered only after that.
pub(crate) struct Journal {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<thread::JoinHandle<()>>,
    /// Why the writer stopped, for the first one who asks.
    failure: Arc<Mutex<Option<BulkError>>>,
    path: PathBuf,
    /// Held until the writer is gone.
    _lock: File,
}

type Job = Box<dyn FnOnce(&Database) -> Result<Answer, BulkError> + Send>;
/// Hands a job's result over once its transaction is committed.
type Answer = Box<dyn FnOnce()>;

/// How many jobs share a transaction at most.
const JOBS_PER_COMMIT: usize = 1_000;

impl Journal {
    /// Takes the set for this process alone.
    ///
    /// The lock is on a file beside the set, since SQLite's own locks would also keep readers
    /// away. The operating system drops it when the process ends, however that happens.
    pub(crate) fn start(set: ChangeSet) -> Result<Self, BulkError> {
        let path = set.path().to_owned();
        let lock = lock(&path)?;
        set.database.make_durable()?;
        let (sender, jobs) = mpsc::channel();
        let failure = Arc::<Mutex<_>>::default();
        let slot = Arc::clone(&failure);
        let write = move || {
            if let Err(error) = work(&set.database, &jobs) {
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
        };
        let thread = thread::Builder::new()
            .name("crm-change-set".to_owned())
            .spawn(write)
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
    pub(crate) async fn run<R: Send + 'static>(
        &self,
        job: impl FnOnce(&Database) -> Result<R, BulkError> + Send + 'static,
    ) -> Result<R, BulkError> {
        let (sender, answer) = oneshot::channel();
        let job: Job = Box::new(move |database| {
            let result = job(database)?;
            // Nobody may be waiting any more.
            Ok(Box::new(move || drop(sender.send(result))))
        });
        if let Some(jobs) = &self.jobs {
            // A writer that is gone drops the job, and with it the sender of the answer.
            let _ = jobs.send(job);
        }
        answer.await.map_err(|_| self.failure())
    }

    fn failure(&self) -> BulkError {
        let mut slot = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        slot.take().unwrap_or_else(|| {
            let gone = io::Error::other("the writer stopped after an earlier failure");
            BulkError::file(&self.path, "written", gone)
        })
    }
}

impl Drop for Journal {
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
/// transaction is kept, and whoever waits for an answer finds the channel closed.
fn work(database: &Database, jobs: &mpsc::Receiver<Job>) -> Result<(), BulkError> {
    while let Ok(first) = jobs.recv() {
        let transaction = database.check(Transaction::new_unchecked(
            &database.connection,
            TransactionBehavior::Immediate,
        ))?;
        let waiting = jobs.try_iter().take(JOBS_PER_COMMIT - 1);
        let answers = std::iter::once(first)
            .chain(waiting)
            .map(|job| job(database))
            .collect::<Result<Vec<_>, _>>()?;
        database.check(transaction.commit())?;
        for answer in answers {
            answer();
        }
    }
    Ok(())
}

/// The lock of the set at `path`: `NAME.lock` beside it. The file stays behind, empty, since
/// removing it would open a gap between two processes that start at once.
fn lock(path: &Path) -> Result<File, BulkError> {
    let mut name = path.as_os_str().to_owned();
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
