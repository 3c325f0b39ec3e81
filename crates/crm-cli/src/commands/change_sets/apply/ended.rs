//! How a run ended, and what is reported of it: how far it came, how to continue, and the exit code.

use std::path::Path;

use crm_bulk::{
    BulkError, Change, ChangeSet, Finished, Selection, SetKind, State, StopReason, Totals,
};

use super::outcome::{Reason, counts, held_by_ledger, progress, text};
use crate::{
    commands::change_sets::summary::{name, page_of},
    error::CliError,
    exit::Exit,
    globals::Format,
    output::{Output, count, crm, note, quoted},
    signal::Signal,
    status::{NotAllDone, RunState, Status},
};

/// How a run ended.
pub(in crate::commands) struct Ended {
    pub(in crate::commands) finished: Finished,
    /// Whether the run lost its set with a change in flight whose outcome is not known.
    pub(super) lost_unknown: bool,
    /// The signal that stopped it, if one did.
    pub(in crate::commands) signal: Option<Signal>,
}

impl Ended {
    pub(in crate::commands) fn reason(&self) -> StopReason {
        self.finished.reason
    }

    /// The status of a run that was stopped.
    pub(super) fn stopped(&self, outcome: Option<RunState>) -> Status {
        Status::Stopped(self.signal.unwrap_or(Signal::Interrupt), outcome)
    }

    /// Reports the outcome and how to continue, and chooses the exit code.
    pub(super) fn tell(&self, set: &Path, output: &Output) -> Result<Status, CliError> {
        if let StopReason::Displaced(how) = self.reason() {
            return Ok(Status::NotAllDone(NotAllDone {
                outcome: None,
                summary: format!("{} {how}", name(set)),
                exit: if self.lost_unknown { Exit::Unknown } else { Exit::Local },
            }));
        }
        let opened = ChangeSet::open(set)?;
        let (totals, kind) = (opened.totals()?, opened.info()?.kind);
        let states = counts(|state| totals.in_state(state));
        let stored_otherwise = opened.stored_otherwise()?;
        let line = match states[..] {
            [] => format!("{}: the set has no changes", name(set)),
            _ => format!("{}: {}", name(set), text(&states)),
        };
        let outcome = RunState {
            set: name(set),
            reason: Reason::from(self.reason()).name,
            states: states.into_iter().collect(),
            open: totals.open(),
            stored_otherwise,
        };
        let left = self.left(&opened, &totals);
        let is_stopped = self.reason() == StopReason::Stopped;
        let is_whole = left.is_none() && !is_stopped;
        let told = match output.format() {
            // Told together with what is left.
            Format::Json | Format::Ndjson if !is_whole => Ok(()),
            Format::Table => output.text(&line),
            _ => output.value(&outcome),
        };
        if stored_otherwise > 0 {
            note_stored(set, stored_otherwise);
        }
        if (is_stopped || self.reason() == StopReason::Canary) && totals.open() > 0 {
            note_open(set, &totals);
        }
        if output.format() == Format::Table && !is_stopped {
            tell_next(set, kind, &totals);
        }
        // Changes that are not done matter more than a reader that went away.
        match left {
            _ if is_stopped => Ok(self.stopped(Some(outcome))),
            Some((summary, exit)) => {
                Ok(Status::NotAllDone(NotAllDone { outcome: Some(outcome), summary, exit }))
            }
            None => Ok(told.map(|()| Status::Done)?),
        }
    }

