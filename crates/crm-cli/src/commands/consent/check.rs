//! `crm consent check`: whether the ledger is what was written.

use clap::Args;
use crm_consent::{Head, Ledger, Sha};
use serde::Serialize;

use crate::{error::CliError, globals::Format, output::Output, status::Status};

/// Check that no record was altered, removed, moved or cut off
///
/// Names the first that was, with code 10. A ledger that was cut or written anew as a whole, its own
/// note of its end included, is seen only against a count and a hash that were kept elsewhere: keep
/// those that this prints.
#[derive(Debug, Args)]
pub(crate) struct CheckCommand {
    /// A count and a hash that an earlier check printed, as in 1200:9f86d081…
    #[arg(long, value_name = "COUNT:HASH", value_parser = head)]
    against: Option<Head>,
}

fn head(text: &str) -> Result<Head, String> {
    let wrong = || "write it as a check prints it, as in 1200:9f86d081…".to_owned();
    let (count, hash) = text.split_once(':').ok_or_else(wrong)?;
    let hash = hash.parse::<Sha>().map_err(|error| error.to_string())?;
    Ok(Head { count: count.trim().parse().map_err(|_| wrong())?, hash })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    sound: u64,
    hash: String,
    fault: Option<String>,
    record: Option<u64>,
}

impl CheckCommand {
    pub(crate) fn run(self, ledger: &Ledger, output: &Output) -> Result<Status, CliError> {
        let checked = ledger.check(self.against.as_ref())?;
        let answer = Answer {
            sound: checked.sound,
            hash: checked.hash.to_string(),
            fault: checked.fault.map(|fault| fault.to_string()),
            record: checked.fault.and_then(|fault| fault.record()),
        };
        let Answer { sound, hash, fault, .. } = &answer;
        match (output.format(), fault) {
            (Format::Table, None) => {
                output
                    .text(&format!("{sound} records, all as they were written\n{sound}:{hash}"))?;
            }
            (Format::Table, Some(fault)) => {
                output.text(&format!("{fault}; the {sound} before it are as they were written"))?;
            }
            _ => output.value(&answer)?,
        }
        Ok(if checked.fault.is_none() { Status::Done } else { Status::Consent })
    }
}
