//! `crm fleet cap`: how much workers write for an account in a day.

use std::num::NonZeroU32;

use clap::{Args, Subcommand};
use crm_fleet::Cap;
use serde::Serialize;

use super::server::ServerArg;
use crate::{
    error::CliError,
    globals::Globals,
    output::{Output, count, records},
    session,
    status::Status,
};

/// What can be said of caps.
#[derive(Debug, Subcommand)]
pub(crate) enum CapCommand {
    Set(SetCap),

    /// List the caps, and how much of each is gone today
    List {
        #[command(flatten)]
        server: ServerArg,
    },

    /// Take the account's cap away
    Rm {
        #[command(flatten)]
        server: ServerArg,
    },
}

/// Have workers send so many writes a day for the account at most, in days of UTC
///
/// A set that comes to it waits until the next day; `crm fleet sets` says so. It is for sets on the server:
/// `crm consent run` has its own --max-changes.
#[derive(Debug, Args)]
pub(crate) struct SetCap {
    /// How many
    writes: NonZeroU32,

    #[command(flatten)]
    server: ServerArg,
}

/// A cap as lists show it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FleetCap {
    tenant: i64,
    host: String,
    writes_a_day: u64,
    written_today: u64,
}

records! {
    FleetCap {
        "tenant" => "TENANT", "host" => "HOST", "writesADay" => "WRITES A DAY",
        "writtenToday" => "TODAY",
    }
}

impl CapCommand {
    pub(crate) async fn run(self, globals: &Globals, output: &Output) -> Result<Status, CliError> {
        match self {
            Self::Set(SetCap { writes, server }) => {
                let site = session::site(globals)?;
                server.connect().await?.set_cap(&site, writes).await?;
                let (tenant, writes) = (site.tenant(), count(writes.get(), "write"));
                output.done("set", &format!("the cap of tenant {tenant}: {writes} a day"))?;
            }
            Self::List { server } => {
                let records = output.records::<FleetCap>()?;
                let caps = server.connect().await?.caps().await?;
                records.all(caps.into_iter().map(FleetCap::from))?;
            }
            Self::Rm { server } => {
                let site = session::site(globals)?;
                let tenant = site.tenant();
                if !server.connect().await?.remove_cap(&site).await? {
                    return Err(CliError::Usage(format!("tenant {tenant}: has no cap")));
                }
                output.done("removed", &format!("the cap of tenant {tenant}"))?;
            }
        }
        Ok(Status::Done)
    }
}

impl From<Cap> for FleetCap {
    fn from(Cap { site, writes_a_day, written_today, .. }: Cap) -> Self {
        let (tenant, host) = (site.tenant().get(), site.environment().to_owned());
        Self { tenant, host, writes_a_day, written_today }
    }
}
