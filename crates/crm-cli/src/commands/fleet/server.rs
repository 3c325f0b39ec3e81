//! Which server a command is about.

use clap::Args;
use crm_fleet::Server;

use crate::error::CliError;

/// The environment variable that stands in for the option.
const VARIABLE: &str = "CRM_FLEET_URL";

/// The option that names the server.
#[derive(Debug, Args)]
pub(crate) struct ServerArg {
    /// The PostgreSQL server, as postgres://user@host/database (CRM_FLEET_URL: a password in it is
    /// seen by nobody there)
    #[arg(long, value_name = "URL")]
    server: Option<String>,
}

impl ServerArg {
    /// Connects to it.
    pub(super) async fn connect(self) -> Result<Server, CliError> {
        connect(self.server, "--server").await
    }
}

/// Connects to the server that this option names, or the environment.
pub(super) async fn connect(given: Option<String>, option: &str) -> Result<Server, CliError> {
    let url = given.or_else(|| std::env::var(VARIABLE).ok()).ok_or_else(|| {
        let url = "postgres://user@host/database";
        CliError::Usage(format!(
            "name the server: {option} {url}, or {VARIABLE} in the environment"
        ))
    })?;
    Ok(Server::connect(&url).await?)
}
