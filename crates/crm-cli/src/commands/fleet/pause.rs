//! `crm fleet pause` and `crm fleet resume`: whose sets workers leave alone.

use clap::Args;
use crm_bulk::system_user;
use crm_fleet::Tenants;
use crm_models::TenantId;

use super::server::ServerArg;
use crate::{error::CliError, output::Output, status::Status};

/// Have no worker begin anything more of a tenant's sets, or of any
///
/// What is in flight is finished; within seconds nothing more is written. What is submitted meanwhile
/// waits for `crm fleet resume`. A pause that is there already remains as it is.
#[derive(Debug, Args)]
pub(crate) struct PauseCommand {
    #[command(flatten)]
    whose: Whose,

    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,

    #[command(flatten)]
    server: ServerArg,
}

/// Have workers go on with a tenant's sets, or with all
///
/// A tenant that was paused together with all is paused as long as either pause lasts.
#[derive(Debug, Args)]
pub(crate) struct ResumeCommand {
    #[command(flatten)]
    whose: Whose,

    #[command(flatten)]
    server: ServerArg,
}

/// Whose sets are meant.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// The tenant's number
    tenant: Option<TenantId>,

    /// All tenants, also those that come later
    #[arg(long)]
    all: bool,
}

impl Whose {
    fn tenants(&self) -> Tenants {
        self.tenant.map_or(Tenants::All, Tenants::One)
    }

    fn name(&self) -> String {
        self.tenant.map_or_else(|| "all tenants".to_owned(), |tenant| format!("tenant {tenant}"))
    }
}

impl PauseCommand {
    pub(crate) async fn run(self, output: &Output) -> Result<Status, CliError> {
        let server = self.server.connect().await?;
        let (tenants, reason) = (self.whose.tenants(), self.reason.as_deref());
        server.pause(tenants, &system_user(), reason).await?;
        output.done("paused", &self.whose.name())?;
        Ok(Status::Done)
    }
}

impl ResumeCommand {
    pub(crate) async fn run(self, output: &Output) -> Result<Status, CliError> {
        let server = self.server.connect().await?;
        if !server.resume(self.whose.tenants()).await? {
            let whose = self.whose.name();
            return Err(CliError::Usage(format!(
                "{whose}: not paused; `crm fleet status` lists the pauses"
            )));
        }
        output.done("resumed", &self.whose.name())?;
        Ok(Status::Done)
    }
}
