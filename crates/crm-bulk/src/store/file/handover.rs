//! A set on its way from its file to another store, and back.
//!
//! At each moment at most one of the two may be carried out. A set that leaves is marked in its file
//! before the other store may say that it has it; one that comes back is not to be carried out in its
//! file until the other store has said that it no longer is there. Each handover has an id of its
//! own, so that one that was cut off is told from another.

use std::path::Path;

use crm_mirror::{
    database::{Database, NewDatabase},
    job::{Stop, on_thread},
};
use rusqlite::{params_from_iter, types::ToSqlOutput};

use super::{
    change_set::ChangeSet,
    file_store::FileStore,
    format::FORMAT,
    moved::{self, HANDOVER, MOVED_TO},
    seal,
    table::{TABLES, Table},
};
use crate::{
    disk::run_mark::RUN_IN,
    error::BulkError,
    set::{Digest, Moved, SetInfo},
    store::{
        cell::Cell,
        interface::Store as _,
        lease::{LEASE, Lease},
    },
};

/// What is said of the file, not of the set in it.
const OF_THE_FILE: [&str; 3] = [HANDOVER, MOVED_TO, RUN_IN];

/// How many rows are read at a time.
const PAGE: usize = 1_000;

/// A set that was taken from its file in order to be moved to another store. Dropped before it is
/// [marked](Self::mark), it stays in its file.
#[derive(Debug)]
pub struct Leaving {
    store: FileStore,
    lease: Lease,
    info: SetInfo,
    digest: Digest,
    tables: std::slice::Iter<'static, Table>,
    table: Option<(&'static Table, Option<Vec<Cell>>)>,
}

impl ChangeSet {
    /// Takes the set, as a run does, in order to move it to another store.
    ///
    /// # Errors
    ///
    /// [`BulkError::Backup`], [`BulkError::InUse`]; [`BulkError::Altered`] and
    /// [`BulkError::NotAdopted`] as for [`digest`](Self::digest), or a failure to read.
    pub async fn hand_over(self) -> Result<Leaving, BulkError> {
        let info = self.info()?;
        if let Some(original) = info.backup_of {
            return Err(BulkError::Backup { path: self.path().to_owned(), original });
        }
        let store = FileStore::open(self, LEASE)?;
        let taken = async {
            let lease = store.take_wherever_it_is("a handover").await?;
            let digest = store.digest(&lease).await?;
            Ok((lease, digest))
        };
        match taken.await {
            Ok((lease, digest)) => {
                let mut tables = TABLES.iter();
                let table = tables.next().map(|table| (table, None));
                Ok(Leaving { store, lease, info, digest, tables, table })
            }
            Err(error) => {
                store.leave().await;
                Err(error)
            }
        }
    }

    /// Says that a set that [arrived](Arriving) is no longer anywhere else: from now on it is carried
    /// out from its file.
    ///
    /// # Errors
    ///
    /// A failure to write.
    pub fn arrived(&self) -> Result<(), BulkError> {
        moved::erase(&self.database)
    }
}

impl Leaving {
    /// Returns what is known about the set; [`SetInfo::moved`] has an earlier handover that was cut
    /// off, or that came to its end.
    #[must_use]
    pub fn info(&self) -> &SetInfo {
        &self.info
    }

    /// Returns the digest of the set.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns the epoch that the set has in its file. It goes on from there.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.lease.epoch()
    }

    /// Reads the next rows of a table; `None` behind the last ones.
    ///
    /// # Errors
    ///
    /// [`BulkError::Superseded`], or a failure to read.
    pub async fn next(&mut self) -> Result<Option<(&'static Table, Vec<Vec<Cell>>)>, BulkError> {
        while let Some((table, last)) = self.table.take() {
            let read = move |database: &Database| read(database, table, last.as_deref());
            let rows = self.store.run(&self.lease, read).await?;
            if let Some(newest) = rows.last() {
                let key = newest.iter().take(table.key).cloned().collect();
                self.table = Some((table, Some(key)));
                return Ok(Some((table, rows)));
            }
            self.table = self.tables.next().map(|table| (table, None));
        }
        Ok(None)
    }

