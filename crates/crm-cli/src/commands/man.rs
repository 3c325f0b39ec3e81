//! `crm man`.

use std::{fs, io, path::PathBuf};

use clap::{Args, Command};

use crate::{error::CliError, output::Output, status::Status};

/// Man pages from the same definitions as the commands.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write a page for every command into this folder; without it, the page of crm to stdout
    folder: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(self, output: &Output, grammar: Command) -> Result<Status, CliError> {
        output.is_one_of(&[], "man pages are for man")?;
        let Some(folder) = self.folder else {
            clap_mangen::Man::new(grammar).render(&mut io::stdout())?;
            return Ok(Status::Done);
        };
        fs::create_dir_all(&folder)
            .and_then(|()| clap_mangen::generate_to(grammar, &folder))
            .map_err(|error| {
                CliError::io(format!("cannot write to {}", folder.display()), error)
            })?;
        Ok(Status::Done)
    }
}
