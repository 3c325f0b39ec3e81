//! One thing that happened to a record.

use crm_bulk::{
    Action, Change, Decision, Image, PastEvent, Restored, State, Target, speaks_of_marketing,
};
use crm_consent::{Heard, Retraction, Scope};
use crm_contacts::Difference;
use crm_mirror::{Happened, Observed};
use crm_models::{Contact, Preference, Timestamp};
use serde::Serialize;

use super::{
    elsewhere::what,
    read_back::ReadBack,
    recorder::members,
    updates::{Entry, Member},
};
use crate::output::{count, received};

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
    /// What people call the owner, as far as the mirror knows.
    pub(crate) owner_name: Option<String>,
    pub(crate) contact_id: Option<String>,
    pub(crate) action: String,
    /// What from and to, for people.
    pub(crate) change: String,
    pub(crate) members: Vec<Member>,
    pub(crate) state: String,
    /// The set or the command.
    pub(crate) through: String,
    pub(crate) trace_id: Option<String>,
    /// Of a change of a set whether one that reverses the set has undone it, of a single write whether
    /// later writes have put back what it changed. Not known of what others did.
    pub(crate) undone: Option<bool>,
    /// What the service stored in place of the number or address that a set sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stored_as: Option<String>,
    /// How the record is not what it was before, although the change was undone: the contact that was
    /// created again in place of one that was deleted, and the number or address as it was stored then.
    #[serde(skip_serializing_if = "Option::is_none")]
    restored_contact_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restored_value: Option<String>,
    /// Of a change of a set, what the last reading back found that is no longer so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) read_back: Option<ReadBack>,
    /// The record, if sets may be about it.
    #[serde(skip)]
    pub(super) record: Option<Target>,
    /// Of a change of a set, what was found when that was planned.
    #[serde(skip)]
    pub(super) found: Option<FoundThen>,
}

/// What was known of a record when a set was planned.
#[derive(Debug, Clone)]
pub(super) struct FoundThen {
    /// When it was read; none where the set was planned from what another one had left.
    pub(super) at: Option<String>,
    /// The numbers or addresses that the record had, and was to have.
    pub(super) values: Vec<String>,
    /// When the record was created, as the service said.
    pub(super) created: Option<String>,
    /// What it received, as far as that was known.
    pub(super) flags: Vec<(Preference, bool)>,
}

crate::output::records! {
    Event {
        "at" => "AT", "since", "by" => "BY", "plannedBy", "ownerKind" => "OF", "ownerId" => "ID",
        "ownerName" => "NAME", "contactId" => "CONTACT",
        "action" => "ACTION", "change" => "CHANGE", "members", "state" => "STATE",
        "through" => "THROUGH", "traceId", "undone" => "UNDONE", "storedAs",
        "restoredContactId", "restoredValue", "readBack",
    }
}

impl Event {
    /// When it happened, or was seen first.
    pub(crate) fn moment(&self) -> Option<Timestamp> {
        self.at.as_ref()?.parse().ok()
    }

