//! `crm history`: what happened to a record.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use crm_consent::{ConsentError, Scope};
use crm_mirror::{Mirror, OwnerId};
use crm_models::{Contact, PersonId, Timestamp};

use super::{args::NumberArgs, ledger, sets::no_desk, times::time};
use crate::{
    desk::{Desk, Event, History, OfOwner, Sought, Subject},
    error::CliError,
    globals::Globals,
    output::{Output, crm, moment, note},
    session,
    status::Status,
};

/// Show what happened to a contact, or to all that have a number or an address
///
/// Who, when, what from and to, by which set or command, and whether it was undone: from the sets of
/// the desk, those that were applied from elsewhere, and the recorded single writes; who approved these
/// sets; and what the consent ledger has of the number or address. What others changed without `crm` is
/// in it as far as two updates of the mirror differ and none of these writes tells it.
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
        let time = Time { since: self.since, until: self.until };
        let subject = self.subject(desk)?;
        let History { mut events, missing, approvals, begins } = desk.history(subject.clone())?;
        missing.iter().for_each(note);
        let is_any = !events.is_empty();
        let file = desk.mirror();
        let mirror = file.exists().then(|| Mirror::open(file)).transpose()?;
        let contacts = mirror.as_ref().map(|mirror| contacts(mirror, &subject, &events));
        let contacts = contacts.transpose()?.unwrap_or_default();
        events.retain(|event| time.has(event.moment()));
        match (is_any, events.is_empty()) {
            (false, _) => note("nothing was written to it from here"),
            (true, true) => note(time.nothing_known(begins)),
            _ => {}
        }
        if events.is_empty() && time.is_limited() {
            time.dates_of(&contacts).iter().for_each(note);
        }
        let wishes = wishes(globals, &subject, &contacts)?;
        let besides = approvals.into_iter().chain(wishes);
        events.extend(besides.filter(|event| time.has(event.moment())));
        events.sort_by_key(Event::moment);
        if let Some(mirror) = &mirror {
            events.iter_mut().try_for_each(|event| name(event, mirror))?;
        }
        records.all(events)?;
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

/// The time that is asked for.
#[derive(Clone, Copy)]
struct Time {
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Time {
    fn is_limited(self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    fn has(self, at: Option<Timestamp>) -> bool {
        self.since.is_none_or(|since| at.is_some_and(|at| at >= since))
            && self.until.is_none_or(|until| at.is_some_and(|at| at < until))
    }

    /// That nothing is known to have happened in it; `begins` is from when on something is known.
    fn nothing_known(self, begins: Option<Timestamp>) -> String {
        let day = begins.map(|at| moment(&at.to_string())).unwrap_or_default();
        match begins {
            Some(begins) if self.until.is_some_and(|until| until <= begins) => {
                format!("nothing is known of this time: what the desk knows begins {day}")
            }
            Some(begins) if self.since.is_none_or(|since| since < begins) => format!(
                "nothing is known to have happened to it in this time, of which the desk knows only \
                 what came after {day}"
            ),
            _ => "nothing is known to have happened to it in this time".to_owned(),
        }
    }

    /// What the dates of contacts say of it.
    fn dates_of(self, contacts: &[(OwnerId, Contact)]) -> Vec<String> {
        let told = contacts.iter().filter_map(|(owner, contact)| {
            let dates =
                [("created", contact.created()), ("last changed", Some(contact.modified_on))];
            let dates = dates.into_iter().filter(|(_, at)| at.is_some() && self.has(*at));
            let dates = dates.filter_map(|(what, at)| Some((what, moment(&at?.to_string()))));
            let dates: Vec<_> = dates.map(|(what, at)| format!("{what} {at}")).collect();
            let (id, dates) = (contact.id, dates.join(", "));
            (!dates.is_empty())
                .then(|| format!("the service says that contact {id} of {owner} was {dates}"))
        });
        told.take(OWNERS).collect()
    }
}

/// The contacts of a subject, as far as the mirror has them: those with a number or address, or those
/// that something happened to.
fn contacts(
    mirror: &Mirror,
    subject: &Subject,
    events: &[Event],
) -> Result<Vec<(OwnerId, Contact)>, CliError> {
    let mut contacts = BTreeMap::new();
    if let Subject::Value(sought) | Subject::Copies(sought) = subject {
        let with = mirror.with_same_number(&sought.written(), None)?.into_iter();
        contacts.extend(with.map(|(owner, known)| ((owner, known.contact.id), known.contact)));
    }
    let named = match subject {
        Subject::Owner(OfOwner { kind, id, contact }) => Some((kind, id, contact)),
        _ => None,
    };
    let told = events.iter().filter_map(|event| {
        Some((event.owner_kind.as_ref()?, event.owner_id.as_ref()?, &event.contact_id))
    });
    for (kind, id, contact) in named.into_iter().chain(told) {
        let owner = id.parse().ok().and_then(|id| OwnerId::new(kind, id));
        let contact = contact.as_ref().and_then(|id| id.parse().ok());
        let Some((owner, contact)) = owner.zip(contact) else { continue };
        if let Some(known) = mirror.contact_last_told(owner, contact)? {
            contacts.insert((owner, contact), known.contact);
        }
    }
    Ok(contacts.into_iter().map(|((owner, _), contact)| (owner, contact)).collect())
}

/// What the ledger has of the wishes of a number or address, or of those that these contacts have.
fn wishes(
    globals: &Globals,
    subject: &Subject,
    contacts: &[(OwnerId, Contact)],
) -> Result<Vec<Event>, CliError> {
    let Some(ledger) = ledger::of_account(globals) else { return Ok(Vec::new()) };
    let values: BTreeSet<_> = match subject {
        Subject::Value(sought) | Subject::Copies(sought) => BTreeSet::from([sought.written()]),
        Subject::Owner(_) => contacts.iter().map(|(_, contact)| contact.value.clone()).collect(),
    };
    let mut wishes = BTreeMap::new();
    for value in values {
        match ledger.status(&value, Scope::Marketing) {
            Ok(standing) => wishes.extend(standing.heard.into_iter().map(|it| (it.record, it))),
            // Nobody can have said anything of it.
            Err(ConsentError::Value(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(wishes.into_values().map(Event::from).collect())
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
