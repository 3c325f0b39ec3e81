//! What is done in desks by itself, again and again.

use std::time::{Duration, SystemTime};

use crm_mirror::Site;
use deadpool_postgres::Object;
use tokio_postgres::{Row, types::ToSql};

use crate::{
    desk::{DeskJobId, DeskTask},
    desk_jobs::job,
    engine::{AT_ONCE, Engine as _, Graphile},
    error::FleetError,
    rows,
    server::Server,
};

/// What a schedule has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Routine {
    /// The mirror is brought up to date.
    Mirror,
    /// The wishes of the consent ledger are carried out.
    Consent,
}

impl Routine {
    /// Its name: `mirror` or `consent`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mirror => DeskTask::Mirror.as_str(),
            Self::Consent => DeskTask::Consent.as_str(),
        }
    }
}

/// When a schedule has something done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Times {
    /// Each time that so many minutes are over.
    Every {
        /// How many, one at least.
        minutes: u32,
    },
    /// At a time of day where the tenant is.
    Daily {
        /// The time of day.
        time: TimeOfDay,
        /// On these days.
        days: Days,
        /// The name of the time zone, as `America/Los_Angeles`. A time that its clocks leave out in
        /// spring is an hour later by them, and of one that they show twice in autumn it is the second.
        zone: String,
        /// Up to so many minutes later, so that tenants have their turns one after another. How many
        /// is drawn once, when the schedule is set.
        jitter: u32,
    },
}

/// A time of day, to the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOfDay {
    minutes: u16,
}

/// The text is no time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time of day is written 02:00, from 00:00 to 23:59")]
pub struct NoTimeOfDay;

impl std::str::FromStr for TimeOfDay {
    type Err = NoTimeOfDay;

    fn from_str(text: &str) -> Result<Self, NoTimeOfDay> {
        let two_digits = |text: &str| {
            let is_so = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            is_so.then(|| text.parse::<u16>().ok()).flatten()
        };
        let (hours, minutes) = text.split_once(':').ok_or(NoTimeOfDay)?;
        match (two_digits(hours), two_digits(minutes)) {
            (Some(hours @ 0..24), Some(minutes @ 0..60)) => {
                Ok(Self { minutes: hours * 60 + minutes })
            }
            _ => Err(NoTimeOfDay),
        }
    }
}

impl std::fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

/// Days of the week, one at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days(i32);

/// The names of the days, Monday first.
const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The text names no days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("days are written mon,tue,wed,thu,fri,sat,sun")]
pub struct NoDays;

impl Days {
    /// All of them.
    pub const ALL: Self = Self(0b111_1111);
}

impl std::str::FromStr for Days {
    type Err = NoDays;

    fn from_str(text: &str) -> Result<Self, NoDays> {
        let days = text.split(',').try_fold(0, |days, name| {
            let day = NAMES.iter().position(|known| name.trim().eq_ignore_ascii_case(known));
            Ok(days | (1 << day.ok_or(NoDays)?))
        });
        days.map(Self)
    }
}

impl std::fmt::Display for Days {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let named = NAMES.iter().enumerate().filter(|(day, _)| self.0 & (1 << day) != 0);
        f.write_str(&named.map(|(_, name)| *name).collect::<Vec<_>>().join(","))
    }
}

/// What is done in the desk of a tenant by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Schedule {
    /// The tenant and the environment.
    pub site: Site,
    /// What is done: `mirror` or `consent`.
    pub task: String,
    /// When, for people.
    pub times: String,
    /// When it is done next, at the earliest.
    pub next_at: SystemTime,
    /// When it was filed last.
    pub last_at: Option<SystemTime>,
}

impl Server {
    /// Has something done in the desk of a tenant again and again, in the place of what was set before.
    /// A time at which no worker was there is made up for once, however many there were.
    ///
    /// # Errors
    ///
    /// [`FleetError::Zone`], [`FleetError::Server`].
    pub async fn set_schedule(
        &self,
        site: &Site,
        routine: Routine,
        times: &Times,
    ) -> Result<(), FleetError> {
        let (tenant, environment, task) =
            (site.tenant().get(), site.environment(), routine.as_str());
        let (every, time, days, zone, spread) = match times {
            Times::Every { minutes } => (Some(seconds(*minutes)), None, None, None, *minutes),
            Times::Daily { time, days, zone, jitter } => {
                (None, Some(time.to_string()), Some(days.0), Some(zone.as_str()), *jitter)
            }
        };
        let client = self.client().await?;
        let zone = match zone {
            Some(zone) => Some(self.zone(&client, zone).await?),
            None => None,
        };
        let sql = "INSERT INTO crm.schedules
                (tenant, environment, task, every, at_time, days, zone, shift, next_at)
            SELECT $1, $2, $3, every, at_time, $6, $7, shift,
                crm.next_time(every, at_time, $6, $7, shift, clock_timestamp())
            FROM (SELECT make_interval(secs => $4) AS every, $5::text::time AS at_time,
                make_interval(secs => floor(random() * $8)) AS shift) AS given
            ON CONFLICT (tenant, environment, task) DO UPDATE
                SET every = excluded.every, at_time = excluded.at_time, days = excluded.days,
                    zone = excluded.zone, shift = excluded.shift, next_at = excluded.next_at";
        let spread = seconds(spread);
        let values: [&(dyn ToSql + Sync); 8] =
            [&tenant, &environment, &task, &every, &time, &days, &zone, &spread];
        self.check(client.execute(sql, &values).await).map(drop)
    }

