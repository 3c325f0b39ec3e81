//! Where a number or an address is, or was: each contact and contact method that has it or had it,
//! what was done to it from here, and what is known of its marketing at which moment.

use std::collections::{BTreeMap, BTreeSet};

use crm_bulk::speaks_of_marketing;
use crm_mirror::{FeedState, Mirror, MirrorError, OwnerId};
use crm_models::{Contact, CustomerId, LocationId, Timestamp};
use serde::Serialize;

use super::{
    elsewhere::Record, error::DeskError, event::Event, folder::Desk, forget::Sought,
    history::Subject, updates::Member,
};

/// All places of a number or an address.
#[derive(Debug, Default)]
pub(crate) struct Places {
    pub(crate) places: Vec<Place>,
    /// How many contacts were touched that have it in their notes alone.
    pub(crate) mentions: u64,
    /// One sentence for each set that is gone or cannot be read, and on what is known of others.
    pub(crate) missing: Vec<String>,
    /// How far the mirror is in each feed; none where there is no mirror.
    pub(crate) feeds: Vec<FeedState>,
    /// When the contacts of the mirror were read to their ends.
    pub(crate) known_at: Option<Timestamp>,
    /// How many records the mirror could not read.
    pub(crate) unreadable: u64,
}

/// A contact or a contact method that has it or had it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    pub(crate) owner_kind: String,
    pub(crate) owner_id: String,
    pub(crate) owner_name: Option<String>,
    pub(crate) contact_id: String,
    /// The number or address as it is written there.
    pub(crate) value: Option<String>,
    /// When the contact was created, as the service says.
    pub(crate) created: Option<String>,
    pub(crate) do_not_text: Option<bool>,
    /// What was found and done from here, and what others did: the earliest first.
    pub(crate) events: Vec<Event>,
    /// What is known of its marketing, the earliest first.
    pub(crate) facts: Vec<Fact>,
    /// When the service changed it last, by the mirror.
    modified: Option<Timestamp>,
}

/// What is known of a place's marketing at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) at: Timestamp,
    pub(crate) effect: Effect,
    /// Whether it became so at this moment; otherwise it was seen to be so.
    pub(crate) is_exact: bool,
}

/// What a place receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Effect {
    On,
    Off,
    /// It is no longer there, or has the number or address no longer.
    Gone,
}

impl Effect {
    pub(crate) fn of_flag(is_on: bool) -> Self {
        if is_on { Self::On } else { Self::Off }
    }
}

impl Desk {
    /// All places of a number or an address that the mirror, the sets and the recorded writes know.
    pub(crate) fn places(&self, sought: Sought) -> Result<Places, DeskError> {
        let failed = |source| DeskError::Mirror { source: Box::new(source) };
        let mirror = self.mirror().exists().then(|| Mirror::open(self.mirror())).transpose();
        let mirror = mirror.map_err(failed)?;
        let mut places = Places::default();
        let mut found = BTreeMap::new();
        if let Some(mirror) = &mirror {
            found = places.read(mirror, &sought).map_err(failed)?;
        }
        let history = self.history(Subject::Copies(sought.clone()))?;
        let in_mirror: BTreeSet<_> = found.keys().cloned().collect();
        for event in history.events {
            if let Some(record) = record(&event) {
                let place = found.entry(record).or_insert_with_key(Place::of);
                place.facts.extend(facts(&event, &sought));
                place.events.push(event);
            }
        }
        for (record, mut place) in found {
            if !in_mirror.contains(&record) {
                let had = place.events.iter().rev().find_map(|event| value_in(event, &sought));
                if had.is_none() {
                    places.mentions += 1;
                    continue;
                }
                place.value = had;
                // A contact that is gone keeps its own time.
                let found = place.events.iter().filter_map(|event| event.found.as_ref());
                place.created = found.filter_map(|found| found.created.clone()).next();
                if let Some(mirror) = &mirror {
                    place.owner_name = name(mirror, &record).map_err(failed)?;
                    place.facts_until_gone(mirror, &record).map_err(failed)?;
                }
            }
            place.facts.sort_by_key(|fact| fact.at);
            place.facts_since_modified();
            places.places.push(place);
        }
        places.missing = history.missing;
        Ok(places)
    }
}

