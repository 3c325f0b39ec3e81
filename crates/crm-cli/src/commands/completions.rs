//! `crm completions`.

use std::io::{self, Write};

use clap::{Args, Command};
use clap_complete::Shell;

use crate::{error::CliError, status::Status};

/// Completions from the same definitions as the commands.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// For this shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, mut grammar: Command) -> Result<Status, CliError> {
        // Through a buffer: the generator panics where it cannot write.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut grammar, "crm", &mut script);
        io::stdout().write_all(&script)?;
        Ok(Status::Done)
    }
}
