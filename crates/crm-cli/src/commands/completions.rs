//! `crm completions`.

use std::io::{self, Write};

use clap::{Args, Command};
use clap_complete::Shell;

use crate::{error::CliError, output::Output, status::Status};

/// Completions from the same definitions as the commands.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// For this shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, output: &Output, mut grammar: Command) -> Result<Status, CliError> {
        output.is_one_of(&[], "completions are a script for the shell")?;
        // Through a buffer: the generator panics where it cannot write.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut grammar, "crm", &mut script);
        io::stdout().write_all(&script)?;
        Ok(Status::Done)
    }
}
