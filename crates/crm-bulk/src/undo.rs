//! The reverse of a change set.

use std::{fmt, path::Path};

use crm_mirror::job::{Stop, on_thread};
use crm_models::{CheckWith as _, ContactChange, Preference, Tolerance};

use crate::{
    error::BulkError,
    set::{Action, Change, ChangeId, Image, Outcome, SetKind, State, Target, Wanted},
    store::{
        ChangeSet, Selection,
        file::{Draft, Planned},
    },
    undone::UNDO_OF_EPOCH,
};

/// The contents of the set that reverses another, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct UndoSummary {
    /// The number of changes that restore what was there before.
    pub planned: u64,
    /// The number of changes of which something cannot be restored; their messages say what.
    pub impossible: u64,
    /// The number of changes of the set for which it is not known whether they were carried out, or
    /// how far. What they may have written is left in place: apply the set, which reads them back,
    /// and write the undo again.
    pub unresolved: u64,
    /// The number of changes that may have been carried out and were set aside, since the record is
    /// neither as it was before nor as wanted. Nothing takes them up again: look at the records.
    pub set_aside: u64,
    /// The number of changes that are left out, since the sets that
    /// [`reversed_by`](ChangeSet::reversed_by) named have undone them.
    pub undone: u64,
    /// The number of changes of the set that have not been sent: applying the set still makes them.
    pub open: u64,
    /// The number of changes that are [held](State::Held) in the new set, as
    /// [`UndoTerms::hold`] says.
    pub held: u64,
    /// The number of records for which the new set turns marketing on again.
    pub marketing_on: u64,
    /// The number of planned changes that the service is likely to refuse: each has a
    /// [caution](Change::caution) that says why.
    pub likely_refused: u64,
}

/// What is said of a set that writes a number or an address only in another way.
const WRITES_ANOTHER_WAY: &str = "Where only the way in which a number or an address is written goes \
     back, a service that writes them in a way of its own keeps what it has.";

/// What is said of a change that takes back what was handed over.
const ONCE_IT_IS_BACK: &str =
    "takes the memo away only once the contact that handed it over is there again with it";

/// Says why a change is held.
type Hold = Box<dyn FnMut(&Change) -> Option<String> + Send>;

/// What an undo says, and what of it is not to be sent.
///
/// ```
/// use crm_bulk::{Target, UndoTerms};
///
/// let terms = UndoTerms::new()
///     .reasons(["the list was of last year".to_owned()])
///     .hold(|change| match change.target {
///         Target::Method { .. } => Some("people are asked first".to_owned()),
///         _ => None,
///     });
/// # drop(terms);
/// ```
#[derive(Default)]
#[must_use]
pub struct UndoTerms {
    reasons: Vec<String>,
    hold: Option<Hold>,
}

impl UndoTerms {
    /// Creates terms that say nothing and hold nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says why, in one sentence each: they are among the notes of the new set.
    pub fn reasons(mut self, reasons: impl IntoIterator<Item = String>) -> Self {
        self.reasons.extend(reasons);
        self
    }

    /// Asks about each change of the new set, and holds it if there is a reason to. It is in the set
    /// with that reason, and [`Apply::retry_failed`](crate::Apply::retry_failed) takes it up.
    pub fn hold(mut self, hold: impl FnMut(&Change) -> Option<String> + Send + 'static) -> Self {
        self.hold = Some(Box::new(hold));
        self
    }
}

impl fmt::Debug for UndoTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UndoTerms").field("reasons", &self.reasons).finish_non_exhaustive()
    }
}

