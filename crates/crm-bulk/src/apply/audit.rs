//! One line for each write.

use std::{mem, path::PathBuf, sync::Mutex};

use crm_contacts::ContactsError;
use crm_mirror::lock::lock;
use crm_models::TenantId;

use super::{
    classify,
    event::{Event, Written},
};
use crate::{
    clock,
    set::{Change, Outcome, State},
};

/// Tells of writes: at once in the log, and as events with the next that are handed out.
pub(super) struct Audit {
    tenant: TenantId,
    set: PathBuf,
    events: Mutex<Vec<Event>>,
}

impl Audit {
    pub(super) fn new(tenant: TenantId, set: PathBuf) -> Self {
        Self { tenant, set, events: Mutex::default() }
    }

    /// Takes note of a write. One that was held back before it was begun was none.
    pub(super) fn wrote(
        &self,
        change: &Change,
        action: &'static str,
        preference: Option<&str>,
        error: Option<&ContactsError>,
    ) {
        if error.is_some_and(classify::is_held_back) {
            return;
        }
        let outcome =
            error.map_or(Outcome::new(State::Done), |error| classify::outcome(error, false));
        self.tell(change, action, preference, outcome, false);
    }

    /// Takes note of a write of an earlier run that turns out to be carried out.
    pub(super) fn found(&self, change: &Change, action: &'static str, preference: Option<&str>) {
        let done = Outcome::new(State::Done);
        self.tell(change, action, preference, done, true);
    }

    fn tell(
        &self,
        change: &Change,
        action: &'static str,
        preference: Option<&str>,
        outcome: Outcome,
        read_back: bool,
    ) {
        let written = Written {
            change: change.id,
            row: change.row,
            target: change.target,
            action,
            preference: preference.map(str::to_owned),
            state: outcome.state,
            http_status: outcome.http_status,
            trace_id: outcome.trace_id,
            read_back,
            at: clock::now(),
        };
        self.log(&written);
        self.events().push(Event::Written(written));
    }

    /// The writes that were not handed out yet.
    pub(super) fn take(&self) -> Vec<Event> {
        mem::take(&mut *self.events())
    }

    fn events(&self) -> std::sync::MutexGuard<'_, Vec<Event>> {
        lock(&self.events)
    }

    fn log(&self, written: &Written) {
        tracing::info!(
            target: "crm_bulk::audit",
            tenant = self.tenant.get(),
            set = %self.set.display(),
            change = written.change.0,
            row = written.row,
            record = %written.target,
            action = written.action,
            preference = written.preference,
            state = written.state.as_str(),
            status = written.http_status,
            trace_id = written.trace_id,
            read_back = written.read_back,
            "written"
        );
    }
}