    /// Durably marks the set as moved: from now on it is not carried out from this file, whatever
    /// becomes of the handover. To be done before the other store may say that it has the set.
    ///
    /// # Errors
    ///
    /// [`BulkError::Superseded`], or a failure to write.
    pub async fn mark(&self, moved: Moved) -> Result<(), BulkError> {
        self.store.run(&self.lease, move |database| moved::write(database, &moved)).await
    }

    /// Takes the mark back: the other store surely does not have the set.
    ///
    /// # Errors
    ///
    /// [`BulkError::Superseded`], or a failure to write.
    pub async fn unmark(&self) -> Result<(), BulkError> {
        self.store.run(&self.lease, moved::erase).await
    }

    /// Lets go of the file.
    pub async fn end(self) {
        self.store.leave().await;
    }
}

fn read(
    database: &Database,
    table: &Table,
    last: Option<&[Cell]>,
) -> Result<Vec<Vec<Cell>>, BulkError> {
    let names: Vec<_> = table.columns.iter().map(|column| column.name).collect();
    let (names, key) = (names.join(", "), names[..table.key].join(", "));
    let behind = last.map_or_else(String::new, |last| {
        let places = vec!["?"; last.len()].join(", ");
        format!("WHERE ({key}) > ({places})")
    });
    let sql = format!("SELECT {names} FROM {} {behind} ORDER BY {key} LIMIT {PAGE}", table.name);
    let last = last.unwrap_or_default().iter().map(|cell| ToSqlOutput::Borrowed(cell.into()));
    let rows = database.rows(&sql, params_from_iter(last), |row| {
        (0..table.columns.len()).map(|at| Ok(Cell::from(row.get_ref(at)?))).collect()
    })?;
    let is_of_the_file = |row: &Vec<Cell>| {
        let name = row.first().and_then(Cell::as_text);
        table.name == "meta" && name.is_some_and(|name| OF_THE_FILE.contains(&name))
    };
    Ok(rows.into_iter().filter(|row| !is_of_the_file(row)).collect())
}

/// A set that comes back from another store, in a file that is there as a whole or not at all.
#[derive(Debug)]
pub struct Arriving {
    file: NewDatabase,
}

impl Arriving {
    /// Begins the file.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Exists`](crate::MirrorError::Exists), or a failure to write.
    pub fn create(path: &Path) -> Result<Self, BulkError> {
        let file = NewDatabase::create(path, &FORMAT)?;
        let database = file.database();
        database.check(database.connection.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
             PRAGMA locking_mode = EXCLUSIVE; BEGIN",
        ))?;
        Ok(Self { file })
    }

    /// Adds rows of a table.
    ///
    /// # Errors
    ///
    /// A failure to write.
    pub fn add(&self, table: &Table, rows: &[Vec<Cell>]) -> Result<(), BulkError> {
        let database = self.file.database();
        let names: Vec<_> = table.columns.iter().map(|column| column.name).collect();
        let places = vec!["?"; names.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES ({places})", table.name, names.join(", "));
        for row in rows {
            let cells = row.iter().map(|cell| ToSqlOutput::Borrowed(cell.into()));
            database.execute(&sql, params_from_iter(cells))?;
        }
        Ok(())
    }

    /// Puts the file in its place, with the epoch up to which the set was carried out, marked as
    /// being still where it comes from. [`ChangeSet::arrived`] takes the mark back.
    ///
    /// # Errors
    ///
    /// [`BulkError::Altered`] if what came is not what was planned and carried out;
    /// [`MirrorError::Exists`](crate::MirrorError::Exists), or a failure to write.
    pub async fn finish(self, epoch: u64, from: Moved) -> Result<ChangeSet, BulkError> {
        let path = self.file.path().to_owned();
        let finish = move |path: &Path, stop: &Stop| {
            let database = self.file.database();
            let sql = "INSERT INTO owner (only, epoch, name, boot, lease, beat)
                VALUES (1, ?, 'another store', '', 0, 1)";
            database.execute(sql, [epoch])?;
            moved::write(database, &from)?;
            let indexes = include_str!("indexes.sql");
            let batch = format!("{indexes}; COMMIT; PRAGMA locking_mode = NORMAL");
            database.check(database.connection.execute_batch(&batch))?;
            seal::digest(database)?;
            stop.check(path)?;
            self.file.finish()?;
            ChangeSet::open(path)
        };
        on_thread(&path, finish).await
    }
}
