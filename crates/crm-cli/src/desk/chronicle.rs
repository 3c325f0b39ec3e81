//! Where it is found what happened to records: in the change sets, which stay the only place that has
//! it, in the recorded single writes, and in what updates of the mirror found that others changed.

use std::{
    cell::OnceCell,
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crm_bulk::{
    BulkError, Change, ChangeSet, Decision, DecisionKind, OwnerId, Restored, ReverseSet, Selection,
    SetKind, State, Target, UndoneChanges,
};
use crm_mirror::{Mirror, MirrorError, Observed};
use crm_models::{ContactMethod, Timestamp};

use super::{
    elsewhere::{Elsewhere, record_of, what},
    error::DeskError,
    event::Event,
    folder::Desk,
    forget::Sought,
    read_back::ReadBacks,
    reverses::Head,
    sets::name_of,
    updates::Entry,
};
use crate::output::moment;

/// Which records are looked at.
pub(super) enum Scope {
    /// Those of an owner, or one of them.
    Owner(OfOwner),
    /// These.
    Records(BTreeSet<Target>, Which),
    /// These, which have or had the value, and what speaks of it without a record.
    Value(Sought, BTreeSet<Target>, Which),
}

/// Which changes of sets are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// What was sent.
    Sent,
    /// Also what somebody took out of its set.
    Decided,
    /// Also what was found and never sent.
    All,
}

/// An owner as it is told in texts, or one of its contacts.
#[derive(Debug, Clone)]
pub(crate) struct OfOwner {
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) contact: Option<String>,
}

/// What tells what happened.
pub(super) struct Chronicle {
    sets: Vec<Told>,
    entries: Vec<(Option<Target>, Entry)>,
    mirror: Option<Mirror>,
    /// One sentence for each thing that cannot be looked at, and on what is known of others.
    pub(super) missing: Vec<String>,
}

/// A set that tells what it did.
struct Told {
    head: Head,
    next: Next,
    reverses: Vec<ReverseSet>,
    undone: OnceCell<UndoneChanges>,
}

/// Where a set has its next change, of records that are asked for in their order.
#[derive(Debug, Clone, Copy)]
enum Next {
    Unknown,
    At(Target),
    Nowhere,
}

/// For so many changes it is looked up one by one whether they have been undone.
const FEW: usize = 100;

/// The states of what may have been sent.
const SENT: [State; 4] = [State::Done, State::Failed, State::InFlight, State::Unknown];

impl Desk {
    /// Opens all that tells what happened; what cannot be looked at is told.
    pub(super) fn chronicle(&self) -> Result<Chronicle, DeskError> {
        let mut missing = Vec::new();
        let mirror = self.known_differences(&mut missing);
        let (entries, runs) = match self.recorded()? {
            Some(updates) => (updates.all()?, self.runs_elsewhere(&updates)?),
            None => Default::default(),
        };
        let mut files = self.set_files()?;
        for run in runs {
            if run.file.exists() {
                files.push(run.file);
            } else {
                let file = run.file.display();
                let at = moment(&run.at);
                missing
                    .push(format!("{file}, applied on {at}, is gone: what it did is not listed"));
            }
        }
        let mut heads = Vec::new();
        for file in files {
            match Head::read(&file) {
                Ok(head) => heads.push(head),
                Err(error) => missing.push(not_listed(&file, &error)),
            }
        }
        let told = |head: &Head| Told {
            reverses: head.reversed_by(&heads),
            head: head.clone(),
            next: Next::Unknown,
            undone: OnceCell::new(),
        };
        Ok(Chronicle {
            sets: heads.iter().map(told).collect(),
            entries: entries.into_iter().map(|(_, entry)| (target_of(&entry), entry)).collect(),
            mirror,
            missing,
        })
    }

