//! `crm consent status`: may I?

use clap::Args;
use crm_consent::{Heard, Ledger, Scope, Standing};
use crm_values::Region;
use serde::Serialize;

use super::words::ScopeArg;
use crate::{
    commands::args::{NumberArgs, tell_assumed},
    error::CliError,
    globals::Format,
    output::{Output, crm, moment, received},
    status::Status,
};

/// Say whether somebody may be written to, called or texted
///
/// The code is 0 where no wish stands against it, and 10 where one does, also one of a number that may
/// be the same. The answer has all wishes of the value, and which of them decides.
#[derive(Debug, Args)]
pub(crate) struct StatusCommand {
    /// The number or address
    #[arg(value_name = "NUMBER|ADDRESS", allow_hyphen_values = true)]
    value: String,

    /// The kinds of messages
    #[arg(long, default_value = "marketing")]
    scope: ScopeArg,

    #[command(flatten)]
    numbers: NumberArgs,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    may: bool,
    #[serde(flatten)]
    standing: &'a Standing,
}

impl StatusCommand {
    pub(crate) fn run(
        self,
        ledger: Ledger,
        desk: Region,
        output: &Output,
    ) -> Result<Status, CliError> {
        let reader = self.numbers.reader(desk);
        tell_assumed(&self.value, reader);
        let ledger = ledger.numbers(reader);
        let standing = ledger.status(&self.value, self.scope.into())?;
        let may = standing.may();
        match output.format() {
            Format::Table => {
                let mut lines = text(&standing);
                lines.extend(self.otherwise(&ledger, &standing)?);
                output.text(&lines.join("\n"))?;
            }
            _ => output.value(&Answer { may, standing: &standing })?,
        }
        Ok(if may { Status::Done } else { Status::Consent })
    }
}

impl StatusCommand {
    /// What counts for the other kinds of messages, where that is not the same.
    fn otherwise(&self, ledger: &Ledger, standing: &Standing) -> Result<Option<String>, CliError> {
        let (scope, kinds) = match self.scope {
            ScopeArg::Marketing => (Scope::All, "all kinds of messages"),
            ScopeArg::All => (Scope::Marketing, "marketing"),
        };
        let other = ledger.status(&self.value, scope)?;
        let differs = other.wish.zip(other.decided_by).filter(|_| other.wish != standing.wish);
        Ok(differs.map(|(wish, record)| format!("for {kinds}: {wish}, by record {record}")))
    }
}

fn text(standing: &Standing) -> Vec<String> {
    let mut lines = vec![match (standing.wish, standing.decided_by) {
        (Some(wish), Some(record)) => format!("{wish}, by record {record}"),
        _ if standing.may() => "no wish is recorded that counts".to_owned(),
        _ => "may be the same as one that is out".to_owned(),
    }];
    lines.extend(standing.heard.iter().map(line));
    lines.extend(
        standing.may_be.iter().map(|heard| format!("may be the same: {}", line(heard).trim())),
    );
    let overridden = standing.overridden.iter();
    lines.extend(overridden.map(|it| format!("{}: {it}", it.target)));
    if !standing.overridden.is_empty() {
        lines.push(format!(
            "such a decision is no wish: the next `{} consent run` turns it off again",
            crm()
        ));
    }
    lines
}

pub(super) fn line(heard: &Heard) -> String {
    let kinds = if heard.scope == Scope::All { " of all kinds" } else { "" };
    let mut said = format!("  {}: {}{kinds}, ", heard.record, heard.wish);
    said.push_str(&received(heard));
    let words = heard.words.as_ref().map(|words| format!("\"{words}\""));
    let taken = heard.taken_by.as_ref().map(|by| format!("taken by {by}"));
    let from = heard.import.map(|import| match heard.row {
        Some(row) => format!("import {import}, line {row}"),
        None => format!("import {import}"),
    });
    let honoured =
        (!heard.honoured).then(|| "not honoured: it lacks the time or the words".to_owned());
    let redacted = heard.value.is_none().then(|| "its data was removed".to_owned());
    let retracted = heard.retracted.then(|| "taken back".to_owned());
    let recorded =
        Some(format!("recorded {} by {}", moment(&heard.recorded_at), heard.recorded_by));
    let more = [words, heard.place.clone(), taken, from, recorded, honoured, retracted, redacted];
    for part in more.into_iter().flatten() {
        said.push_str(&format!(", {part}"));
    }
    said
}
