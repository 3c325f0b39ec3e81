//! The sets on the server.

use std::{error::Error, path::PathBuf, time::SystemTime};

use crm_bulk::{Digest, State, tables};
use crm_mirror::Site;
use tokio_postgres::Row;

use crate::{error::FleetError, rows, server::Server};

/// The number of a set on the server. It never changes, and no other set gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SetId(pub(crate) i64);

impl std::fmt::Display for SetId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a set is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// On the server, where it is carried out.
    Here,
    /// On its way into a file; nobody carries it out.
    Leaving,
    /// In this file, where it is carried out; the server has it as it was.
    Gone(String),
}

/// A set on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredSet {
    /// Its number.
    pub id: SetId,
    /// Its name.
    pub name: String,
    /// The tenant and the environment.
    pub site: Site,
    /// Its digest, as it is kept.
    pub digest: Option<Digest>,
    /// When it arrived.
    pub arrived_at: SystemTime,
    /// Where it is.
    pub place: Place,
    /// Who carries it out at the moment.
    pub owner: Option<String>,
    /// What workers are to do with it: `queued`, `done`, `held` (a person has to look at it) or
    /// `cancelled`; `None` if it was not submitted.
    pub job: Option<String>,
    /// Why, or the last failure that may pass.
    pub job_reason: Option<String>,
    /// How many changes it has.
    pub changes: u64,
    /// How many of them are not settled.
    pub open: u64,
}

/// An answer that came to a run from which the set had been taken meanwhile: the next owner reads the
/// record back, and this says whose write it was.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LateAnswer {
    /// The number of the change.
    pub change: i64,
    /// Which of its attempts was answered.
    pub attempts: u32,
    /// The epoch of the run that sent it.
    pub epoch: u64,
    /// What the run would have made of the change.
    pub state: String,
    /// The status of the answer.
    pub http_status: Option<u16>,
    /// The service's trace id.
    pub trace_id: Option<String>,
}

/// How many changes of the set with this number are not settled, in SQL.
pub(crate) fn open_of(set: &str) -> String {
    let open = State::ALL.into_iter().filter(|state| state.is_open());
    let open: Vec<_> = open.map(|state| tables::state(state).to_string()).collect();
    format!(
        "(SELECT coalesce(sum(changes), 0)::bigint FROM crm.totals
            WHERE totals.set_id = {set} AND totals.state IN ({}))",
        open.join(", ")
    )
}

impl StoredSet {
    /// The set's name in messages, where a file has its path.
    pub(crate) fn path(&self) -> PathBuf {
        PathBuf::from(&self.name)
    }
}

impl Server {
    /// Returns the sets on the server, the newest first.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`].
    pub async fn sets(&self) -> Result<Vec<StoredSet>, FleetError> {
        self.select("true ORDER BY id DESC", &[]).await
    }

    /// Finds the set that has this name now; one that was pulled has it until another comes.
    ///
    /// # Errors
    ///
    /// [`FleetError::NoSuchSet`], [`FleetError::Server`].
    pub async fn set(&self, name: &str) -> Result<StoredSet, FleetError> {
        let which = "name = $1 ORDER BY place <> 'gone' DESC, id DESC LIMIT 1";
        let found = self.select(which, &[&name]).await?.pop();
        found.ok_or_else(|| FleetError::NoSuchSet {
            server: self.name().to_owned(),
            name: name.to_owned(),
        })
    }

    /// Returns the answers that came too late to be recorded under their run's epoch.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`].
    pub async fn late_answers(&self, set: &StoredSet) -> Result<Vec<LateAnswer>, FleetError> {
        let sql = "SELECT change, attempts, epoch, state, http_status, trace_id FROM crm.answers
            WHERE set_id = $1 ORDER BY id";
        let client = self.client().await?;
        let rows = self.check(client.query(sql, &[&set.id.0]).await)?;
        let read = |row: &Row| -> Result<LateAnswer, tokio_postgres::Error> {
            Ok(LateAnswer {
                change: row.try_get("change")?,
                attempts: row.try_get::<_, i64>("attempts")?.try_into().unwrap_or(u32::MAX),
                epoch: row.try_get::<_, i64>("epoch")?.unsigned_abs(),
                state: row.try_get("state")?,
                http_status: row
                    .try_get::<_, Option<i64>>("http_status")?
                    .and_then(|status| status.try_into().ok()),
                trace_id: row.try_get("trace_id")?,
            })
        };
        self.check(rows.iter().map(read).collect())
    }

    pub(crate) async fn set_of_number(&self, id: SetId) -> Result<Option<StoredSet>, FleetError> {
        Ok(self.select("id = $1", &[&id.0]).await?.pop())
    }

    async fn select(
        &self,
        which: &str,
        values: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<Vec<StoredSet>, FleetError> {
        let sql = format!(
            "SELECT id, name, tenant, environment, arrived_at, place, pulled_to,
                    (SELECT owner FROM crm.runs WHERE set_id = sets.id AND leased_until > clock_timestamp())
                        AS owner,
                    jobs.state AS job, jobs.reason AS job_reason,
                    (SELECT value FROM crm.meta WHERE set_id = sets.id AND meta.name = 'digest')
                        AS digest,
                    (SELECT coalesce(sum(changes), 0)::bigint FROM crm.totals
                        WHERE set_id = sets.id) AS changes,
                    {} AS open
             FROM crm.sets LEFT JOIN crm.jobs ON jobs.set_id = sets.id WHERE {which}",
            open_of("sets.id")
        );
        let client = self.client().await?;
        let rows = self.check(client.query(&sql, values).await)?;
        rows.iter().map(|row| self.read(row)).collect()
    }

    fn read(&self, row: &Row) -> Result<StoredSet, FleetError> {
        let read = || -> Result<StoredSet, Box<dyn Error>> {
            let digest: Option<String> = row.try_get("digest")?;
            let count = |name| row.try_get::<_, i64>(name).map(i64::unsigned_abs);
            Ok(StoredSet {
                id: SetId(row.try_get("id")?),
                name: row.try_get("name")?,
                site: rows::site(row)?,
                digest: digest.and_then(|text| text.parse().ok()),
                arrived_at: row.try_get("arrived_at")?,
                place: match row.try_get("place")? {
                    "here" => Place::Here,
                    "leaving" => Place::Leaving,
                    _ => Place::Gone(row.try_get::<_, Option<_>>("pulled_to")?.unwrap_or_default()),
                },
                owner: row.try_get("owner")?,
                job: row.try_get("job")?,
                job_reason: row.try_get("job_reason")?,
                changes: count("changes")?,
                open: count("open")?,
            })
        };
        read().map_err(|error| self.unreachable(error.to_string()))
    }
}
