//! How a command ended that did not fail.

use std::collections::BTreeMap;

use crm_contacts::Preview;
use serde::Serialize;

use crate::{exit::Exit, signal::Signal, write_guard::Planned};

/// How a command ended that did not fail.
#[derive(Debug)]
pub(crate) enum Status {
    /// What was asked for is done.
    Done,
    /// `--detailed-exitcode`: there are changes, or something for a person to look at.
    ChangesPlanned,
    /// A search found nothing, and has said so.
    NothingFound,
    /// `crm consent`: the answer is one that a script has to heed.
    Consent,
    /// `crm consent run`: it has told how it ended, and the code says it too.
    Ran(Exit),
    /// `--dry-run`: the write that would have been sent, and what it would have changed.
    DryRun(Planned, Preview),
    /// A run of `crm apply` came to its end, but not everything is done.
    NotAllDone(NotAllDone),
    /// A signal asked the command to end; of a run of `crm apply`, how far it came.
    Stopped(Signal, Option<RunState>),
}

/// What is left of a run, and why.
#[derive(Debug)]
pub(crate) struct NotAllDone {
    /// How far the run came; none where its set is gone.
    pub(crate) outcome: Option<RunState>,
    /// Why it came no further, in one line for people.
    pub(crate) summary: String,
    pub(crate) exit: Exit,
}

/// How far a run came, for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunState {
    pub(crate) set: String,
    /// Why the run is over.
    pub(crate) reason: &'static str,
    /// How many changes of the set are in which state.
    pub(crate) states: BTreeMap<&'static str, u64>,
    pub(crate) open: u64,
    /// How many changes are done whose value the service stored otherwise than it was sent.
    pub(crate) stored_otherwise: u64,
}
