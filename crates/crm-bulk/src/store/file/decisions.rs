//! What people decided about a set: which changes are dropped, and which digest is approved.

use std::path::Path;

use crm_mirror::database::Database;
use crm_models::{ContactChange, ContactId, CreateContactRequest};
use rusqlite::{Row, params};

use super::{
    change_set::ChangeSet,
    codes,
    columns::{CHANGES, ChangeColumns, STATE, read_state},
    seal, totals,
};
use crate::{
    clock,
    error::BulkError,
    set::{
        Action, Carrier, Change, ChangeId, Decision, DecisionKind, Digest, ExpectedDigest, Image,
        Outcome, Remark, State, Target, Who, caution,
    },
    system_user::system_user,
};

/// How many changes that were begun are named.
const NAMED: usize = 5;

/// What became of [dropping](ChangeSet::drop_changes) changes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DropSummary {
    /// How many changes were taken out.
    pub dropped: u64,
    /// Which these are.
    pub changes: Vec<ChangeId>,
    /// Which changes are [held](State::Held) from now on, since they rest on what was dropped: deletions
    /// for which another contact was to stand in, and in an undo what takes a memo from a contact that
    /// another one was to carry again.
    pub holds: Vec<ChangeId>,
    /// Which changes no longer hand a memo over, since the contact that has it is to stay by now: the
    /// rest of them is made. One that did nothing else is dropped as well.
    pub narrowed: Vec<ChangeId>,
    /// How many selected changes were left as they are, since nothing would be sent for them
    /// anyway.
    pub left: u64,
    /// The digest that the set has now.
    pub digest: Digest,
}

/// Refuses a set that is not what was expected.
pub(crate) fn admit(found: Digest, expected: ExpectedDigest, path: &Path) -> Result<(), BulkError> {
    if expected.admits(&found) {
        Ok(())
    } else {
        Err(BulkError::NotExpected { path: path.to_owned(), found, expected })
    }
}

/// Whether a run sends a change in this state, or can be told to send it again.
fn may_be_sent(state: State) -> bool {
    state.is_open() || matches!(state, State::Failed | State::Held)
}

/// What is to be done with a change that is to be dropped.
enum Fate {
    Drop,
    /// Nothing would be sent for it.
    Leave,
    /// It was sent, or may have been.
    Begun,
}

fn fate(database: &Database, id: ChangeId) -> Result<Fate, BulkError> {
    let sql = format!(
        "SELECT {STATE} AS state, coalesce(attempts, 0) AS attempts, change FROM {CHANGES}
         WHERE id = ?"
    );
    let read = |row: &Row<'_>| {
        let is_untouched = row.get::<_, Option<i64>>("change")?.is_none();
        let state = read_state(row, row.as_ref().column_index("state")?)?;
        Ok((state, row.get::<_, u32>("attempts")?, is_untouched))
    };
    let Some((state, attempts, is_untouched)) = database.row(&sql, [id.0], read)? else {
        return Ok(Fate::Leave);
    };
    Ok(match state {
        // Certainly not carried out, whatever was tried.
        State::Planned => Fate::Drop,
        // The plan refuses it, and a run that retries would ask again.
        State::Failed if is_untouched => Fate::Drop,
        State::InFlight | State::Unknown | State::Done | State::Failed => Fate::Begun,
        _ if attempts > 0 => Fate::Begun,
        _ => Fate::Leave,
    })
}

/// Drops these changes, or refuses without writing anything. To be done in a transaction of the set's
/// owner.
pub(super) fn drop_changes(
    database: &Database,
    ids: &[ChangeId],
    remark: &Remark,
) -> Result<Result<DropSummary, BulkError>, BulkError> {
    // Dropping makes a new digest, which must not bless what somebody altered.
    if let Err(error) = seal::digest(database) {
        return Ok(Err(error));
    }
    let (mut dropped, mut begun, mut left, mut more) = (Vec::new(), Vec::new(), 0, 0);
    for id in ids {
        match fate(database, *id)? {
            Fate::Drop => dropped.push(*id),
            Fate::Leave => left += 1,
            Fate::Begun if begun.len() < NAMED => begun.push(*id),
            Fate::Begun => more += 1,
        }
    }
    if !begun.is_empty() {
        let path = database.path().to_owned();
        return Ok(Err(BulkError::Begun { path, changes: begun, more }));
    }
    let mut narrowed = Vec::new();
    for (deletion, taking) in take_overs(database, &dropped)? {
        narrowed.push(taking.id);
        if hands_over_alone(&taking) {
            dropped.push(taking.id);
        } else {
            hand_nothing_over(database, &taking, deletion)?;
        }
    }
    let (at, who) = (clock::now(), Who::of(remark));
    let note = who.dropped(at, remark.reason.as_deref());
    for id in &dropped {
        put_aside(database, *id, State::Dropped, &note)?;
    }
    let holds = hold_without(database, &dropped)?;
    let digest = seal::adopt(database)?;
    database.check(totals::recount(&database.connection))?;
    let changes = dropped.len() as u64;
    if changes > 0 {
        let Who { user, said } = who;
        let (kind, reason) = (DecisionKind::Dropped, remark.reason.clone());
        write(database, &Decision { kind, at, user, said, reason, digest, changes })?;
    }
    Ok(Ok(DropSummary { dropped: changes, changes: dropped, holds, narrowed, left, digest }))
}

