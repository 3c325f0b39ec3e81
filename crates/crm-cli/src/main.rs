//! The command `crm`: contacts of the ServiceTitan CRM v2 API from a terminal.
//!
//! No module knows one that stands below it in this table; a test of the workspace holds it.
//!
//! | You look for | It is in |
//! |---|---|
//! | the grammar | `cli`; a command line that it refuses, `usage` |
//! | how the end of a command is told | `report`; of one for several accounts, `several` |
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
mod several;
mod signal;
mod status;
mod time_stamp;
mod trace;
mod usage;
mod waiting;
mod write_guard;

use std::{ffi::OsString, process::ExitCode, time::Duration};

use clap::CommandFactory;

use crate::{
    cli::{Cli, Read},
    error::CliError,
    globals::Format,
    output::Output,
    report::Report,
    status::Status,
};

/// How long a command that is over may take to remove its temporary files.
const CLEAN_UP: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    signal::outlive_limits();
    signal::end_with_reader();
    let words: Vec<_> = std::env::args_os().collect();
    let (cli, matches) = match cli::read(&words).and_then(|read| of_one(read, &words)) {
        Ok(read) => read,
        Err(refused) => return usage::report(&refused),
    };
    trace::start(cli.globals.verbose);
    if cli.globals.profiles.len() > 1 {
        return several::run(several::Given { cli, matches, words: &words }, run);
    }
    let globals = &cli.globals;
    let account = session::account(globals);
    output::advise_with(account.clone(), account);
    let format = cli.command.format(globals.format());
    let output = Output::new(format, globals.fields.clone()).excel(globals.excel);
    let report = Report {
        output: &output,
        is_verbose: globals.verbose > 0,
        is_detailed: cli.command.has_detailed_exit_code(),
    };
    report.end(run(cli, &output))
}

/// The same where one profile is named, with its name in those of files: a script names them as for
/// several.
fn of_one(read: Read, words: &[OsString]) -> Result<Read, clap::Error> {
    match &read.0.globals.profiles[..] {
        [profile] if !read.0.command.is_of_one() && several::has_place(words) => {
            cli::read(&several::placed(words, profile))
        }
        _ => Ok(read),
    }
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