    /// The mirror, if updates of it have looked for differences.
    fn known_differences(&self, missing: &mut Vec<String>) -> Option<Mirror> {
        let file = self.mirror();
        if !file.exists() {
            missing.push(
                "there is no mirror, so what others changed is not listed: `crm mirror update`"
                    .to_owned(),
            );
            return None;
        }
        let opened = Mirror::open(&file).and_then(|mirror| {
            let since = mirror.differences_since()?;
            Ok((mirror, since))
        });
        match opened {
            Ok((mirror, Some(since))) => {
                missing.push(format!(
                    "what others changed is known from {} on, as far as updates of the mirror saw it",
                    moment(&since.to_string())
                ));
                Some(mirror)
            }
            Ok((_, None)) => {
                missing.push(
                    "the mirror has not been read to its end, so what others changed is not known"
                        .to_owned(),
                );
                None
            }
            Err(error) => {
                missing.push(format!("what others changed is not listed: {error}"));
                None
            }
        }
    }
}

fn not_listed(file: &Path, error: &BulkError) -> String {
    format!("{} is not listed: {error}", file.display())
}

impl Chronicle {
    /// The file under which the desk knows a set, if it does.
    pub(super) fn file_of(&self, set: &Path) -> Option<PathBuf> {
        let real = set.canonicalize().ok()?;
        let files = self.sets.iter().map(|told| &told.head.file);
        files.clone().find(|file| file.canonicalize().is_ok_and(|it| it == real)).cloned()
    }

    /// The records that have a number or an address, or had it at one end of a change.
    pub(super) fn with_value(&mut self, sought: Sought, which: Which) -> Result<Scope, DeskError> {
        let mut records = BTreeSet::new();
        if let Some(mirror) = &self.mirror {
            let failed = |source| DeskError::Mirror { source: Box::new(source) };
            let has = mirror.with_same_number(&sought.written(), None).map_err(failed)?;
            records.extend(
                has.into_iter().map(|(owner, known)| Target::Contact {
                    owner,
                    contact: Some(known.contact.id),
                }),
            );
            let each = |observed: Observed| {
                if sought.is_in_observed(&observed) {
                    records.insert(record(&observed));
                }
                Ok::<_, MirrorError>(())
            };
            mirror.for_each_difference(each).map_err(failed)?;
            let methods = mirror.methods_with_same_number(&sought.written()).map_err(failed)?;
            let target = |method: ContactMethod| Target::Method {
                person: method.contact_id,
                method: method.id,
            };
            records.extend(methods.into_iter().map(target));
        }
        let single = self.entries.iter().filter(|(_, entry)| sought.is_in_update(entry));
        records.extend(single.filter_map(|(record, _)| *record));
        self.for_each_set(|told| {
            let set = ChangeSet::open(&told.head.file)?;
            let changes = set.changes_with_text(|text| sought.is_in(text))?.into_iter();
            let changes = changes.filter(|it| which.has(it) && sought.is_in_change(it));
            records.extend(changes.map(|change| change.target));
            Ok(())
        });
        Ok(Scope::Value(sought, records, which))
    }

    /// Hands each number and address that a record had at one end of a change to `each`, whoever made
    /// it.
    pub(super) fn each_value(
        &mut self,
        mut each: impl FnMut(Target, &str),
    ) -> Result<(), DeskError> {
        if let Some(mirror) = &self.mirror {
            let observed = |observed: Observed| {
                let values = observed.members.iter().filter(|member| member.field == "value");
                let texts = values.flat_map(|member| [&member.before, &member.after]).flatten();
                texts.for_each(|text| each(record(&observed), text));
                Ok::<_, MirrorError>(())
            };
            let failed = |source| DeskError::Mirror { source: Box::new(source) };
            mirror.for_each_difference(observed).map_err(failed)?;
        }
        for (record, entry) in &self.entries {
            let values = entry.changes.iter().filter(|member| member.field == "value");
            let texts = values.flat_map(|member| [&member.before, &member.after]).flatten();
            record.iter().for_each(|record| texts.clone().for_each(|text| each(*record, text)));
        }
        self.for_each_set(|told| {
            for change in ChangeSet::open(&told.head.file)?.changes(&Selection::all()) {
                let change = change?;
                let images = [&change.before, &change.after].into_iter().flatten();
                images.for_each(|image| each(change.target, image.value()));
                change.value().into_iter().for_each(|text| each(change.target, text));
            }
            Ok(())
        });
        Ok(())
    }

