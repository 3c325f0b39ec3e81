//! The store of a change set on PostgreSQL.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use crm_bulk::{
    BulkError, Change, Claim, Cursor, DecisionKind, Digest, Expected, Lease, Loaded, Renewal,
    Store, Which, system_user,
    tables::{self, Block, Cell},
};
use crm_contacts::DECISION_AGE;
use crm_mirror::{Site, clock::now};
use crm_models::ContactId;
use deadpool_postgres::{Object, Transaction};
use tokio::{
    task::AbortHandle,
    time::{Instant, sleep},
};
use tokio_postgres::{IsolationLevel, types::ToSql};

use crate::{
    batch::{Ask, Batches, PATIENCE},
    error::{FleetError, store},
    rows::{self, CHANGES, OF_CHANGE, each},
    server::Server,
    sets::{Place, SetId, StoredSet},
    whole,
    wire::Wire,
};

/// How long a set goes on to belong to a run that shows no sign of life.
const LASTS: Duration = Duration::from_secs(10);
/// How often it is renewed meanwhile.
const RENEWALS_PER_LEASE: u32 = 5;
/// Has rows come in the order of an index, as they are fetched. The server does not know how few are, and
/// would sort all that is left of a set for each block of it.
const AS_FETCHED: &str = "SET LOCAL enable_sort = off;
    SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;
    SET LOCAL max_parallel_workers_per_gather = 0";
/// How often the owner of a set has renewed its lease, if that lasts. Asked of the clock: a lock may have been
/// waited for.
const BEAT: &str = "SELECT beat FROM crm.runs
    WHERE set_id = $1 AND leased_until > clock_timestamp()";
/// How often a set is looked at that another worker may be carrying out.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A change set on the server, to be carried out by this process: see
/// [`Apply::over`](crm_bulk::Apply::over).
///
/// A claim is sent to the server at once and shares a transaction with those that are sent at about
/// the same time. After a failure of the server it is tried again for half a minute, and a COMMIT
/// that got no answer is read back: a change is sent only after its claim is known to be durable.
///
/// An answer that comes to a run which no longer has the set is kept in a table of its own.
#[derive(Debug)]
pub struct ServerStore {
    server: Server,
    set: SetId,
    name: PathBuf,
    site: Site,
    batches: Batches,
    /// Whose approval does not count.
    submitter: Option<String>,
    mine: Mutex<Option<Mine>>,
}

/// The set as this process took it last.
#[derive(Debug)]
struct Mine {
    lease: Lease,
    renewing: AbortHandle,
}

impl Drop for Mine {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

/// What came of a look at whose the set is.
enum Look {
    Taken {
        epoch: u64,
        /// How long ago an earlier owner claimed something last.
        claimed_ago: Duration,
    },
    /// Another owner is alive, with so many renewals.
    Busy(i64),
}

impl Server {
    /// Makes a set ready to be taken. To be called within a tokio runtime.
    #[must_use]
    pub fn store(&self, set: &StoredSet) -> ServerStore {
        let (server, name) = (self.clone(), set.path());
        let batches = Batches::start(self.clone(), set.id, name.clone(), LASTS);
        let (set, site) = (set.id, set.site.clone());
        ServerStore { server, set, name, site, batches, submitter: None, mine: Mutex::default() }
    }

    /// Waits until nobody has the set, or until whoever has it shows that it is alive.
    pub(crate) async fn until_left(&self, set: SetId) -> Result<(), FleetError> {
        let mut first = None;
        loop {
            let row = self.check(self.client().await?.query_opt(BEAT, &[&set.0]).await)?;
            let beat = self.check(row.map(|row| row.try_get::<_, i64>(0)).transpose())?;
            match beat {
                Some(beat) if *first.get_or_insert(beat) == beat => sleep(LOOK_EVERY).await,
                _ => return Ok(()),
            }
        }
    }
}

impl ServerStore {
    /// Sets how long the set goes on to belong to this run when the process shows no sign of life;
    /// the default is 10 seconds.
    #[must_use]
    pub fn lease(mut self, lasts: Duration) -> Self {
        self.batches.lasts = lasts;
        self
    }

    /// Has an approval by this user count for nothing: of two people, one submits a set and the other
    /// approves it.
    #[must_use]
    pub fn approved_by_another_than(mut self, submitter: &str) -> Self {
        self.submitter = Some(submitter.to_owned());
        self
    }

    fn superseded(&self) -> BulkError {
        BulkError::Superseded { path: self.name.clone() }
    }

