//! Sets on their way from a file to the server, and back.

use std::path::Path;

use crm_bulk::{
    BulkError, ChangeSet, Digest, Moved,
    tables::{Arriving, Cell, Leaving, TABLES, Table},
};
use deadpool_postgres::Transaction;
use futures_util::TryStreamExt;
use tokio::task::spawn_blocking;
use tokio_postgres::{error::SqlState, types::ToSql};

use crate::{
    error::{FleetError, of_postgres},
    rows,
    server::Server,
    sets::{Place, SetId, StoredSet},
    whole,
};

/// What came of [pushing](Server::push) a set.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pushed {
    /// The set as the server has it.
    pub set: StoredSet,
    /// Whether it had arrived before: an earlier push was cut off just before its end.
    pub was_there: bool,
}

/// What came of [pulling](Server::pull) a set.
#[derive(Debug)]
#[non_exhaustive]
pub struct Pulled {
    /// The set in its file.
    pub set: ChangeSet,
    /// Its digest.
    pub digest: Digest,
}

impl Server {
    /// Moves a set from its file to the server, under this name. The file remains, as it is now: it
    /// can be looked at, and is not applied.
    ///
    /// Before the server has the set, it is compared there with its digest. At each moment it can be
    /// applied in one place at most. A push that was cut off is completed by pushing again.
    ///
    /// # Errors
    ///
    /// [`FleetError::NameTaken`], [`FleetError::Nul`], [`FleetError::Unknown`],
    /// [`FleetError::Server`]; in [`FleetError::Set`] what
    /// [`hand_over`](ChangeSet::hand_over) returns, and [`BulkError::Moved`] for a set that was moved
    /// somewhere else.
    pub async fn push(&self, set: ChangeSet, name: &str) -> Result<Pushed, FleetError> {
        let path = set.path().to_owned();
        let mut leaving = set.hand_over().await?;
        let pushed = self.push_taken(&mut leaving, &path, name).await;
        leaving.end().await;
        pushed
    }

    async fn push_taken(
        &self,
        leaving: &mut Leaving,
        path: &Path,
        name: &str,
    ) -> Result<Pushed, FleetError> {
        let mut client = self.client().await?;
        let transaction = self.check(client.transaction().await)?;
        let earlier = leaving.info().moved.clone();
        let handover = match &earlier {
            Some(Moved { handover, .. }) => handover.clone(),
            None => {
                let sql = "SELECT gen_random_uuid()::text";
                self.check(transaction.query_one(sql, &[]).await)?.get(0)
            }
        };
        let there = self.check(of_handover(&transaction, &handover).await)?;
        match (there, earlier) {
            (Some(id), _) => return self.pushed(id, path, true).await,
            (None, Some(Moved { to, .. })) if !to.starts_with(self.name()) => {
                return Err(BulkError::Moved { path: path.to_owned(), to }.into());
            }
            (None, _) => {}
        }
        let id = self.begin(&transaction, leaving, name, &handover).await?;
        while let Some((table, rows)) = leaving.next().await? {
            rows.iter().try_for_each(|row| refuse_nul(path, table, row))?;
            self.check(rows::insert(&transaction, id.0, table, &rows).await)?;
        }
        let site = &leaving.info().site;
        let arrived = whole::digest(&transaction, id, path, site).await?;
        if arrived != leaving.digest() {
            return Err(
                BulkError::Altered { path: path.to_owned(), changes: Vec::new(), more: 0 }.into()
            );
        }
        let to = format!("{} as {name:?}", self.name());
        leaving.mark(Moved { handover: handover.clone(), to }).await?;
        if let Err(error) = transaction.commit().await {
            let reason = of_postgres(&error);
            drop(client);
            if !self.has_arrived(&handover, &reason).await? {
                leaving.unmark().await?;
                return Err(self.unreachable(reason));
            }
        }
        self.pushed(id, path, false).await
    }

    async fn pushed(&self, id: SetId, path: &Path, was_there: bool) -> Result<Pushed, FleetError> {
        match self.set_of_number(id).await? {
            Some(set) if !matches!(set.place, Place::Gone(_)) => Ok(Pushed { set, was_there }),
            Some(StoredSet { place: Place::Gone(to), .. }) => {
                Err(BulkError::Moved { path: path.to_owned(), to }.into())
            }
            _ => Err(self.unreachable("the set is no longer there".to_owned())),
        }
    }

    /// Whether a push took place whose COMMIT was not answered.
    async fn has_arrived(&self, handover: &str, reason: &str) -> Result<bool, FleetError> {
        let find_out = async {
            let mut client = self.client().await?;
            let transaction = self.check(client.transaction().await)?;
            self.check(transaction.batch_execute("SET LOCAL lock_timeout = '10s'").await)?;
            self.check(of_handover(&transaction, handover).await)
        };
        match find_out.await {
            Ok(found) => Ok(found.is_some()),
            Err(_) => {
                let (server, reason) = (self.name().to_owned(), reason.to_owned());
                Err(FleetError::Unknown { server, reason })
            }
        }
    }