impl ChangeSet {
    /// Writes the change set that restores what was there before: contacts get their old members
    /// back, deleted contacts are created again (with a new id), and created contacts are deleted.
    ///
    /// Every change that wrote something is reversed, including one whose answer was not as asked.
    /// A memo that was handed over by a contact which was deleted is taken back only once that contact
    /// is there again with it: until then the change is [held](State::Held). A restored contact that
    /// the undo of an undo deletes goes only while the one that took over its memo
    /// [stands in](Action::stand_in).
    ///
    /// Nothing is sent: the new set is inspected and applied like any other, and contacts that
    /// others have changed or created again in the meantime are set aside at that point.
    ///
    /// A run that was interrupted leaves changes for which it is not known whether they were
    /// carried out. They are counted as [`unresolved`](UndoSummary::unresolved) or
    /// [`set_aside`](UndoSummary::set_aside).
    ///
    /// What sets have undone that [`reversed_by`](Self::reversed_by) named is left out.
    ///
    /// Preferences that were unknown before cannot be made unknown again. If nothing else can be
    /// restored either, the change says so instead of being planned.
    ///
    /// The work is done on a thread of its own, with a connection of its own to the set.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Exists`](crate::MirrorError::Exists); [`BulkError::Altered`] and [`BulkError::NotAdopted`] as for
    /// [`digest`](Self::digest); or a failure to read or write.
    pub fn undo<P: AsRef<Path>>(
        &self,
        out: P,
    ) -> impl Future<Output = Result<UndoSummary, BulkError>> + Send + use<P> {
        self.undo_on(UndoTerms::new(), out)
    }

    /// Writes the same set as [`undo`](Self::undo), on these terms.
    ///
    /// # Errors
    ///
    /// The same errors as `undo`.
    pub fn undo_on<P: AsRef<Path>>(
        &self,
        terms: UndoTerms,
        out: P,
    ) -> impl Future<Output = Result<UndoSummary, BulkError>> + Send + use<P> {
        let (set, out) = (self.database.again(), out.as_ref().to_owned());
        let reverses = self.reverses.clone();
        async move {
            let write = move |out: &Path, stop: &Stop| {
                Self::again(&set, stop)?.reversed_by(reverses).write_undo(terms, out, stop)
            };
            on_thread(&out, write).await
        }
    }

    fn write_undo(
        &self,
        terms: UndoTerms,
        out: &Path,
        stop: &Stop,
    ) -> Result<UndoSummary, BulkError> {
        self.refuse_moved()?;
        self.digest()?;
        let UndoTerms { reasons: mut notes, mut hold } = terms;
        let info = self.info()?;
        let draft = Draft::create(out, &info.site, SetKind::Undo, stop)?;
        draft.set_meta("undo_of", &self.path().display().to_string())?;
        if let Some(at) = info.created_at {
            draft.set_meta("undo_of_created_at", &at.to_string())?;
        }
        let (epoch, undone) = (self.settled_epoch()?, self.undone_changes()?);
        let (mut is_all_done, mut writes_another_way) = (true, false);
        let open = self.totals()?.in_state(State::Planned);
        let mut summary = UndoSummary { open, ..UndoSummary::default() };
        // It rests on what the changes were answered.
        let mut known_at = None;
        let mut named = None;
        for change in self.changes(&Selection::all()) {
            let change = change?;
            let state = change.outcome.state;
            let is_unresolved = matches!(state, State::InFlight | State::Unknown);
            summary.unresolved += u64::from(is_unresolved);
            summary.set_aside += u64::from(is_set_aside(&change));
            let Some(reverse) = reverse(&change) else {
                continue;
            };
            if undone.by(change.id).is_some() {
                summary.undone += 1;
                continue;
            }
            let reverse = self.on_condition(&change, reverse)?;
            let reverse = match &mut hold {
                Some(hold) => reverse.unless_held(change.id, hold),
                None => reverse,
            };
            let is_held = reverse.outcome.state == State::Held;
            let reverse = match likely_refusal(&reverse) {
                Some(caution) => {
                    summary.likely_refused += 1;
                    Reverse { outcome: reverse.outcome.cautioned(&caution), ..reverse }
                }
                None => reverse,
            };
            is_all_done &= state == State::Done && !is_held;
            writes_another_way |= reverse.writes_another_way();
            let turns_on = reverse.action.turns_marketing_on(reverse.before);
            summary.marketing_on += u64::from(!is_held && turns_on);
            known_at = known_at.into_iter().chain(change.outcome.at).min();
            match reverse.outcome.state {
                State::Planned => summary.planned += 1,
                State::Held => summary.held += 1,
                _ => summary.impossible += 1,
            }
            let whose = Some((reverse.target.kind(), reverse.target.owner_text()));
            if named != whose {
                draft.inherit_name(self, &reverse.target)?;
                named = whose;
            }
            let reverse = Planned {
                row: None,
                target: reverse.target,
                action: &reverse.action,
                before: reverse.before.cloned(),
                outcome: reverse.outcome,
            };
            match reverse.action {
                Action::Create(_) => {
                    let siblings = self.siblings(&change)?;
                    draft.add_restoration(&reverse, siblings.as_deref())?;
                }
                _ => draft.add_change(&reverse)?,
            }
        }
        // Then its totals tell how much it has undone, as long as nothing more is sent of the set.
        if let Some(epoch) = epoch.filter(|_| is_all_done) {
            draft.set_meta(UNDO_OF_EPOCH, &epoch)?;
        }
        draft.set_undoes(info.kind)?;
        if summary.likely_refused > 0 {
            draft.set_cautions()?;
        }
        if writes_another_way {
            notes.push(WRITES_ANOTHER_WAY.to_owned());
        }
        if !notes.is_empty() {
            draft.set_notes(&notes)?;
        }
        draft.set_known_at(known_at.unwrap_or_else(crate::clock::now))?;
        draft.finish()?;
        Ok(summary)
    }

