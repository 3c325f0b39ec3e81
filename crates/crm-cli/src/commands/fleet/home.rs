//! `crm fleet home`: on which volume the desk of an account lies.

use clap::{Args, Subcommand};
use crm_fleet::TenantHome;
use serde::Serialize;

use super::server::ServerArg;
use crate::{
    error::CliError,
    globals::Globals,
    output::{Output, records},
    session,
    status::Status,
};

/// What can be said of homes.
#[derive(Debug, Subcommand)]
pub(crate) enum HomeCommand {
    Set(SetHome),

    /// List where the desks of tenants lie
    List {
        #[command(flatten)]
        server: ServerArg,
    },

    /// Forget where the account's desk lies: its jobs wait until that is said again
    Rm {
        #[command(flatten)]
        server: ServerArg,
    },
}

/// Say on which volume the account's desk lies, or will be begun
///
/// Jobs that need the desk go to workers that have this volume (`crm-worker --home NAME=PATH`), also those
/// that wait already. From one volume to another the desk is moved by hand, before this: a mirror could be
/// read anew, but of the consent ledger there is one only.
#[derive(Debug, Args)]
pub(crate) struct SetHome {
    /// The name of the volume
    #[arg(value_parser = volume)]
    name: String,

    #[command(flatten)]
    server: ServerArg,
}

/// The name of a volume, which is the same in options, tables and metrics.
fn volume(text: &str) -> Result<String, &'static str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if text.is_empty() || !text.chars().all(is_plain) {
        return Err("a name has letters, digits, dots, - and _");
    }
    Ok(text.to_owned())
}

/// Where a desk lies, as lists show it.
#[derive(Serialize)]
struct FleetHome {
    tenant: i64,
    host: String,
    home: String,
}

records! {
    FleetHome { "tenant" => "TENANT", "host" => "HOST", "home" => "HOME" }
}

impl HomeCommand {
    pub(crate) async fn run(self, globals: &Globals, output: &Output) -> Result<Status, CliError> {
        match self {
            Self::Set(SetHome { name, server }) => {
                let site = session::site(globals)?;
                server.connect().await?.set_home(&site, &name).await?;
                output.done("set", &format!("the home of tenant {}: {name}", site.tenant()))?;
            }
            Self::List { server } => {
                let records = output.records::<FleetHome>()?;
                let homes = server.connect().await?.tenant_homes().await?;
                records.all(homes.into_iter().map(FleetHome::from))?;
            }
            Self::Rm { server } => {
                let site = session::site(globals)?;
                let tenant = site.tenant();
                if !server.connect().await?.remove_home(&site).await? {
                    return Err(CliError::Usage(format!("tenant {tenant}: has no home")));
                }
                output.done("removed", &format!("the home of tenant {tenant}"))?;
            }
        }
        Ok(Status::Done)
    }
}

impl From<TenantHome> for FleetHome {
    fn from(TenantHome { site, home, .. }: TenantHome) -> Self {
        let (tenant, host) = (site.tenant().get(), site.environment().to_owned());
        Self { tenant, host, home }
    }
}
