//! `crm history`: what happened to a record.

use clap::Args;
use crm_values::Region;

use super::{args::NumberArgs, sets::no_desk};
use crate::{
    desk::{Event, Sought, Subject},
    error::CliError,
    globals::Globals,
    output::{Output, note},
    session,
    status::Status,
};

/// Show what happened to a contact, or to all that have a number or an address
///
/// Who, when, what from and to, by which set or command, and whether it was undone: from the sets of
/// the desk, those that were applied from elsewhere, and the recorded single writes. What others changed
/// without `crm` is in it as far as two updates of the mirror differ and none of these writes tells it.
///
///   crm history customer:1001 4001
///   crm history location:2001
///   crm history "(818) 555-0142"
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct HistoryCommand {
    /// customer:ID, location:ID, person:ID or booking:ID; or a number or an address
    #[arg(value_name = "OWNER|VALUE", allow_hyphen_values = true)]
    subject: String,

    /// Only this contact or contact method of the owner
    contact: Option<String>,

    #[command(flatten)]
    numbers: NumberArgs,
}

/// The kinds of owners.
const KINDS: [&str; 4] = ["customer", "location", "person", "booking"];

impl HistoryCommand {
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<Status, CliError> {
        let records = output.records::<Event>()?;
        let place = session::desk(globals, "a profile")?;
        let Some(desk) = place.existing()? else {
            return Err(CliError::Usage(no_desk(&place)?));
        };
        let subject = self.subject(desk.region())?;
        let history = desk.history(&subject)?;
        history.missing.iter().for_each(note);
        if history.events.is_empty() {
            note("nothing was written to it from here");
        }
        records.all(history.events)?;
        Ok(Status::Done)
    }

    fn subject(&self, desk: Region) -> Result<Subject, CliError> {
        let owner = self.subject.split_once(':');
        let kind = owner.and_then(|(kind, id)| {
            let kind = KINDS.into_iter().find(|known| known.eq_ignore_ascii_case(kind.trim()))?;
            Some((kind, id.trim()))
        });
        match (kind, &self.contact) {
            (Some((kind, id)), contact) => Ok(Subject::Owner {
                kind: kind.to_owned(),
                id: id.to_owned(),
                contact: contact.clone(),
            }),
            (None, Some(_)) => Err(CliError::Usage(format!(
                "`{}` is no owner: write it as customer:ID or location:ID",
                self.subject
            ))),
            (None, None) => Sought::read(&self.subject, self.numbers.reader(desk))
                .map(Subject::Value)
                .map_err(|invalid| {
                    CliError::Usage(format!(
                        "`{}` is neither a number or address ({invalid}) nor an owner such as \
                         customer:ID",
                        self.subject
                    ))
                }),
        }
    }
}
