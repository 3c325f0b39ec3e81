//! `crm history`: what happened to a record.

use clap::Args;
use crm_mirror::{Mirror, OwnerId};
use crm_models::{PersonId, Timestamp};

use super::{args::NumberArgs, sets::no_desk, times::time};
use crate::{
    desk::{Desk, Event, OfOwner, Sought, Subject},
    error::CliError,
    globals::Globals,
    output::{Output, crm, note},
    session,
    status::Status,
};

/// Show what happened to a contact, or to all that have a number or an address
///
/// Who, when, what from and to, by which set or command, and whether it was undone: from the sets of
/// the desk, those that were applied from elsewhere, and the recorded single writes. What others changed
/// without `crm` is in it as far as two updates of the mirror differ and none of these writes tells it.
/// An owner may be given by its name in the mirror; of several that have it each is listed.
///
///   crm history customer:1001 4001
///   crm history location:2001 --since 30d
///   crm history "(818) 555-0142"
///   crm history "Willow Creek"
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct HistoryCommand {
    /// customer:ID, location:ID, person:ID or booking:ID; a number or an address; or an owner's name
    #[arg(value_name = "OWNER|VALUE|NAME", allow_hyphen_values = true)]
    subject: String,

    /// Only this contact or contact method of the owner
    contact: Option<String>,

    /// Only what happened at this time or later, for example 2026-11-01 or 30d
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,

    /// Only what happened before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,

    #[command(flatten)]
    numbers: NumberArgs,
}

/// The kinds of owners.
const KINDS: [&str; 4] = ["customer", "location", "person", "booking"];

/// How many owners of a name are told.
const OWNERS: usize = 20;

/// How many contacts are looked through for an owner's name.
const HITS: usize = 1_000;

impl HistoryCommand {
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<Status, CliError> {
        let records = output.records::<Event>()?;
        let place = session::desk(globals, "a profile")?;
        let Some(desk) = place.existing()? else {
            return Err(CliError::Usage(no_desk(&place)?));
        };
        let (since, until) = (self.since, self.until);
        let mut history = desk.history(self.subject(desk)?)?;
        history.missing.iter().for_each(note);
        let is_any = !history.events.is_empty();
        history.events.retain(|event| {
            let at = event.moment();
            let is_late = since.is_none_or(|since| at.is_some_and(|at| at >= since));
            is_late && until.is_none_or(|until| at.is_some_and(|at| at < until))
        });
        match (is_any, history.events.is_empty()) {
            (false, _) => note("nothing was written to it from here"),
            (true, true) => note("nothing happened to it in this time"),
            _ => {}
        }
        records.all(history.events)?;
        Ok(Status::Done)
    }

    fn subject(self, desk: &Desk) -> Result<Subject, CliError> {
        let Self { subject, contact, numbers, .. } = self;
        if let Some(owner) = owner(&subject) {
            return Ok(Subject::Owner(OfOwner { contact, ..owner? }));
        }
        let value = Sought::read(&subject, numbers.reader(desk.region()));
        match value {
            Ok(_) if contact.is_some() => Err(CliError::Usage(format!(
                "`{subject}` is no owner: write it as customer:ID or location:ID"
            ))),
            Ok(sought) => Ok(Subject::Value(sought)),
            // What has no letter is no name.
            Err(invalid) if !subject.contains(char::is_alphabetic) => {
                Err(CliError::Usage(format!(
                    "`{subject}` is neither a number or address ({invalid}) nor an owner such as \
                     customer:ID"
                )))
            }
            Err(_) => named(desk, &subject, contact),
        }
    }
}

/// The owner that a text names by its kind and its id, if it does.
fn owner(text: &str) -> Option<Result<OfOwner, CliError>> {
    let (kind, id) = text.split_once(':')?;
    let kind = KINDS.into_iter().find(|known| known.eq_ignore_ascii_case(kind.trim()))?;
    let id = id.trim();
    let is_id = match kind {
        "person" => id.parse::<PersonId>().is_ok(),
        _ => id.parse::<i64>().is_ok_and(|id| id > 0),
    };
    Some(if is_id {
        Ok(OfOwner { kind: kind.to_owned(), id: id.to_owned(), contact: None })
    } else {
        Err(CliError::Usage(format!("`{text}` has no id of a {kind}")))
    })
}

/// The only owner that has this name in the mirror.
fn named(desk: &Desk, name: &str, contact: Option<String>) -> Result<Subject, CliError> {
    let file = desk.mirror();
    if !file.exists() {
        return Err(CliError::Usage(format!(
            "`{name}` is no owner such as customer:ID, and there is no mirror to look the name up in: \
             `crm mirror update`"
        )));
    }
    let found = Mirror::open(&file)?.find(name, HITS)?;
    let found = found.map_err(|short| CliError::Usage(short.to_string()))?;
    let words: Vec<_> = name.split_whitespace().map(str::to_lowercase).collect();
    let mut owners = Vec::<(OwnerId, String, String)>::new();
    for hit in found.hits {
        // Memos and values speak of others too.
        let Some(details) = hit.details else { continue };
        let called = details.display_name();
        let has_it = words.iter().all(|word| called.to_lowercase().contains(word));
        if has_it && owners.iter().all(|(owner, ..)| *owner != hit.owner) {
            owners.push((hit.owner, called, details.town().to_owned()));
        }
    }
    let is_exact = |called: &String| called.to_lowercase() == words.join(" ");
    let mut exact = owners.iter().filter(|(_, called, _)| is_exact(called));
    let only = match (exact.next(), exact.next(), &owners[..]) {
        (Some(one), None, _) | (None, _, [one]) => Some(one),
        _ => None,
    };
    if let Some((owner, called, town)) = only {
        note(format!("{}:{} is {called}, {town}", owner.kind(), owner.get()));
        let (kind, id) = (owner.kind().to_owned(), owner.get().to_string());
        return Ok(Subject::Owner(OfOwner { kind, id, contact }));
    }
    if owners.is_empty() {
        return Err(CliError::Usage(format!(
            "no owner in the mirror is called `{name}`, and it is no number, no address and no owner \
             such as customer:ID"
        )));
    }
    for (owner, called, town) in owners.iter().take(OWNERS) {
        note(format!("{} history {}:{}  # {called}, {town}", crm(), owner.kind(), owner.get()));
    }
    let many = if owners.len() > OWNERS || found.more { "more owners than these" } else { "these" };
    Err(CliError::Usage(format!("`{name}` may be any of {many}: give one as it is written here")))
}
