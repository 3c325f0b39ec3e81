//! Claims and outcomes, many in one statement.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use crm_bulk::{
    BulkError, Change, Expected,
    tables::{self, Cell, Next, PLANNED, PROGRESS},
};
use crm_models::ContactId;
use deadpool_postgres::Object;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep, timeout_at},
};
use tokio_postgres::{error::SqlState, types::ToSql};

use crate::{
    error::{FleetError, of_postgres},
    rows::{self, CHANGES, OF_CHANGE},
    server::Server,
    sets::SetId,
};

/// How many asks share a statement at most.
const MOST: usize = 64;
/// How long an ask waits for others at least: what is asked at about one time comes within it.
const GATHER: Duration = Duration::from_millis(2);
/// How long it waits at most, while more changes are on their way than wait with it. At 60 calls a second
/// three claims and three outcomes come in this time; the writes before them wait for the limit for 100 to
/// 300 ms, so nothing is sent later for it.
const GATHER_MOST: Duration = Duration::from_millis(50);
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

    fn is_claim(&self) -> bool {
        matches!(self, Self::Claim { .. })
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
    ask: Ask,
    answer: oneshot::Sender<Result<Done, BulkError>>,
}

/// The one writer of a set for this process. What is asked at about one time shares one statement,
/// and is answered only once that is durable.
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
        let writer = Writer::of(server, set.0, name.clone());
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
        self.jobs.send(Job { epoch, ask, answer }).map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

/// Why a statement did not come about.
#[derive(Debug)]
enum Failure {
    /// Another owner has the set.
    Superseded,
    /// It certainly was not carried out, and may be tried again.
    Passing(String),
    /// It certainly was not carried out, and would fail again.
    Lasting(String),
    /// It may have been carried out; what came of each ask if it was.
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

/// Whether it may be otherwise in a while: the server starts again, is busy or full, or has chosen this
/// transaction to end a deadlock.
fn passes(error: &tokio_postgres::Error) -> bool {
    let Some(code) = error.code() else {
        return true;
    };
    let class = code.code().get(..2).unwrap_or_default();
    // 08: connection, 40: rollback, 53: resources, 57: intervention of an operator.
    ["08", "40", "53", "57"].contains(&class) || *code == SqlState::LOCK_NOT_AVAILABLE
}

/// Writes rows of progress and what the totals gain, in one statement: so it is carried out as a whole,
/// and a process that is stopped meanwhile keeps nobody from taking the set.
///
/// It does nothing unless the epoch is the newest, which stays so until it is durable, and unless it
/// follows the batch that it is meant to follow. So one that seemed lost, and arrives after it was sent
/// a second time, does nothing any more.
static WRITE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "WITH mine AS (
            SELECT id FROM crm.sets WHERE id = $1 AND place = 'here' AND epoch = $2 FOR SHARE
        ), run AS (
            UPDATE crm.runs SET batch = $3,
                claimed_at = CASE WHEN $6 THEN clock_timestamp() ELSE claimed_at END,
                beat = beat + (CASE WHEN $5::float8 IS NULL THEN 0 ELSE 1 END),
                leased_until
                    = coalesce(clock_timestamp() + make_interval(secs => $5), leased_until)
            FROM mine WHERE set_id = mine.id AND batch IS NOT DISTINCT FROM $4
            RETURNING set_id
        ), counted AS (
            INSERT INTO crm.totals (set_id, action, state, changes, calls)
            SELECT run.set_id, gain.*
            FROM run, unnest($7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[]) AS gain
            ON CONFLICT (set_id, action, state) DO UPDATE
                SET changes = totals.changes + excluded.changes,
                    calls = totals.calls + excluded.calls
        ), written AS (
            INSERT INTO crm.progress (set_id, {})
            SELECT run.set_id, next.* FROM run, {} AS next
            {}
        )
        SELECT EXISTS (SELECT FROM mine), EXISTS (SELECT FROM run)",
        rows::names(&PROGRESS),
        rows::unnest(&PROGRESS, 11),
        rows::replace(&PROGRESS),
    )
});

/// What a statement writes.
#[derive(Default)]
struct Written {
    /// By the numbers of their changes.
    progress: BTreeMap<i64, Vec<Cell>>,
    /// By action and state: changes and calls.
    totals: BTreeMap<[i64; 2], [i64; 2]>,
    /// Whether something may be sent after it.
    claims: bool,
}

impl Written {
    fn add(&mut self, change: i64, next: Next) {
        for (key, [changes, calls]) in next.totals {
            let [all_changes, all_calls] = self.totals.entry(key).or_default();
            *all_changes += changes;
            *all_calls += calls;
        }
        self.progress.insert(change, next.row);
    }

