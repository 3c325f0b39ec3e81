//! What happened to records: read from the change sets, which stay the only place that has it, from
//! the recorded single updates, and from what updates of the mirror found that others changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    path::Path,
};

use crm_bulk::{
    Action, BulkError, Change, ChangeSet, Decision, DecisionKind, Image, Selection, SetKind, State,
    Target, speaks_of_marketing,
};
use crm_mirror::{Happened, Mirror, Observed};
use serde::Serialize;

use super::{
    elsewhere::{Elsewhere, Record, record_of, what},
    error::DeskError,
    folder::Desk,
    forget::Sought,
    recorder::members,
    sets::name_of,
    updates::{Entry, Member},
};

/// Which records are looked at.
pub(crate) enum Subject {
    /// Those that have or had a number or an address.
    Value(Sought),
    /// Those of an owner, or one of them.
    Owner { kind: String, id: String, contact: Option<String> },
    /// Those that have or had a number or an address, and these: also what was found of them and never
    /// sent.
    Copies { sought: Sought, records: BTreeSet<Record> },
}

/// One write that was sent, or a difference that others made.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    pub(crate) at: Option<String>,
    /// Of what others changed, when it was last seen as before; `at` is when it was first seen so.
    since: Option<String>,
    /// Who applied the set or gave the command, as the system knows.
    pub(crate) by: Option<String>,
    /// Who planned the set.
    pub(crate) planned_by: Option<String>,
    pub(crate) owner_kind: Option<String>,
    pub(crate) owner_id: Option<String>,
    pub(crate) contact_id: Option<String>,
    pub(crate) action: String,
    /// What from and to, for people.
    pub(crate) change: String,
    pub(crate) members: Vec<Member>,
    pub(crate) state: String,
    /// The set or the command.
    pub(crate) through: String,
    pub(crate) trace_id: Option<String>,
    /// Whether a set that was applied has reversed it, or of a single write, whether later writes
    /// have put back what it changed. Not known of what others did.
    pub(crate) undone: Option<bool>,
    /// Of a change of a set, what was found when that was planned.
    #[serde(skip)]
    pub(super) found: Option<FoundThen>,
}

/// What a set found of a record when it was planned.
#[derive(Debug, Clone)]
pub(super) struct FoundThen {
    pub(super) at: Option<String>,
    /// The numbers or addresses that the record had, and was to have.
    pub(super) values: Vec<String>,
    /// Whether it received marketing, if that was known.
    pub(super) receives: Option<bool>,
}

crate::output::records! {
    Event {
        "at" => "AT", "since", "by" => "BY", "plannedBy", "ownerKind", "ownerId" => "OWNER", "contactId" => "CONTACT",
        "action" => "ACTION", "change" => "CHANGE", "members", "state" => "STATE",
        "through" => "THROUGH", "traceId", "undone" => "UNDONE",
    }
}

/// What happened, and what could not be looked at.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// The earliest first.
    pub(crate) events: Vec<Event>,
    /// One sentence for each set that is gone or cannot be read, and on what is known of others.
    pub(crate) missing: Vec<String>,
}