impl Places {
    /// The places that have it by the mirror.
    fn read(
        &mut self,
        mirror: &Mirror,
        sought: &Sought,
    ) -> Result<BTreeMap<Record, Place>, MirrorError> {
        self.feeds = mirror.feeds()?;
        self.known_at = mirror.known_at()?;
        self.unreadable = mirror.unreadable()?.len() as u64;
        let mut found = BTreeMap::new();
        for (owner, known) in mirror.with_same_number(&sought.written(), None)? {
            let contact = known.contact;
            let record = (owner.kind().to_owned(), owner.get().to_string(), contact.id.to_string());
            let mut place = Place::of(&record);
            place.owner_name = name(mirror, &record)?;
            place.created = contact.created().map(|at| at.to_string());
            place.do_not_text = contact.do_not_text();
            let flags = contact.preferences.map(|flags| flags.marketing_updates_enabled);
            place.facts.extend(flags.zip(self.known_at).map(|(is_on, at)| Fact::seen(at, is_on)));
            place.modified = Some(contact.modified_on).filter(|at| !at.is_unknown());
            place.value = Some(contact.value);
            found.insert(record, place);
        }
        mirror.for_each_method(|method, keys| {
            if sought.has_keys(&keys) {
                let (person, id) = (method.contact_id, method.id.to_string());
                let record = ("person".to_owned(), person.to_string(), id);
                let mut place = Place::of(&record);
                place.owner_name = mirror.person(person)?.and_then(|person| person.name);
                let created = Some(method.created_on).filter(|at| !at.is_unknown());
                place.created = created.map(|at| at.to_string());
                let read = mirror.marketing_of(&method)?;
                place.facts.extend(read.map(|(is_on, at)| Fact::seen(at, is_on)));
                place.value = Some(method.value);
                found.insert(record, place);
            }
            Ok::<_, MirrorError>(())
        })?;
        Ok(found)
    }
}

impl Place {
    fn of((owner_kind, owner_id, contact_id): &Record) -> Self {
        Self {
            owner_kind: owner_kind.clone(),
            owner_id: owner_id.clone(),
            contact_id: contact_id.clone(),
            ..Self::default()
        }
    }

    /// What it received until it was no longer there or had another value: what the mirror has of it,
    /// unless something is known to have changed that since.
    fn facts_until_gone(&mut self, mirror: &Mirror, record: &Record) -> Result<(), MirrorError> {
        let Some(contact) = last_told(mirror, record)? else {
            return Ok(());
        };
        let created = contact.created().map(|at| at.to_string());
        self.created = self.created.take().or(created);
        let gone = self.facts.iter().filter(|fact| fact.effect == Effect::Gone);
        let gone = gone.map(|fact| fact.at).min();
        let is_told = |fact: &Fact| fact.effect != Effect::Gone && Some(fact.at) >= gone;
        if self.facts.iter().any(is_told) {
            return Ok(());
        }
        let told = contact.preferences.zip(gone).map(|(flags, gone)| {
            let modified = Some(contact.modified_on).filter(|at| !at.is_unknown() && *at < gone);
            Fact::seen(modified.unwrap_or(gone), flags.marketing_updates_enabled)
        });
        // It was so before it went, perhaps in the same moment.
        self.facts.splice(0..0, told);
        Ok(())
    }

    /// It has been as the mirror has it since the service changed it last, unless that was our own
    /// doing, which is known better.
    fn facts_since_modified(&mut self) {
        let (Some(last), Some(at)) = (self.facts.last(), self.modified) else { return };
        let ours = self.facts.iter().rev().find(|fact| fact.is_exact);
        let is_known =
            |ours: &Fact| ours.effect == last.effect || at <= ours.at || last.at <= ours.at;
        if at < last.at && !ours.is_some_and(is_known) {
            let before = self.facts.partition_point(|fact| fact.at <= at);
            self.facts.insert(before, Fact { at, effect: last.effect, is_exact: false });
        }
    }
}

