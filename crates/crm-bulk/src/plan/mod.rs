//! Planning: rows are compared with the current state, and what differs becomes a change set.

mod from_api;
mod from_snapshot;
mod left;
mod options;
mod rows;

use std::path::Path;

use crm_contacts::ContactsService;
use crm_mirror::{
    MirrorError, Snapshot,
    job::{Caller, Stop, alongside, on_thread, with_service},
};
use crm_models::Timestamp;
use crm_transport::Transport;

pub use self::options::Plan;
pub(crate) use self::rows::{describe_input, leave_out};
use self::{from_snapshot::Batch, rows::ReadRows};
use crate::{
    error::{BulkError, Counted, InvalidRows},
    input::{Input, Select},
    set::{NO_SUCH_VALUE, SetKind, State, Target},
    store::file::Draft,
};

/// The result of planning; the set itself contains the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanSummary {
    /// The number of rows of the input, including the wrong ones.
    pub rows: u64,
    /// The rows that were left out because they are wrong.
    pub invalid: Option<InvalidRows>,
    /// The time as of which the plan knew the current state.
    pub known_at: Timestamp,
}

impl PlanSummary {
    /// Returns how many rows were left out because they are wrong.
    #[must_use]
    pub fn invalid_rows(&self) -> u64 {
        self.invalid.as_ref().map_or(0, |invalid| invalid.rows)
    }
}

impl Plan {
    /// Plans from the snapshot alone, without any call. This makes one pass over the rows, in
    /// constant memory, on a thread of its own.
    ///
    /// # Errors
    ///
    /// [`BulkError::InvalidRows`], [`BulkError::NeedsSnapshot`], [`MirrorError::Incomplete`](crate::MirrorError::Incomplete),
    /// [`MirrorError::WrongTenant`](crate::MirrorError::WrongTenant) and [`MirrorError::WrongEnvironment`](crate::MirrorError::WrongEnvironment) for a snapshot of other data,
    /// and failures to read or write. No change set is left in any of these cases, nor when the
    /// future is dropped.
    pub async fn from_snapshot(
        self,
        mut input: Input,
        out: impl AsRef<Path>,
    ) -> Result<PlanSummary, BulkError> {
        let feed = input.take_feed();
        let plan = |out: &Path, stop: &Stop| self.snapshot_alone(input, out, stop);
        alongside(on_thread(out.as_ref(), plan), feed).await
    }

    fn snapshot_alone(
        mut self,
        input: Input,
        out: &Path,
        stop: &Stop,
    ) -> Result<PlanSummary, BulkError> {
        self.end_with(stop)?;
        let (snapshot, known_at) = self.complete_snapshot(input.name())?;
        let draft = self.draft(out, stop)?;
        draft.set_unreadable(&snapshot.unreadable()?)?;
        let mut batch = Batch::new(snapshot, &draft, self.unknown_flags);
        let read = self.read(input, &draft, |place, request| batch.add(place, request))?;
        batch.finish()?;
        let (rows, invalid) = read.finish(&draft)?;
        draft.set_known_at(known_at)?;
        draft.finish()?;
        Ok(PlanSummary { rows, invalid, known_at })
    }

    /// Plans from the API: the owners of all rows are read, 50 per call. Rows that select by value
    /// are first resolved with the snapshot.
    ///
    /// # Errors
    ///
    /// The same errors as [`from_snapshot`](Self::from_snapshot); also [`MirrorError::WrongTenant`](crate::MirrorError::WrongTenant)
    /// for a service of another tenant, before anything is read, and [`BulkError::Contacts`] if no
    /// owner can be read. If only single owners cannot be read, their changes are `failed`.
    pub async fn from_api<T: Transport>(
        self,
        service: &ContactsService<T>,
        mut input: Input,
        out: impl AsRef<Path>,
    ) -> Result<PlanSummary, BulkError> {
        let out = out.as_ref();
        self.site.admit_service(service, out)?;
        let feed = input.take_feed();
        let plan =
            |caller: &Caller, out: &Path, stop: &Stop| self.with_owners(caller, input, out, stop);
        alongside(with_service(service, out, plan), feed).await
    }

