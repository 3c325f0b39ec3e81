//! `crm fleet tenants`: the tenants that have sets on a server.

use clap::Args;
use crm_fleet::TenantSets;
use serde::Serialize;

use super::server::ServerArg;
use crate::{
    error::CliError,
    output::{Output, records},
    status::Status,
};

/// List the tenants that have sets on a server, and how far these are
#[derive(Debug, Args)]
pub(crate) struct TenantsCommand {
    #[command(flatten)]
    server: ServerArg,
}

/// A tenant as lists show it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FleetTenant {
    tenant: i64,
    host: String,
    sets: u64,
    queued: u64,
    applying: u64,
    held: u64,
    open: u64,
    paused: bool,
}

records! {
    FleetTenant {
        "tenant" => "TENANT", "host" => "HOST", "sets" => "SETS", "queued" => "QUEUED",
        "applying" => "APPLYING", "held" => "HELD", "open" => "OPEN", "paused" => "PAUSED",
    }
}

impl TenantsCommand {
    pub(crate) async fn run(self, output: &Output) -> Result<Status, CliError> {
        let records = output.records::<FleetTenant>()?;
        let server = self.server.connect().await?;
        records.all(server.tenants().await?.into_iter().map(FleetTenant::from))?;
        Ok(Status::Done)
    }
}

impl From<TenantSets> for FleetTenant {
    fn from(tenant: TenantSets) -> Self {
        let TenantSets { site, sets, queued, applying, held, open, is_paused, .. } = tenant;
        let (tenant, host) = (site.tenant().get(), site.environment().to_owned());
        Self { tenant, host, sets, queued, applying, held, open, paused: is_paused }
    }
}
