//! `crm history`: what happened to a record.

mod known;
mod subject;
mod time;

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use crm_consent::{ConsentError, Scope};
use crm_mirror::{Mirror, OwnerId};
use crm_models::Timestamp;

use self::{known::Known, time::Time};
use super::{args::NumberArgs, ledger, sets::no_desk, times::time};
use crate::{
    desk::{Event, History, OfOwner, Subject},
    error::CliError,
    globals::Globals,
    output::{Output, note},
    session,
    status::Status,
};

/// Show what happened to a contact, or to all that have a number or an address
///
/// Who, when, what from and to, by which set or command, and whether it was undone: from the sets of
/// the desk, those that were applied from elsewhere, and the recorded single writes; who approved these
/// sets; and what the consent ledger has of the number or address. What others changed without `crm` is
/// in it as far as two updates of the mirror differ and none of these writes tells it.
/// What somebody took out of a set is told too, and of which contacts nothing is recorded. An owner may be
/// given by its name in the mirror, a number by its last seven digits; of several that have it each is
/// listed. Ends with code 9 for whom neither the mirror nor the desk knows.
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

impl HistoryCommand {
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<Status, CliError> {
        let mut records = output.records::<Event>()?;
        let place = session::desk(globals, "a profile")?;
        let Some(desk) = place.existing()? else {
            return Err(CliError::Usage(no_desk(&place)?));
        };
        let Self { subject, contact, since, until, numbers } = self;
        let (time, reader) = (Time { since, until }, numbers.reader(desk.region()));
        let subject = match subject::read(desk, &subject, contact, reader)? {
            Ok(subject) => subject,
            Err(nobody) => {
                records.if_none(nobody);
                records.finish()?;
                return Ok(Status::NothingFound);
            }
        };
        let History { mut events, missing, approvals, begins } = desk.history(subject.clone())?;
        missing.iter().for_each(note);
        let file = desk.mirror();
        let mirror = file.exists().then(|| Mirror::open(file)).transpose()?;
        let known = mirror.as_ref().map(|mirror| Known::of(mirror, &subject, &events));
        let known = known.transpose()?.unwrap_or_default();
        let heard = heard(globals, &subject, &known)?;
        let is_known =
            !(events.is_empty() && heard.is_empty()) || is_in_mirror(mirror.as_ref(), &subject)?;
        events.retain(|event| time.has(event.moment()));
        let unmentioned = known.unmentioned(&events, time, begins);
        let besides = approvals.into_iter().chain(heard);
        events.extend(besides.filter(|event| time.has(event.moment())));
        events.sort_by_key(Event::moment);
        events.extend(unmentioned);
        if let Some(mirror) = &mirror {
            events.iter_mut().try_for_each(|event| name(event, mirror))?;
        }
        let is_any = !events.is_empty();
        records.if_none(match (is_known, mirror) {
            (true, _) => format!("{subject}: {}", time.nothing_known(begins)),
            (false, Some(_)) => format!("{subject} is not in the mirror, and nothing is recorded of it"),
            (false, None) => format!(
                "nothing is recorded of {subject}, and there is no mirror to say whether it is there"
            ),
        });
        records.all(events)?;
        Ok(if is_any || is_known { Status::Done } else { Status::NothingFound })
    }
}

/// Whether the mirror knows whose history is asked for.
fn is_in_mirror(mirror: Option<&Mirror>, subject: &Subject) -> Result<bool, CliError> {
    let (Some(mirror), Subject::Owner(OfOwner { kind, id, contact: None })) = (mirror, subject)
    else {
        return Ok(false);
    };
    Ok(match (id.parse().ok().and_then(|id| OwnerId::new(kind, id)), id.parse()) {
        (Some(owner), _) => mirror.owner(owner)?.is_some(),
        (None, Ok(person)) => mirror.person(person)?.is_some(),
        (None, Err(_)) => false,
    })
}

/// What the ledger has heard of a number or address, or of those that these records have: the wishes,
/// and what took them back.
fn heard(globals: &Globals, subject: &Subject, known: &Known) -> Result<Vec<Event>, CliError> {
    let Some(ledger) = ledger::of_account(globals) else { return Ok(Vec::new()) };
    let values: BTreeSet<_> = match subject {
        Subject::Value(sought) | Subject::Copies(sought) => BTreeSet::from([sought.written()]),
        Subject::Owner(_) => known.values().map(str::to_owned).collect(),
    };
    let retractions = ledger.retractions()?;
    let mut heard = BTreeMap::new();
    for value in values {
        match ledger.status(&value, Scope::Marketing) {
            Ok(standing) => {
                let wishes = standing.heard.into_iter();
                heard.extend(wishes.map(|wish| (wish.record, Event::from(wish))));
                let taken_back = retractions.each_of(&value);
                heard.extend(taken_back.map(|one| (one.record, Event::from(one))));
            }
            // Nobody can have said anything of it.
            Err(ConsentError::Value(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(heard.into_values().collect())
}

/// Names whose record an event is about, as far as the mirror knows.
fn name(event: &mut Event, mirror: &Mirror) -> Result<(), CliError> {
    let (Some(kind), Some(id)) = (&event.owner_kind, &event.owner_id) else { return Ok(()) };
    event.owner_name = match (id.parse().ok().and_then(|id| OwnerId::new(kind, id)), id.parse()) {
        (Some(owner), _) => mirror.owner(owner)?.map(|known| known.display_name()),
        (None, Ok(person)) => mirror.person(person)?.and_then(|person| person.name),
        (None, Err(_)) => None,
    };
    Ok(())
}
