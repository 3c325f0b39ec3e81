//! Where a number or an address is, or was: each contact and contact method that has it or had it,
//! what was done to it from here, and what is known of it at which moment.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crm_bulk::Target;
use crm_mirror::{
    FeedState, Keyed, Mirror, MirrorError, OwnerId,
    keys::{Keys, is_unreadable},
};
use crm_models::{Contact, ContactMethod, CustomerId, LocationId, Preference, Timestamp};
use crm_values::PhoneReader;

use super::{
    chronicle::Which, elsewhere::Record, error::DeskError, event::Event, facts::Facts,
    folder::Desk, forget::Sought, history::Subject,
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
    /// What is known of it as a copy of the number or address.
    pub(crate) facts: Facts,
}

impl Desk {
    /// All places of a number or an address that the mirror, the sets and the recorded writes know.
    pub(crate) fn places(&self, sought: Sought) -> Result<Places, DeskError> {
        let mirror = self.known()?;
        let mut places = Places::default();
        let mut found = BTreeMap::new();
        if let Some(mirror) = &mirror {
            found = places.read(mirror, &sought).map_err(failed)?;
        }
        let history = self.history(Subject::Copies(sought.clone()))?;
        let in_mirror: BTreeSet<_> = found.keys().cloned().collect();
        for event in history.events {
            if let Some(record) = record(&event) {
                found.entry(record).or_insert_with_key(Place::of).tell(event, &sought);
            }
        }
        for (record, place) in found {
            let is_there = in_mirror.contains(&record);
            let Some(mut place) = place.whole(mirror.as_ref(), &sought, is_there)? else {
                places.mentions += 1;
                continue;
            };
            if let Some(mirror) = mirror.as_ref().filter(|_| place.owner_name.is_none()) {
                place.owner_name = name(mirror, &record).map_err(failed)?;
            }
            places.places.push(place);
        }
        places.missing = history.missing;
        Ok(places)
    }

    /// Hands each place of each number and address of which `is_wanted` holds to `each`, with the key of
    /// its value and without the names of owners: all that [`places`](Self::places) finds of each, in
    /// one reading of the desk. Returns what could not be looked at.
    pub(crate) fn each_place<E: From<DeskError>>(
        &self,
        reader: PhoneReader,
        is_wanted: impl Fn(&str) -> bool,
        mut each: impl FnMut(&str, Place) -> Result<(), E>,
    ) -> Result<Vec<String>, E> {
        let mirror = self.known()?;
        let mut chronicle = self.chronicle()?;
        let mut all = All::default();
        if let Some(mirror) = &mirror {
            all.read(mirror, &is_wanted).map_err(failed)?;
        }
        chronicle.each_value(|record, text| {
            let keys = Keys::of(text, reader);
            if is_wanted(&keys.key) && record.contact_text().is_some() {
                all.add(record, keys.key);
            }
        })?;
        let known_at = mirror.as_ref().map(Mirror::known_at).transpose().map_err(failed)?.flatten();
        let All { values, mut methods } = all;
        let mut values = values.into_iter().peekable();
        while values.peek().is_some() {
            let some: Vec<_> = values.by_ref().take(AT_ONCE).collect();
            let records = some.iter().map(|(record, _)| *record).collect();
            let events = chronicle.next_events(usize::MAX, (records, Which::All), None)?;
            let mut by_record: HashMap<_, Vec<_>> = HashMap::new();
            for event in events.unwrap_or_default() {
                by_record.entry(event.record).or_default().push(event);
            }
            for (target, keys) in some {
                let events = by_record.remove(&Some(target)).unwrap_or_default();
                let now = match (&mirror, target) {
                    (Some(mirror), Target::Contact { owner, contact: Some(id) }) => {
                        let known = mirror.contact(owner, id).map_err(failed)?;
                        known.map(|known| Place::of_contact(owner, known.contact, known_at))
                    }
                    (Some(mirror), Target::Method { .. }) => methods
                        .remove(&target)
                        .map(|method| Place::of_method(mirror, method, known_at))
                        .transpose()
                        .map_err(failed)?,
                    _ => None,
                };
                for key in keys {
                    // One without its area code may be many: it has no places of its own.
                    if is_unreadable(&key) {
                        continue;
                    }
                    let sought = Sought::of_key(&key);
                    let has = |place: &&Place| {
                        let value = place.value.as_deref();
                        value.is_some_and(|value| Keys::of(value, reader).key == *key)
                    };
                    let there = now.as_ref().filter(has).cloned();
                    let is_there = there.is_some();
                    let mut place = there.unwrap_or_else(|| Place::of(&record_of(&target)));
                    events.iter().for_each(|event| place.tell(event.clone(), &sought));
                    if let Some(place) = place.whole(mirror.as_ref(), &sought, is_there)? {
                        each(&key, place)?;
                    }
                }
            }
        }
        Ok(chronicle.missing)
    }

    pub(super) fn known(&self) -> Result<Option<Mirror>, DeskError> {
        let mirror = self.mirror().exists().then(|| Mirror::open(self.mirror())).transpose();
        mirror.map_err(failed)
    }
}

pub(super) fn failed(source: MirrorError) -> DeskError {
    DeskError::Mirror { source: Box::new(source) }
}

/// Of how many records what happened is read at a time.
const AT_ONCE: usize = 2_000;

/// The records that have or had one of many values.
#[derive(Default)]
struct All {
    /// By their keys.
    values: BTreeMap<Target, BTreeSet<Box<str>>>,
    methods: HashMap<Target, ContactMethod>,
}