    /// The name of a zone as the list of zones has it. PostgreSQL also takes what is none: to it `EST5` is a
    /// time without summer, and `PST` an abbreviation.
    async fn zone(&self, client: &Object, given: &str) -> Result<String, FleetError> {
        let sql = "SELECT name FROM pg_timezone_names
            WHERE lower(name) = lower($1) AND name !~ '^(posix|right)/|^(localtime|posixrules|Factory)$'";
        let row = self.check(client.query_opt(sql, &[&given]).await)?;
        let name = self.check(row.map(|row| row.try_get(0)).transpose())?;
        name.ok_or_else(|| FleetError::Zone {
            server: self.name().to_owned(),
            zone: given.to_owned(),
        })
    }

    /// Has something no longer done by itself; returns whether it was.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`].
    pub async fn remove_schedule(&self, site: &Site, routine: Routine) -> Result<bool, FleetError> {
        let client = self.client().await?;
        let sql = "DELETE FROM crm.schedules WHERE tenant = $1 AND environment = $2 AND task = $3";
        let (tenant, environment) = (site.tenant().get(), site.environment());
        let values: [&(dyn ToSql + Sync); 3] = [&tenant, &environment, &routine.as_str()];
        Ok(self.check(client.execute(sql, &values).await)? == 1)
    }

    /// Lists what is done by itself, by tenants.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`].
    pub async fn schedules(&self) -> Result<Vec<Schedule>, FleetError> {
        let sql = "SELECT tenant, environment, task, next_at, last_at, days, zone,
                extract(epoch FROM every)::bigint / 60 AS every, to_char(at_time, 'HH24:MI') AS at,
                round(extract(epoch FROM shift) / 60)::bigint AS shift
            FROM crm.schedules ORDER BY tenant, environment, task";
        self.list(sql, &[], |row| {
            let times = match row.try_get::<_, Option<i64>>("every")? {
                Some(minutes) => format!("every {minutes} min"),
                None => {
                    let days = match Days(row.try_get("days")?) {
                        Days::ALL => "daily".to_owned(),
                        days => days.to_string(),
                    };
                    let (at, zone): (&str, &str) = (row.try_get("at")?, row.try_get("zone")?);
                    let shift: i64 = row.try_get("shift")?;
                    format!("{days} {at} {zone} + {shift} min")
                }
            };
            Ok(Schedule {
                site: rows::site(row)?,
                task: row.try_get("task")?,
                times,
                next_at: row.try_get("next_at")?,
                last_at: row.try_get("last_at")?,
            })
        })
        .await
    }

    /// Files the jobs of the schedules whose time has come, each once however many do this at a time, and
    /// returns how many these are. Workers do it each minute. A tenant without a home waits for one.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`].
    pub async fn file_due(&self) -> Result<u64, FleetError> {
        self.file_due_with(&self.engine()?).await
    }

    pub(crate) async fn file_due_with(&self, engine: &Graphile) -> Result<u64, FleetError> {
        let mut filed = 0;
        loop {
            let some = self.file_some().await?;
            filed += some.len() as u64;
            let is_last = some.len() < AT_ONCE;
            // One that is cut off here gets its job a minute later, as one that is submitted.
            // One at a time, each would have all workers ask for it, though few can do it.
            let jobs = some.iter().map(|(id, site, home)| job(*id, site, home, Duration::ZERO));
            engine.add_all(jobs.collect()).await?;
            if is_last {
                return Ok(filed);
            }
        }
    }

    /// What is filed stands in the jobs once its schedule has moved on, and not before. (`now()` is that of
    /// the statement here, and finds its way through the index.)
    async fn file_some(&self) -> Result<Vec<(DeskJobId, Site, String)>, FleetError> {
        let sql = "WITH due AS (
                SELECT schedules.*, home FROM crm.schedules JOIN crm.homes USING (tenant, environment)
                WHERE next_at <= now()
                ORDER BY next_at LIMIT $1 FOR UPDATE OF schedules SKIP LOCKED
            ), moved AS (
                UPDATE crm.schedules SET last_at = clock_timestamp(),
                    next_at = crm.next_time(due.every, due.at_time, due.days, due.zone, due.shift,
                        clock_timestamp())
                FROM due
                WHERE schedules.tenant = due.tenant AND schedules.environment = due.environment
                    AND schedules.task = due.task
            ), filed AS (
                INSERT INTO crm.desk_jobs (tenant, environment, task, submitted_by)
                SELECT tenant, environment, task, 'its schedule' FROM due
                ON CONFLICT (tenant, environment, task) WHERE task <> 'plan' DO UPDATE
                    SET state = 'queued', submitted_by = excluded.submitted_by,
                        submitted_at = clock_timestamp(), failures = 0, reason = NULL
                RETURNING id, tenant, environment
            )
            SELECT id, tenant, environment, home FROM filed JOIN crm.homes USING (tenant, environment)";
        let read =
            |row: &Row| Ok((DeskJobId(row.try_get("id")?), rows::site(row)?, row.try_get("home")?));
        self.list(sql, &[&(AT_ONCE as i64)], read).await
    }
}

fn seconds(minutes: u32) -> f64 {
    f64::from(minutes) * 60.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_days_are_read_as_they_are_written() {
        for text in ["00:00", "02:30", "23:59"] {
            assert_eq!(text.parse::<TimeOfDay>().expect(text).to_string(), text);
        }
        for text in ["", "2:30", "24:00", "12:60", "+2:30", "02:30:00"] {
            assert_eq!(text.parse::<TimeOfDay>(), Err(NoTimeOfDay), "{text}");
        }
        assert_eq!("mon,tue,wed,thu,fri,sat,sun".parse(), Ok(Days::ALL));
        assert_eq!("Sun, mon".parse::<Days>().expect("days").to_string(), "mon,sun");
        for text in ["", "monday", "mon,"] {
            assert_eq!(text.parse::<Days>(), Err(NoDays), "{text}");
        }
    }
}
