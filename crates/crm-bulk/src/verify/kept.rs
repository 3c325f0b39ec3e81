//! The result of reading back, as the set keeps it.

use std::path::{Path, PathBuf};

use crm_mirror::MirrorError;
use crm_models::Timestamp;
use rusqlite::{Connection, Row, params, types::Value};

use super::finding::{DIFFERENCES, Finding, Found, IS, Verification, WAS_MADE};
use crate::{
    error::BulkError,
    set::{Change, ChangeId, State, Target},
    store::{
        ChangeSet,
        file::{CHANGES, STATE, SealedChange, owner_code, owner_column, state_code},
    },
};

/// How many changes are in memory at a time.
const CHANGES_PER_BLOCK: usize = 500;

/// Where in the order of owners a change stands.
pub(super) struct Place {
    target: Target,
    change: i64,
}

impl Place {
    pub(super) fn of(change: &Change) -> Self {
        Self { target: change.target, change: change.id.0 }
    }
}

/// What is no longer so, outside of the set until all is looked at: then it is written at once, and
/// a run of the set is held up no longer than that takes. It is in no file that has a name.
pub(super) struct Findings {
    connection: Connection,
    set: PathBuf,
}

/// What the last reading back of a set found of a change that is no longer as it was done, as the set
/// keeps it.
///
/// [`Debug`] output contains numbers, addresses and memos.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptFinding {
    /// When the record was read.
    pub at: Timestamp,
    /// What it was found to be, as [`Found::difference`] tells it.
    pub difference: String,
    found: String,
}

impl KeptFinding {
    /// Returns whether the record is no longer there.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.found == Found::Gone.name()
    }

    /// Returns the value of a member of the record, named as [`Change::members`] does; `None` where it is
    /// as the change made it.
    #[must_use]
    pub fn value_of(&self, member: &str) -> Option<&str> {
        let differs = Found::Differs(Vec::new()).name();
        let parts = self.difference.split(DIFFERENCES).filter(|_| self.found == differs);
        let mut values = parts.filter_map(|part| part.strip_prefix(member)?.strip_prefix(IS));
        values.find_map(|rest| Some(rest.rsplit_once(WAS_MADE)?.0))
    }
}

const TABLE: &str = "CREATE TABLE findings (change, at, found, difference)";
const INSERT: &str = "INSERT INTO findings (change, at, found, difference) VALUES (?, ?, ?, ?)";
const NOUN: &str = "change set";

impl Findings {
    pub(super) fn new(set: &Path) -> Result<Self, BulkError> {
        let open = || {
            let connection = Connection::open("")?;
            connection.execute_batch(&format!("PRAGMA synchronous = OFF; {TABLE}; BEGIN"))?;
            Ok(connection)
        };
        Ok(Self {
            connection: open().map_err(|e| MirrorError::database(set, NOUN, e))?,
            set: set.to_owned(),
        })
    }

    pub(super) fn add(&mut self, finding: &Finding) -> Result<(), BulkError> {
        if finding.found == Found::AsDone {
            return Ok(());
        }
        let values = params![
            finding.change.id.0,
            finding.at.to_string(),
            finding.found.name(),
            finding.found.difference()
        ];
        let added =
            self.connection.prepare_cached(INSERT).and_then(|mut insert| insert.execute(values));
        added.map_err(|e| MirrorError::database(&self.set, NOUN, e))?;
        Ok(())
    }

    fn copy_to(&self, set: &Connection) -> rusqlite::Result<()> {
        let mut query = self.connection.prepare("SELECT * FROM findings")?;
        let mut rows = query.query([])?;
        let mut insert = set.prepare(INSERT)?;
        while let Some(row) = rows.next()? {
            let value = |column: &str| row.get::<_, Value>(column);
            insert.execute(params![
                value("change")?,
                value("at")?,
                value("found")?,
                value("difference")?
            ])?;
        }
        Ok(())
    }
}

impl ChangeSet {
    /// Returns the last result of [`verify`](Self::verify) that the set keeps; `None` before the
    /// first.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn verification(&self) -> Result<Option<Verification>, BulkError> {
        let kept = self.database.meta("verification")?;
        Ok(kept.and_then(|json| serde_json::from_str(&json).ok()))
    }

    /// Returns what the last reading back found of a change, or of the one that it repeats, if that is no
    /// longer so.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn finding(&self, change: ChangeId) -> Result<Option<KeptFinding>, BulkError> {
        let sql = "SELECT f.at, f.found, f.difference FROM planned c
            JOIN findings f ON f.change = coalesce(c.repeats, c.id) WHERE c.id = ?";
        let row = |row: &Row<'_>| {
            Ok((row.get::<_, String>("at")?, row.get("found")?, row.get("difference")?))
        };
        let found = self.database.row(sql, [change.0], row)?;
        Ok(found.and_then(|(at, found, difference)| {
            let at = at.parse().ok()?;
            Some(KeptFinding { at, difference, found })
        }))
    }

    /// The next changes that are done, in the order of their owners.
    pub(super) fn done_after(&self, last: Option<&Place>) -> Result<Vec<Change>, BulkError> {
        let sql = format!(
            "SELECT {} FROM {CHANGES}
             WHERE (owner_kind, owner_id, id) > (?1, ?2, ?3) AND {STATE} = ?4
             ORDER BY owner_kind, owner_id, id LIMIT {CHANGES_PER_BLOCK}",
            SealedChange::select()
        );
        let (kind, owner, change) = match last {
            Some(place) => (owner_code(&place.target), owner_column(&place.target), place.change),
            None => (-1, Value::Null, i64::MIN),
        };
        let query = || -> rusqlite::Result<Vec<Change>> {
            let mut query = self.database.connection.prepare_cached(&sql)?;
            let done = params![kind, owner, change, state_code(State::Done)];
            query.query_map(done, SealedChange::read_row)?.collect()
        };
        Ok(self.database.check(query())?)
    }

    /// Keeps a result in the place of an earlier one, unless the set may only be read.
    pub(super) fn keep(
        &self,
        verification: &Verification,
        findings: &Findings,
    ) -> Result<(), BulkError> {
        let database = &self.database;
        if !database.may_be_written()? {
            return Ok(());
        }
        let json = serde_json::to_string(verification);
        let json = json.map_err(|e| BulkError::file(self.path(), "written", e.into()))?;
        let transaction = database.check(database.connection.unchecked_transaction())?;
        database.check(transaction.execute("DELETE FROM findings", []))?;
        database.check(findings.copy_to(&transaction))?;
        database.set_meta("verification", &json)?;
        Ok(database.check(transaction.commit())?)
    }
}
