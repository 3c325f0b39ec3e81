//! What others changed: the differences that updates of the mirror found, without what our own sets
//! and single writes did.

use std::{collections::HashMap, time::Duration};

use crm_bulk::{Action, Change, Image, State};
use crm_contacts::{Record as _, models::Timestamp};
use crm_mirror::{Happened, Observed};
use crm_models::Preference;
use crm_values::{PhoneReader, Readings};

use super::updates::{Entry, Member};

/// How far a feed may be behind a write, or another machine's clock be apart: so much before and
/// after the two moments one of our writes may have made a difference.
const SLACK: Duration = Duration::from_secs(5 * 60);

/// A contact by the kind and id of its owner, and its own id.
pub(super) type Record = (String, String, String);

/// Differences of some contacts, and our own writes to these and to those that are watched.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    observed: Vec<Observed>,
    writes: HashMap<Record, Vec<Write>>,
}

/// One of our own writes that was carried out, or may have been.
#[derive(Debug)]
struct Write {
    at: Timestamp,
    kind: Happened,
    members: Vec<Member>,
}

impl Elsewhere {
    /// Takes a difference that is to be told as far as others made it.
    pub(super) fn observe(&mut self, observed: Observed) {
        self.writes.entry(record(&observed)).or_default();
        self.observed.push(observed);
    }

    /// Takes note of the writes to this record too.
    pub(super) fn watch(&mut self, record: Record) {
        self.writes.entry(record).or_default();
    }

    /// Whether later writes of ours have put back all that one has changed; `None` where that is not
    /// known.
    pub(super) fn is_undone(
        &self,
        record: &Record,
        action: Happened,
        at: &str,
        members: &[Member],
    ) -> Option<bool> {
        let at: Timestamp = at.parse().ok()?;
        let later: Vec<_> = self.writes.get(record)?.iter().filter(|write| write.at > at).collect();
        let is_back = |member: &Member| {
            let last = later
                .iter()
                .flat_map(|write| write.members.iter().map(|member| (write.at, member)))
                .filter(|(_, write)| write.field == member.field)
                .max_by_key(|(at, _)| *at);
            last.is_some_and(|(_, last)| {
                is_same(&member.field, last.after.as_ref(), member.before.as_ref())
            })
        };
        match action {
            Happened::Created => Some(later.iter().any(|write| write.kind == Happened::Deleted)),
            // Without a member that it was known to change, nobody can tell.
            Happened::Changed if members.iter().any(|member| member.before.is_some()) => {
                Some(members.iter().all(is_back))
            }
            // What is created again is another contact.
            _ => None,
        }
    }

    /// Takes note of a change of a set that was sent.
    pub(super) fn note_change(&mut self, change: &Change) {
        let target = &change.target;
        let record = target
            .contact_text()
            .map(|contact| (target.kind().to_owned(), target.owner_text(), contact));
        let writes = record.and_then(|record| self.writes.get_mut(&record));
        let at = change
            .outcome
            .at
            .filter(|_| !matches!(change.outcome.state, State::Failed | State::Held));
        let (Some(writes), Some(at)) = (writes, at) else {
            return;
        };
        let image = |image: &Option<Image>| image.as_ref().and_then(Image::as_contact).cloned();
        let members = match (image(&change.before), image(&change.after)) {
            (Some(before), Some(after)) => {
                before.differences_to(&after).iter().map(Member::from).collect()
            }
            // Its answer was lost: what it asked for.
            _ => change.members().iter().map(Member::from).map(by_path).collect(),
        };
        let kind = match change.action {
            Action::Create(_) => Happened::Created,
            Action::Delete(_) => Happened::Deleted,
            _ => Happened::Changed,
        };
        writes.push(Write { at, kind, members });
    }

    /// Takes note of a single write.
    pub(super) fn note_update(&mut self, entry: &Entry) {
        let Entry { changes, outcome, .. } = entry;
        let writes = record_of(entry).and_then(|record| self.writes.get_mut(&record));
        let at = outcome.ended_at.as_ref().unwrap_or(&entry.at).parse().ok();
        let (Some(writes), Some(at)) = (writes, at) else {
            return;
        };
        if outcome.is_refused() {
            return;
        }
        writes.push(Write { at, kind: what(entry), members: changes.clone() });
    }