    fn totals(&self) -> [Vec<i64>; 4] {
        let column = |of: fn(&[i64; 2], &[i64; 2]) -> i64| -> Vec<i64> {
            self.totals.iter().map(|(key, gains)| of(key, gains)).collect()
        };
        [
            column(|key, _| key[0]),
            column(|key, _| key[1]),
            column(|_, gains| gains[0]),
            column(|_, gains| gains[1]),
        ]
    }
}

struct Writer {
    server: Server,
    set: i64,
    name: PathBuf,
    /// What follows holds for this one.
    epoch: u64,
    /// How many batches there were.
    number: u64,
    /// The last batch that was carried out.
    last: Option<String>,
    /// The rows of the changes that are claimed: nobody else writes them under this epoch.
    claimed: HashMap<i64, Vec<Cell>>,
}

impl Writer {
    fn of(server: Server, set: i64, name: PathBuf) -> Self {
        let claimed = HashMap::new();
        Self { server, set, name, epoch: 0, number: 0, last: None, claimed }
    }

    async fn carry_out(mut self, mut jobs: mpsc::UnboundedReceiver<Job>) {
        let mut next = None;
        loop {
            let first = match next.take() {
                Some(first) => first,
                None => match jobs.recv().await {
                    Some(first) => first,
                    None => return,
                },
            };
            let epoch = first.epoch;
            let begun = Instant::now();
            let mut batch = vec![first];
            while batch.len() < MOST {
                let until = begun + self.waits(&batch);
                match timeout_at(until, jobs.recv()).await {
                    Ok(Some(job)) if job.epoch == epoch => batch.push(job),
                    Ok(other) => {
                        next = other;
                        break;
                    }
                    Err(_) => break,
                }
            }
            let asks: Vec<_> = batch.iter().map(|job| &job.ask).collect();
            let done = self.commit(epoch, &asks).await;
            for (job, done) in batch.into_iter().zip(done) {
                // Nobody may be waiting any more.
                let _ = job.answer.send(done.map(|done| (done, job.ask)));
            }
        }
    }

    /// For how long these wait for others. Where as many claims wait as writes are on their way, what goes
    /// on rests on them.
    fn waits(&self, batch: &[Job]) -> Duration {
        let is_claimed = |change: &Change| self.claimed.contains_key(&change.id.get());
        let (mut claims, mut ended) = (0, 0);
        for Job { ask, .. } in batch {
            claims += usize::from(ask.is_claim());
            ended += usize::from(!ask.is_claim() && ask.change().is_some_and(is_claimed));
        }
        let on_their_way = self.claimed.len().saturating_sub(ended);
        if claims < on_their_way { GATHER_MOST } else { GATHER }
    }

