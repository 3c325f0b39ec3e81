//! `crm consent export`: everybody who may not be written to.

use clap::Args;
use crm_consent::{Heard, Ledger, Wish};
use serde::Serialize;

use super::words::ScopeArg;
use crate::{
    error::CliError,
    globals::Format,
    output::{Output, count, note, records},
    status::Status,
};

/// List all numbers and addresses that are out, for dialers and mailers
///
/// CSV, unless --output says otherwise: numbers as digits with their country codes, addresses in
/// lower case.
#[derive(Debug, Args)]
pub(crate) struct ExportCommand {
    /// The kinds of messages
    #[arg(long, default_value = "marketing")]
    scope: ScopeArg,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    value: String,
    kind: &'static str,
    status: &'static str,
    received: Option<String>,
    record: u64,
}

records! {
    Row { "value", "kind", "status", "received", "record" }
}

impl ExportCommand {
    pub(crate) fn run(self, ledger: &Ledger, output: &Output) -> Result<Status, CliError> {
        let csv = match output.format() {
            Format::Table => {
                let fields = output.fields().map(<[String]>::to_vec);
                Some(Output::new(Format::Csv, fields).excel(output.is_for_excel()))
            }
            _ => None,
        };
        let mut records = csv.as_ref().unwrap_or(output).records::<Row>()?;
        records.if_none("nobody is out");
        let (mut unwritten, mut redacted) = (0_u64, 0_u64);
        for heard in ledger.standing(Wish::Out, self.scope.into())? {
            let is_redacted = heard.key.is_none();
            match row(heard) {
                Some(row) => records.push(&row)?,
                None if is_redacted => redacted += 1,
                None => unwritten += 1,
            }
        }
        records.finish()?;
        if redacted > 0 {
            note(format!(
                "left out: {}, which no list can have; ask `crm consent status` before you write to \
                 anybody",
                count(redacted, "redacted value")
            ));
        }
        if unwritten > 0 {
            note(format!(
                "left out: {unwritten} that no dialer can use, since they lack the area code"
            ));
        }
        Ok(Status::Done)
    }
}

fn row(heard: Heard) -> Option<Row> {
    let key = heard.key?;
    let (value, kind) = match key.contains('@') {
        true => (key, "email"),
        // A number without its area code has no key of digits alone.
        false if key.starts_with(' ') => return None,
        false => (key, "phone"),
    };
    Some(Row { value, kind, status: "out", received: heard.received, record: heard.record })
}