    /// The differences as far as others made them: each with the members that none of our writes
    /// tells.
    pub(super) fn left(self) -> impl Iterator<Item = (Observed, Vec<Member>)> {
        let Self { observed, writes } = self;
        observed.into_iter().filter_map(move |observed| {
            let near = |write: &&Write| {
                write.at + SLACK >= observed.since && observed.until + SLACK >= write.at
            };
            let ours = writes.get(&record(&observed)).into_iter().flatten();
            let ours: Vec<_> = ours.filter(near).collect();
            let is_ours = |kind| ours.iter().any(|write| write.kind == kind);
            let members = observed.members.iter().map(Member::from);
            let left: Vec<_> = match observed.happened {
                Happened::Changed => members.filter_map(|it| without(it, &ours)).collect(),
                happened if is_ours(happened) => Vec::new(),
                _ => members.collect(),
            };
            (!left.is_empty()).then_some((observed, left))
        })
    }
}

/// The contact that a single write is about.
pub(super) fn record_of(entry: &Entry) -> Option<Record> {
    let Entry { owner_kind, owner_id, contact_id, .. } = entry;
    Some((owner_kind.clone()?, owner_id.clone()?, contact_id.clone()?))
}

/// What a single write does to its record.
pub(super) fn what(entry: &Entry) -> Happened {
    match entry.method.as_str() {
        "POST" => Happened::Created,
        "DELETE" => Happened::Deleted,
        _ => Happened::Changed,
    }
}

fn record(observed: &Observed) -> Record {
    let Observed { owner, contact, .. } = observed;
    (owner.kind().to_owned(), owner.get().to_string(), contact.to_string())
}

/// What is left of a member's difference without the writes that led to its end: from the last one
/// back, each that made the value what it then was, as far as these go.
fn without(mut member: Member, ours: &[&Write]) -> Option<Member> {
    let mut writes: Vec<_> = ours
        .iter()
        .flat_map(|write| write.members.iter().map(|member| (write.at, member)))
        .filter(|(_, write)| write.field == member.field)
        .collect();
    writes.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    for (_, write) in writes {
        if !is_same(&member.field, write.after.as_ref(), member.after.as_ref()) {
            continue;
        }
        // A single write need not know what was there before.
        let before = write.before.clone().or_else(|| member.before.clone());
        if is_same(&member.field, before.as_ref(), member.before.as_ref()) {
            return None;
        }
        member.after = before;
    }
    Some(member)
}

/// Whether a member has the same value twice, however a number is written; an empty text is none.
fn is_same(field: &str, one: Option<&String>, other: Option<&String>) -> bool {
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    let (one, other) = (text(one), text(other));
    let key = |text: &str| {
        let readings = Readings::of(text, PhoneReader::default()).ok();
        readings.map(|readings| readings.key().to_owned())
    };
    one == other || field == "value" && key(&one).is_some() && key(&one) == key(&other)
}

/// A member by its name in the API, of which sets tell the words for people.
fn by_path(member: Member) -> Member {
    let Some(flag) = Preference::ALL.into_iter().find(|flag| flag.words() == member.field) else {
        return member;
    };
    let truth = |word: Option<String>| word.map(|word| (word == "on").to_string());
    Member {
        field: flag.path().to_owned(),
        before: truth(member.before),
        after: truth(member.after),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(field: &str, before: &str, after: &str) -> Member {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Member { field: field.to_owned(), before: text(before), after: text(after) }
    }

    fn write(at: &str, member: Member) -> Write {
        let at = format!("2026-05-27T16:{at}:00Z").parse().unwrap();
        Write { at, kind: Happened::Changed, members: vec![member] }
    }

    #[test]
    fn what_our_writes_tell_is_not_told_again() {
        let ours = [
            write("10", member("memo", "b", "c")),
            write("20", member("memo", "c", "d")),
            write("20", member("value", "", "(818) 555-0142")),
        ];
        let ours: Vec<_> = ours.iter().collect();
        let left = |field: &str, before: &str, after: &str| {
            let left = without(member(field, before, after), &ours)?;
            Some((left.before.unwrap_or_default(), left.after.unwrap_or_default()))
        };
        let told = |before: &str, after: &str| Some((before.to_owned(), after.to_owned()));
        assert_eq!(left("memo", "b", "d"), None);
        assert_eq!(left("memo", "b", "c"), None);
        // Before ours, after ours, and one that is none of ours.
        assert_eq!(left("memo", "a", "d"), told("a", "b"));
        assert_eq!(left("memo", "b", "e"), told("b", "e"));
        assert_eq!(left("type", "Phone", "Fax"), told("Phone", "Fax"));
        // However the service writes it, and whatever was there before.
        assert_eq!(left("value", "2135550142", "8185550142"), None);
    }
}