    /// Begins a set on the server; nobody sees it before the transaction ends.
    async fn begin(
        &self,
        transaction: &Transaction<'_>,
        leaving: &Leaving,
        name: &str,
        handover: &str,
    ) -> Result<SetId, FleetError> {
        let site = &leaving.info().site;
        let (tenant, epoch) = (site.tenant().get(), i64::try_from(leaving.epoch()));
        let sql = "INSERT INTO crm.sets (name, tenant, environment, handover, epoch)
            VALUES ($1, $2, $3, $4, $5) RETURNING id";
        let epoch = epoch.unwrap_or(i64::MAX);
        let environment = site.environment();
        let values: [&(dyn ToSql + Sync); 5] = [&name, &tenant, &environment, &handover, &epoch];
        match transaction.query_one(sql, &values).await {
            Ok(row) => self.check(row.try_get(0)).map(SetId),
            Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                let (server, name) = (self.name().to_owned(), name.to_owned());
                Err(FleetError::NameTaken { server, name })
            }
            Err(error) => self.check(Err(error)),
        }
    }

    /// Moves a set from the server into a new file. The server keeps it as it is now: it can be looked
    /// at, and is not applied.
    ///
    /// The set is taken first, so nobody is carrying it out. At each moment it can be applied in one
    /// place at most. A pull that was cut off is completed, or done again, by pulling into the same
    /// file again.
    ///
    /// # Errors
    ///
    /// [`FleetError::NoSuchSet`], [`FleetError::InUse`], [`FleetError::Gone`],
    /// [`FleetError::Server`]; in [`FleetError::Set`] what [`Arriving`] returns, for example that the
    /// file exists.
    pub async fn pull(&self, name: &str, out: &Path) -> Result<Pulled, FleetError> {
        let set = self.set(name).await?;
        if let Some(pulled) = self.complete(&set, out).await? {
            return Ok(pulled);
        }
        // Before anybody is kept from it: most that fails, fails here.
        let arriving = Arriving::create(out)?;
        let (pull, epoch) = self.withdraw(&set).await?;
        let file = match self.fetch(&set, &pull, epoch, arriving).await {
            Ok(file) => file,
            Err(error) => {
                self.put_back(&set, &pull).await;
                return Err(error);
            }
        };
        if self.let_go(&set, &pull, out).await? {
            return released(file);
        }
        let (server, name) = (self.name().to_owned(), set.name.clone());
        let to = "another file, by a pull that began later".to_owned();
        Err(FleetError::Gone { server, name, to })
    }

    /// Lets the set be carried out on the server again; otherwise it waits for the next pull.
    async fn put_back(&self, set: &StoredSet, pull: &str) {
        let sql = "UPDATE crm.sets SET place = 'here', pull = NULL
            WHERE id = $1 AND pull = $2 AND place = 'leaving'";
        if let Ok(client) = self.client().await
            && let Err(error) = client.execute(sql, &[&set.id.0, &pull]).await
        {
            tracing::warn!(set = set.name, reason = of_postgres(&error), "waits for another pull");
        }
    }

    /// Completes a pull whose file is there, but was not released yet.
    async fn complete(&self, set: &StoredSet, out: &Path) -> Result<Option<Pulled>, FleetError> {
        if out.exists() {
            let file = ChangeSet::open(out)?;
            if let Some(Moved { handover, .. }) = file.info()?.moved
                && self.let_go(set, &handover, out).await?
            {
                return Ok(Some(released(file)?));
            }
        }
        match &set.place {
            Place::Gone(to) => {
                let (server, name) = (self.name().to_owned(), set.name.clone());
                Err(FleetError::Gone { server, name, to: to.clone() })
            }
            Place::Here | Place::Leaving => Ok(None),
        }
    }

    /// Says that the set is in its file, if this pull is the one that takes it.
    async fn let_go(&self, set: &StoredSet, pull: &str, out: &Path) -> Result<bool, FleetError> {
        let client = self.client().await?;
        let sql = "UPDATE crm.sets SET place = 'gone', pulled_to = $3
            WHERE id = $1 AND pull = $2 AND place IN ('leaving', 'gone')";
        let to = out.display().to_string();
        let left = client.execute(sql, &[&set.id.0, &pull, &to]).await;
        Ok(self.check(left)? == 1)
    }

    /// Takes the set from whoever might carry it out: from now on nobody does.
    async fn withdraw(&self, set: &StoredSet) -> Result<(String, u64), FleetError> {
        let mut client = self.client().await?;
        let transaction = self.check(client.transaction().await)?;
        let withdraw = async {
            let lock = "SELECT 1 FROM crm.sets WHERE id = $1 AND place <> 'gone' FOR UPDATE";
            if transaction.query_opt(lock, &[&set.id.0]).await?.is_none() {
                return Ok(Err(None));
            }
            let alive = "SELECT owner FROM crm.runs
                WHERE set_id = $1 AND leased_until > clock_timestamp()";
            if let Some(row) = transaction.query_opt(alive, &[&set.id.0]).await? {
                return Ok(Err(Some(row.try_get::<_, String>(0)?)));
            }
            let sql = "UPDATE crm.sets SET place = 'leaving', epoch = epoch + 1,
                    pull = gen_random_uuid()::text
                WHERE id = $1 RETURNING pull, epoch";
            let row = transaction.query_one(sql, &[&set.id.0]).await?;
            Ok(Ok((row.try_get::<_, String>(0)?, row.try_get::<_, i64>(1)?)))
        };
        let (server, name) = (self.name().to_owned(), set.name.clone());
        match self.check(withdraw.await)? {
            Ok((pull, epoch)) => {
                self.check(transaction.commit().await)?;
                Ok((pull, epoch.unsigned_abs()))
            }
            Err(Some(owner)) => Err(FleetError::InUse { server, name, owner }),
            Err(None) => Err(FleetError::Gone { server, name, to: "a file just now".to_owned() }),
        }
    }

    /// Brings a set that nobody carries out into its file.
    async fn fetch(
        &self,
        set: &StoredSet,
        pull: &str,
        epoch: u64,
        mut arriving: Arriving,
    ) -> Result<ChangeSet, FleetError> {
        let mut client = self.client().await?;
        let transaction = self.check(client.transaction().await)?;
        for table in TABLES {
            arriving = self.bring(&transaction, set.id, table, arriving).await?;
        }
        self.check(transaction.commit().await)?;
        let from = Moved { handover: pull.to_owned(), to: self.name().to_owned() };
        Ok(arriving.finish(epoch, from).await?)
    }

    /// Brings the rows of one table into the file, some at a time.
    async fn bring(
        &self,
        transaction: &Transaction<'_>,
        set: SetId,
        table: &'static Table,
        mut arriving: Arriving,
    ) -> Result<Arriving, FleetError> {
        const SOME: usize = 1_000;
        let names = rows::names(table);
        let sql = format!("SELECT {names} FROM crm.{} WHERE set_id = $1", table.name);
        let found = self.check(transaction.query_raw(&sql, [set.0]).await)?;
        let mut found = std::pin::pin!(found.try_chunks(SOME));
        loop {
            let some = found.try_next().await.map_err(|error| error.1);
            let Some(some) = self.check(some)? else {
                return Ok(arriving);
            };
            let some: Result<Vec<_>, _> = some.iter().map(rows::cells).collect();
            let some = self.check(some)?;
            let add = move || arriving.add(table, &some).map(|()| arriving);
            arriving = spawn_blocking(add)
                .await
                .map_err(|error| self.unreachable(error.to_string()))??;
        }
    }
}

