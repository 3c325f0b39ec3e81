//! The single updates that were sent, each recorded before it leaves and with its outcome after:
//! what is not in a change set can be looked up as well.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crm_contacts::Difference;
use rusqlite::{Connection, OpenFlags, Row, named_params};
use serde::Serialize;

use super::error::DeskError;

const SCHEMA: &str = include_str!("schema.sql");
/// Says that a database is one of these: `CRMU`.
const APPLICATION_ID: i32 = 0x4352_4D55;
/// How long to wait for another command that records something at the same moment.
const PATIENCE: Duration = Duration::from_secs(5);

/// The records of one desk.
#[derive(Debug)]
pub(crate) struct Updates {
    connection: Connection,
    path: PathBuf,
}

/// One write to one record.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    pub(crate) at: String,
    pub(crate) user: String,
    pub(crate) command: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) owner_kind: Option<String>,
    pub(crate) owner_id: Option<String>,
    pub(crate) contact_id: Option<String>,
    pub(crate) changes: Vec<Member>,
    pub(crate) outcome: Outcome,
}

/// What became of it.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Outcome {
    pub(crate) state: String,
    pub(crate) ended_at: Option<String>,
    pub(crate) http_status: Option<u16>,
    pub(crate) trace_id: Option<String>,
    pub(crate) message: Option<String>,
    /// The id of what was created.
    #[serde(skip)]
    pub(crate) created: Option<String>,
}

impl Outcome {
    /// Whether it is certain that nothing was done.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self.state.as_str(), "failed" | "not-sent")
    }
}

/// One member of a record and its two values, as far as they are known.
#[derive(Debug, Clone, Serialize, serde::Deserialize)]
pub(crate) struct Member {
    pub(crate) field: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

impl Member {
    /// What a record had that is deleted.
    pub(crate) fn gone(self) -> Self {
        Self { before: self.after, after: None, ..self }
    }
}

impl From<Member> for Difference {
    fn from(member: Member) -> Self {
        Self::new(member.field, member.before.as_deref(), member.after.as_deref())
    }
}

impl From<&Difference> for Member {
    fn from(difference: &Difference) -> Self {
        Self {
            field: difference.field.clone().into_owned(),
            before: difference.before.clone(),
            after: difference.after.clone(),
        }
    }
}

/// A set that was applied, also from outside of the desk.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) file: PathBuf,
    pub(super) at: String,
}