    /// Does all of this in one statement, and finds out what came of it.
    async fn commit(&mut self, epoch: u64, asks: &[&Ask]) -> Vec<Result<bool, BulkError>> {
        if epoch < self.epoch {
            return self.superseded(asks);
        }
        if epoch > self.epoch {
            (self.epoch, self.number, self.last) = (epoch, 0, None);
            self.claimed.clear();
        }
        self.number += 1;
        let batch = format!("{epoch}.{}", self.number);
        let begun = Instant::now();
        let [mut pause, most] = PAUSE;
        loop {
            let told = match self.attempt(&batch, asks).await {
                Ok(done) => return done,
                Err(Failure::Superseded) => return self.superseded(asks),
                Err(Failure::Lasting(told)) => return self.failed(&told, asks),
                Err(Failure::Passing(told)) => told,
                Err(Failure::Unknown(done, told)) => {
                    tracing::warn!(set = %self.name.display(), reason = told, "unknown COMMIT");
                    self.claimed.clear();
                    let Some(last) = self.find_out(begun).await else {
                        return self.failed(&told, asks);
                    };
                    self.last = last;
                    if self.last.as_ref() == Some(&batch) {
                        return done;
                    }
                    told
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

    fn superseded(&self, asks: &[&Ask]) -> Vec<Result<bool, BulkError>> {
        let superseded = || BulkError::Superseded { path: self.name.clone() };
        asks.iter().map(|_| Err(superseded())).collect()
    }

    fn failed(&self, told: &str, asks: &[&Ask]) -> Vec<Result<bool, BulkError>> {
        let error = || BulkError::Store { path: self.name.clone(), reason: told.to_owned() };
        asks.iter().map(|_| Err(error())).collect()
    }

    async fn attempt(
        &mut self,
        batch: &str,
        asks: &[&Ask],
    ) -> Result<Vec<Result<bool, BulkError>>, Failure> {
        let client = self.server.client().await?;
        let mut rows = self.rows(&client, asks).await?;
        let mut done = Vec::with_capacity(asks.len());
        let mut written = Written::default();
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
                    written.add(change.id.get(), next);
                    done.push(Ok(true));
                }
                Ok(None) => done.push(Ok(false)),
                Err(error) => done.push(Err(error)),
            }
        }
        let lasts = asks.iter().find_map(|ask| match ask {
            Ask::Renew(lasts) => Some(lasts.as_secs_f64()),
            _ => None,
        });
        written.claims = asks.iter().any(|ask| ask.is_claim());
        match self.write(&client, batch, &written, lasts).await {
            Ok([true, true]) => {}
            Ok([true, false]) => {
                let told = "it was preceded by another batch than it was meant to follow";
                return Err(Failure::Unknown(done, told.to_owned()));
            }
            Ok([false, _]) => return Err(Failure::Superseded),
            Err(error) if passes(&error) => {
                return Err(Failure::Unknown(done, of_postgres(&error)));
            }
            Err(error) => return Err(error.into()),
        }
        self.last = Some(batch.to_owned());
        for ask in asks {
            let Some(id) = ask.change().map(|change| change.id.get()) else {
                continue;
            };
            match ask {
                Ask::Claim { .. } => self.claimed.extend(rows.remove_entry(&id)),
                _ => drop(self.claimed.remove(&id)),
            }
        }
        Ok(done)
    }

    /// Carries the statement out; returns whether the set is ours, and whether this was written.
    async fn write(
        &self,
        client: &Object,
        batch: &str,
        written: &Written,
        lasts: Option<f64>,
    ) -> Result<[bool; 2], tokio_postgres::Error> {
        let epoch = i64::try_from(self.epoch).unwrap_or(i64::MAX);
        let (totals, progress) = (written.totals(), written.progress.values());
        let progress = rows::columns(&PROGRESS, progress);
        let mut values: Vec<&(dyn ToSql + Sync)> =
            vec![&self.set, &epoch, &batch, &self.last, &lasts, &written.claims];
        values.extend(totals.iter().map(|column| column as &(dyn ToSql + Sync)));
        values.extend(progress.iter().map(|column| column as &(dyn ToSql + Sync)));
        let statement = client.prepare_cached(&WRITE).await?;
        let row = client.query_one(&statement, &values).await?;
        Ok([row.try_get(0)?, row.try_get(1)?])
    }

    /// The rows of the changes that are asked about, by their numbers. Under this epoch nobody else
    /// writes them.
    async fn rows(
        &self,
        client: &Object,
        asks: &[&Ask],
    ) -> Result<HashMap<i64, Vec<Cell>>, tokio_postgres::Error> {
        let (mut found, mut asked) = (HashMap::new(), Vec::new());
        for id in asks.iter().filter_map(|ask| Some(ask.change()?.id.get())) {
            match self.claimed.get(&id) {
                Some(row) => drop(found.insert(id, row.clone())),
                None => asked.push(id),
            }
        }
        if asked.is_empty() {
            return Ok(found);
        }
        // One after another, for the same reason for which CHANGES does so.
        let columns = &*OF_CHANGE;
        let sql = format!(
            "SELECT asked_for.* FROM unnest($2::bigint[]) AS asked (number) CROSS JOIN LATERAL (
                SELECT {columns} FROM {CHANGES}
                WHERE planned.set_id = $1 AND planned.id = number LIMIT 1) AS asked_for"
        );
        let statement = client.prepare_cached(&sql).await?;
        for row in client.query(&statement, &[&self.set, &asked]).await? {
            let cells = rows::cells(&row)?;
            let id = cells.first().and_then(Cell::as_integer).unwrap_or_default();
            found.insert(id, cells);
        }
        Ok(found)
    }

    /// Which batch was carried out last; `None` if the server does not say so in time.
    async fn find_out(&self, begun: Instant) -> Option<Option<String>> {
        while begun.elapsed() <= PATIENCE {
            match self.last_batch().await {
                Ok(last) => return Some(last),
                Err(error) => {
                    tracing::warn!(set = %self.name.display(), %error, "not read back yet");
                    sleep(PAUSE[1]).await;
                }
            }
        }
        None
    }

    async fn last_batch(&self) -> Result<Option<String>, FleetError> {
        let mut client = self.server.client().await?;
        let read = async {
            let transaction = client.transaction().await?;
            transaction.batch_execute("SET LOCAL lock_timeout = '10s'").await?;
            // It waits for the statement in question, which has a lock on this row until its end.
            let wait = "SELECT 1 FROM crm.sets WHERE id = $1 FOR UPDATE";
            transaction.query_opt(wait, &[&self.set]).await?;
            let last = "SELECT batch FROM crm.runs WHERE set_id = $1";
            let last = transaction.query_opt(last, &[&self.set]).await?;
            last.map(|row| row.try_get::<_, Option<String>>(0)).transpose()
        };
        Ok(self.server.check(read.await)?.flatten())
    }
}
