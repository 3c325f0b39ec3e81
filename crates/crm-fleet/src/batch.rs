//! Claims and outcomes, many in one transaction.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use crm_bulk::{
    BulkError, Change, Expected,
    tables::{self, Cell, Next, PLANNED, PROGRESS},
};
use crm_models::ContactId;
use deadpool_postgres::Transaction;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep, timeout},
};
use tokio_postgres::error::SqlState;

use crate::{
    error::{FleetError, of_postgres},
    rows::{self, CHANGES, OF_CHANGE, OnConflict},
    server::Server,
    sets::SetId,
};

/// How many asks share a transaction at most.
const MOST: usize = 64;
/// How long the first one waits for others.
const GATHER: Duration = Duration::from_millis(2);
/// For how long a failure of the server may pass: as long as PostgreSQL takes to start again.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait after the first failure, and at most after others.
const PAUSE: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];

/// What is asked of a set under an epoch.
#[derive(Debug)]
pub(crate) enum Ask {
    Claim { expected: Expected, change: Box<Change>, siblings: Option<Vec<ContactId>> },
    Release { attempts: u32, former: Box<Change> },
    Settle(Box<Change>),
    Renew(Duration),
}

impl Ask {
    fn change(&self) -> Option<&Change> {
        match self {
            Self::Claim { change, .. } | Self::Settle(change) => Some(change),
            Self::Release { former, .. } => Some(former),
            Self::Renew(_) => None,
        }
    }

    /// What it makes of the rows of its change, if anything.
    fn next(&self, set: &Path, row: &[Cell]) -> Result<Option<Next>, BulkError> {
        match self {
            Self::Claim { expected, change, siblings } => {
                tables::claim(set, row, *expected, change, siblings.as_deref())
            }
            Self::Release { attempts, former } => tables::release(set, row, *attempts, former),
            Self::Settle(change) => tables::settle(set, row, change).map(Some),
            Self::Renew(_) => Ok(None),
        }
    }
}

/// Whether it was done as asked, once that is durable, and what was asked.
pub(crate) type Done = (bool, Ask);

struct Job {
    epoch: u64,
    lasts: Duration,
    ask: Ask,
    answer: oneshot::Sender<Result<Done, BulkError>>,
}

/// The one writer of a set for this process. What is asked at about one time shares one transaction,
/// and is answered only after its COMMIT.
///
/// Dropping it waits for nothing: what was asked is done.
#[derive(Debug, Clone)]
pub(crate) struct Batches {
    jobs: mpsc::UnboundedSender<Job>,
    name: PathBuf,
    /// How long the lease lasts.
    pub(crate) lasts: Duration,
}

impl Batches {
    pub(crate) fn start(server: Server, set: SetId, name: PathBuf, lasts: Duration) -> Self {
        let (jobs, waiting) = mpsc::unbounded_channel();
        let writer = Writer { server, set: set.0, name: name.clone() };
        tokio::spawn(writer.carry_out(waiting));
        Self { jobs, name, lasts }
    }

    /// Does this under the epoch; it is durable when this returns. Dropping the future does not take
    /// it back.
    pub(crate) async fn ask(&self, epoch: u64, ask: Ask) -> Result<Done, BulkError> {
        let (answer, answered) = oneshot::channel();
        let ended = || BulkError::Store {
            path: self.name.clone(),
            reason: "its writer ended; apply the set again".to_owned(),
        };
        let lasts = self.lasts;
        self.jobs.send(Job { epoch, lasts, ask, answer }).map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

/// Why a transaction did not come about.
#[derive(Debug)]
enum Failure {
    /// Another owner has the set.
    Superseded,
    /// It certainly was not committed, and may be tried again.
    Passing(String),
    /// It certainly was not committed, and would fail again.
    Lasting(String),
    /// It may have been committed; what came of each ask if it was.
    Unknown(Vec<Result<bool, BulkError>>, String),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        let told = of_postgres(&error);
        if passes(&error) { Self::Passing(told) } else { Self::Lasting(told) }
    }
}

impl From<FleetError> for Failure {
    fn from(error: FleetError) -> Self {
        Self::Passing(error.to_string())
    }
}

/// Whether it may be otherwise in a while: the server starts again, is busy or full, has chosen this
/// transaction to end a deadlock, or ended it since this process was stopped.
fn passes(error: &tokio_postgres::Error) -> bool {
    let Some(code) = error.code() else {
        return true;
    };
    let class = code.code().get(..2).unwrap_or_default();
    // 08: connection, 40: rollback, 53: resources, 57: intervention of an operator.
    ["08", "40", "53", "57"].contains(&class)
        || [SqlState::LOCK_NOT_AVAILABLE, SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT]
            .contains(code)
}

/// What a transaction is done under.
struct Under {
    epoch: u64,
    lasts: Duration,
    /// Its number, by which it is read back.
    batch: String,
}

struct Writer {
    server: Server,
    set: i64,
    name: PathBuf,
}

impl Writer {
    async fn carry_out(self, mut jobs: mpsc::UnboundedReceiver<Job>) {
        let mut number = 0_u64;
        let mut next = None;
        loop {
            let first = match next.take() {
                Some(first) => first,
                None => match jobs.recv().await {
                    Some(first) => first,
                    None => return,
                },
            };
            let (epoch, lasts) = (first.epoch, first.lasts);
            let mut batch = vec![first];
            let gather = async {
                while batch.len() < MOST {
                    match jobs.recv().await {
                        Some(job) if job.epoch == epoch => batch.push(job),
                        other => {
                            next = other;
                            return;
                        }
                    }
                }
            };
            let _ = timeout(GATHER, gather).await;
            number += 1;
            let asks: Vec<_> = batch.iter().map(|job| &job.ask).collect();
            let under = Under { epoch, lasts, batch: format!("{epoch}.{number}") };
            let done = self.commit(&under, &asks).await;
            for (job, done) in batch.into_iter().zip(done) {
                // Nobody may be waiting any more.
                let _ = job.answer.send(done.map(|done| (done, job.ask)));
            }
        }
    }

