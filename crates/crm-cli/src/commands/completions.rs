//! `crm completions`.

use std::io::{self, Write};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{cli::Cli, error::CliError};

/// Completions from the same definitions as the commands.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// For this shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> Result<(), CliError> {
        // Through a buffer: the generator panics where it cannot write.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "crm", &mut script);
        Ok(io::stdout().write_all(&script)?)
    }
}
