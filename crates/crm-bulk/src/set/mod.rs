//! The change set as a file.

mod action;
mod change;
mod changes;
pub(crate) mod columns;
mod digest;
pub(crate) mod draft;
mod image;
mod outcome;
mod repeats;
pub(crate) mod rows;
pub(crate) mod seal;
mod site;
mod state;
pub(crate) mod target;
pub(crate) mod wanted;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crm_models::Timestamp;
use rusqlite::{Transaction, TransactionBehavior};

pub use self::{
    action::Action,
    change::{Change, ChangeId},
    changes::{Changes, Selection},
    digest::{Digest, ExpectedDigest, InvalidDigest},
    image::{Image, MethodImage},
    outcome::Outcome,
    site::Site,
    state::{State, UnknownState},
    target::{OwnerId, Target},
    wanted::Wanted,
};
use crate::{
    database::{Database, Format},
    error::BulkError,
    input::InputFormat,
};

pub(crate) const FORMAT: Format = Format {
    noun: "change set",
    application_id: 0x4352_4D53,
    migrations: &[include_str!("schema.sql"), include_str!("v2.sql")],
    prepare: seal::register,
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
}

/// What is known about a change set as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetInfo {
    /// The tenant and the environment.
    pub site: Site,
    /// How the set was made.
    pub kind: SetKind,
    /// When the set was planned.
    pub created_at: Option<Timestamp>,
    /// The input's name.
    pub source: Option<String>,
    /// The time as of which the plan knew the present state.
    pub known_at: Option<Timestamp>,
    /// The set that this one reverses.
    pub undo_of: Option<PathBuf>,
    /// Notes of the plan for people, one sentence each.
    pub notes: Vec<String>,
    /// The records of the service that could not be read, so that the plan knows nothing about
    /// them: the ids of each, as far as they are known, and what is wrong.
    pub unreadable: Vec<String>,
    /// How many records a person has to look at, since they may have a number or address from the
    /// list of an opt-out; the results name them.
    pub look_at: u64,
    /// The digest that the file stores, with which [`ChangeSet::digest`] compares. `None` in a set
    /// of version 0.1 that has not been adopted yet.
    pub digest: Option<Digest>,
}

/// How many records a note names.
const NAMED: usize = 20;

/// The first of these, and how many more there are.
pub(crate) fn some_of(texts: &[String]) -> String {
    let named = texts.iter().take(NAMED).map(String::as_str);
    let named = named.collect::<Vec<_>>().join("; ");
    match texts.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}

/// How a set was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetKind {
    /// From rows of changes, or from clean-ups.
    Plan,
    /// From a list of numbers and addresses that opt out.
    OptOut,
    /// From a list of numbers and addresses that opt in.
    OptIn,
    /// As the reverse of another set.
    Undo,
}

impl SetKind {
    const ALL: [Self; 4] = [Self::Plan, Self::OptOut, Self::OptIn, Self::Undo];

    /// Returns the name used in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::OptOut => "opt-out",
            Self::OptIn => "opt-in",
            Self::Undo => "undo",
        }
    }
}

/// The number of changes in each state, by action.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals(BTreeMap<(State, String), u64>);

impl Totals {
    /// Returns the number of all changes of the set.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.0.values().sum()
    }

    /// Returns the number of changes in this state.
    #[must_use]
    pub fn in_state(&self, state: State) -> u64 {
        let in_state = self.0.iter().filter(|((s, _), _)| *s == state);
        in_state.map(|(_, count)| count).sum()
    }

    /// Returns the number of changes in this state with this action, for example `delete`.
    #[must_use]
    pub fn of(&self, state: State, action: &str) -> u64 {
        let key = (state, action.to_owned());
        self.0.get(&key).copied().unwrap_or(0)
    }

    /// Returns the number of changes that applying the set still has to look at.
    #[must_use]
    pub fn open(&self) -> u64 {
        let open = self.0.iter().filter(|((state, _), _)| state.is_open());
        open.map(|(_, count)| count).sum()
    }

    /// Iterates over state, action and count, in the order of a report.
    pub fn iter(&self) -> impl Iterator<Item = (State, &str, u64)> {
        let entries = self.0.iter();
        entries.map(|((state, action), count)| (*state, action.as_str(), *count))
    }
}