/// What hands over the memo of a contact that was to be deleted and is to stay by now, each with the
/// deletion that was dropped.
fn take_overs(
    database: &Database,
    dropped: &[ChangeId],
) -> Result<Vec<(ChangeId, Change)>, BulkError> {
    let mut found = Vec::<(ChangeId, Change)>::new();
    for id in dropped {
        let Some(stays) = by_id(database, *id)?.filter(|it| handed_over(it).is_some()) else {
            continue;
        };
        let needs_it = |other: &Change| handed_over(other) == handed_over(&stays);
        let goes = |other: &Change| other.outcome.state == State::Planned;
        let others = beside(database, *id, codes::DELETE)?;
        if others.iter().any(|other| goes(other) && needs_it(other)) {
            continue;
        }
        let takes_it = |it: &Change| {
            let (Action::Update(wanted), Target::Contact { contact, .. }) = (&it.action, it.target)
            else {
                return false;
            };
            contact.zip(wanted.change.get_memo().map(str::trim)) == handed_over(&stays)
        };
        let takings = beside(database, *id, codes::UPDATE)?;
        let takings = takings.into_iter().filter(|it| goes(it) && takes_it(it));
        found.extend(takings.map(|taking| (*id, taking)));
    }
    // Who drops them as well has them dropped once.
    found.retain(|(_, taking)| !dropped.contains(&taking.id));
    found.dedup_by_key(|(_, taking)| taking.id);
    Ok(found)
}

/// Which contact is to take over the memo of one that is to be deleted, and that memo.
fn handed_over(deletion: &Change) -> Option<(ContactId, &str)> {
    let gone = deletion.before.as_ref().and_then(Image::as_contact)?;
    let memo = gone.memo.as_deref().map(str::trim).filter(|memo| !memo.is_empty())?;
    Some((deletion.action.stand_in()?.contact, memo))
}

/// Whether a change does nothing but to hand a memo over.
fn hands_over_alone(taking: &Change) -> bool {
    let Action::Update(wanted) = &taking.action else {
        return false;
    };
    let memo = wanted.change.get_memo().unwrap_or_default();
    wanted.change == ContactChange::new().memo(memo)
}

/// Leaves the memo of a contact that is to stay where it is, and makes the rest of the change.
fn hand_nothing_over(
    database: &Database,
    taking: &Change,
    deletion: ChangeId,
) -> Result<(), BulkError> {
    let kept = format!("change {deletion} was dropped, so that memo is not taken over");
    let why = taking.why.as_ref().map_or_else(|| kept.clone(), |why| format!("{why}; {kept}"));
    let note = match &taking.caution {
        Some(caution) => caution::together(Some(&why), caution),
        None => why,
    };
    let sql = "UPDATE planned SET wanted_memo = NULL, digest = NULL, note = ?1 WHERE id = ?2";
    database.execute(sql, params![note, taking.id.0])?;
    Ok(())
}

/// The changes of an action to the contacts of the owner of one that the plan gave no other verdict.
fn beside(database: &Database, id: ChangeId, action: i64) -> Result<Vec<Change>, BulkError> {
    let sql = "SELECT beside.id FROM planned made JOIN planned beside
             ON beside.owner_kind = made.owner_kind AND beside.owner_id = made.owner_id
         WHERE made.id = ?1 AND beside.id <> ?1 AND beside.action = ?2 AND beside.verdict = ?3";
    let planned = codes::state(State::Planned);
    let numbers: Vec<i64> =
        database.rows(sql, params![id.0, action, planned], |row| row.get("id"))?;
    let changes = numbers.into_iter().map(|number| by_id(database, ChangeId(number)));
    changes.filter_map(Result::transpose).collect()
}