    fn unreachable(&self, error: &FleetError) -> BulkError {
        BulkError::Store { path: self.name.clone(), reason: error.to_string() }
    }

    async fn client(&self) -> Result<Object, BulkError> {
        self.server.client().await.map_err(|error| self.unreachable(&error))
    }

    /// Begins a transaction that reads, if the lease's epoch is the newest. It keeps nobody from
    /// taking the set: what it reads is compared once more when it is claimed. All that it reads is of one
    /// moment, so that what a new owner writes meanwhile does not look like something altered.
    async fn read<'c>(
        &self,
        client: &'c mut Object,
        lease: &Lease,
    ) -> Result<Transaction<'c>, BulkError> {
        let begin = async {
            let at_one_moment = IsolationLevel::RepeatableRead;
            let begin = client.build_transaction().isolation_level(at_one_moment).read_only(true);
            let transaction = begin.start().await?;
            let sql = "SELECT 1 FROM crm.sets WHERE id = $1 AND place = 'here' AND epoch = $2";
            let statement = transaction.prepare_cached(sql).await?;
            let epoch = i64::try_from(lease.epoch()).unwrap_or(i64::MAX);
            let is_mine = transaction.query_opt(&statement, &[&self.set.0, &epoch]).await?;
            Ok((transaction, is_mine.is_some()))
        };
        match begin.await.map_err(store(&self.name))? {
            (transaction, true) => Ok(transaction),
            (_, false) => Err(self.superseded()),
        }
    }

    /// Begins a transaction that writes, and holds only while the lease's epoch is the newest.
    async fn write<'c>(
        &self,
        client: &'c mut Object,
        lease: &Lease,
    ) -> Result<Transaction<'c>, BulkError> {
        let begin = async {
            let transaction = client.transaction().await?;
            let epoch = self.lock_epoch(&transaction).await?;
            Ok((transaction, epoch))
        };
        let (transaction, epoch) = begin.await.map_err(store(&self.name))?;
        if epoch == Some(lease.epoch()) { Ok(transaction) } else { Err(self.superseded()) }
    }

    /// The epoch of the set if it is carried out on the server, which stays the same until the
    /// transaction ends.
    ///
    /// From then on nobody can take the set. So the server ends a transaction in which nothing happens
    /// for half of the time that the lease lasts: that of a process that was stopped within it.
    async fn lock_epoch(
        &self,
        transaction: &Transaction<'_>,
    ) -> Result<Option<u64>, tokio_postgres::Error> {
        let sql = "SELECT epoch, set_config('idle_in_transaction_session_timeout', $2, true)
            FROM crm.sets WHERE id = $1 AND place = 'here' FOR SHARE";
        let statement = transaction.prepare_cached(sql).await?;
        let idle = format!("{}ms", (self.batches.lasts / 2).as_millis().max(1));
        let row = transaction.query_opt(&statement, &[&self.set.0, &idle]).await?;
        row.map(|row| row.try_get::<_, i64>(0).map(i64::unsigned_abs)).transpose()
    }

    fn my_epoch(&self) -> Option<u64> {
        let mine = self.mine.lock().unwrap_or_else(PoisonError::into_inner);
        mine.as_ref().map(|mine| mine.lease.epoch())
    }

    /// Takes the set, unless another owner is alive.
    async fn look(&self, owner: &str) -> Result<Look, BulkError> {
        let mut client = self.client().await?;
        let look = async {
            let transaction = client.transaction().await?;
            let sql = "SELECT epoch FROM crm.sets WHERE id = $1 AND place = 'here' FOR UPDATE";
            let Some(row) = transaction.query_opt(sql, &[&self.set.0]).await? else {
                return Ok(None);
            };
            let epoch: i64 = row.try_get(0)?;
            // Asked of the clock only now: the lock may have been waited for.
            let alive = transaction.query_opt(BEAT, &[&self.set.0]).await?;
            if let Some(row) = alive.filter(|_| self.my_epoch() != Some(epoch.unsigned_abs())) {
                return Ok(Some(Look::Busy(row.try_get(0)?)));
            }
            let sql = "UPDATE crm.sets SET epoch = epoch + 1 WHERE id = $1 RETURNING epoch";
            let epoch: i64 = transaction.query_one(sql, &[&self.set.0]).await?.try_get(0)?;
            // What was claimed elsewhere, before the set came here, counts from now on.
            let sql = "INSERT INTO crm.runs (set_id, owner, leased_until, beat, claimed_at)
                VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3), 1, clock_timestamp())
                ON CONFLICT (set_id) DO UPDATE SET owner = excluded.owner, batch = NULL,
                    leased_until = excluded.leased_until, beat = runs.beat + 1,
                    claimed_at = coalesce(runs.claimed_at, excluded.claimed_at)
                RETURNING extract(epoch FROM clock_timestamp() - claimed_at)::float8";
            let lasts = self.batches.lasts.as_secs_f64();
            let ago = transaction.query_one(sql, &[&self.set.0, &owner, &lasts]).await?;
            let claimed_ago = Duration::try_from_secs_f64(ago.try_get(0)?).unwrap_or_default();
            transaction.commit().await?;
            Ok(Some(Look::Taken { epoch: epoch.unsigned_abs(), claimed_ago }))
        };
        match look.await.map_err(store(&self.name))? {
            Some(look) => Ok(look),
            None => Err(self.elsewhere().await),
        }
    }

    /// Why the set is not carried out here.
    async fn elsewhere(&self) -> BulkError {
        let path = self.name.clone();
        match self.server.set_of_number(self.set).await {
            Ok(Some(StoredSet { place: Place::Gone(to), .. })) => BulkError::Moved { path, to },
            Ok(Some(_)) => BulkError::Moved { path, to: "a file by `crm pull`, just now".into() },
            Ok(None) => BulkError::Store { path, reason: "it is no longer there".to_owned() },
            Err(error) => self.unreachable(&error),
        }
    }

    /// Renews the lease from now on.
    fn keep(&self, lease: &Lease) {
        let (batches, theirs, lasts) = (self.batches.clone(), lease.clone(), self.batches.lasts);
        let renewing = tokio::spawn(async move {
            loop {
                sleep(lasts / RENEWALS_PER_LEASE).await;
                let asked = Renewal::now();
                match batches.ask(theirs.epoch(), Ask::Renew(lasts)).await {
                    Ok(_) => theirs.renew(asked),
                    Err(BulkError::Superseded { .. }) => return,
                    // Nothing is begun once it has expired; it may still be renewed.
                    Err(_) => {}
                }
            }
        });
        let mine = Mine { lease: lease.clone(), renewing: renewing.abort_handle() };
        *self.mine.lock().unwrap_or_else(PoisonError::into_inner) = Some(mine);
    }

    /// What the contacts are that other changes created, or are about, on the owner of a creation.
    async fn neighbours(
        &self,
        transaction: &Transaction<'_>,
        change: &Change,
        row: &[Cell],
    ) -> Result<Vec<ContactId>, BulkError> {
        if !tables::asks_for_neighbours(change) {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT coalesce(created_id, contact_id) FROM {CHANGES}
             WHERE planned.set_id = $1 AND owner_kind = $2 AND owner_id = $3 AND id <> $4
               AND coalesce(created_id, contact_id) IS NOT NULL"
        );
        let [kind, owner] = tables::owner(row).map(Wire);
        let values: [&(dyn ToSql + Sync); 4] = [&self.set.0, &kind, &owner, &change.id.get()];
        let mut found = Vec::new();
        let keep = |cells: Vec<Cell>| {
            let id = cells.first().and_then(Cell::as_integer);
            found.extend(id.and_then(|id| ContactId::new(id).ok()));
            Ok(())
        };
        each(transaction, &self.name, &sql, &values, keep).await?;
        Ok(found)
    }

    /// Keeps an answer that came too late to be written under its epoch.
    async fn keep_answer(&self, lease: &Lease, change: &Change) -> Result<(), BulkError> {
        let sql = "INSERT INTO crm.answers
                (set_id, epoch, change, attempts, state, http_status, trace_id, message)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let outcome = &change.outcome;
        let epoch = i64::try_from(lease.epoch()).unwrap_or(i64::MAX);
        let (attempts, status) = (i64::from(outcome.attempts), outcome.http_status.map(i64::from));
        let values: [&(dyn ToSql + Sync); 8] = [
            &self.set.0,
            &epoch,
            &change.id.get(),
            &attempts,
            &outcome.state.as_str(),
            &status,
            &outcome.trace_id,
            &outcome.message,
        ];
        let begun = Instant::now();
        loop {
            let kept = match self.client().await {
                Ok(client) => client.execute(sql, &values).await.map_err(store(&self.name)),
                Err(error) => Err(error),
            };
            match kept {
                Ok(_) => return Ok(()),
                Err(error) if begun.elapsed() > PATIENCE => return Err(error),
                Err(_) => sleep(LOOK_EVERY).await,
            }
        }
    }

    async fn claimed(&self, epoch: u64, ask: Ask) -> Result<Claim, BulkError> {
        match self.batches.ask(epoch, ask).await? {
            (true, Ask::Claim { change, .. } | Ask::Release { former: change, .. }) => {
                Ok(Claim::Won(change))
            }
            _ => Ok(Claim::Lost),
        }
    }
}