    /// What happened to records, the earliest first.
    pub(super) fn events(&mut self, scope: &Scope) -> Result<Vec<Event>, DeskError> {
        Ok(self.events_up_to(usize::MAX, scope, None)?.unwrap_or_default())
    }

    /// What happened to records, which come in their order from one call to the next, but for what one
    /// of the sets did. Nothing where that is more than so many events: then fewer records are to be
    /// asked for.
    pub(super) fn next_events(
        &mut self,
        most: usize,
        (records, which): (BTreeSet<Target>, Which),
        but: Option<&Path>,
    ) -> Result<Option<Vec<Event>>, DeskError> {
        let events = self.events_up_to(most, &Scope::Records(records, which), but)?;
        if events.is_none() {
            self.sets.iter_mut().for_each(|told| told.next = Next::Unknown);
        }
        Ok(events)
    }

    fn events_up_to(
        &mut self,
        most: usize,
        scope: &Scope,
        but: Option<&Path>,
    ) -> Result<Option<Vec<Event>>, DeskError> {
        let mut elsewhere = Elsewhere::default();
        if let Some(mirror) = &self.mirror {
            let failed = |source| DeskError::Mirror { source: Box::new(source) };
            scope.look_for_differences(mirror, &mut elsewhere).map_err(failed)?;
        }
        let single: Vec<_> =
            self.entries.iter().filter(|(record, entry)| scope.has_entry(*record, entry)).collect();
        single.iter().filter_map(|(_, entry)| record_of(entry)).for_each(|it| elsewhere.watch(it));
        single.iter().for_each(|(_, entry)| elsewhere.note_update(entry));
        let mut events = Vec::new();
        let single: Vec<_> =
            single.into_iter().map(|(record, entry)| (*record, entry.clone())).collect();
        self.for_each_set(|told| {
            let is_told = but.is_none_or(|but| but != told.head.file);
            if events.len() <= most {
                events.extend(told.events(scope, &mut elsewhere, is_told)?);
            }
            Ok(())
        });
        if events.len() > most {
            return Ok(None);
        }
        events.extend(single.into_iter().map(|(record, entry)| {
            let is_undone = |record| {
                let at = entry.outcome.ended_at.as_ref().unwrap_or(&entry.at);
                elsewhere.is_undone(&record, what(&entry), at, &entry.changes)
            };
            let undone = record_of(&entry).and_then(is_undone);
            Event::from(entry).with(record, undone)
        }));
        events.extend(elsewhere.left().map(|(observed, members)| {
            let record = Some(record(&observed));
            Event::from((observed, members)).with(record, None)
        }));
        events.sort_by_key(Event::moment);
        Ok(Some(events))
    }

    /// Who approved the sets that did these things, and when.
    pub(super) fn approvals(&mut self, events: &[Event]) -> Vec<Event> {
        let sent = events.iter().filter(|event| !event.is_taken_out());
        let through: BTreeSet<_> = sent.map(|event| event.through.as_str()).collect();
        let mut approvals = Vec::new();
        self.for_each_set(|told| {
            let name = told.name();
            if through.contains(name.as_str()) {
                let mut decisions = ChangeSet::open(&told.head.file)?.decisions()?;
                decisions.retain(|decision| decision.kind == DecisionKind::Approved);
                approvals.extend(decisions.iter().map(|it| Event::of_approval(it, name.clone())));
            }
            Ok(())
        });
        approvals
    }

    /// From when on something is known: since the first set was planned, the first write was recorded,
    /// or updates of the mirror look for what others changed.
    pub(super) fn begins(&self) -> Option<Timestamp> {
        let planned = self.sets.iter().filter_map(|told| told.head.planned_at);
        let recorded = self.entries.iter().filter_map(|(_, entry)| entry.at.parse().ok());
        let seen = self.mirror.as_ref().and_then(|mirror| mirror.differences_since().ok()?);
        planned.chain(recorded).chain(seen).min()
    }

    /// Goes through the sets; one that cannot be read is told, and left out from then on.
    fn for_each_set(&mut self, mut each: impl FnMut(&mut Told) -> Result<(), BulkError>) {
        let missing = &mut self.missing;
        self.sets.retain_mut(|told| {
            let done = each(told);
            missing.extend(done.as_ref().err().map(|error| not_listed(&told.head.file, error)));
            done.is_ok()
        });
    }
}