impl Fact {
    pub(crate) fn seen(at: Timestamp, is_on: bool) -> Self {
        Self { at, effect: Effect::of_flag(is_on), is_exact: false }
    }
}

/// The contact that an event is about.
fn record(event: &Event) -> Option<Record> {
    let Event { owner_kind, owner_id, contact_id, .. } = event;
    Some((owner_kind.clone()?, owner_id.clone()?, contact_id.clone()?))
}

fn owner((kind, id, _): &Record) -> Option<OwnerId> {
    let id = id.parse().ok()?;
    match kind.as_str() {
        "customer" => Some(OwnerId::Customer(CustomerId::new(id).ok()?)),
        "location" => Some(OwnerId::Location(LocationId::new(id).ok()?)),
        _ => None,
    }
}

/// The contact as the mirror was told it last, also one that is gone.
pub(super) fn last_told(mirror: &Mirror, record: &Record) -> Result<Option<Contact>, MirrorError> {
    let Some((owner, contact)) = owner(record).zip(record.2.parse().ok()) else {
        return Ok(None);
    };
    Ok(mirror.contact_last_told(owner, contact)?.map(|known| known.contact))
}

fn name(mirror: &Mirror, record: &Record) -> Result<Option<String>, MirrorError> {
    let known = owner(record).map(|owner| mirror.owner(owner)).transpose()?.flatten();
    Ok(known.map(|known| known.display_name()))
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// The number or address as an event tells that its contact had it or got it.
fn value_in(event: &Event, sought: &Sought) -> Option<String> {
    let found = event.found.iter().flat_map(|found| &found.values);
    let values = event.members.iter().filter(|member| member.field == "value");
    let told = values.flat_map(|member| [&member.after, &member.before]).flatten();
    found.chain(told).find(|value| sought.is_in(value)).cloned()
}

/// What an event tells of its contact's marketing.
fn facts(event: &Event, sought: &Sought) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(found) = &event.found {
        let told = found.receives.zip(found.at.as_deref().and_then(moment));
        facts.extend(told.map(|(is_on, at)| Fact::seen(at, is_on)));
    }
    let is_exact = event.state == "done";
    let at = event.at.as_deref().and_then(moment);
    let Some(at) = at.filter(|_| is_exact || event.state == "seen") else {
        return facts;
    };
    let before = marketing_before(&event.members);
    let since = event.since().unwrap_or(at);
    facts.extend(before.map(|is_on| Fact::seen(since, is_on)));
    let has = |text: &Option<String>| text.as_ref().is_some_and(|text| sought.is_in(text));
    let gives_up = |member: &Member| member.field == "value" && !has(&member.after);
    let effect = if event.action == "delete" || event.members.iter().any(gives_up) {
        Some(Effect::Gone)
    } else {
        marketing(&event.members).map(Effect::of_flag)
    };
    facts.extend(effect.map(|effect| Fact { at, effect, is_exact }));
    facts
}

/// Whether marketing is received after members became what they are, if one of them says so.
pub(super) fn marketing(members: &[Member]) -> Option<bool> {
    marketing_of(members, |member| member.after.as_deref())
}

/// The same of what they were before.
pub(super) fn marketing_before(members: &[Member]) -> Option<bool> {
    marketing_of(members, |member| member.before.as_deref())
}

fn marketing_of<'m>(
    members: &'m [Member],
    side: impl Fn(&'m Member) -> Option<&'m str>,
) -> Option<bool> {
    let flags = members.iter().filter(|member| speaks_of_marketing(&member.field));
    let flags: Vec<_> = flags
        .filter_map(|member| match side(member)? {
            "on" | "true" => Some(true),
            "off" | "false" => Some(false),
            _ => None,
        })
        .collect();
    (!flags.is_empty()).then(|| flags.contains(&true))
}