    /// What is left of a run that came to its end, in words and as an exit code.
    pub(in crate::commands) fn left(
        &self,
        opened: &ChangeSet,
        totals: &Totals,
    ) -> Option<(String, Exit)> {
        let reason = Reason::from(self.reason());
        let open = totals.open();
        let is_canary = self.reason() == StopReason::Canary;
        let is_fine = if is_canary {
            // A successful canary says nothing about what the plan or earlier runs set aside.
            let mut attention = State::ALL.into_iter().filter(|state| state.needs_attention());
            attention.all(|state| self.finished.count(state) == 0)
        } else {
            let failed = totals.count(State::needs_attention);
            reason.exit == Exit::Done && failed == 0 && open == 0
        };
        if is_fine {
            return None;
        }
        let (crm, set) = (crm(), quoted(&name(opened.path())));
        let is_unknown = totals.in_state(State::Unknown) > 0;
        // What was never sent is nothing that the API has refused.
        let is_refused = totals.in_state(State::NotFound) > 0 || has_sent_failed(opened);
        let words = match reason.exit {
            Exit::Done if !is_refused => "some changes cannot be made, and were not sent",
            _ => reason.words,
        };
        let takings = if totals.in_state(State::Held) > 0 { held_takings(opened) } else { 0 };
        let mut summary = format!("{words}: {}", progress(totals, takings));
        if totals.count(State::is_set_aside) > 0 {
            summary +=
                &format!("; see {crm} show {set} --state failed,held,drifted,not-found,conflict");
        }
        if open > 0 && !is_canary {
            let first = if is_unknown { ", after reading back what is unknown" } else { "" };
            summary += &format!("; {crm} apply {set} continues{first}");
        }
        // What the ledger held and nothing else: no answer of the service.
        let is_held = held_by_ledger(totals, takings) == totals.count(State::is_set_aside);
        let exit = match reason.exit {
            Exit::Done | Exit::Unreachable if is_unknown => Exit::Unknown,
            Exit::Done if is_held && open == 0 => Exit::Consent,
            Exit::Done if is_refused || open > 0 => Exit::Refused,
            Exit::Done => Exit::Conflict,
            exit => exit,
        };
        Some((summary, exit))
    }
}

/// What is usually done once nothing is open: rows that were not done are mended, and of a list there
/// is evidence.
fn tell_next(set: &Path, kind: SetKind, totals: &Totals) {
    let is_of_list = matches!(kind, SetKind::OptOut | SetKind::OptIn);
    if totals.open() > 0 || !(is_of_list || kind == SetKind::Plan) {
        return;
    }
    let named = name(set);
    let (set, page) = (quoted(&named), quoted(&page_of(&named)));
    if totals.count(State::is_set_aside) > 0 {
        note(format!("`crm results {set} --failed --out FILE` gives the rows that were not done"));
    }
    if is_of_list && totals.all() > 0 {
        note(format!("`crm report {set} --html {page}` is the evidence"));
    }
}

/// Whether a change that failed was begun to be sent; also where that cannot be read.
fn has_sent_failed(set: &ChangeSet) -> bool {
    let is_sent = |change: Result<Change, BulkError>| {
        change.map_or(true, |change| change.outcome.attempts > 0)
    };
    set.changes(&Selection::states([State::Failed])).any(is_sent)
}

/// How many held changes of an undo would take a memo away that is nowhere else; none where that cannot
/// be read.
fn held_takings(set: &ChangeSet) -> u64 {
    let takes = |change: &Result<Change, BulkError>| {
        change.as_ref().is_ok_and(|change| change.action.carrier().is_some())
    };
    set.changes(&Selection::states([State::Held])).filter(takes).count() as u64
}

/// Reports how far a run that failed came, and how to continue.
pub(super) fn tell_cut_short(set: &Path) {
    if let Ok(totals) = ChangeSet::open(set).and_then(|set| set.totals()) {
        let counts = text(&counts(|state| totals.in_state(state)));
        note(format!("{}: {counts}", name(set)));
        note_open(set, &totals);
    }
}

/// Says that values are not letter by letter what was sent.
fn note_stored(set: &Path, stored: u64) {
    let (what, is) = (count(stored, "value"), if stored == 1 { "is" } else { "are" });
    let (crm, set) = (crm(), quoted(&name(set)));
    note(format!(
        "{what} of what is done {is} stored otherwise than sent, the same number or address written \
         another way: {crm} show {set} --where has=stored-as"
    ));
}

fn note_open(set: &Path, totals: &Totals) {
    let open = count(totals.open(), "change");
    note(format!("{open} left: {} apply {} continues", crm(), quoted(&name(set))));
}
