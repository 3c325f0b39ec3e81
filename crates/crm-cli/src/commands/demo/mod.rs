//! `crm demo`: a whole job, from the search to the undo, played against a sandbox.

mod stage;
mod story;

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use clap::Args;

use self::stage::Stage;
use crate::{error::CliError, output::Output, signal::until_signal, status::Status};

/// How long a person gets to read each step.
const READING: u64 = 3;

/// See a whole job in a minute, without an account
///
/// Finds a number, audits, plans, approves and applies, is killed in the middle, continues, returns the
/// results and undoes it all. The commands are real: this program runs them one by one, against a copy
/// of the service that it serves itself, with invented data. They use a temporary folder, which is
/// removed at the end; nothing of yours is read or changed, and nothing leaves this machine.
///
/// The exit code is 0 if everything went as told.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Wait this long before each step; without it 3 seconds where a person watches, and not at all
    /// elsewhere
    #[arg(long, value_name = "SECONDS")]
    pace: Option<u64>,

    /// Keep the folder with the files of the demo, and say where it is
    #[arg(long)]
    keep: bool,
}

impl Demo {
    pub(crate) async fn run(self, output: &Output) -> Result<Status, CliError> {
        output.is_one_of(&[], "the demo is told for people")?;
        let pace = self.pace.unwrap_or(if io::stdout().is_terminal() { READING } else { 0 });
        let mut stage = None;
        let told = until_signal(async {
            let stage = stage.insert(Stage::set_up(Duration::from_secs(pace)).await?);
            story::tell(stage).await
        })
        .await;
        if let Some(stage) = stage {
            stage.clear(self.keep).await?;
        }
        Ok(told?.map_or_else(|signal| Status::Stopped(signal, None), |()| Status::Done))
    }
}