/// The set that a push with this id brought, if one did. No other transaction that asks for the same
/// is open meanwhile: what it finds remains so until this one ends.
async fn of_handover(
    transaction: &Transaction<'_>,
    handover: &str,
) -> Result<Option<SetId>, tokio_postgres::Error> {
    let wait = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
    transaction.query_one(wait, &[&handover]).await?;
    let sql = "SELECT id FROM crm.sets WHERE handover = $1";
    let found = transaction.query_opt(sql, &[&handover]).await?;
    found.map(|row| row.try_get(0).map(SetId)).transpose()
}

/// The file of a set that the server has let go.
fn released(set: ChangeSet) -> Result<Pulled, FleetError> {
    set.arrived()?;
    let digest = set.digest()?;
    Ok(Pulled { set, digest })
}

fn refuse_nul(set: &Path, table: &'static Table, row: &[Cell]) -> Result<(), FleetError> {
    let has_nul = |cell: &Cell| cell.as_text().is_some_and(|text| text.contains('\0'));
    match row.iter().position(has_nul) {
        None => Ok(()),
        Some(at) => Err(FleetError::Nul {
            set: set.to_owned(),
            table: table.name,
            row: row.first().map_or_else(String::new, told),
            column: table.columns.get(at).map_or("", |column| column.name),
        }),
    }
}

fn told(cell: &Cell) -> String {
    match cell {
        Cell::Integer(number) => number.to_string(),
        Cell::Text(text) => text.replace('\0', "\u{FFFD}"),
        Cell::Null | Cell::Bytes(_) => String::new(),
    }
}