/// Holds what rests on changes that were dropped. Who retries what is held has it looked at again.
fn hold_without(database: &Database, dropped: &[ChangeId]) -> Result<Vec<ChangeId>, BulkError> {
    let mut holds = hold_deletions(database, dropped)?;
    holds.extend(hold_takings(database, dropped)?);
    holds.sort_unstable();
    holds.dedup();
    Ok(holds)
}

/// Holds what takes a memo away that only a creation which was dropped would have brought back.
fn hold_takings(database: &Database, dropped: &[ChangeId]) -> Result<Vec<ChangeId>, BulkError> {
    let mut holds = Vec::new();
    for id in dropped {
        let made = by_id(database, *id)?;
        if made.as_ref().and_then(creation).is_none() {
            continue;
        }
        let mut takings = beside(database, *id, codes::UPDATE)?;
        takings.retain(|it| it.outcome.state == State::Planned && it.action.carrier().is_some());
        if takings.is_empty() {
            continue;
        }
        let others = beside(database, *id, codes::CREATE)?;
        for taking in takings {
            let makes = |made: &Change| {
                let carrier = taking.action.carrier();
                carrier.zip(creation(made)).is_some_and(|(it, request)| it.is_made_by(&request))
            };
            if made.as_ref().is_some_and(makes) && !others.iter().any(makes) {
                hold(database, taking.id, &Carrier::lacking(), *id)?;
                holds.push(taking.id);
            }
        }
    }
    Ok(holds)
}

fn creation(change: &Change) -> Option<CreateContactRequest> {
    match &change.action {
        Action::Create(wanted) => wanted.creation(),
        _ => None,
    }
}

/// Holds a change, which says why and what was dropped.
fn hold(
    database: &Database,
    id: ChangeId,
    why: &Outcome,
    dropped: ChangeId,
) -> Result<(), BulkError> {
    let why = why.message.as_deref().unwrap_or_default();
    let why = format!("{why}; change {dropped}, which would have seen to that, was dropped");
    put_aside(database, id, State::Held, &why)
}

/// Gives a change that was not carried out another verdict, with a note behind those that it has.
fn put_aside(
    database: &Database,
    id: ChangeId,
    verdict: State,
    note: &str,
) -> Result<(), BulkError> {
    // Without a digest it gets the one that is due to it now.
    let sql = "UPDATE planned SET verdict = ?1, digest = NULL,
            note = coalesce(ltrim(replace(note, char(?2), '; '), '; ') || '; ', '') || ?3
         WHERE id = ?4";
    let (verdict, mark) = (codes::state(verdict), u32::from(caution::MARK));
    database.execute(sql, params![verdict, mark, note, id.0])?;
    // Certainly not carried out, whatever was tried.
    database.execute("DELETE FROM progress WHERE change = ?", [id.0])?;
    Ok(())
}

/// Holds the deletions that rest on changes which were dropped: without these the contact that is to
/// stand in is as it was, and does not.
fn hold_deletions(database: &Database, dropped: &[ChangeId]) -> Result<Vec<ChangeId>, BulkError> {
    let resting = "SELECT resting.id FROM planned changed JOIN planned resting
             ON resting.owner_kind = changed.owner_kind AND resting.owner_id = changed.owner_id
             AND resting.wanted_more ->> '$.contact' = changed.contact_id
         WHERE changed.id = ?1 AND resting.action = ?2 ORDER BY resting.id";
    let mut holds = Vec::new();
    for id in dropped {
        let of_change: Vec<i64> =
            database.rows(resting, params![id.0, codes::DELETE], |row| row.get("id"))?;
        if of_change.is_empty() {
            continue;
        }
        let kept = by_id(database, *id)?;
        let kept = kept.as_ref().and_then(|change| change.before.as_ref()?.as_contact());
        for resting in of_change {
            let change = by_id(database, ChangeId(resting))?;
            let change = change.filter(|change| change.outcome.state == State::Planned);
            let lacks = change.as_ref().and_then(|change| {
                let gone = change.before.as_ref().and_then(Image::as_contact);
                let (needed, gone) = change.action.stand_in().zip(gone)?;
                Some((needed, needed.compare(gone, kept).err()?))
            });
            let Some((needed, lacks)) = lacks else {
                continue;
            };
            hold(database, ChangeId(resting), &lacks.outcome(needed), *id)?;
            holds.push(ChangeId(resting));
        }
    }
    Ok(holds)
}