/// The digest of a set, compared with what the file stores.
pub(crate) fn digest(database: &Database) -> Result<Digest, BulkError> {
    seal::digest(database, &database.site()?)
}

/// Compares the set with what the file stores of it, as far as that goes without reading changes.
pub(crate) fn check(database: &Database) -> Result<(), BulkError> {
    seal::check(database, &database.site()?)
}

impl ChangeSet {
    /// Opens a change set and upgrades one of an older format to the current one. A set that this
    /// process may not write can still be inspected.
    ///
    /// # Errors
    ///
    /// [`BulkError::Foreign`], [`BulkError::Newer`], [`BulkError::Damaged`], or a failure to
    /// read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, BulkError> {
        let database = Database::open(path.as_ref(), &FORMAT)?;
        Ok(Self { database })
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
        let meta = |name| self.database.meta(name);
        let time = |text: Option<String>| text.and_then(|text| text.parse().ok());
        let kind = meta("kind")?;
        let notes = meta("notes")?.unwrap_or_default();
        let mut notes: Vec<String> = serde_json::from_str(&notes).unwrap_or_default();
        if let Some(chosen) = meta("unknown_flags")? {
            notes.push(format!(
                "Where the service does not tell what a contact receives, and for new contacts, \
                 the flags that the list does not name become {chosen}: somebody chose that."
            ));
        }
        let unreadable = meta("unreadable")?.unwrap_or_default();
        let unreadable: Vec<String> = serde_json::from_str(&unreadable).unwrap_or_default();
        if !unreadable.is_empty() {
            notes.push(format!(
                "Records that cannot be read, so nothing is planned for them: {}.",
                some_of(&unreadable)
            ));
        }
        let look_at = meta("look_at")?.and_then(|count| count.parse().ok());
        Ok(SetInfo {
            site: self.database.site()?,
            kind: SetKind::ALL
                .into_iter()
                .find(|known| kind.as_deref() == Some(known.as_str()))
                .unwrap_or(SetKind::Plan),
            created_at: time(meta("created_at")?),
            source: meta("source")?,
            known_at: time(meta("known_at")?),
            undo_of: meta("undo_of")?.map(PathBuf::from),
            notes,
            unreadable,
            look_at: look_at.unwrap_or_default(),
            digest: meta("digest")?.and_then(|text| text.parse().ok()),
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
        digest(&self.database)
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
        let forget = "UPDATE changes SET digest = NULL WHERE digest IS NOT NULL";
        database.check(database.connection.execute(forget, []))?;
        let digest = seal::adopt(database, &database.site()?)?;
        database.check(transaction.commit())?;
        Ok(Some(digest))
    }

    /// Counts the changes in each state.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn totals(&self) -> Result<Totals, BulkError> {
        let count = || {
            self.database
                .connection
                .prepare_cached("SELECT state, action, count(*) FROM changes GROUP BY 1, 2")?
                .query_map([], |row| {
                    Ok(((columns::read_state(row, 0)?, row.get(1)?), row.get(2)?))
                })?
                .collect()
        };
        self.database.check(count()).map(Totals)
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
        let count = self.database.connection.query_row(sql, [], |row| row.get(0));
        self.database.check(count)
    }

    /// Returns approximately how many calls applying the open changes takes: one write each, one
    /// more for the preferences of a creation, one for each preference of a contact method and two
    /// to read it, and before those the calls that read the owners in blocks.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn calls(&self) -> Result<u64, BulkError> {
        let sql = "SELECT
                coalesce(sum(CASE
                    WHEN owner_kind = 'person'
                    THEN 2 + (SELECT count(*) FROM json_each(changes.wanted))
                    WHEN action = 'create'
                    THEN 1 + (wanted -> '$.preferences' IS NOT NULL)
                    ELSE 1 END), 0),
                count(DISTINCT CASE WHEN owner_kind <> 'person'
                    THEN owner_kind || ' ' || owner_id END)
            FROM changes WHERE state IN ('planned', 'in-flight', 'unknown')";
        let count = self
            .database
            .connection
            .query_row(sql, [], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?)));
        let (calls, owners) = self.database.check(count)?;
        Ok(calls + owners.div_ceil(crate::current::OWNERS_PER_CALL as u64))
    }
}
