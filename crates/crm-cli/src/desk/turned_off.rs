//! What turned marketing off, or removed a number or an address that received it: changes of sets and
//! single writes, one after another, so that it takes no more memory for more of them.

use std::path::Path;

use crm_bulk::{
    Action, BulkError, ChangeSet, DecisionKind, Image, ReverseSet, Selection, SetInfo, SetKind,
    State,
};
use crm_consent::SOURCE;
use crm_mirror::{Mirror, MirrorError, Observed, OwnerId};
use crm_models::{ContactId, Timestamp};
use serde::Serialize;

use super::{
    error::DeskError,
    flags::{marketing, marketing_before},
    folder::Desk,
    places::{failed, last_told},
    read_back::ReadBacks,
    reverses::Head,
    sets::name_of,
    updates::{Entry, Member},
};
use crate::output::moment;

/// A contact or a contact method of which marketing was turned off, or that received it until it went.
#[derive(Debug, Clone)]
pub(crate) struct TurnedOff {
    /// Whether it went, with marketing on, or has another number or address since.
    pub(crate) is_gone: bool,
    pub(crate) at: String,
    pub(crate) owner_kind: Option<String>,
    pub(crate) owner_id: Option<String>,
    pub(crate) contact_id: Option<String>,
    /// Its number or address, if that is known.
    pub(crate) value: Option<String>,
    /// When it was created, as the service says.
    pub(crate) created: Option<String>,
    /// The set or the command.
    pub(crate) through: String,
    /// Whether it is a set that was made for wishes: an opt-out, or one that a plan of the ledger made.
    pub(crate) is_for_wishes: bool,
    pub(crate) trace_id: Option<String>,
}

/// A set that turned marketing off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SetTold {
    pub(crate) name: String,
    /// How many of its changes turned marketing off in the period.
    pub(crate) turned_off: u64,
    /// How many of all its changes other sets have undone.
    pub(crate) undone: u64,
    /// Who applied it, as the system knows.
    pub(crate) applied_by: Vec<String>,
}

/// Which sets there are, and what could not be looked at.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    pub(crate) sets: Vec<SetTold>,
    /// One sentence for each set that is gone or cannot be read.
    pub(crate) missing: Vec<String>,
}

impl Desk {
    /// Hands each contact of which an update of the mirror found that marketing had been turned off to
    /// `each`, whoever did it, with the moments when it was last seen on and first seen off.
    pub(crate) fn each_turned_off_elsewhere(
        &self,
        mut each: impl FnMut((OwnerId, ContactId), [Timestamp; 2]),
    ) -> Result<(), DeskError> {
        let Some(mirror) = self.known()? else {
            return Ok(());
        };
        let told = mirror.for_each_difference(
            |Observed { owner, contact, since, until, members, .. }| {
                let members: Vec<_> = members.iter().map(Member::from).collect();
                let was_on = marketing_before(&members) == Some(true);
                if was_on && marketing(&members) == Some(false) {
                    each((owner, contact), [since, until]);
                }
                Ok::<_, MirrorError>(())
            },
        );
        told.map_err(failed)
    }

    /// Hands all that turned marketing off to `each`, which says whether it counts.
    pub(crate) fn each_turned_off<E: From<DeskError>>(
        &self,
        mut each: impl FnMut(TurnedOff) -> Result<bool, E>,
    ) -> Result<Looked, E> {
        let mut looked = Looked::default();
        let mut files = self.set_files()?;
        let updates = self.recorded()?;
        if let Some(updates) = &updates {
            for run in self.runs_elsewhere(updates)? {
                if run.file.exists() {
                    files.push(run.file);
                } else {
                    let file = run.file.display();
                    let told = format!(
                        "{file}, applied on {}, is gone: what it did is not counted",
                        moment(&run.at)
                    );
                    looked.missing.push(told);
                }
            }
        }
        let known: Vec<_> = files.iter().filter_map(|file| Head::read(file).ok()).collect();
        for file in &files {
            let head = known.iter().find(|head| head.file == *file);
            let reverses = head.map(|head| head.reversed_by(&known)).unwrap_or_default();
            match of_set(file, reverses, &mut each) {
                Ok(told) => looked.sets.extend(told?),
                Err(error) => {
                    let file = file.display();
                    looked.missing.push(format!("{file} is not counted: {error}"));
                }
            }
        }
        if let Some(updates) = updates {
            let mirror = self.mirror().exists().then(|| Mirror::open(self.mirror()).ok()).flatten();
            for (_, entry) in updates.all()? {
                if entry.outcome.state == "done"
                    && let Some(off) = of_update(entry, mirror.as_ref())
                {
                    each(off)?;
                }
            }
        }
        Ok(looked)
    }
}

