//! The command `crm`: contacts of the ServiceTitan CRM v2 API from a terminal.
//!
//! | You look for | It is in |
//! |---|---|
//! | a command | one file below `commands`, one variant of [`commands::Command`] |
//! | where settings come from | `settings` |
//! | how a connection is made | `session`; what may be written, `write_guard`; who is waited for, `waiting` |
//! | how answers are printed | `output` |
//! | exit codes and error messages | `error`, `report` |

mod cli;
mod commands;
mod error;
mod files;
mod interrupt;
mod output;
mod progress;
mod report;
mod session;
mod settings;
mod trace;
mod waiting;
mod write_guard;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    cli::Cli,
    error::CliError,
    output::{Format, Output},
};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => return report::usage(&usage),
    };
    let verbosity = cli.globals.verbose;
    trace::start(verbosity);
    let format = cli.command.format(cli.globals.format());
    let output = Output::new(format, cli.globals.fields.clone()).excel(cli.globals.excel);
    match run(cli, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = report::error(&error, &output, verbosity > 0);
            match error.signal() {
                Some(signal) => signal.end(),
                None => code,
            }
        }
    }
}

/// Runs one command. The runtime is made only now, so that help and usage errors are quick.
fn run(cli: Cli, output: &Output) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| CliError::io("cannot start the runtime", source))?;
    if cli.globals.excel && output.format() != Format::Csv {
        return Err(CliError::Usage(
            "--excel writes CSV, but another format is asked for".to_owned(),
        ));
    }
    runtime.block_on(cli.command.run(&cli.globals, output))
}
