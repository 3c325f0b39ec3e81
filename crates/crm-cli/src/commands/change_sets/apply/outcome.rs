//! The outcome of a run: in words for people, for programs, and as an exit code.

use crm_bulk::{Action, State, StopReason, Totals};

use crate::exit::Exit;

/// Why a run ended.
pub(super) struct Reason {
    /// For programs.
    pub(super) name: &'static str,
    /// For people.
    pub(super) words: &'static str,
    /// The exit code if the reason decides it.
    pub(super) exit: Exit,
}

impl From<StopReason> for Reason {
    fn from(reason: StopReason) -> Self {
        let (name, words, exit) = match reason {
            StopReason::Stopped => ("stopped", "it was stopped", Exit::Done),
            StopReason::Canary => ("canary", "it ended after the canary", Exit::Done),
            StopReason::TooManyFailures => {
                ("too-many-failures", "--max-failures was reached", Exit::Refused)
            }
            StopReason::Drift => {
                ("drift", "a contact is no longer what the plan saw", Exit::Conflict)
            }
            StopReason::Unreachable => {
                ("unreachable", "the service cannot be reached", Exit::Unreachable)
            }
            StopReason::Outage => {
                ("outage", "the service does not answer writes", Exit::Unreachable)
            }
            StopReason::Credentials => {
                ("credentials", "the credentials were refused", Exit::Credentials)
            }
            StopReason::Forbidden => (
                "forbidden",
                "the app may not write this: see the messages of the open changes",
                Exit::Refused,
            ),
            StopReason::Withheld => ("withheld", "writes are not allowed", Exit::Usage),
            StopReason::StoppedOwner => (
                "stopped-owner",
                "another process was stopped while it applied this set, and may still create \
                 contacts if it goes on: end it, then apply again",
                Exit::Conflict,
            ),
            StopReason::Superseded => {
                ("superseded", "another process took the set over", Exit::Conflict)
            }
            StopReason::Displaced(_) => {
                ("displaced", "the set was deleted, moved or given a second name", Exit::Local)
            }
            _ => ("complete", "not all changes could be made", Exit::Done),
        };
        Self { name, words, exit }
    }
}

/// How far a run came, in words for people, without what did not occur. `takings`: how many held
/// changes would take a memo away that is nowhere else.
pub(super) fn progress(totals: &Totals, takings: u64) -> String {
    let parts = [
        (totals.in_state(State::Done) + totals.in_state(State::Already), "done"),
        (totals.count(State::may_be_sent), "with an unknown outcome"),
        (held_by_ledger(totals, takings), "held by the consent ledger"),
        (held_deletions(totals), "held, since the contact that stays has not all of theirs"),
        (takings, "held, since the contact that handed the memo over is not there again"),
        (totals.count(State::is_set_aside) - totals.in_state(State::Held), "failed or set aside"),
        (totals.in_state(State::Planned), "not begun"),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<_> = parts.map(|(n, words)| format!("{n} {words}")).collect();
    parts.join(", ")
}

/// How many changes the ledger holds: all that are held but deletions and what takes memos away, which
/// turn nothing on.
pub(super) fn held_by_ledger(totals: &Totals, takings: u64) -> u64 {
    totals.in_state(State::Held).saturating_sub(held_deletions(totals) + takings)
}

/// How many deletions are held, since the contact that has to stay in their place is gone or lacks
/// something.
fn held_deletions(totals: &Totals) -> u64 {
    totals.of(State::Held, Action::Delete(None).name())
}

/// How many changes are in which state, in the order of a report; without those that have none.
pub(super) fn counts(of: impl Fn(State) -> u64) -> Vec<(&'static str, u64)> {
    let counts = State::ALL.map(|state| (state.as_str(), of(state)));
    counts.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// The counts in words for people.
pub(super) fn text(counts: &[(&'static str, u64)]) -> String {
    let counts = counts.iter().map(|(name, n)| match name.parse().map(State::in_words) {
        Ok(state) => format!("{n} {state}"),
        Err(_) => format!("{n} {name}"),
    });
    counts.collect::<Vec<_>>().join(", ")
}
