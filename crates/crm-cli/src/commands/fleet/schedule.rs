//! `crm fleet schedule`: what is done in the desk of an account by itself.

use clap::{Args, Subcommand, ValueEnum};
use crm_fleet::{Days, Routine, Schedule, TimeOfDay, Times};
use jiff::Timestamp;
use serde::Serialize;

use super::server::ServerArg;
use crate::{
    error::CliError,
    globals::Globals,
    output::{Output, records},
    session,
    status::Status,
};

/// What can be said of schedules.
#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleCommand {
    Set(SetSchedule),

    /// List what is done by itself, and when next
    List {
        #[command(flatten)]
        server: ServerArg,
    },

    /// Have something no longer done by itself
    Rm {
        /// What
        task: RoutineArg,

        #[command(flatten)]
        server: ServerArg,
    },
}

/// Have something done in the account's desk again and again, by a worker that has its home volume
///
/// It takes the place of what was set for the same task. A time at which no worker was there is made up for
/// once. As long as a job of the same task waits, there is no second one.
///
///   crm --tenant 1001 --environment production \\
///     fleet schedule set consent --at 02:00 --zone America/Denver
///   crm fleet schedule set mirror --every 60
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct SetSchedule {
    /// What is done
    task: RoutineArg,

    #[command(flatten)]
    times: TimesArgs,

    #[command(flatten)]
    server: ServerArg,
}

/// What is done.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum RoutineArg {
    /// The mirror is brought up to date
    Mirror,
    /// The wishes of the consent ledger are carried out
    Consent,
}

/// When it is done.
#[derive(Debug, Args)]
struct TimesArgs {
    /// Each time that so many minutes are over; the tenants of a fleet have different ones of them
    #[arg(
        long,
        value_name = "MINUTES",
        required_unless_present = "at",
        conflicts_with_all = ["at", "days", "zone", "jitter"],
        value_parser = clap::value_parser!(u32).range(1..=10_080)
    )]
    every: Option<u32>,

    /// At this time of day, as 02:00
    #[arg(long, value_name = "TIME", requires = "zone")]
    at: Option<TimeOfDay>,

    /// The time zone of that time, as America/Denver. A time that its clocks leave out in spring is an
    /// hour later by them, and of one that they show twice in autumn it is the second
    #[arg(long, value_name = "NAME", requires = "at")]
    zone: Option<String>,

    /// On these days alone, as mon,wed,fri
    #[arg(long, value_name = "DAYS", requires = "at")]
    days: Option<Days>,

    /// Up to so many minutes later, so that not all tenants begin at once: how many is drawn once
    /// [default: 30]
    #[arg(
        long,
        value_name = "MINUTES",
        requires = "at",
        value_parser = clap::value_parser!(u32).range(0..1_440)
    )]
    jitter: Option<u32>,
}

/// How far the jobs of tenants are spread where nothing is said, in minutes.
const JITTER: u32 = 30;

/// A schedule as lists show it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FleetSchedule {
    tenant: i64,
    host: String,
    task: String,
    times: String,
    next_at: Option<String>,
    last_at: Option<String>,
}

records! {
    FleetSchedule {
        "tenant" => "TENANT", "host" => "HOST", "task" => "TASK", "times" => "TIMES",
        "nextAt" => "NEXT", "lastAt" => "LAST",
    }
}

impl ScheduleCommand {
    pub(crate) async fn run(self, globals: &Globals, output: &Output) -> Result<Status, CliError> {
        match self {
            Self::Set(SetSchedule { task, times, server }) => {
                let (site, routine) = (session::site(globals)?, Routine::from(task));
                let times = times.times()?;
                server.connect().await?.set_schedule(&site, routine, &times).await?;
                let (task, tenant) = (routine.as_str(), site.tenant());
                output.done("set", &format!("the schedule of {task} for tenant {tenant}"))?;
            }
            Self::List { server } => {
                let records = output.records::<FleetSchedule>()?;
                let schedules = server.connect().await?.schedules().await?;
                records.all(schedules.into_iter().map(FleetSchedule::from))?;
            }
            Self::Rm { task, server } => {
                let (site, routine) = (session::site(globals)?, Routine::from(task));
                let (task, tenant) = (routine.as_str(), site.tenant());
                if !server.connect().await?.remove_schedule(&site, routine).await? {
                    return Err(CliError::Usage(format!(
                        "tenant {tenant}: has no schedule of {task}"
                    )));
                }
                output.done("removed", &format!("the schedule of {task} for tenant {tenant}"))?;
            }
        }
        Ok(Status::Done)
    }
}

impl TimesArgs {
    fn times(self) -> Result<Times, CliError> {
        let Self { every, at, zone, days, jitter } = self;
        let daily = |time, zone| Times::Daily {
            time,
            zone,
            days: days.unwrap_or(Days::ALL),
            jitter: jitter.unwrap_or(JITTER),
        };
        let times = every.map(|minutes| Times::Every { minutes });
        let times = times.or_else(|| at.zip(zone).map(|(time, zone)| daily(time, zone)));
        times.ok_or_else(|| CliError::Usage("say when: --every, or --at with --zone".to_owned()))
    }
}

impl From<RoutineArg> for Routine {
    fn from(task: RoutineArg) -> Self {
        match task {
            RoutineArg::Mirror => Self::Mirror,
            RoutineArg::Consent => Self::Consent,
        }
    }
}

impl From<Schedule> for FleetSchedule {
    fn from(Schedule { site, task, times, next_at, last_at, .. }: Schedule) -> Self {
        let moment = |at| Timestamp::try_from(at).ok().map(|at: Timestamp| at.to_string());
        Self {
            tenant: site.tenant().get(),
            host: site.environment().to_owned(),
            task,
            times,
            next_at: moment(next_at),
            last_at: last_at.and_then(moment),
        }
    }
}
