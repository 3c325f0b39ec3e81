//! The command `crm`: contacts of the ServiceTitan CRM v2 API from a terminal.
//!
//! No module knows one that stands below it in this table; a test of the workspace holds it.
//!
//! | You look for | It is in |
//! |---|---|
//! | the grammar | `cli`; a command line that it refuses, `usage` |
//! | how the end of a command is told | `report` |
//! | a command | one file below `commands`, one variant of [`commands::Command`] |
//! | how a connection is made | `session`; who is waited for, `waiting` |
//! | how commands end | `status`; those that fail, `error` |
//! | what may be written | `write_guard` |
//! | where settings come from | `settings` |
//! | what an account has on this machine | `desk` |
//! | how answers are printed | `output`; what is shown meanwhile, `progress` and `trace` |
//! | Ctrl-C, files, exit codes, the options of all commands | `signal`, `files`, `exit`, `globals` |

mod cli;
mod commands;
mod desk;
mod error;
mod exit;
mod files;
mod globals;
mod output;
mod progress;
mod report;
mod session;
mod settings;
mod signal;
mod status;
mod time_stamp;
mod trace;
mod usage;
mod waiting;
mod write_guard;

use std::{process::ExitCode, time::Duration};

use clap::{CommandFactory, FromArgMatches};

use crate::{
    cli::Cli, error::CliError, globals::Format, output::Output, report::Report, status::Status,
};

/// How long a command that is over may take to remove its temporary files.
const CLEAN_UP: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let mut grammar = Cli::command();
    let given = grammar.try_get_matches_from_mut(std::env::args_os());
    let parsed = given.and_then(|given| Ok((Cli::from_arg_matches(&given)?, given)));
    let cli = match parsed {
        Ok((mut cli, given)) => {
            cli.globals.command = cli::words(&given);
            cli
        }
        Err(refused) => return usage::report(&refused.format(&mut grammar)),
    };
    let globals = &cli.globals;
    trace::start(globals.verbose);
    output::advise_with(session::account(globals));
    let format = cli.command.format(globals.format());
    let output = Output::new(format, globals.fields.clone()).excel(globals.excel);
    let report = Report {
        output: &output,
        is_verbose: globals.verbose > 0,
        is_detailed: cli.command.has_detailed_exit_code(),
    };
    report.end(run(cli, &output))
}

/// Runs one command. The runtime is made only now, so that help and usage errors are quick.
fn run(cli: Cli, output: &Output) -> Result<Status, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| CliError::io("cannot start the runtime", source))?;
    if cli.globals.excel && output.format() != Format::Csv {
        return Err(CliError::Usage(
            "--excel writes CSV, but another format is asked for".to_owned(),
        ));
    }
    runtime.block_on(async {
        let ended = cli.command.run(&cli.globals, output, Cli::command).await;
        // What a signal cut off removes its files; only input that does not come holds it up.
        let _ = tokio::time::timeout(CLEAN_UP, crm_bulk::idle()).await;
        ended
    })
}