impl All {
    /// Those that have one by a mirror.
    fn read(
        &mut self,
        mirror: &Mirror,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<(), MirrorError> {
        let mut wanted = Vec::new();
        mirror.for_each_key(|Keyed { id, keys }| {
            if is_wanted(&keys.key) {
                wanted.push((id, keys.key));
            }
            Ok::<_, MirrorError>(())
        })?;
        for (id, key) in wanted {
            let (owner, known) = mirror.keyed(id)?;
            self.add(Target::Contact { owner, contact: Some(known.contact.id) }, key);
        }
        mirror.for_each_method(|method, keys| {
            if is_wanted(&keys.key) {
                let target = Target::Method { person: method.contact_id, method: method.id };
                self.add(target, keys.key);
                self.methods.insert(target, method);
            }
            Ok(())
        })
    }

    fn add(&mut self, record: Target, key: String) {
        self.values.entry(record).or_default().insert(key.into());
    }
}

fn record_of(target: &Target) -> Record {
    let contact = target.contact_text().unwrap_or_default();
    (target.kind().to_owned(), target.owner_text(), contact)
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
            let place = Place::of_contact(owner, known.contact, self.known_at);
            found.insert(place.record(), place);
        }
        mirror.for_each_method(|method, keys| {
            if sought.has_keys(&keys) {
                let person = mirror.person(method.contact_id)?;
                let mut place = Place::of_method(mirror, method, self.known_at)?;
                place.owner_name = person.and_then(|person| person.name);
                found.insert(place.record(), place);
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

    /// A contact as the mirror has it.
    fn of_contact(owner: OwnerId, contact: Contact, known_at: Option<Timestamp>) -> Self {
        let record = (owner.kind().to_owned(), owner.get().to_string(), contact.id.to_string());
        let mut facts = Facts::default();
        facts.modified = Some(contact.modified_on).filter(|at| !at.is_unknown());
        if let Some(at) = known_at {
            facts.see(at, contact.preferences.as_ref());
        }
        Self {
            created: contact.created().map(|at| at.to_string()),
            do_not_text: contact.do_not_text(),
            facts,
            value: Some(contact.value),
            ..Self::of(&record)
        }
    }

    /// A contact method as the mirror has it.
    fn of_method(
        mirror: &Mirror,
        method: ContactMethod,
        known_at: Option<Timestamp>,
    ) -> Result<Self, MirrorError> {
        let (person, id) = (method.contact_id.to_string(), method.id.to_string());
        let created = Some(method.created_on).filter(|at| !at.is_unknown());
        let read = mirror.marketing_of(&method)?.map(|(is_on, at)| (at, Some(is_on)));
        let mut facts = Facts::default();
        if let Some((at, is_on)) = read.or_else(|| known_at.map(|at| (at, None))) {
            facts.see_one(at, Preference::MarketingUpdates, is_on);
        }
        Ok(Self {
            created: created.map(|at| at.to_string()),
            facts,
            value: Some(method.value),
            ..Self::of(&("person".to_owned(), person, id))
        })
    }

    fn record(&self) -> Record {
        (self.owner_kind.clone(), self.owner_id.clone(), self.contact_id.clone())
    }

    /// Adds what happened to it.
    fn tell(&mut self, event: Event, sought: &Sought) {
        self.facts.tell(&event, sought);
        self.events.push(event);
    }

    /// With all that is known of it besides; none for one that has the value in its notes alone.
    fn whole(
        mut self,
        mirror: Option<&Mirror>,
        sought: &Sought,
        is_there: bool,
    ) -> Result<Option<Self>, DeskError> {
        if !is_there {
            let had = self.events.iter().rev().find_map(|event| value_in(event, sought));
            if had.is_none() {
                return Ok(None);
            }
            self.value = had;
            // A contact that is gone keeps its own time.
            let found = self.events.iter().filter_map(|event| event.found.as_ref());
            self.created = found.filter_map(|found| found.created.clone()).next();
            if let Some(mirror) = mirror {
                let record = self.record();
                self.facts_until_gone(mirror, &record).map_err(failed)?;
            }
        }
        self.facts.created = self.created.as_ref().and_then(|at| at.parse().ok());
        Ok(Some(self))
    }

    /// What it received until it was no longer there or had another value: what the mirror has of it,
    /// unless something is known to have changed that since.
    fn facts_until_gone(&mut self, mirror: &Mirror, record: &Record) -> Result<(), MirrorError> {
        let Some(contact) = last_told(mirror, record)? else {
            return Ok(());
        };
        let created = contact.created().map(|at| at.to_string());
        self.created = self.created.take().or(created);
        let gone = self.facts.gone();
        let Some(gone) = gone.filter(|gone| !self.facts.has_since(*gone)) else {
            return Ok(());
        };
        let flags = contact.preferences.as_ref();
        let modified = Some(contact.modified_on).filter(|at| !at.is_unknown() && *at < gone);
        // When an update of the mirror last saw it as it was before.
        let seen = self.events.iter().filter(|event| event.moment() == Some(gone));
        let seen = seen.filter_map(Event::since).max().filter(|seen| *seen < gone);
        self.facts.see_before(modified.unwrap_or(gone), seen, flags);
        Ok(())
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

/// The number or address as an event tells that its contact had it or got it.
fn value_in(event: &Event, sought: &Sought) -> Option<String> {
    let found = event.found.iter().flat_map(|found| &found.values);
    let values = event.members.iter().filter(|member| member.field == "value");
    let told = values.flat_map(|member| [&member.after, &member.before]).flatten();
    found.chain(told).find(|value| sought.is_in(value)).cloned()
}