    /// Does all of this in one transaction, and finds out what came of it.
    async fn commit(&self, under: &Under, asks: &[&Ask]) -> Vec<Result<bool, BulkError>> {
        let begun = Instant::now();
        let [mut pause, most] = PAUSE;
        loop {
            let told = match self.attempt(under, asks).await {
                Ok(done) => return done,
                Err(Failure::Superseded) => {
                    let superseded = || BulkError::Superseded { path: self.name.clone() };
                    return asks.iter().map(|_| Err(superseded())).collect();
                }
                Err(Failure::Lasting(told)) => return self.failed(&told, asks),
                Err(Failure::Passing(told)) => told,
                Err(Failure::Unknown(done, told)) => {
                    tracing::warn!(set = %self.name.display(), reason = told, "unknown COMMIT");
                    match self.find_out(&under.batch, begun).await {
                        Some(true) => return done,
                        Some(false) => told,
                        None => return self.failed(&told, asks),
                    }
                }
            };
            if begun.elapsed() > PATIENCE {
                return self.failed(&told, asks);
            }
            tracing::warn!(set = %self.name.display(), reason = told, "trying again");
            sleep(pause).await;
            pause = (pause * 2).min(most);
        }
    }

    fn failed(&self, told: &str, asks: &[&Ask]) -> Vec<Result<bool, BulkError>> {
        let error = || BulkError::Store { path: self.name.clone(), reason: told.to_owned() };
        asks.iter().map(|_| Err(error())).collect()
    }

    async fn attempt(
        &self,
        under: &Under,
        asks: &[&Ask],
    ) -> Result<Vec<Result<bool, BulkError>>, Failure> {
        let mut client = self.server.client().await?;
        let transaction = client.transaction().await?;
        // Read before the set is locked: a server cannot end a transaction whose client is stopped in
        // the middle of an answer that is long. Under this epoch nobody else writes meanwhile.
        let mut rows = self.rows(&transaction, asks).await?;
        if lock_epoch(&transaction, self.set, under.lasts).await? != Some(under.epoch) {
            return Err(Failure::Superseded);
        }
        let mut done = Vec::with_capacity(asks.len());
        let mut written = BTreeMap::new();
        let mut totals = BTreeMap::<[i64; 2], [i64; 2]>::new();
        for ask in asks {
            let Some(change) = ask.change() else {
                done.push(Ok(true));
                continue;
            };
            // One that is not in the set can be neither claimed nor settled.
            let Some(row) = rows.get_mut(&change.id.get()) else {
                done.push(Ok(false));
                continue;
            };
            match ask.next(&self.name, row) {
                Ok(Some(next)) => {
                    row.truncate(PLANNED.columns.len());
                    row.extend_from_slice(&next.row);
                    for (key, [changes, calls]) in next.totals {
                        let [all_changes, all_calls] = totals.entry(key).or_default();
                        *all_changes += changes;
                        *all_calls += calls;
                    }
                    written.insert(change.id.get(), next.row);
                    done.push(Ok(true));
                }
                Ok(None) => done.push(Ok(false)),
                Err(error) => done.push(Err(error)),
            }
        }
        if !written.is_empty() {
            let written: Vec<_> = written.into_values().collect();
            let replace = OnConflict::Replace;
            rows::insert(&transaction, self.set, &PROGRESS, &written, replace).await?;
            self.count(&transaction, totals).await?;
        }
        let lasts = asks.iter().find_map(|ask| match ask {
            Ask::Renew(lasts) => Some(lasts.as_secs_f64()),
            _ => None,
        });
        let sql = "UPDATE crm.runs SET batch = $2,
                beat = beat + (CASE WHEN $3::float8 IS NULL THEN 0 ELSE 1 END),
                leased_until = coalesce(clock_timestamp() + make_interval(secs => $3), leased_until)
            WHERE set_id = $1";
        let statement = transaction.prepare_cached(sql).await?;
        transaction.execute(&statement, &[&self.set, &under.batch, &lasts]).await?;
        match transaction.commit().await {
            Ok(()) => Ok(done),
            Err(error) => Err(Failure::Unknown(done, of_postgres(&error))),
        }
    }

