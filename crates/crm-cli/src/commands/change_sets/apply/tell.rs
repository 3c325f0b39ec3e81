//! What is reported of a run that is over: how far it came, how to continue, and the exit code.

use crm_bulk::{ChangeSet, State, StopReason, Totals};

use super::{
    ApplyCommand, Ended, Outcome,
    outcome::{NOT_DONE, Reason, SET_ASIDE, counts, progress, text},
};
use crate::{
    commands::change_sets::summary::name,
    error::{CliError, Exit},
    output::{Format, count, note},
    session::Session,
};

impl ApplyCommand {
    /// Reports how far a run that was cut short came, and how to continue.
    pub(super) fn cut_short(&self, error: CliError) -> CliError {
        if let Ok(totals) = ChangeSet::open(&self.set).and_then(|set| set.totals()) {
            let counts = text(&counts(|state| totals.in_state(state)));
            note(format!("{}: {counts}", name(&self.set)));
            self.note_open(&totals);
        }
        error
    }

    fn note_open(&self, totals: &Totals) {
        note(format!(
            "{} left: crm apply {} continues",
            count(totals.open(), "change"),
            name(&self.set)
        ));
    }

    /// Reports the outcome and how to continue, and chooses the exit code.
    pub(super) fn tell(&self, session: &Session<'_>, ended: &Ended) -> Result<(), CliError> {
        if let StopReason::Displaced(how) = ended.reason() {
            return Err(CliError::CheckFailed {
                summary: format!("{} {how}", name(&self.set)),
                exit: match ended.lost_unknown {
                    true => Exit::Unknown,
                    false => Exit::Local,
                },
            });
        }
        let totals = ChangeSet::open(&self.set)?.totals()?;
        let states = counts(|state| totals.in_state(state));
        let line = format!("{}: {}", name(&self.set), text(&states));
        let outcome = Outcome {
            set: name(&self.set),
            reason: Reason::from(ended.reason()).name,
            states: states.into_iter().collect(),
            open: totals.open(),
        };
        let result = match self.failure(ended, &totals) {
            Some(error) if session.output.is_json() => {
                Err(CliError::NotAllDone { outcome, error: Box::new(error) })
            }
            failure => {
                let told = match session.output.format() {
                    Format::Table => session.output.text(&line),
                    _ => session.output.value(&outcome),
                };
                // Changes that are not done matter more than a reader that went away.
                failure.map_or(told, Err)
            }
        };
        let is_part = matches!(ended.reason(), StopReason::Stopped | StopReason::Canary);
        if is_part && totals.open() > 0 {
            self.note_open(&totals);
        }
        result
    }

    /// Why a run is not a success, if it is not.
    fn failure(&self, ended: &Ended, totals: &Totals) -> Option<CliError> {
        let reason = Reason::from(ended.reason());
        let open = totals.open();
        let failed: u64 = NOT_DONE.map(|state| totals.in_state(state)).iter().sum();
        let is_fine = match ended.reason() {
            StopReason::Stopped => return Some(ended.stopped()),
            // A successful canary says nothing about what the plan or earlier runs set aside.
            StopReason::Canary => NOT_DONE.iter().all(|state| ended.finished.count(*state) == 0),
            _ => reason.exit == Exit::Done && failed == 0 && open == 0,
        };
        if is_fine {
            return None;
        }
        let mut summary = format!("{}: {}", reason.words, progress(totals));
        let set = name(&self.set);
        if SET_ASIDE.iter().any(|state| totals.in_state(*state) > 0) {
            summary += &format!("; see crm show {set} --state failed,drifted,not-found,conflict");
        }
        if open > 0 && ended.reason() != StopReason::Canary {
            let first = match totals.in_state(State::Unknown) {
                0 => "",
                _ => ", after reading back what is unknown",
            };
            summary += &format!("; crm apply {set} continues{first}");
        }
        Some(CliError::CheckFailed {
            summary,
            exit: match reason.exit {
                Exit::Done | Exit::Unreachable if totals.in_state(State::Unknown) > 0 => {
                    Exit::Unknown
                }
                Exit::Done => Exit::Refused,
                exit => exit,
            },
        })
    }
}