impl Updates {
    /// Opens the records to read them alone: nothing is written, not even where there are none yet.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, DeskError> {
        if !path.exists() {
            return Ok(None);
        }
        let failed = |source| DeskError::database(path, "opened", source);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        match version(&connection).map_err(failed)? {
            // Another command is about to begin it.
            0 => Ok(None),
            1 => Ok(Some(Self { connection, path: path.to_owned() })),
            _ => Err(DeskError::Newer { path: path.to_owned() }),
        }
    }

    /// Opens the records to add to them, and begins them if need be.
    pub(super) fn open(path: &Path) -> Result<Self, DeskError> {
        let failed = |source| DeskError::database(path, "opened", source);
        crate::files::private()
            .append(true)
            .open(path)
            .map_err(|source| DeskError::io(path, "written", source))?;
        let mut connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        // Each commit is on the disk before the request leaves, with the name of its journal gone. A
        // journal that is not WAL needs nothing beside the file, and two commands may begin it at once.
        connection.pragma_update(None, "synchronous", "EXTRA").map_err(failed)?;
        // What is forgotten is overwritten.
        connection.pragma_update(None, "secure_delete", true).map_err(failed)?;
        match version(&connection).map_err(failed)? {
            0 => create(&mut connection).map_err(failed)?,
            1 => {}
            _ => return Err(DeskError::Newer { path: path.to_owned() }),
        }
        Ok(Self { connection, path: path.to_owned() })
    }

    fn check<R>(&self, act: &'static str, result: rusqlite::Result<R>) -> Result<R, DeskError> {
        result.map_err(|source| DeskError::database(&self.path, act, source))
    }

    /// Records a write that is about to be sent; the number names it afterwards.
    pub(crate) fn begin(&self, entry: &Entry) -> Result<i64, DeskError> {
        let inserted = self.connection.execute(
            "INSERT INTO updates (at, user, command, method, path, owner_kind, owner_id,
                 contact_id, changes, state)
             VALUES (:at, :user, :command, :method, :path, :owner_kind, :owner_id, :contact_id,
                 :changes, 'in-flight')",
            named_params! {
                ":at": entry.at, ":user": entry.user, ":command": entry.command,
                ":method": entry.method, ":path": entry.path, ":owner_kind": entry.owner_kind,
                ":owner_id": entry.owner_id, ":contact_id": entry.contact_id,
                ":changes": json(&entry.changes),
            },
        );
        self.check("written", inserted)?;
        Ok(self.connection.last_insert_rowid())
    }

    /// Records what became of it.
    pub(crate) fn end(&self, id: i64, outcome: &Outcome) -> Result<(), DeskError> {
        let updated = self.connection.execute(
            "UPDATE updates SET state = :state, ended_at = :ended_at, http_status = :http_status,
                 trace_id = :trace_id, message = :message,
                 contact_id = coalesce(contact_id, :created)
             WHERE id = :id",
            named_params! {
                ":id": id, ":state": outcome.state, ":ended_at": outcome.ended_at,
                ":http_status": outcome.http_status, ":trace_id": outcome.trace_id,
                ":message": outcome.message, ":created": outcome.created,
            },
        );
        self.check("written", updated).map(drop)
    }

    /// All of them, in the order in which they were sent.
    pub(crate) fn all(&self) -> Result<Vec<(i64, Entry)>, DeskError> {
        let read = || {
            let mut statement = self.connection.prepare("SELECT * FROM updates ORDER BY id")?;
            let rows = statement.query_map([], |row| Ok((row.get("id")?, entry(row)?)))?;
            rows.collect()
        };
        self.check("read", read())
    }

    /// Records that a set is applied, as long as that goes on or when it has ended.
    pub(crate) fn run(&self, file: &Path) -> Result<(), DeskError> {
        let at = jiff::Timestamp::now().to_string();
        let inserted = self.connection.execute(
            "INSERT INTO runs (file, at, last) VALUES (:file, :at, :at)
             ON CONFLICT DO UPDATE SET last = excluded.last",
            named_params! { ":file": file.to_string_lossy(), ":at": at },
        );
        self.check("written", inserted).map(drop)
    }

    /// The sets that were applied.
    pub(super) fn runs(&self) -> Result<Vec<Run>, DeskError> {
        let read = || {
            let mut statement = self.connection.prepare("SELECT file, at FROM runs ORDER BY at")?;
            let rows = statement.query_map([], |row| {
                Ok(Run { file: row.get::<_, String>("file")?.into(), at: row.get("at")? })
            })?;
            rows.collect()
        };
        self.check("read", read())
    }

    /// When something was last sent, as far as it is recorded.
    pub(super) fn last_sent(&self) -> Result<Option<SystemTime>, DeskError> {
        // Their texts do not sort by time: they have as many digits as it took.
        let sql = "SELECT max(unixepoch(at, 'subsec')) AS seconds FROM (
                SELECT coalesce(ended_at, at) AS at FROM updates
                UNION ALL SELECT last FROM runs)";
        let seconds =
            self.connection.query_row(sql, [], |row| row.get::<_, Option<f64>>("seconds"));
        let at = |seconds: f64| UNIX_EPOCH + Duration::from_secs_f64(seconds.max(0.0));
        Ok(self.check("read", seconds)?.map(at))
    }

    /// How many there are.
    pub(crate) fn count(&self) -> Result<u64, DeskError> {
        let count = self.connection.query_row("SELECT count(*) FROM updates", [], |row| row.get(0));
        self.check("read", count.map(|count: i64| count.unsigned_abs()))
    }

    /// Leaves nothing in the file of what was taken out.
    pub(super) fn compact(&self) -> Result<(), DeskError> {
        let compacted = self.connection.execute_batch("VACUUM");
        self.check("written", compacted)
    }

    /// Puts something else in the place of what one of them changed.
    pub(crate) fn rewrite(&self, id: i64, entry: &Entry) -> Result<(), DeskError> {
        let updated = self.connection.execute(
            "UPDATE updates SET path = :path, changes = :changes, message = :message
             WHERE id = :id",
            named_params! {
                ":id": id, ":path": entry.path, ":changes": json(&entry.changes), ":message": entry.outcome.message,
            },
        );
        self.check("written", updated).map(drop)
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Makes the table, unless another command has made it meanwhile.
fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let immediate = rusqlite::TransactionBehavior::Immediate;
    let transaction = connection.transaction_with_behavior(immediate)?;
    if version(&transaction)? == 0 {
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", 1)?;
    }
    transaction.commit()
}

fn json(changes: &[Member]) -> String {
    serde_json::to_string(changes).unwrap_or_default()
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let changes: String = row.get("changes")?;
    Ok(Entry {
        at: row.get("at")?,
        user: row.get("user")?,
        command: row.get("command")?,
        method: row.get("method")?,
        path: row.get("path")?,
        owner_kind: row.get("owner_kind")?,
        owner_id: row.get("owner_id")?,
        contact_id: row.get("contact_id")?,
        changes: serde_json::from_str(&changes).unwrap_or_default(),
        outcome: Outcome {
            state: row.get("state")?,
            ended_at: row.get("ended_at")?,
            http_status: row.get("http_status")?,
            trace_id: row.get("trace_id")?,
            message: row.get("message")?,
            created: None,
        },
    })
}