    /// Of what others changed, when it was last seen as before.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.since.as_ref()?.parse().ok()
    }

    /// Of a change of a set, when that was planned and its record read.
    pub(crate) fn found_at(&self) -> Option<&str> {
        self.found.as_ref()?.at.as_deref()
    }

    /// With the record, if sets may be about it, and whether it has been undone.
    pub(super) fn with(self, record: Option<Target>, undone: Option<bool>) -> Self {
        Self { record, undone, ..self }
    }

    /// As a page tells it; nothing without a record.
    pub(super) fn into_past(self) -> Option<PastEvent> {
        let at = self.moment();
        let mut past = PastEvent::new(self.record?, self.action, self.through);
        past.at = at;
        past.since = self.since.and_then(|since| since.parse().ok());
        past.by = self.by;
        past.members = self.members.into_iter().map(Difference::from).collect();
        past.state = self.state;
        past.trace_id = self.trace_id;
        past.undone = self.undone;
        Some(past)
    }

    /// As one that somebody took out of its set before it was sent.
    pub(super) fn taken_out(self, decision: Option<Decision>) -> Self {
        let Some(decision) = decision else { return self };
        let reason = decision.reason.as_ref().map(|reason| format!(" ({reason})"));
        Self {
            at: Some(decision.at.to_string()),
            by: Some(decision.who()),
            change: self.change + &reason.unwrap_or_default(),
            ..self
        }
    }

    /// Whether somebody took it out of its set before it was sent.
    pub(super) fn is_taken_out(&self) -> bool {
        self.state == State::Dropped.to_string()
    }

    /// That nothing is recorded of a contact, by the kind and the id of its owner and its own id.
    pub(crate) fn of_nothing([kind, owner, contact]: [String; 3], told: String) -> Self {
        Self {
            owner_kind: Some(kind),
            owner_id: Some(owner),
            contact_id: Some(contact),
            ..Self::without_record("none", told, String::new())
        }
    }

    /// With how its record is not what it was before, although it was undone.
    pub(super) fn restored(self, restored: Option<Restored>) -> Self {
        let Some(restored) = restored else { return self };
        Self {
            change: format!("{}; since {restored}", self.change),
            restored_contact_id: restored.contact.map(|id| id.to_string()),
            restored_value: restored.value,
            ..self
        }
    }

    /// With what reading back found.
    pub(super) fn read_back(self, read_back: Option<ReadBack>) -> Self {
        Self { read_back, ..self }
    }

    /// What a set did.
    pub(super) fn of_set(
        change: Change,
        [by, planned_by]: [Option<String>; 2],
        found_at: Option<Timestamp>,
        through: String,
    ) -> Self {
        let found = FoundThen::of(&change, found_at);
        let mut told: Vec<_> = change.members().iter().map(Member::from).collect();
        if let (Action::Delete(_), Some(before)) = (&change.action, &change.before) {
            let before = serde_json::to_value(before).unwrap_or_default();
            told = members(&before).into_iter().map(Member::gone).collect();
        }
        let stored_as = change.stored().map(|stored| stored.value.to_owned());
        let stored = stored_as.as_ref().map(|value| format!(", stored as {value}"));
        let words = words(change.action.name(), &told) + &stored.unwrap_or_default();
        Self {
            at: change.outcome.at.map(|at| at.to_string()),
            since: None,
            by,
            planned_by,
            owner_kind: Some(change.target.kind().to_owned()),
            owner_id: Some(change.target.owner_text()),
            owner_name: None,
            contact_id: change.target.contact_text(),
            action: change.action.name().to_owned(),
            change: words,
            members: told,
            state: change.outcome.state.to_string(),
            through,
            trace_id: change.outcome.trace_id,
            undone: None,
            stored_as,
            restored_contact_id: None,
            restored_value: None,
            read_back: None,
            record: None,
            found: Some(found),
        }
    }
}

impl FoundThen {
    fn of(change: &Change, at: Option<Timestamp>) -> Self {
        let images = [change.before.as_ref(), change.after.as_ref()];
        let mut contacts = images.iter().flatten().filter_map(|image| image.as_contact());
        let created = contacts.find_map(Contact::created);
        let values = images.into_iter().flatten().map(Image::value).chain(change.value());
        Self {
            at: at.map(|at| at.to_string()),
            values: values.map(str::to_owned).collect(),
            created: created.map(|at| at.to_string()),
            flags: change.before.as_ref().map(told).unwrap_or_default(),
        }
    }
}

/// What a record receives, as far as its flags are known.
fn told(image: &Image) -> Vec<(Preference, bool)> {
    let flags = image.as_contact().and_then(|contact| contact.preferences);
    let of_contact = flags.map(|flags| Preference::SETTABLE.map(|flag| (flag, flags.get(flag))));
    let is_told = |(name, on): (&String, &Option<bool>)| on.is_some() && speaks_of_marketing(name);
    let is_told = image.as_method().is_some_and(|method| method.preferences.iter().any(is_told));
    let of_method = is_told.then(|| (Preference::MarketingUpdates, image.receives_marketing()));
    of_contact.into_iter().flatten().chain(of_method).collect()
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
            owner_name: None,
            contact_id: entry.contact_id,
            action: action.to_owned(),
            change: words(action, &entry.changes),
            members: entry.changes,
            state: entry.outcome.state,
            through: entry.command,
            trace_id: entry.outcome.trace_id,
            undone: None,
            stored_as: None,
            restored_contact_id: None,
            restored_value: None,
            read_back: None,
            record: None,
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
            owner_name: None,
            contact_id: Some(contact.to_string()),
            action: action.to_owned(),
            change: words(action, &members),
            members,
            state: "seen".to_owned(),
            through: format!("changed elsewhere, between {since} and {until}"),
            trace_id: None,
            undone: None,
            stored_as: None,
            restored_contact_id: None,
            restored_value: None,
            read_back: None,
            record: None,
            found: None,
        }
    }
}

