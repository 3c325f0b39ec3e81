//! `crm consent redact`: personal data taken out of the ledger.

use clap::Args;
use crm_consent::{Ledger, Redact, Redacted, Scope};
use serde::Serialize;

use crate::{
    commands::args::NumberArgs,
    desk::{Desk, Holding, Sought},
    error::CliError,
    globals::{Format, Globals},
    output::{Output, confirm, count, note, on_terminal},
    status::Status,
};

/// Remove a number or an address from the ledger, with all that was said and noted of it
///
/// Value, words, names and reasons of its records go, from the file and its journal too, and cannot be
/// brought back. What stays is a digest by which the wish is honoured as before, and a record of what
/// was removed and why; `crm consent check` accepts it. The answer names where else the desk has the
/// value. No list for a dialer or a mailer can have it any more.
#[derive(Debug, Args)]
pub(crate) struct RedactCommand {
    /// The number or address, however it is written
    #[arg(
        value_name = "NUMBER|ADDRESS",
        allow_hyphen_values = true,
        required_unless_present = "record"
    )]
    value: Option<String>,

    /// The value of this record; of one that has none, such as a retraction, its reason
    #[arg(long, value_name = "NUMBER", conflicts_with = "value")]
    record: Option<u64>,

    /// Why
    #[arg(long)]
    reason: String,

    #[command(flatten)]
    numbers: NumberArgs,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    by: Option<u64>,
    records: &'a [u64],
    may_be: &'a [u64],
    /// Where else the desk has the value; absent where nobody knows it any more.
    elsewhere: Option<&'a [Holding]>,
}

impl RedactCommand {
    pub(crate) fn run(
        self,
        ledger: Ledger,
        desk: &Desk,
        globals: &Globals,
        output: &Output,
    ) -> Result<Status, CliError> {
        let reader = self.numbers.reader(desk.region());
        let mut ledger = ledger.numbers(reader);
        let (what, value) = match (&self.value, self.record) {
            (Some(value), _) => (Redact::Value(value), Some(value.clone())),
            (None, record) => {
                let record = record.unwrap_or_default();
                (Redact::Record(record), ledger.value_of(record)?)
            }
        };
        ask(globals)?;
        let sought = value.as_deref().and_then(|value| Sought::read(value, reader).ok());
        let redacted = ledger.redact(what, &self.reason)?;
        let elsewhere = sought.map(|sought| desk.holding(&sought)).transpose()?;
        tell(&redacted, elsewhere.as_deref());
        if let Some(value) = &value
            && let Ok(standing) = ledger.status(value, Scope::Marketing)
            && let Some(wish) = standing.wish
        {
            note(format!("the wish stands: {wish}"));
        }
        let Redacted { by, records, may_be, .. } = &redacted;
        match (output.format(), by) {
            (Format::Table, Some(by)) => {
                let records = count(records.len() as u64, "record");
                output.done("redacted", &format!("{records}, by record {by}"))?;
            }
            (Format::Table, None) => output.text("nothing was there to be redacted")?,
            _ => {
                output.value(&Answer {
                    by: *by,
                    records,
                    may_be,
                    elsewhere: elsewhere.as_deref(),
                })?;
            }
        }
        Ok(Status::Done)
    }
}

fn ask(globals: &Globals) -> Result<(), CliError> {
    if globals.yes {
        return Ok(());
    }
    let refused = |why: &str| Err(CliError::Usage(why.to_owned()));
    if !on_terminal() {
        return refused(
            "what is redacted cannot be brought back: add --yes to do it without being asked",
        );
    }
    if !confirm("Remove it from the ledger? It cannot be brought back.") {
        return refused("not confirmed: nothing was removed");
    }
    Ok(())
}

fn tell(redacted: &Redacted, elsewhere: Option<&[Holding]>) {
    for record in &redacted.may_be {
        note(format!("record {record} may be of the same number, and was left as it is"));
    }
    match elsewhere {
        None if !redacted.of_value => {
            note("the record is of no number and no address: only its reason can be removed");
            return;
        }
        None => note(
            "whether the desk has it elsewhere is not known, since the ledger no longer has it",
        ),
        Some(elsewhere) => {
            for Holding { place, what } in elsewhere {
                note(format!("{place} still has it: {what}"));
            }
            if !elsewhere.is_empty() {
                note("`crm desk forget` takes it out of the desk as far as that is possible");
            }
        }
    }
    note(
        "copies are not looked at: backups of the desk and of this machine, lists that were imported, \
         and what was exported",
    );
}
