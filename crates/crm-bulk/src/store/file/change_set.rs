//! A change set on disk, looked at.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crm_mirror::{
    database::{Again, Database},
    disk::archive,
    job::Stop,
};
use rusqlite::{Row, Transaction, TransactionBehavior};
use strum::VariantArray;

use super::{
    format::{FORMAT, has_its_journal},
    moved,
    owner::Owner,
    seal, totals,
};
use crate::{
    error::BulkError,
    input::InputFormat,
    set::{ChangeId, Digest, ListTotals, Moved, ReverseSet, SetInfo, SetKind, Totals},
};

/// A change set on disk, for inspection; [`Apply`](crate::Apply) carries it out.
///
/// Reading does not disturb a process that is applying the set.
///
/// ```no_run
/// use crm_bulk::{ChangeSet, Selection, State};
///
/// let set = ChangeSet::open("opt-outs.crm")?;
/// println!("{} of {} done", set.totals()?.in_state(State::Done), set.totals()?.all());
/// for change in set.changes(&Selection::states([State::Failed])) {
///     let change = change?;
///     println!("{}: {:?}", change.target, change.outcome.message);
/// }
/// # Ok::<(), crm_bulk::BulkError>(())
/// ```
#[derive(Debug)]
pub struct ChangeSet {
    pub(crate) database: Database,
    /// The sets that are known to reverse it.
    pub(crate) reverses: Vec<ReverseSet>,
}

/// How many records a note names.
pub(crate) const NAMED: usize = 20;

/// The first of the records that a note is about, and how many more there are.
pub(crate) fn some_of(texts: &[String], all: usize) -> String {
    let named = texts.iter().take(NAMED).map(String::as_str);
    let named = named.collect::<Vec<_>>().join("; ");
    match all.saturating_sub(NAMED) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}