/// PostgreSQL has no NUL in texts, and what the service says of a change may have one.
fn without_nul(mut change: Box<Change>) -> Box<Change> {
    let outcome = &mut change.outcome;
    for text in [&mut outcome.message, &mut outcome.trace_id].into_iter().flatten() {
        if text.contains('\0') {
            *text = text.replace('\0', "\u{FFFD}");
        }
    }
    change
}

#[async_trait]
impl Store for ServerStore {
    async fn take(&self, owner: &str) -> Result<Lease, BulkError> {
        let mut first = None;
        loop {
            let asked = Renewal::now();
            match self.look(owner).await? {
                Look::Taken { epoch, claimed_ago } => {
                    let now = Instant::now();
                    let claimed = now.checked_sub(claimed_ago).unwrap_or(now);
                    let lease = Lease::new(epoch, self.batches.lasts, asked)
                        // A write leaves soon after its claim, or not at all.
                        .alone_since(claimed + DECISION_AGE);
                    self.keep(&lease);
                    return Ok(lease);
                }
                Look::Busy(beat) if *first.get_or_insert(beat) != beat => {
                    return Err(BulkError::InUse { path: self.name.clone() });
                }
                Look::Busy(_) => sleep(LOOK_EVERY).await,
            }
        }
    }

    async fn digest(&self, lease: &Lease) -> Result<Digest, BulkError> {
        let mut client = self.client().await?;
        let transaction = self.read(&mut client, lease).await?;
        whole::digest(&transaction, self.set, &self.name, &self.site).await
    }

