//! The contacts and contact methods whose history is asked for, as the mirror has them.

use std::collections::{BTreeMap, BTreeSet};

use crm_mirror::{Mirror, MirrorError, OwnerId};
use crm_models::{Contact, ContactMethod, PersonId, Timestamp};

use super::time::Time;
use crate::desk::{Event, OfOwner, Subject};

/// A record by the kind and the id of its owner, and its own id.
type Id = [String; 3];

/// What the mirror has of the records of a subject.
#[derive(Default)]
pub(super) struct Known(BTreeMap<Id, Record>);

struct Record {
    /// Its type and its number or address.
    shown: String,
    value: String,
    created: Option<Timestamp>,
    changed: Option<Timestamp>,
    /// Whether it is asked for, and not only what an event is about.
    is_of_subject: bool,
}

impl Known {
    /// Those of the subject, and those that something happened to.
    pub(super) fn of(
        mirror: &Mirror,
        subject: &Subject,
        events: &[Event],
    ) -> Result<Self, MirrorError> {
        let mut known = Self::default();
        for [kind, id, contact] in events.iter().filter_map(id_of) {
            known.add_one(mirror, kind, id, contact, false)?;
        }
        match subject {
            Subject::Value(sought) | Subject::Copies(sought) => {
                let value = sought.written();
                for (owner, with) in mirror.with_same_number(&value, None)? {
                    known.add_contact(owner, with.contact, true);
                }
                for method in mirror.methods_with_same_number(&value)? {
                    known.add_method(method, true);
                }
            }
            Subject::Owner(OfOwner { kind, id, contact: Some(contact) }) => {
                known.add_one(mirror, kind, id, contact, true)?;
            }
            Subject::Owner(OfOwner { kind, id, contact: None }) => match owner(kind, id) {
                Some(owner) => mirror
                    .contacts_of(owner)?
                    .into_iter()
                    .for_each(|contact| known.add_contact(owner, contact, true)),
                None => person(kind, id)
                    .map(|person| mirror.methods_of(person))
                    .transpose()?
                    .into_iter()
                    .flatten()
                    .for_each(|method| known.add_method(method, true)),
            },
        }
        Ok(known)
    }

    /// The numbers and addresses.
    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(|record| record.value.as_str())
    }

    /// A line for each record of the subject of which these events say nothing.
    pub(super) fn unmentioned(
        &self,
        events: &[Event],
        time: Time,
        begins: Option<Timestamp>,
    ) -> Vec<Event> {
        let told: BTreeSet<_> = events.iter().filter_map(id_of).collect();
        let is_told = |id: &Id| told.contains(&id.each_ref().map(String::as_str));
        let left = self.0.iter().filter(|(id, record)| record.is_of_subject && !is_told(id));
        let line = |(id, record): (&Id, &Record)| {
            let nothing = format!("{}: {}", record.shown, time.nothing_known(begins));
            let dates = time.told_by_dates(record.created, record.changed);
            let told = [Some(nothing), dates].into_iter().flatten().collect::<Vec<_>>().join("; ");
            Event::of_nothing(id.clone(), told)
        };
        left.map(line).collect()
    }

    fn add_one(
        &mut self,
        mirror: &Mirror,
        kind: &str,
        id: &str,
        contact: &str,
        is_of_subject: bool,
    ) -> Result<(), MirrorError> {
        if let Some((owner, contact)) = owner(kind, id).zip(contact.parse().ok()) {
            let known = mirror.contact_last_told(owner, contact)?;
            known.into_iter().for_each(|it| self.add_contact(owner, it.contact, is_of_subject));
        } else if let Some(person) = person(kind, id) {
            let methods = mirror.methods_of(person)?.into_iter();
            let one = methods.filter(|method| method.id.to_string() == contact);
            one.for_each(|method| self.add_method(method, is_of_subject));
        }
        Ok(())
    }

    fn add_contact(&mut self, owner: OwnerId, contact: Contact, is_of_subject: bool) {
        let id = [owner.kind().to_owned(), owner.get().to_string(), contact.id.to_string()];
        let record = Record {
            shown: format!("{} {}", contact.contact_type.as_str(), contact.value),
            created: contact.created(),
            changed: Some(contact.modified_on),
            value: contact.value,
            is_of_subject,
        };
        self.0.insert(id, record);
    }

    fn add_method(&mut self, method: ContactMethod, is_of_subject: bool) {
        let id = ["person".to_owned(), method.contact_id.to_string(), method.id.to_string()];
        let record = Record {
            shown: format!("{} {}", method.contact_type.as_str(), method.value),
            created: Some(method.created_on),
            changed: Some(method.modified_on),
            value: method.value,
            is_of_subject,
        };
        self.0.insert(id, record);
    }
}

fn id_of(event: &Event) -> Option<[&str; 3]> {
    let Event { owner_kind, owner_id, contact_id, .. } = event;
    Some([owner_kind.as_deref()?, owner_id.as_deref()?, contact_id.as_deref()?])
}

fn owner(kind: &str, id: &str) -> Option<OwnerId> {
    OwnerId::new(kind, id.parse().ok()?)
}

fn person(kind: &str, id: &str) -> Option<PersonId> {
    if kind == "person" { id.parse().ok() } else { None }
}
