//! `crm consent policy`: the rules by which wishes are counted.

use std::path::PathBuf;

use clap::Args;
use crm_consent::{Ledger, Policy};
use serde::Serialize;

use crate::{
    commands::{
        file_arg,
        ledger::{open, sound},
    },
    desk::{Desk, Whereabouts},
    error::CliError,
    globals::Format,
    output::{Output, note},
    status::Status,
};

/// Show the rules by which wishes are counted and deadlines computed, or set others
///
/// The answer is the text of the policy: write it to a file, change it, set it. The default is that of
/// the United States and names its sources. It is no legal advice. A change is a record of the ledger.
#[derive(Debug, Args)]
pub(crate) struct PolicyCommand {
    /// Have the policy in this file hold from now on
    #[arg(long, value_name = "FILE")]
    pub(super) set: Option<PathBuf>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    name: &'a str,
    sha256: String,
    time_zone: &'a str,
    text: &'a str,
}

impl PolicyCommand {
    pub(crate) fn run(self, place: &Whereabouts, output: &Output) -> Result<Status, CliError> {
        if let Some(file) = &self.set {
            let text = file_arg::read(file)?;
            let policy = Policy::read(&String::from_utf8_lossy(&text))?;
            let record = sound(place)?.set_policy(&policy)?;
            output.done("set", &format!("{}, record {record}", policy.name()))?;
            return Ok(Status::Done);
        }
        let ledger = place.existing()?.map(|desk: &Desk| open(desk)).transpose()?.flatten();
        let policy = ledger.as_ref().map_or_else(|| Ok(Policy::default()), Ledger::policy)?;
        match output.format() {
            Format::Table => {
                note(format!("{}, SHA-256 {}", policy.name(), policy.sha256()));
                output.text(policy.text().trim_end())?;
            }
            _ => output.value(&Shown {
                name: policy.name(),
                sha256: policy.sha256().to_string(),
                time_zone: policy.time_zone(),
                text: policy.text(),
            })?,
        }
        Ok(Status::Done)
    }
}