    /// The same, not before what the set handed over is where it came from.
    fn on_condition<'a>(
        &self,
        change: &Change,
        mut reverse: Reverse<'a>,
    ) -> Result<Reverse<'a>, BulkError> {
        match &mut reverse.action {
            Action::Update(wanted) => wanted.carrier = self.carrier(change)?,
            Action::Delete(stand_in) => *stand_in = self.stand_in(change)?,
            Action::Create(_) | Action::MethodPreferences(_) => {}
        }
        if reverse.action.carrier().is_some() {
            reverse.outcome = reverse.outcome.for_reason(Some(ONCE_IT_IS_BACK.to_owned()));
        }
        Ok(reverse)
    }

    /// The contacts that had the number or address of a deleted one beside it.
    fn siblings(&self, change: &Change) -> Result<Option<String>, BulkError> {
        let sql = "SELECT siblings FROM progress WHERE change = ?";
        Ok(self.database.value(sql, [change.id.0])?.flatten())
    }
}

/// Whether it was sent, nobody knows if it was carried out, and it was set aside: the record is
/// neither as before nor as wanted.
fn is_set_aside(change: &Change) -> bool {
    let outcome = &change.outcome;
    outcome.state == State::Drifted && outcome.attempts > 0 && change.after.is_none()
}

/// One change the other way round.
struct Reverse<'a> {
    target: Target,
    action: Action,
    before: Option<&'a Image>,
    outcome: Outcome,
}

impl Reverse<'_> {
    /// Whether it sends a value that is the one that is there, written in another way.
    fn writes_another_way(&self) -> bool {
        let (Action::Update(wanted), Some(before)) = (&self.action, self.before) else {
            return false;
        };
        let is_same = |value| before.contact_type().same_value(value, before.value());
        wanted.change.get_value().is_some_and(is_same)
    }

    /// The same, held if there is a reason to.
    fn unless_held(self, id: ChangeId, hold: &mut Hold) -> Self {
        if self.outcome.state != State::Planned {
            return self;
        }
        let change = Change {
            why: None,
            caution: None,
            id,
            row: None,
            target: self.target,
            action: self.action,
            before: self.before.cloned(),
            after: None,
            outcome: self.outcome,
        };
        let held = hold(&change).map(|why| Outcome::because(State::Held, why));
        let Change { target, action, outcome, .. } = change;
        Self { target, action, before: self.before, outcome: held.unwrap_or(outcome) }
    }
}