/// What a change and its reverse have in common: the owner, and the contact's id. What was deleted gets
/// another id when it is created again: there it is the value.
type Id = (&'static str, String, Option<String>);

impl Desk {
    /// What happened to the records of a subject.
    pub(crate) fn history(&self, subject: &Subject) -> Result<History, DeskError> {
        let mut history = History::default();
        let mut elsewhere = self.elsewhere(subject, &mut history.missing);
        let (entries, runs) = match self.recorded()? {
            Some(updates) => (updates.all()?, self.runs_elsewhere(&updates)?),
            None => Default::default(),
        };
        let entries: Vec<_> = entries.into_iter().map(|(_, entry)| entry).collect();
        let single: Vec<_> = entries.iter().filter(|entry| subject.has_update(entry)).collect();
        single.iter().filter_map(|entry| record_of(entry)).for_each(|it| elsewhere.watch(it));
        entries.iter().for_each(|entry| elsewhere.note_update(entry));

        let mut files = self.set_files()?;
        for run in runs {
            let named = run.file.file_name();
            if files.iter().any(|file| file.file_name() == named) {
                continue;
            }
            if run.file.exists() {
                files.push(run.file);
            } else {
                let file = run.file.display();
                let told =
                    format!("{file}, applied on {}, is gone: what it did is not listed", run.at);
                history.missing.push(told);
            }
        }
        let mut of_sets = OfSets::default();
        for file in files {
            if let Err(error) = of_sets.add(&file, subject, &mut elsewhere) {
                history.missing.push(format!("{} is not listed: {error}", file.display()));
            }
        }
        history.events.extend(of_sets.events());
        history.events.extend(single.into_iter().map(|entry| {
            let is_undone = |record| {
                let at = entry.outcome.ended_at.as_ref().unwrap_or(&entry.at);
                elsewhere.is_undone(&record, what(entry), at, &entry.changes)
            };
            let undone = record_of(entry).and_then(is_undone);
            Event { undone, ..entry.clone().into() }
        }));
        history.events.extend(elsewhere.left().map(Event::from));
        history.events.sort_by(|one, other| one.at.cmp(&other.at));
        Ok(history)
    }

    /// The differences of a subject's contacts that updates of the mirror found; what cannot be
    /// looked at is told.
    fn elsewhere(&self, subject: &Subject, missing: &mut Vec<String>) -> Elsewhere {
        let file = self.mirror();
        if !file.exists() {
            missing.push(
                "there is no mirror, so what others changed is not listed: `crm mirror update`"
                    .to_owned(),
            );
            return Elsewhere::default();
        }
        let read = || {
            let mirror = Mirror::open(&file)?;
            let elsewhere = match subject {
                Subject::Value(sought) => {
                    let records = Elsewhere::records_with(&mirror, sought)?;
                    Elsewhere::of(&mirror, |record| records.contains(record))
                }
                Subject::Copies { records, .. } => {
                    Elsewhere::of(&mirror, |record| records.contains(record))
                }
                Subject::Owner { .. } => Elsewhere::of(&mirror, |(kind, owner, contact)| {
                    subject.is_of(Some(kind), Some(owner), Some(contact))
                }),
            };
            Ok::<_, crm_mirror::MirrorError>((elsewhere?, mirror.differences_since()?))
        };
        match read() {
            Ok((elsewhere, Some(since))) => {
                missing.push(format!(
                    "what others changed is known from {since} on, as far as updates of the mirror \
                     saw it"
                ));
                elsewhere
            }
            Ok((elsewhere, None)) => {
                missing.push(
                    "the mirror has not been read to its end, so what others changed is not known"
                        .to_owned(),
                );
                elsewhere
            }
            Err(error) => {
                missing.push(format!("what others changed is not listed: {error}"));
                Elsewhere::default()
            }
        }
    }
}

/// The events of sets, and what sets have reversed.
#[derive(Default)]
struct OfSets {
    found: Vec<(OsString, Id, Event)>,
    /// The records of each set that another one has put back.
    reversed: BTreeMap<OsString, BTreeSet<Id>>,
}

impl OfSets {
    fn add(
        &mut self,
        file: &Path,
        subject: &Subject,
        elsewhere: &mut Elsewhere,
    ) -> Result<(), BulkError> {
        let set = ChangeSet::open(file)?;
        let info = set.info()?;
        let through = name_of(file).unwrap_or_else(|| file.display().to_string());
        let reverses = info.undo_of.as_deref().and_then(Path::file_name);
        let reverses = reverses.filter(|_| info.kind == SetKind::Undo).map(ToOwned::to_owned);
        let mut runs = set.decisions()?;
        runs.retain(|decision| decision.kind == DecisionKind::Applied);
        let sent = [State::Done, State::Failed, State::InFlight, State::Unknown];
        let with_unsent = matches!(subject, Subject::Copies { .. });
        let selected = if with_unsent { Selection::all() } else { Selection::states(sent) };
        let planned_at = info.created_at.map(|at| at.to_string());
        for change in set.changes(&selected) {
            let change = change?;
            // What was refused without being sent is not in the history.
            if change.outcome.attempts == 0 && !with_unsent {
                continue;
            }
            elsewhere.note_change(&change);
            if !subject.has_change(&change) {
                continue;
            }
            let id = match (&change.action, &reverses) {
                (Action::Delete, None) => by_value(&change, change.before.as_ref()),
                (Action::Create(_), Some(_)) => by_value(&change, change.after.as_ref()),
                _ => id(&change.target),
            };
            if let (Some(original), State::Done) = (&reverses, change.outcome.state) {
                self.reversed.entry(original.clone()).or_default().insert(id.clone());
            }
            let name = file.file_name().unwrap_or_default().to_owned();
            // By the last run that had begun by then.
            let has_begun = |run: &&Decision| change.outcome.at.is_none_or(|at| run.at <= at);
            let by = runs.iter().rev().find(has_begun).map(|run| run.user.clone());
            let who = [by, info.planned_by.clone()];
            let found = Some(FoundThen::of(&change, planned_at.clone()));
            let event = Event { found, ..event(change, who, through.clone()) };
            self.found.push((name, id, event));
        }
        Ok(())
    }

    fn events(self) -> impl Iterator<Item = Event> {
        let Self { found, reversed } = self;
        found.into_iter().map(move |(set, id, mut event)| {
            event.undone = Some(reversed.get(&set).is_some_and(|records| records.contains(&id)));
            event
        })
    }
}

impl Event {
    /// Of a change of a set, when that was planned and its record found.
    pub(crate) fn found_at(&self) -> Option<&str> {
        self.found.as_ref()?.at.as_deref()
    }
}

impl FoundThen {
    fn of(change: &Change, at: Option<String>) -> Self {
        let images = [change.before.as_ref(), change.after.as_ref()];
        let values = images.into_iter().flatten().map(Image::value).chain(change.value());
        Self {
            at,
            values: values.map(str::to_owned).collect(),
            receives: change.before.as_ref().and_then(told_marketing),
        }
    }
}

/// Whether a record receives marketing, if its flags are known.
fn told_marketing(image: &Image) -> Option<bool> {
    let is_told = match (image.as_contact(), image.as_method()) {
        (Some(contact), _) => contact.preferences.is_some(),
        (None, method) => method.is_some_and(|method| {
            method.preferences.iter().any(|(name, on)| speaks_of_marketing(name) && on.is_some())
        }),
    };
    is_told.then(|| image.receives_marketing())
}

fn id(target: &Target) -> Id {
    (target.kind(), target.owner_text(), target.contact_text())
}

fn by_value(change: &Change, image: Option<&Image>) -> Id {
    let value = image.map(|image| image.value().to_owned());
    (change.target.kind(), change.target.owner_text(), value)
}

fn event(change: Change, [by, planned_by]: [Option<String>; 2], through: String) -> Event {
    let mut told: Vec<_> = change.members().iter().map(Member::from).collect();
    if let (Action::Delete, Some(before)) = (&change.action, &change.before) {
        let before = serde_json::to_value(before).unwrap_or_default();
        told = members(&before).into_iter().map(Member::gone).collect();
    }
    Event {
        at: change.outcome.at.map(|at| at.to_string()),
        since: None,
        by,
        planned_by,
        owner_kind: Some(change.target.kind().to_owned()),
        owner_id: Some(change.target.owner_text()),
        contact_id: change.target.contact_text(),
        action: change.action.name().to_owned(),
        change: words(&told),
        members: told,
        state: change.outcome.state.to_string(),
        through,
        trace_id: change.outcome.trace_id,
        undone: None,
        found: None,
    }
}

impl From<Entry> for Event {
    fn from(entry: Entry) -> Self {
        let action = action(what(&entry));
        Self {
            at: Some(entry.at),
            since: None,
            by: Some(entry.user),
            planned_by: None,
            owner_kind: entry.owner_kind,
            owner_id: entry.owner_id,
            contact_id: entry.contact_id,
            action: action.to_owned(),
            change: words(&entry.changes),
            members: entry.changes,
            state: entry.outcome.state,
            through: entry.command,
            trace_id: entry.outcome.trace_id,
            undone: None,
            found: None,
        }
    }
}

impl From<(Observed, Vec<Member>)> for Event {
    fn from((observed, members): (Observed, Vec<Member>)) -> Self {
        let Observed { owner, contact, since, until, happened, .. } = observed;
        let action = action(happened);
        Self {
            at: Some(until.to_string()),
            since: Some(since.to_string()),
            by: None,
            planned_by: None,
            owner_kind: Some(owner.kind().to_owned()),
            owner_id: Some(owner.get().to_string()),
            contact_id: Some(contact.to_string()),
            action: action.to_owned(),
            change: words(&members),
            members,
            state: "seen".to_owned(),
            through: format!("changed elsewhere, between {since} and {until}"),
            trace_id: None,
            undone: None,
            found: None,
        }
    }
}

fn action(happened: Happened) -> &'static str {
    match happened {
        Happened::Created => "create",
        Happened::Deleted => "delete",
        _ => "update",
    }
}