    /// The rows of the changes that are asked about, by their numbers.
    async fn rows(
        &self,
        transaction: &Transaction<'_>,
        asks: &[&Ask],
    ) -> Result<BTreeMap<i64, Vec<Cell>>, tokio_postgres::Error> {
        let asked = asks.iter().filter_map(|ask| Some(ask.change()?.id.get()));
        let asked: Vec<_> = asked.collect();
        if asked.is_empty() {
            return Ok(BTreeMap::new());
        }
        let columns = &*OF_CHANGE;
        let sql = format!(
            "SELECT {columns} FROM {CHANGES} WHERE planned.set_id = $1 AND planned.id = ANY($2)"
        );
        let statement = transaction.prepare_cached(&sql).await?;
        let rows = transaction.query(&statement, &[&self.set, &asked]).await?;
        let cells = rows.iter().map(rows::cells).map(|cells| {
            let cells = cells?;
            let id = cells.first().and_then(Cell::as_integer).unwrap_or_default();
            Ok((id, cells))
        });
        cells.collect()
    }

    /// Adds what was moved from one state to another to the totals.
    async fn count(
        &self,
        transaction: &Transaction<'_>,
        totals: BTreeMap<[i64; 2], [i64; 2]>,
    ) -> Result<(), tokio_postgres::Error> {
        let column = |of: fn(&([i64; 2], [i64; 2])) -> i64| -> Vec<i64> {
            totals.iter().map(|(key, gains)| of(&(*key, *gains))).collect()
        };
        let (actions, states) = (column(|(key, _)| key[0]), column(|(key, _)| key[1]));
        let (changes, calls) = (column(|(_, gains)| gains[0]), column(|(_, gains)| gains[1]));
        let sql = "INSERT INTO crm.totals (set_id, action, state, changes, calls)
            SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
            ON CONFLICT (set_id, action, state) DO UPDATE
                SET changes = totals.changes + excluded.changes,
                    calls = totals.calls + excluded.calls";
        let statement = transaction.prepare_cached(sql).await?;
        let values = [&actions, &states, &changes, &calls];
        let [actions, states, changes, calls] = values;
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
            [&self.set, actions, states, changes, calls];
        transaction.execute(&statement, &values).await.map(drop)
    }

    /// Whether the transaction whose COMMIT was not answered took place; `None` if the server does
    /// not say so in time.
    async fn find_out(&self, batch: &str, begun: Instant) -> Option<bool> {
        while begun.elapsed() <= PATIENCE {
            match self.is_committed(batch).await {
                Ok(is_committed) => return Some(is_committed),
                Err(error) => {
                    tracing::warn!(set = %self.name.display(), %error, "not read back yet");
                    sleep(PAUSE[1]).await;
                }
            }
        }
        None
    }

    async fn is_committed(&self, batch: &str) -> Result<bool, FleetError> {
        let mut client = self.server.client().await?;
        let read = async {
            let transaction = client.transaction().await?;
            transaction.batch_execute("SET LOCAL lock_timeout = '10s'").await?;
            // It waits for the transaction in question, which has a lock on this row until its end.
            let wait = "SELECT 1 FROM crm.sets WHERE id = $1 FOR UPDATE";
            transaction.query_opt(wait, &[&self.set]).await?;
            let last = "SELECT batch FROM crm.runs WHERE set_id = $1";
            let last = transaction.query_opt(last, &[&self.set]).await?;
            last.map(|row| row.try_get::<_, Option<String>>(0)).transpose()
        };
        let last = self.server.check(read.await)?;
        Ok(last.flatten().as_deref() == Some(batch))
    }
}

/// The epoch of a set that is carried out on the server, which stays the same until the transaction
/// ends; `None` if it is carried out elsewhere. For a transaction that writes.
///
/// From then on nobody can take the set. So the server ends a transaction in which nothing happens for
/// half of the time that the lease `lasts`: that of a process that was stopped within it.
pub(crate) async fn lock_epoch(
    transaction: &Transaction<'_>,
    set: i64,
    lasts: Duration,
) -> Result<Option<u64>, tokio_postgres::Error> {
    let sql = "SELECT epoch, set_config('idle_in_transaction_session_timeout', $2, true)
        FROM crm.sets WHERE id = $1 AND place = 'here' FOR SHARE";
    let statement = transaction.prepare_cached(sql).await?;
    let idle = format!("{}ms", (lasts / 2).as_millis().max(1));
    let row = transaction.query_opt(&statement, &[&set, &idle]).await?;
    row.map(|row| row.try_get::<_, i64>(0).map(i64::unsigned_abs)).transpose()
}