/// Hands what a set turned off to `each`; a set that did nothing of the kind is none.
fn of_set<E>(
    file: &Path,
    reverses: Vec<ReverseSet>,
    each: &mut impl FnMut(TurnedOff) -> Result<bool, E>,
) -> Result<Result<Option<SetTold>, E>, BulkError> {
    let set = ChangeSet::open(file)?.reversed_by(reverses);
    let name = name_of(file).unwrap_or_else(|| file.display().to_string());
    let (mut turned_off, read_backs) = (0, ReadBacks::of(&set)?);
    let SetInfo { kind, source, .. } = set.info()?;
    let is_for_wishes = kind == SetKind::OptOut || source.as_deref() == Some(SOURCE);
    for change in set.changes(&Selection::states([State::Done])) {
        let change = change?;
        let members: Vec<_> = change.members().iter().map(Member::from).collect();
        let before = change.before.as_ref();
        let is_off = marketing(&members) == Some(false);
        let is_gone = !is_off
            && before.is_some_and(Image::receives_marketing)
            && (matches!(change.action, Action::Delete(_)) || gives_up(&members).is_some());
        let Some(at) = change.outcome.at.filter(|_| is_off || is_gone) else {
            continue;
        };
        // The service did not keep it, or somebody has changed it back.
        if read_backs.find(&change)?.is_some_and(|found| found.is_on()) {
            continue;
        }
        let had = before.map(Image::value);
        let value = if is_gone { had } else { change.value().or(had) };
        let created = before.and_then(Image::as_contact).and_then(|contact| contact.created());
        let counts = each(TurnedOff {
            is_gone,
            at: at.to_string(),
            owner_kind: Some(change.target.kind().to_owned()),
            owner_id: Some(change.target.owner_text()),
            contact_id: change.target.contact_text(),
            value: value.map(str::to_owned),
            created: created.map(|at| at.to_string()),
            through: name.clone(),
            is_for_wishes,
            trace_id: change.outcome.trace_id,
        });
        match counts {
            Ok(counts) => turned_off += u64::from(counts && is_off),
            Err(error) => return Ok(Err(error)),
        }
    }
    if turned_off == 0 {
        return Ok(Ok(None));
    }
    let undone = set.undone()?.changes();
    let runs = set.decisions()?.into_iter();
    let runs = runs.filter(|decision| decision.kind == DecisionKind::Applied);
    let mut applied_by: Vec<_> = runs.map(|decision| decision.user).collect();
    applied_by.sort_unstable();
    applied_by.dedup();
    Ok(Ok(Some(SetTold { name, turned_off, undone, applied_by })))
}

/// The number or address that a record had and has no longer.
fn gives_up(members: &[Member]) -> Option<&str> {
    let value = members.iter().find(|member| member.field == "value")?;
    value.before.as_deref().filter(|before| value.after.as_deref() != Some(*before))
}

/// What a single write turned off, or removed; nothing for any other.
fn of_update(entry: Entry, mirror: Option<&Mirror>) -> Option<TurnedOff> {
    let is_off = marketing(&entry.changes) == Some(false);
    let given_up = gives_up(&entry.changes).map(str::to_owned);
    if !is_off && given_up.is_none() {
        return None;
    }
    let contact = mirror.and_then(|mirror| {
        let (kind, owner, contact) = (&entry.owner_kind, &entry.owner_id, &entry.contact_id);
        let record = (kind.clone()?, owner.clone()?, contact.clone()?);
        last_told(mirror, &record).ok()?
    });
    let is_on = || {
        let told = marketing_before(&entry.changes);
        // Which flags it had is told by the mirror where the write did not touch them.
        let flags = || contact.as_ref()?.preferences.map(|flags| flags.marketing_updates_enabled);
        told.or_else(flags) == Some(true)
    };
    let is_gone = !is_off && is_on();
    if !is_off && !is_gone {
        return None;
    }
    let created = contact.as_ref().and_then(|contact| contact.created());
    let told = entry.changes.iter().find(|member| member.field == "value");
    let told = told.and_then(|member| member.after.clone());
    let told = if is_gone { given_up } else { told };
    Some(TurnedOff {
        is_gone,
        at: entry.outcome.ended_at.unwrap_or(entry.at),
        owner_kind: entry.owner_kind,
        owner_id: entry.owner_id,
        contact_id: entry.contact_id,
        created: created.map(|at| at.to_string()),
        value: told.or_else(|| contact.map(|contact| contact.value)),
        through: entry.command,
        is_for_wishes: false,
        trace_id: entry.outcome.trace_id,
    })
}