/// What from and to, on one line.
fn words(members: &[Member]) -> String {
    let words = members.iter().map(|Member { field, before, after }| match (before, after) {
        (Some(before), Some(after)) => format!("{field}: {before} → {after}"),
        (Some(before), None) => format!("{field}: {before} → (none)"),
        (None, Some(after)) => format!("{field}: {after}"),
        (None, None) => format!("{field}: (none)"),
    });
    words.collect::<Vec<_>>().join("; ")
}

impl Subject {
    fn has_update(&self, entry: &Entry) -> bool {
        match self {
            Self::Value(sought) => sought.is_in_update(entry),
            Self::Copies { sought, records } => {
                let record = record_of(entry);
                sought.is_in_update(entry) || record.is_some_and(|it| records.contains(&it))
            }
            Self::Owner { .. } => self.is_of(
                entry.owner_kind.as_deref(),
                entry.owner_id.as_deref(),
                entry.contact_id.as_deref(),
            ),
        }
    }

    fn has_change(&self, change: &Change) -> bool {
        match self {
            Self::Value(sought) => sought.is_in_change(change),
            Self::Copies { sought, records } => {
                let (kind, owner, contact) = id(&change.target);
                let record = contact.map(|contact| (kind.to_owned(), owner, contact));
                sought.is_in_change(change) || record.is_some_and(|it| records.contains(&it))
            }
            Self::Owner { .. } => {
                let (kind, owner, contact) = id(&change.target);
                self.is_of(Some(kind), Some(&owner), contact.as_deref())
            }
        }
    }

    fn is_of(&self, kind: Option<&str>, owner: Option<&str>, contact: Option<&str>) -> bool {
        let Self::Owner { kind: wanted, id, contact: one } = self else {
            return false;
        };
        owner == Some(id) && kind == Some(wanted) && (one.is_none() || one.as_deref() == contact)
    }
}
