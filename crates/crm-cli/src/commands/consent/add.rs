//! `crm consent add`: a wish that somebody has said.

use clap::Args;
use crm_bulk::Wish as Keyword;
use crm_consent::{Said, Wish};
use serde::Serialize;

use super::words::{ScopeArg, WishArg};
use crate::{
    commands::{
        args::{NumberArgs, narrow, tell_assumed},
        ledger::begin,
    },
    desk::Desk,
    error::CliError,
    globals::Format,
    output::{Output, note},
    status::Status,
};

/// Take a single wish: a reply STOP, a call
///
/// It is on the disk before it is reported. One that is there already, of the same moment, is not taken
/// again; without --at each time is another moment.
///
///   crm consent add "(818) 555-0142" --said STOP --at 2026-11-23T10:30:00-05:00 --by dana
///   crm consent add ada@site.example --said "no more mails please" --wish out --where telephone
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct AddCommand {
    /// The number or address
    #[arg(value_name = "NUMBER|ADDRESS", allow_hyphen_values = true)]
    value: String,

    /// The words or the keyword, as they were said
    #[arg(long, value_name = "WORDS")]
    said: String,

    /// What the words mean, unless they are a keyword such as STOP or START
    #[arg(long)]
    wish: Option<WishArg>,

    /// When it was received: a day, a day and a time, or these with a distance from UTC; without a
    /// distance the time is that of the policy's zone. Now, unless this is given; a script that may
    /// be run again gives it
    #[arg(long, value_name = "TIME", conflicts_with = "at_unknown")]
    at: Option<String>,

    /// Nobody knows when it was received
    #[arg(long)]
    at_unknown: bool,

    /// Who took it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,

    /// Where it was said, as in telephone
    #[arg(long, value_name = "PLACE")]
    r#where: Option<String>,

    /// For what it counts
    #[arg(long, default_value = "marketing")]
    scope: ScopeArg,

    #[command(flatten)]
    numbers: NumberArgs,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Added {
    record: u64,
    is_new: bool,
    wish: Wish,
    honoured: bool,
}

impl AddCommand {
    pub(crate) fn run(self, desk: &Desk, output: &Output) -> Result<Status, CliError> {
        let keyword = match Keyword::of_keyword(&self.said) {
            Some(Keyword::Out) => Some(Wish::Out),
            Some(Keyword::In) => Some(Wish::In),
            _ => None,
        };
        let wish = match (self.wish.map(Wish::from), keyword) {
            (Some(wish), Some(keyword)) if wish != keyword => {
                return Err(CliError::Usage(format!(
                    "`{}` says {keyword}, but --wish says {wish}: leave --wish out, or give the words \
                     that say {wish}",
                    self.said
                )));
            }
            (Some(wish), _) | (None, Some(wish)) => wish,
            (None, None) if self.said.trim().is_empty() => {
                return Err(CliError::Usage(
                    "--said has no words: give those that were said, or say what is wished with \
                     --wish out or in"
                        .to_owned(),
                ));
            }
            (None, None) => {
                return Err(CliError::Usage(format!(
                    "`{}` is no keyword that is known: say what it means with --wish out or in",
                    self.said
                )));
            }
        };
        let now = || jiff::Timestamp::now().to_string();
        let has_words = !self.said.trim().is_empty();
        let received = (!self.at_unknown).then(|| self.at.unwrap_or_else(now));
        tell_assumed(&self.value, self.numbers.reader(desk.region()));
        let said = Said::new(self.value, wish).scope(self.scope.into()).words(self.said);
        let said = narrow!(said, received(received), taken_by(self.by), place(self.r#where));
        let taken = begin(desk, &self.numbers)?.add(&said)?;
        if !taken.honoured {
            let lacks = if has_words { "time" } else { "words" };
            note(format!(
                "recorded, not honoured: without its {lacks} a wish to be written to counts for nothing"
            ));
        }
        if taken.honoured && taken.is_new && wish == Wish::Out {
            note(
                "`crm consent run` carries it out on every copy; `crm consent plan` shows them first",
            );
        }
        let added =
            Added { record: taken.record, is_new: taken.is_new, wish, honoured: taken.honoured };
        match output.format() {
            Format::Table if added.is_new => {
                output.done("taken", &format!("{wish}, record {}", added.record))?;
            }
            Format::Table => {
                output.done("there already", &format!("{wish}, record {}", added.record))?;
            }
            _ => output.value(&added)?,
        }
        Ok(Status::Done)
    }
}