    async fn check(&self, lease: &Lease) -> Result<Digest, BulkError> {
        let mut client = self.client().await?;
        let transaction = self.read(&mut client, lease).await?;
        whole::check(&transaction, self.set, &self.name, &self.site).await
    }

    async fn is_approved(&self, lease: &Lease, digest: Digest) -> Result<bool, BulkError> {
        let mut client = self.client().await?;
        let transaction = self.read(&mut client, lease).await?;
        let sql = "SELECT EXISTS (
            SELECT 1 FROM crm.decisions WHERE set_id = $1 AND kind = $2 AND digest = $3
                AND ($4::text IS NULL OR (\"user\" <> $4 AND said IS DISTINCT FROM $4)))";
        let approved = <&str>::from(DecisionKind::Approved);
        let values: [&(dyn ToSql + Sync); 4] =
            [&self.set.0, &approved, &digest.to_string(), &self.submitter];
        let is_approved = transaction.query_one(sql, &values).await;
        is_approved.and_then(|row| row.try_get(0)).map_err(store(&self.name))
    }

    async fn keep_run(
        &self,
        lease: &Lease,
        chosen: Vec<String>,
        open: u64,
    ) -> Result<(), BulkError> {
        let mut client = self.client().await?;
        let transaction = self.write(&mut client, lease).await?;
        let digest = whole::known(&transaction, self.set, &self.name).await?;
        let sql =
            "INSERT INTO crm.decisions (set_id, id, kind, at, \"user\", reason, digest, changes)
            SELECT $1, coalesce(max(id), 0) + 1, $2, $3, $4, $5, $6, $7
            FROM crm.decisions WHERE set_id = $1";
        let reason = (!chosen.is_empty()).then(|| chosen.join("; "));
        let values: [&(dyn ToSql + Sync); 7] = [
            &self.set.0,
            &<&str>::from(DecisionKind::Applied),
            &now().to_string(),
            &system_user(),
            &reason,
            &digest,
            &i64::try_from(open).unwrap_or(i64::MAX),
        ];
        let keep = async {
            transaction.execute(sql, &values).await?;
            transaction.commit().await
        };
        keep.await.map_err(store(&self.name))
    }

    async fn count(&self, lease: &Lease, which: Which) -> Result<u64, BulkError> {
        let mut client = self.client().await?;
        let transaction = self.read(&mut client, lease).await?;
        let condition = tables::condition(which);
        let sql =
            format!("SELECT count(*) FROM {CHANGES} WHERE planned.set_id = $1 AND {condition}");
        let count = transaction.query_one(&sql, &[&self.set.0]).await;
        let count = count.and_then(|row| row.try_get::<_, i64>(0));
        count.map(i64::unsigned_abs).map_err(store(&self.name))
    }

    async fn next_block(
        &self,
        lease: &Lease,
        after: Cursor,
        which: Which,
    ) -> Result<(Vec<Loaded>, Cursor), BulkError> {
        /// How many rows are read at a time: a block has about 200.
        const ROWS: i32 = 256;
        let mut client = self.client().await?;
        let transaction = self.read(&mut client, lease).await?;
        let (kind, owner, change) = tables::place(&after);
        let creation = tables::creation();
        let sql = format!(
            "SELECT {} FROM {CHANGES}
             WHERE planned.set_id = $1 AND (owner_kind, owner_id) >= ($2, $3)
               AND ((owner_kind, owner_id) > ($2, $3) OR (action <> {creation} AND id > $4))
               AND {}
             ORDER BY owner_kind, owner_id, action <> {creation}, id",
            *OF_CHANGE,
            tables::condition(which)
        );
        // Before the first owner; null would compare as unknown.
        let owner = if owner == Cell::Null { Cell::Integer(i64::MIN) } else { owner };
        let owner = Wire(owner);
        let values: [&(dyn ToSql + Sync); 4] = [&self.set.0, &kind, &owner, &change];
        let open = async {
            transaction.batch_execute(AS_FETCHED).await?;
            let statement = transaction.prepare_cached(&sql).await?;
            transaction.bind(&statement, &values).await
        };
        let portal = open.await.map_err(store(&self.name))?;
        let mut block = Block::after(after);
        loop {
            let found = transaction.query_portal(&portal, ROWS).await;
            let found = found.map_err(store(&self.name))?;
            let is_last = found.len() < usize::try_from(ROWS).unwrap_or_default();
            for row in &found {
                let row = rows::cells(row).map_err(store(&self.name))?;
                let change = tables::read(&self.name, &row)?;
                if !block.takes(&change) {
                    return Ok(block.finish());
                }
                let mut not_ours = self.neighbours(&transaction, &change, &row).await?;
                not_ours.extend(tables::not_created(&row));
                block.add(Loaded { change, not_ours });
            }
            if is_last {
                return Ok(block.finish());
            }
        }
    }

    async fn claim(
        &self,
        lease: &Lease,
        expected: Expected,
        change: Box<Change>,
        siblings: Option<Vec<ContactId>>,
    ) -> Result<Claim, BulkError> {
        self.claimed(lease.epoch(), Ask::Claim { expected, change, siblings }).await
    }

    async fn release(
        &self,
        lease: &Lease,
        attempts: u32,
        former: Box<Change>,
    ) -> Result<Claim, BulkError> {
        self.claimed(lease.epoch(), Ask::Release { attempts, former }).await
    }

    async fn settle(&self, lease: &Lease, change: Box<Change>) -> Result<Box<Change>, BulkError> {
        let change = without_nul(change);
        let late = change.clone();
        match self.batches.ask(lease.epoch(), Ask::Settle(change)).await {
            Ok((_, Ask::Settle(change))) => Ok(change),
            Ok(_) => Ok(late),
            Err(BulkError::Superseded { path }) => {
                self.keep_answer(lease, &late).await?;
                Err(BulkError::Superseded { path })
            }
            Err(error) => Err(error),
        }
    }

    async fn renew(&self, lease: &Lease) -> Result<(), BulkError> {
        let asked = Renewal::now();
        self.batches.ask(lease.epoch(), Ask::Renew(self.batches.lasts)).await?;
        lease.renew(asked);
        Ok(())
    }

    async fn leave(&self) {
        let mine = self.mine.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mine) = mine else {
            return;
        };
        let lease = mine.lease.clone();
        // It is renewed no more.
        drop(mine);
        let leave = async {
            let mut client = self.client().await?;
            let transaction = self.write(&mut client, &lease).await?;
            let sql = "UPDATE crm.runs SET leased_until = NULL WHERE set_id = $1";
            let left = transaction.execute(sql, &[&self.set.0]).await;
            left.map_err(store(&self.name))?;
            transaction.commit().await.map_err(store(&self.name))
        };
        if let Err(error) = leave.await {
            // The lease expires.
            tracing::warn!(%error, "the set is kept for as long as its lease lasts");
        }
    }

    async fn is_mine(&self, lease: &Lease) -> Result<bool, BulkError> {
        let mut client = self.client().await?;
        match self.read(&mut client, lease).await {
            Ok(_) => Ok(true),
            Err(BulkError::Superseded { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
