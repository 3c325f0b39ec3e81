//! `crm man`.

use std::{fs, io, path::PathBuf};

use clap::{Args, CommandFactory};

use crate::{cli::Cli, error::CliError};

/// Man pages from the same definitions as the commands.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write a page for every command into this folder; without it, the page of crm to stdout
    folder: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(self) -> Result<(), CliError> {
        match self.folder {
            None => Ok(clap_mangen::Man::new(Cli::command()).render(&mut io::stdout())?),
            Some(folder) => fs::create_dir_all(&folder)
                .and_then(|()| clap_mangen::generate_to(Cli::command(), &folder))
                .map_err(|error| {
                    CliError::io(format!("cannot write to {}", folder.display()), error)
                }),
        }
    }
}