impl Told {
    /// What the set is called.
    fn name(&self) -> String {
        let file = &self.head.file;
        name_of(file).unwrap_or_else(|| file.display().to_string())
    }

    /// What the set did to the records, which `elsewhere` takes note of, also where it is not to be
    /// told.
    fn events(
        &mut self,
        scope: &Scope,
        elsewhere: &mut Elsewhere,
        is_told: bool,
    ) -> Result<Vec<Event>, BulkError> {
        if self.has_none_of(scope) {
            return Ok(Vec::new());
        }
        let file = &self.head.file;
        let set = ChangeSet::open(file)?.reversed_by(self.reverses.iter().cloned());
        let mut changes = scope.changes(&set)?;
        if let Scope::Records(records, _) = scope {
            let next = set.records(records.last(), 1)?.first().copied();
            self.next = next.map_or(Next::Nowhere, Next::At);
        }
        changes.retain(|change| scope.which().has(change));
        let sent = changes.iter().filter(|change| Which::Sent.has(change));
        sent.for_each(|change| elsewhere.note_change(change));
        if changes.is_empty() || !is_told {
            return Ok(Vec::new());
        }
        let decisions = set.decisions()?;
        let of = |kind| decisions.iter().filter(move |decision| decision.kind == kind);
        let info = set.info()?;
        let planned_by = info.planned_by;
        // An undo is planned from what its set left, and reads nothing anew.
        let found_at = self.head.planned_at.filter(|_| info.kind != SetKind::Undo);
        let through = self.name();
        let (mut events, is_few) = (Vec::new(), changes.len() <= FEW);
        let read_backs = ReadBacks::of(&set)?;
        for change in changes {
            if change.outcome.state == State::Dropped {
                let decision = decisions.iter().find(|it| it.took_out(&change)).cloned();
                let (record, who) = (Some(change.target), [None, planned_by.clone()]);
                let event = Event::of_set(change, who, found_at, through.clone());
                events.push(event.with(record, None).taken_out(decision));
                continue;
            }
            // By the last run that had begun by then.
            let has_begun = |run: &&Decision| change.outcome.at.is_none_or(|at| run.at <= at);
            let by = of(DecisionKind::Applied).rfind(has_begun).map(|run| run.user.clone());
            let (is_undone, restored) = self.undone_since(&set, &change, is_few)?;
            let read_back = read_backs.find(&change)?;
            let (record, who) = (Some(change.target), [by, planned_by.clone()]);
            let event = Event::of_set(change, who, found_at, through.clone());
            let event = event.with(record, Some(is_undone)).restored(restored);
            events.push(event.read_back(read_back));
        }
        Ok(events)
    }

    /// Whether it is known, without a look into the file, that the set has no change of these records.
    fn has_none_of(&self, scope: &Scope) -> bool {
        match (scope, self.next) {
            (Scope::Records(..), Next::Nowhere) => true,
            (Scope::Records(records, _), Next::At(next)) => {
                records.last().is_none_or(|it| *it < next)
            }
            _ => false,
        }
    }

    /// Whether a change has been undone, and how its record is not what it was before all the same.
    fn undone_since(
        &self,
        set: &ChangeSet,
        change: &Change,
        is_few: bool,
    ) -> Result<(bool, Option<Restored>), BulkError> {
        if self.reverses.is_empty() {
            return Ok((false, None));
        }
        let told = |undone: &UndoneChanges| {
            (undone.by(change.id).is_some(), undone.restored(change.id).cloned())
        };
        if is_few && self.undone.get().is_none() {
            return Ok(told(&set.undone_changes_of_owner(&change.target)?));
        }
        if self.undone.get().is_none() {
            let _ = self.undone.set(set.undone_changes()?);
        }
        Ok(self.undone.get().map(told).unwrap_or_default())
    }
}

