//! `crm sandbox`: a local copy of the service, for tests and for trying things out.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};
use crm_sandbox::{Sandbox, Seed, Setting, Settings};

use crate::{
    error::CliError,
    output::{Output, note},
    signal::signal,
    status::Status,
};

/// What can be done with the sandbox.
#[derive(Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    /// Serve until Ctrl-C; the first line of stdout is a JSON object with the connection
    Serve(Serve),

    /// List the settings that --set takes
    Settings,
}

/// How to serve.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen, on this machine only; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = address)]
    listen: SocketAddr,

    /// Listen where other machines reach it too, as in a container; its credentials are public
    #[arg(long)]
    allow_remote: bool,

    /// Keep the data in this SQLite file; without it the data is gone at the end
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,

    /// The data of a new database: demo, untidy, empty, or a number of contacts
    #[arg(long, default_value = "demo")]
    seed: Seed,

    /// Fill a new database with this file of SQL too, after the seed
    #[arg(long, value_name = "FILE")]
    sql: Option<PathBuf>,

    /// Change a setting, see `crm sandbox settings`; can be given several times
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment)]
    settings: Vec<(String, String)>,

    /// Also answer the admin endpoint, which changes settings and injects faults
    #[arg(long)]
    admin: bool,
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "write it like 127.0.0.1:8080")
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        None => Err("write it like NAME=VALUE".to_owned()),
    }
}

impl SandboxCommand {
    pub(crate) async fn run(self, output: &Output) -> Result<Status, CliError> {
        match self {
            Self::Serve(serve) => serve.run(output).await?,
            Self::Settings => output.records::<Setting>()?.all(Settings::default().table())?,
        }
        Ok(Status::Done)
    }
}

impl Serve {
    async fn run(self, output: &Output) -> Result<(), CliError> {
        if !self.allow_remote && !self.listen.ip().is_loopback() {
            let reason = "others can reach this address, and the credentials are public";
            let remedy = "if that is wanted, give --allow-remote too";
            return Err(CliError::Usage(format!("--listen {}: {reason}; {remedy}", self.listen)));
        }
        let mut builder = Sandbox::builder().listen(self.listen).seed(self.seed);
        if self.allow_remote {
            builder = builder.allow_remote();
        }
        if let Some(file) = self.data {
            builder = builder.data(file);
        }
        if let Some(file) = self.sql {
            let sql = std::fs::read_to_string(&file).map_err(CliError::unread(&file))?;
            builder = builder.sql(sql);
        }
        let admin = self.admin.then(|| ("admin".to_owned(), "on".to_owned()));
        for (name, value) in self.settings.into_iter().chain(admin) {
            let set = builder.set(&name, &value);
            builder = set.map_err(|error| CliError::Usage(format!("--set: {error}")))?;
        }
        // Before the line is out: whoever reads it may send the signal at once.
        let stop = signal()?;
        let sandbox = builder.start().await?;
        output.line(sandbox.connection())?;
        note("serving until Ctrl-C");
        stop.await;
        sandbox.stop().await;
        Ok(())
    }
}