impl ChangeSet {
    /// Opens a change set and upgrades one of an older format to the current one. A set that this
    /// process may not write can still be inspected.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Foreign`](crate::MirrorError::Foreign), [`MirrorError::Newer`](crate::MirrorError::Newer), [`MirrorError::Damaged`](crate::MirrorError::Damaged), or a failure to
    /// read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, BulkError> {
        let path = path.as_ref();
        has_its_journal(path)?;
        Self::of(Database::open(path, &FORMAT)?)
    }

    /// Opens a set once more, on another thread.
    pub(crate) fn again(set: &Again, stop: &Stop) -> Result<Self, BulkError> {
        Self::of(set.open(&FORMAT, stop)?)
    }

    /// A backup is an archive: nothing is recorded in it.
    fn of(database: Database) -> Result<Self, BulkError> {
        if database.meta("backup_of")?.is_some() {
            database.check(archive::protect(&database.connection))?;
        }
        Ok(Self { database, reverses: Vec::new() })
    }

    /// Returns the path of the set's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.database.path()
    }

    /// Reads what is known about the set as a whole.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn info(&self) -> Result<SetInfo, BulkError> {
        // All at once: a desk asks this of each of its sets.
        let pair = |row: &Row<'_>| Ok((row.get("name")?, row.get("value")?));
        let facts = self.database.rows("SELECT name, value FROM meta", [], pair)?;
        let mut facts: BTreeMap<String, String> = facts.into_iter().collect();
        let mut meta = |name: &str| facts.remove(name);
        let time = |text: Option<String>| text.and_then(|text| text.parse().ok());
        let kind = meta("kind");
        let notes = meta("notes").unwrap_or_default();
        let mut notes: Vec<String> = serde_json::from_str(&notes).unwrap_or_default();
        if let Some(chosen) = meta("unknown_flags") {
            notes.push(format!(
                "Where the service does not tell what a contact receives, and for new contacts, \
                 the flags that the list does not name become {chosen}: somebody chose that."
            ));
        }
        let backup_of = meta("backup_of");
        if let Some(original) = &backup_of {
            let at = meta("backed_up_at").unwrap_or_default();
            notes.push(format!("This is a backup of {original} as of {at}; it is never applied."));
        }
        let moved = moved::of(&mut meta);
        if let Some(Moved { to, .. }) = &moved {
            notes.push(format!("This set was moved to {to}; this file tells how it was then."));
        }
        let unreadable = meta("unreadable").unwrap_or_default();
        let unreadable: Vec<String> = serde_json::from_str(&unreadable).unwrap_or_default();
        if !unreadable.is_empty() {
            notes.push(format!(
                "Records that cannot be read, so nothing is planned for them: {}.",
                some_of(&unreadable, unreadable.len())
            ));
        }
        let look_at = meta("look_at").and_then(|count| count.parse().ok());
        Ok(SetInfo {
            site: self.database.site()?,
            kind: SetKind::VARIANTS
                .iter()
                .copied()
                .find(|known| kind.as_deref() == Some(known.as_str()))
                .unwrap_or(SetKind::Plan),
            created_at: time(meta("created_at")),
            planned_by: meta("planned_by"),
            version: meta("version"),
            options: serde_json::from_str(&meta("options").unwrap_or_default()).unwrap_or_default(),
            source: meta("source"),
            known_at: time(meta("known_at")),
            undo_of: meta("undo_of").map(PathBuf::from),
            undo_of_created_at: time(meta("undo_of_created_at")),
            backup_of: backup_of.map(PathBuf::from),
            moved,
            notes,
            unreadable,
            look_at: look_at.unwrap_or_default(),
            digest: meta("digest").and_then(|text| text.parse().ok()),
        })
    }

    /// Computes the digest of the set, that is, of what was planned, whatever has become of it
    /// since. Reads every change.
    ///
    /// # Errors
    ///
    /// [`BulkError::Altered`] if the file is not what the plan or a run wrote: a change was edited,
    /// damaged, added or removed. [`BulkError::NotAdopted`] for a set of version 0.1 that has no
    /// digest yet. Otherwise a failure to read.
    pub fn digest(&self) -> Result<Digest, BulkError> {
        seal::digest(&self.database)
    }

    /// The digest, recomputed; `None` for a set of version 0.1 that was not adopted yet. For
    /// what only tells of a set.
    pub(crate) fn known_digest(&self) -> Result<Option<Digest>, BulkError> {
        match self.digest() {
            Ok(digest) => Ok(Some(digest)),
            Err(BulkError::NotAdopted { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives a set of version 0.1 its digest, taking the changes as they are now for what was
    /// planned. From then on [`digest`](Self::digest) detects alterations. Returns `None` if the
    /// set already has a digest.
    ///
    /// A person should look at the changes when this is done; `crm show` does both.
    ///
    /// # Errors
    ///
    /// A failure to read or to write.
    pub fn adopt(&self) -> Result<Option<Digest>, BulkError> {
        let database = &self.database;
        // Most have one, and then nothing has to be written.
        if database.meta("digest")?.is_some() {
            return Ok(None);
        }
        let begin =
            Transaction::new_unchecked(&database.connection, TransactionBehavior::Immediate);
        let transaction = database.check(begin)?;
        if database.meta("digest")?.is_some() {
            return Ok(None); // Adopted by another process in between.
        }
        // Without a digest of the set, those of its changes say nothing.
        database.execute("UPDATE planned SET digest = NULL WHERE digest IS NOT NULL", [])?;
        let digest = seal::adopt(database)?;
        database.check(totals::recount(&database.connection))?;
        database.check(transaction.commit())?;
        Ok(Some(digest))
    }

    /// Returns whether a run has the set, or was cut off before its end: then the set needs what lies
    /// beside it, and is continued by applying it.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn has_open_run(&self) -> Result<bool, BulkError> {
        Ok(Owner::read(&self.database)?.is_some_and(|owner| owner.has_open_run))
    }

    /// Counts the changes in each state, each record once.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn totals(&self) -> Result<Totals, BulkError> {
        totals::read(&self.database)
    }

    /// Returns how an opt-out or opt-in counted its list; `None` for other sets and for one of
    /// version 0.1.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn list_totals(&self) -> Result<Option<ListTotals>, BulkError> {
        let number = |name| -> Result<Option<u64>, BulkError> {
            Ok(self.database.meta(name)?.and_then(|text| text.parse().ok()))
        };
        let (Some(values), Some(found)) = (number("values_listed")?, number("values_found")?)
        else {
            return Ok(None);
        };
        let rows = self.count("SELECT count(*) FROM rows")?;
        Ok(Some(ListTotals { rows, values, found }))
    }

    /// Returns which change another one repeats.
    pub(crate) fn repeats(&self, change: ChangeId) -> Result<Option<ChangeId>, BulkError> {
        let sql = "SELECT repeats FROM planned WHERE id = ? AND repeats IS NOT NULL";
        Ok(self.database.value(sql, [change.0])?.map(ChangeId))
    }

    /// Returns how many rows of the input ask for nothing, since no contact has their value.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn unmatched_rows(&self) -> Result<u64, BulkError> {
        self.count("SELECT count(*) FROM rows WHERE state = 'not-found'")
    }

    /// Returns how many rows of the input were left out because they are wrong.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn invalid_rows(&self) -> Result<u64, BulkError> {
        self.count("SELECT count(*) FROM rows WHERE state = 'failed'")
    }

    /// What was moved to another store goes on there: what this file says of it is no longer so.
    pub(crate) fn refuse_moved(&self) -> Result<(), BulkError> {
        match moved::read(&self.database)? {
            Some(Moved { to, .. }) => Err(BulkError::Moved { path: self.path().to_owned(), to }),
            None => Ok(()),
        }
    }

    /// The form of the input's rows, in which [`results`](Self::results) gives them back.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn format(&self) -> Result<InputFormat, BulkError> {
        let name = self.database.meta("format")?;
        Ok(InputFormat::named(name.as_deref()))
    }

    /// The header of the input; NDJSON has none.
    pub(crate) fn header(&self) -> Result<Vec<String>, BulkError> {
        let header = self.database.meta("header")?.unwrap_or_default();
        Ok(serde_json::from_str(&header).unwrap_or_default())
    }

    pub(crate) fn count(&self, sql: &str) -> Result<u64, BulkError> {
        Ok(self.database.value(sql, [])?.unwrap_or_default())
    }

    /// Returns approximately how many calls applying the open changes takes: one write each, one
    /// more for the preferences of a creation, one for each preference of a contact method and two
    /// to read it, and before those the calls that read the owners in blocks. Of a set that is
    /// partly done the number of owners that are left is estimated.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn calls(&self) -> Result<u64, BulkError> {
        totals::calls(&self.database)
    }
}