impl Event {
    /// What is not about a record.
    fn without_record(action: &str, change: String, through: String) -> Self {
        Self {
            at: None,
            since: None,
            by: None,
            planned_by: None,
            owner_kind: None,
            owner_id: None,
            owner_name: None,
            contact_id: None,
            action: action.to_owned(),
            change,
            members: Vec::new(),
            state: String::new(),
            through,
            trace_id: None,
            undone: None,
            stored_as: None,
            restored_contact_id: None,
            restored_value: None,
            read_back: None,
            record: None,
            found: None,
        }
    }

    /// That somebody approved a set.
    pub(super) fn of_approval(approval: &Decision, through: String) -> Self {
        let changes = count(approval.changes, "change");
        let reason = approval.reason.as_ref().map(|reason| format!(": {reason}"));
        Self {
            at: Some(approval.at.to_string()),
            by: Some(approval.who()),
            state: "approved".to_owned(),
            ..Self::without_record("approve", changes + &reason.unwrap_or_default(), through)
        }
    }
}

/// A wish of the ledger, at the time when it was received, if that is known.
impl From<Heard> for Event {
    fn from(heard: Heard) -> Self {
        let received = received(&heard);
        let words = heard.words.as_ref().map(|words| format!("\"{words}\""));
        let taken = heard.taken_by.as_ref().map(|by| format!("taken by {by}"));
        let list = heard.import.map(|import| match heard.row {
            Some(row) => format!("import {import}, line {row}"),
            None => format!("import {import}"),
        });
        let kinds = if heard.scope == Scope::All { "all kinds" } else { "marketing" };
        let told = [Some(received), words, heard.place, taken, list].into_iter().flatten();
        let told = told.collect::<Vec<_>>().join(", ");
        let state = match (heard.retracted, heard.honoured) {
            (true, _) => "taken back",
            (false, true) => "recorded",
            (false, false) => "not honoured",
        };
        let received = heard.received_between.map(|[first, _]| first);
        let through = format!("consent ledger, record {}", heard.record);
        Self {
            at: Some(received.unwrap_or(heard.recorded_at)),
            by: Some(heard.recorded_by),
            state: state.to_owned(),
            ..Self::without_record("wish", format!("{}, {kinds}: {told}", heard.wish), through)
        }
    }
}

/// That a wish, or the import with which it came, was taken back.
impl From<&Retraction> for Event {
    fn from(retraction: &Retraction) -> Self {
        let Retraction { record, at, by, reason, of, file, .. } = retraction;
        let what = match file {
            Some(file) => format!("import {of} ({file})"),
            None => format!("the wish of record {of}"),
        };
        let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let through = format!("consent ledger, record {record}");
        Self {
            at: Some(at.clone()),
            by: Some(by.clone()),
            state: "recorded".to_owned(),
            ..Self::without_record("retract", format!("{what} was taken back{reason}"), through)
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

/// By what people recognize a contact.
const SHOWN: [&str; 3] = ["type", "value", "memo"];

/// What from and to, on one line. A contact that comes or goes as a whole is told by what people
/// recognize it by: all of it is in the members.
fn words(action: &str, members: &[Member]) -> String {
    let is_shown = |member: &&Member| SHOWN.contains(&member.field.as_str());
    let is_whole = action != "update" && members.iter().any(|member| is_shown(&member));
    let members = members.iter().filter(|member| !is_whole || is_shown(member));
    let words = members.map(|Member { field, before, after }| match (before, after) {
        (Some(one), None) | (None, Some(one)) if is_whole => format!("{field}: {one}"),
        (Some(before), Some(after)) => format!("{field}: {before} → {after}"),
        (Some(before), None) => format!("{field}: {before} → (none)"),
        (None, Some(after)) => format!("{field}: {after}"),
        (None, None) => format!("{field}: (none)"),
    });
    words.collect::<Vec<_>>().join("; ")
}