impl Which {
    fn has(self, change: &Change) -> bool {
        let outcome = &change.outcome;
        match self {
            Self::All => true,
            Self::Decided if outcome.state == State::Dropped => true,
            // What was refused without being sent is not in the history.
            Self::Sent | Self::Decided => outcome.attempts > 0 && SENT.contains(&outcome.state),
        }
    }
}

impl Scope {
    fn which(&self) -> Which {
        match self {
            Self::Value(_, _, which) | Self::Records(_, which) => *which,
            Self::Owner(_) => Which::Decided,
        }
    }

    fn has_entry(&self, record: Option<Target>, entry: &Entry) -> bool {
        match self {
            Self::Owner(owner) => owner.has([
                entry.owner_kind.as_deref(),
                entry.owner_id.as_deref(),
                entry.contact_id.as_deref(),
            ]),
            Self::Records(records, _) => record.is_some_and(|record| records.contains(&record)),
            Self::Value(sought, records, _) => {
                sought.is_in_update(entry) || record.is_some_and(|it| records.contains(&it))
            }
        }
    }

    fn changes(&self, set: &ChangeSet) -> Result<Vec<Change>, BulkError> {
        match self {
            Self::Owner(owner) => {
                let Some(selection) = owner.selection() else {
                    return Ok(Vec::new());
                };
                let mut changes = Vec::new();
                for change in set.changes(&selection) {
                    let change = change?;
                    let (kind, id) = (change.target.kind(), change.target.owner_text());
                    let contact = change.target.contact_text();
                    if owner.has([Some(kind), Some(&id), contact.as_deref()]) {
                        changes.push(change);
                    }
                }
                Ok(changes)
            }
            Self::Records(records, _) => set.changes_of(records),
            Self::Value(sought, records, _) => {
                let mut changes = set.changes_of(records)?;
                // What was never created has no record of its own.
                changes.retain(|it| it.target.contact_text().is_some() || sought.is_in_change(it));
                Ok(changes)
            }
        }
    }

    fn look_for_differences(
        &self,
        mirror: &Mirror,
        elsewhere: &mut Elsewhere,
    ) -> Result<(), MirrorError> {
        let mut observe = |observed| {
            elsewhere.observe(observed);
            Ok(())
        };
        match self {
            Self::Owner(owner) => {
                let contact = owner.contact.as_ref().map(|contact| contact.parse());
                match (owner.id(), contact.transpose()) {
                    (Some(id), Ok(contact)) => mirror.for_each_difference_of(id, contact, observe),
                    _ => Ok(()),
                }
            }
            Self::Records(records, _) | Self::Value(_, records, _) => {
                records.iter().try_for_each(|record| match record {
                    Target::Contact { owner, contact: Some(contact) } => {
                        mirror.for_each_difference_of(*owner, Some(*contact), &mut observe)
                    }
                    _ => Ok(()),
                })
            }
        }
    }
}

impl OfOwner {
    fn has(&self, [kind, id, contact]: [Option<&str>; 3]) -> bool {
        kind == Some(&self.kind)
            && id == Some(&self.id)
            && (self.contact.is_none() || self.contact.as_deref() == contact)
    }

    /// The id of a customer or a location.
    fn id(&self) -> Option<OwnerId> {
        OwnerId::new(&self.kind, self.id.parse().ok()?)
    }

    /// What selects its changes; none for an owner of whom sets have none.
    fn selection(&self) -> Option<Selection> {
        let all = Selection::states(SENT.into_iter().chain([State::Dropped]));
        match self.id() {
            Some(id) => Some(all.owner(id)),
            None if self.kind == "person" => Some(all.person(self.id.parse().ok()?)),
            None => None,
        }
    }
}

fn record(observed: &Observed) -> Target {
    Target::Contact { owner: observed.owner, contact: Some(observed.contact) }
}

/// The record that a single write is about, if sets may be about it too.
fn target_of(entry: &Entry) -> Option<Target> {
    let (kind, id, contact) = record_of(entry)?;
    if kind == "person" {
        let (person, method) = (id.parse().ok()?, contact.parse().ok()?);
        return Some(Target::Method { person, method });
    }
    let owner = OwnerId::new(&kind, id.parse().ok()?)?;
    Some(Target::Contact { owner, contact: Some(contact.parse().ok()?) })
}