fn by_id(database: &Database, id: ChangeId) -> Result<Option<Change>, BulkError> {
    let sql = format!("SELECT {} FROM {CHANGES} WHERE id = ?", ChangeColumns::NAMES);
    Ok(database.row(&sql, [id.0], |row| ChangeColumns::of(row.as_ref())?.read(row))?)
}

/// Whether this digest was approved.
pub(super) fn is_approved(database: &Database, digest: Digest) -> Result<bool, BulkError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM decisions WHERE kind = ? AND digest = ?)";
    let approved = <&str>::from(DecisionKind::Approved);
    Ok(database.value(sql, params![approved, digest.to_string()])? == Some(true))
}

/// Keeps that a run begins, what was chosen for it, and how many changes are open. To be done in a
/// transaction of the set's owner.
pub(super) fn keep_run(database: &Database, chosen: &[String], open: u64) -> Result<(), BulkError> {
    // The run has just compared it with all changes.
    let digest = database.meta("digest")?.and_then(|text| text.parse().ok());
    let not_adopted = || BulkError::NotAdopted { path: database.path().to_owned() };
    let decision = Decision {
        kind: DecisionKind::Applied,
        at: clock::now(),
        user: system_user(),
        said: None,
        reason: (!chosen.is_empty()).then(|| chosen.join("; ")),
        digest: digest.ok_or_else(not_adopted)?,
        changes: open,
    };
    write(database, &decision)
}

fn write(database: &Database, decision: &Decision) -> Result<(), BulkError> {
    let Decision { kind, at, user, said, reason, digest, changes } = decision;
    let sql = "INSERT INTO decisions (kind, at, user, said, reason, digest, changes)
        VALUES (?, ?, ?, ?, ?, ?, ?)";
    let (kind, digest) = (<&str>::from(kind), digest.to_string());
    database.execute(sql, params![kind, at.to_string(), user, said, reason, digest, changes])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Option<Decision>> {
    let text = |column: &str| row.get::<_, String>(column);
    let (kind, at, digest) = (text("kind")?.parse(), text("at")?.parse(), text("digest")?.parse());
    let (Ok(kind), Ok(at), Ok(digest)) = (kind, at, digest) else {
        // Of a later version.
        return Ok(None);
    };
    Ok(Some(Decision {
        kind,
        at,
        user: text("user")?,
        said: row.get("said")?,
        reason: row.get("reason")?,
        digest,
        changes: row.get("changes")?,
    }))
}

impl ChangeSet {
    /// Returns what was decided about the set since it was planned, in order.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn decisions(&self) -> Result<Vec<Decision>, BulkError> {
        let sql = "SELECT kind, at, user, said, reason, digest, changes FROM decisions ORDER BY id";
        Ok(self.database.rows(sql, [], read)?.into_iter().flatten().collect())
    }

    /// Returns the newest approval of the set as it is, by the digest that it stores; `None` if
    /// nobody approved it, or something was dropped since.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn approval(&self) -> Result<Option<Decision>, BulkError> {
        let digest = self.database.meta("digest")?.and_then(|text| text.parse().ok());
        let decisions = self.decisions()?.into_iter();
        let mut approvals =
            decisions.filter(|it| it.kind == DecisionKind::Approved && Some(it.digest) == digest);
        Ok(approvals.next_back())
    }

    /// Approves the set as it is, by the digest that is computed of it.
    pub(crate) fn keep_approval(
        &self,
        expected: Option<ExpectedDigest>,
        remark: Remark,
    ) -> Result<Decision, BulkError> {
        let digest = self.digest()?;
        if let Some(expected) = expected {
            admit(digest, expected, self.path())?;
        }
        let totals = self.totals()?;
        if !State::ALL.into_iter().any(|state| may_be_sent(state) && totals.in_state(state) > 0) {
            return Err(BulkError::NothingToApprove { path: self.path().to_owned() });
        }
        let decision = Decision {
            kind: DecisionKind::Approved,
            at: clock::now(),
            user: system_user(),
            said: remark.by,
            reason: remark.reason,
            digest,
            changes: totals.open(),
        };
        write(&self.database, &decision)?;
        Ok(decision)
    }
}