/// Why the service is likely to refuse it, by the rules by which a plan judges values: what it had
/// before was never held against them. What has another type than those of the contract is its own.
fn likely_refusal(reverse: &Reverse<'_>) -> Option<String> {
    if reverse.outcome.state != State::Planned {
        return None;
    }
    let judged = match (&reverse.action, reverse.before) {
        (Action::Update(wanted), Some(Image::Contact(current))) => {
            wanted.change_of(Some(current)).check_against(current, Tolerance::AnyType)
        }
        (Action::Create(wanted), _) => wanted.creation()?.check_with(Tolerance::AnyType),
        _ => Ok(()),
    };
    judged.err().map(|why| format!("the service is likely to refuse it: {why}"))
}

/// The reverse of a change; `None` when it wrote nothing.
fn reverse(change: &Change) -> Option<Reverse<'_>> {
    let (before, after) = (change.before.as_ref(), change.after.as_ref());
    let deleted = change.outcome.state == State::Done && matches!(change.action, Action::Delete(_));
    if after.is_none() && !deleted {
        return None;
    }
    let (target, action, outcome) = match (&change.action, change.target) {
        (Action::Create(_), target) => (target, Action::Delete(None), Outcome::new(State::Planned)),
        (Action::Delete(_), Target::Contact { owner, .. }) => {
            let (wanted, lost) = restored(before?, None);
            let target = Target::Contact { owner, contact: None };
            (target, Action::Create(wanted), outcome(lost, false))
        }
        (Action::MethodPreferences(wanted), target) => {
            let known = &before?.as_method()?.preferences;
            let old = |name: &String| Some((name.clone(), known.get(name).copied().flatten()?));
            let old: std::collections::BTreeMap<_, _> = wanted.keys().filter_map(old).collect();
            let nothing = old.is_empty();
            let lost = old.len() < wanted.len();
            (target, Action::MethodPreferences(old), outcome(lost, nothing))
        }
        (_, target) => {
            let (wanted, lost) = restored(before?, after);
            let nothing = wanted.change.is_empty();
            if nothing && !lost {
                return None;
            }
            (target, Action::Update(wanted), outcome(lost, nothing))
        }
    };
    Some(Reverse { target, action, before: after, outcome })
}

/// The members that make `after` what `before` was, and whether preferences are lost: they
/// were unknown before.
fn restored(before: &Image, after: Option<&Image>) -> (Wanted, bool) {
    let mut change = ContactChange::new();
    let Some(before) = before.as_contact() else {
        return (Wanted::exactly(change), false);
    };
    let after = after.and_then(Image::as_contact);
    if after.is_none_or(|after| after.contact_type != before.contact_type) {
        change = change.contact_type(before.contact_type.clone());
    }
    if after.is_none_or(|after| after.value != before.value) {
        change = change.value(&before.value);
    }
    if after.is_none_or(|after| after.memo != before.memo) {
        change = change.memo(before.memo.clone().unwrap_or_default());
    }
    let changed = after.is_none_or(|after| after.preferences != before.preferences);
    if let Some(flags) = before.preferences.filter(|_| changed) {
        let all = Preference::SETTABLE.map(|flag| (flag, flags.get(flag)));
        change = change.preferences(all.into_iter().collect());
    }
    let lost =
        before.preferences.is_none() && after.is_none_or(|after| after.preferences.is_some());
    (Wanted::exactly(change), lost)
}

fn outcome(lost: bool, nothing_else: bool) -> Outcome {
    const WHY: &str = "its preferences were unknown before and cannot be made unknown again";
    match (lost, nothing_else) {
        (true, true) => Outcome::because(State::Failed, WHY),
        (true, false) => Outcome::because(State::Planned, WHY),
        (false, _) => Outcome::new(State::Planned),
    }
}