    fn with_owners(
        mut self,
        caller: &Caller,
        input: Input,
        out: &Path,
        stop: &Stop,
    ) -> Result<PlanSummary, BulkError> {
        self.end_with(stop)?;
        let mut draft = self.draft(out, stop)?;
        let (unknown_flags, reader) = (self.unknown_flags, self.values.reader());
        let mut found_at = None;
        let read = self.outline(input, &draft, &mut found_at)?;
        let owners = from_api::read(&caller.service, &mut draft, unknown_flags, reader);
        let read_at = caller.wait_for(owners)?;
        let (rows, invalid) = read.finish(&draft)?;
        // What the snapshot did not know yet was not found.
        let known_at = found_at.map_or(read_at, |found_at| read_at.min(found_at));
        draft.set_known_at(known_at)?;
        draft.finish()?;
        Ok(PlanSummary { rows, invalid, known_at })
    }

    /// Plans the clean-ups alone, over all contacts of the snapshot, on a thread of its own.
    ///
    /// # Errors
    ///
    /// The same errors as [`from_snapshot`](Self::from_snapshot).
    pub async fn clean_ups(mut self, out: impl AsRef<Path>) -> Result<PlanSummary, BulkError> {
        let work = move |out: &Path, stop: &Stop| {
            self.end_with(stop)?;
            let (snapshot, known_at) = self.complete_snapshot(&out.display().to_string())?;
            let draft = self.draft(out, stop)?;
            draft.set_unreadable(&snapshot.unreadable()?)?;
            from_snapshot::clean_ups(snapshot, &self.clean_up, &draft)?;
            draft.set_known_at(known_at)?;
            draft.finish()?;
            Ok(PlanSummary { rows: 0, invalid: None, known_at })
        };
        on_thread(out.as_ref(), work).await
    }

    /// Has the look-ups in the snapshot end too.
    fn end_with(&mut self, stop: &Stop) -> Result<(), MirrorError> {
        self.snapshot.as_mut().map_or(Ok(()), |snapshot| snapshot.end_with(stop))
    }

    fn draft(&self, out: &Path, stop: &Stop) -> Result<Draft, BulkError> {
        let draft = Draft::create(out, &self.site, SetKind::Plan, stop)?;
        draft.set_options(&self.chosen())?;
        draft.set_unknown_flags(self.unknown_flags)?;
        Ok(draft)
    }

    /// Writes what the rows ask for, without what is there now. `found_at` becomes the
    /// snapshot's age when rows were resolved by it.
    fn outline(
        self,
        input: Input,
        draft: &Draft,
        found_at: &mut Option<Timestamp>,
    ) -> Result<ReadRows, BulkError> {
        let (name, counted) = (input.name().to_owned(), input.counted());
        let complete = match self.snapshot {
            Some(_) => Some(self.complete_snapshot(&name)?),
            None => None,
        };
        if let Some((snapshot, _)) = complete {
            draft.set_unreadable(&snapshot.unreadable()?)?;
        }
        self.read(input, draft, |row, request| {
            let contact = |owner, contact| Target::Contact { owner, contact };
            let why = request.why.as_deref();
            match request.select {
                Select::Contact(owner, id) => {
                    draft.add_unread(Some(row.row), contact(owner, Some(id)), &request.action, why)
                }
                Select::New(owner) => {
                    draft.add_unread(Some(row.row), contact(owner, None), &request.action, why)
                }
                Select::Value(value, owner) => {
                    let (snapshot, complete_at) =
                        complete.ok_or_else(|| BulkError::NeedsSnapshot {
                            name: name.clone(),
                            line: Some(row.line),
                            counted,
                        })?;
                    *found_at = Some(complete_at);
                    let found = snapshot.with_value(&value, owner)?;
                    if found.is_empty() {
                        draft.settle_row(row.row, Some(State::NotFound), NO_SUCH_VALUE)?;
                    }
                    for (owner, known) in found {
                        let target = contact(owner, Some(known.contact.id));
                        draft.add_unread(Some(row.row), target, &request.action, why)?;
                    }
                    Ok(())
                }
            }
        })
    }

    /// The snapshot, made ready, and when it was complete. One of another site is refused. `name`
    /// is what needs it.
    fn complete_snapshot(&self, name: &str) -> Result<(&Snapshot, Timestamp), BulkError> {
        let Some(snapshot) = &self.snapshot else {
            return Err(BulkError::NeedsSnapshot {
                name: name.to_owned(),
                line: None,
                counted: Counted::Lines,
            });
        };
        self.site.admit(snapshot.site(), snapshot.path())?;
        snapshot.read_by(self.values.reader().region())?;
        snapshot.hold_still()?;
        Ok((snapshot, snapshot.complete_at()?))
    }
}
