//! Planning: rows are compared with the present state, and what differs becomes a change set.

mod from_api;
mod from_snapshot;
mod rows;

use std::path::{Path, PathBuf};

use crm_contacts::ContactsService;
use crm_models::Timestamp;
use crm_transport::Transport;
use crm_values::NewValues;

pub(crate) use self::rows::{describe_input, leave_out, refuse_to_mend_in};
use self::{from_snapshot::Batch, rows::ReadRows};
use crate::{
    clean_up::CleanUp,
    decide::judge::NO_SUCH_VALUE,
    error::{BulkError, InvalidRows},
    input::{Input, Select},
    set::{SetKind, Site, State, Target, draft::Draft},
    snapshot::Snapshot,
};

/// Compares rows with the present state and writes what differs as a change set.
///
/// The present state comes from a [`Snapshot`] ([`from_snapshot`](Self::from_snapshot): no calls,
/// as old as the snapshot) or from the API ([`from_api`](Self::from_api): one call for 50 owners).
/// Rows that select contacts by value always need a snapshot to find them.
///
/// As long as any row is wrong nothing is planned, unless [`skip_invalid`](Self::skip_invalid) is
/// set.
///
/// ```no_run
/// # use crm_bulk::{BulkError, Input, Plan, Site};
/// # use crm_contacts::ContactsService;
/// # use crm_transport::{Environment, Transport};
/// # async fn example<T: Transport>(contacts: ContactsService<T>, environment: Environment) -> Result<(), BulkError> {
/// let site = Site::of(&contacts, environment.api_url());
/// let input = Input::open("changes.csv")?;
/// let summary = Plan::new(site).from_api(&contacts, input, "changes.crm").await?;
/// println!("{} rows, {} of them wrong", summary.rows, summary.invalid_rows());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Plan {
    site: Site,
    snapshot: Option<Snapshot>,
    clean_up: CleanUp,
    values: NewValues,
    unknown_flags: Option<bool>,
    skip_invalid: bool,
    mend: Option<PathBuf>,
}

/// The result of planning; the set itself contains the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanSummary {
    /// The number of rows of the input, including the wrong ones.
    pub rows: u64,
    /// The rows that were left out because they are wrong.
    pub invalid: Option<InvalidRows>,
    /// The time as of which the plan knew the present state.
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
    /// Creates a plan for one tenant on one API host.
    pub fn new(site: Site) -> Self {
        Self {
            site,
            snapshot: None,
            clean_up: CleanUp::new(),
            values: NewValues::default(),
            unknown_flags: None,
            skip_invalid: false,
            mend: None,
        }
    }

    /// Sets the snapshot in which contacts are looked up.
    pub fn snapshot(mut self, snapshot: Snapshot) -> Self {
        self.snapshot = Some(snapshot);
        self
    }

    /// Writes the values that rows set in their cleaned form.
    pub fn clean_up(mut self, clean_up: CleanUp) -> Self {
        self.clean_up = clean_up;
        self
    }

    /// Sets how the numbers and addresses that rows set are read. By default numbers are read as
    /// numbers of the United States, and none may have an extension. What cannot be read is wrong,
    /// unless the contact already has it.
    pub fn values(mut self, values: NewValues) -> Self {
        self.values = values;
        self
    }

    /// Sets the value of flags that a row does not name and the service does not report: those of
    /// contacts whose flags are not known, and of new ones. The set records that this was chosen.
    ///
    /// Flags are sent all together or not at all. Without this setting a row that creates a contact
    /// with only some flags is wrong, and a change of some flags of a contact whose own flags are
    /// not reported is `failed`.
    pub fn unknown_flags(mut self, on: bool) -> Self {
        self.unknown_flags = Some(on);
        self
    }

    /// Leaves wrong rows out instead of planning nothing.
    pub fn skip_invalid(mut self) -> Self {
        self.skip_invalid = true;
        self
    }

    /// Writes wrong rows to this file, with what is wrong in added columns, so that they can be
    /// corrected and fed in again. Nothing is written if all rows are right. The input itself, the
    /// snapshot and the new set are refused as this file.
    pub fn mend_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.mend = Some(path.into());
        self
    }

    /// Plans from the snapshot alone, without any call. This makes one pass over the rows, in
    /// constant memory; it is blocking, so run it on a thread of its own in a service.
    ///
    /// # Errors
    ///
    /// [`BulkError::InvalidRows`], [`BulkError::NeedsSnapshot`], [`BulkError::SnapshotIncomplete`],
    /// [`BulkError::WrongTenant`] and [`BulkError::WrongEnvironment`] for a snapshot of other data,
    /// and failures to read or write. No change set is left in any of these cases.
    pub fn from_snapshot(
        self,
        input: Input,
        out: impl AsRef<Path>,
    ) -> Result<PlanSummary, BulkError> {
        let (snapshot, known_at) = self.complete_snapshot(input.name())?;
        let draft = self.draft(out.as_ref())?;
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
    /// The same errors as [`from_snapshot`](Self::from_snapshot); also [`BulkError::WrongTenant`]
    /// for a service of another tenant, before anything is read, and [`BulkError::Contacts`] if no
    /// owner can be read. If only single owners cannot be read, their changes are `failed`.
    pub async fn from_api<T: Transport>(
        self,
        service: &ContactsService<T>,
        input: Input,
        out: impl AsRef<Path>,
    ) -> Result<PlanSummary, BulkError> {
        self.site.admit_service(service, out.as_ref())?;
        let mut draft = self.draft(out.as_ref())?;
        let unknown_flags = self.unknown_flags;
        let mut found_at = None;
        let read = self.outline(input, &draft, &mut found_at)?;
        let read_at = from_api::read(service, &mut draft, unknown_flags).await?;
        let (rows, invalid) = read.finish(&draft)?;
        // What the snapshot did not know yet was not found.
        let known_at = found_at.map_or(read_at, |found_at| read_at.min(found_at));
        draft.set_known_at(known_at)?;
        draft.finish()?;
        Ok(PlanSummary { rows, invalid, known_at })
    }

    /// Plans the clean-ups alone, over all contacts of the snapshot.
    ///
    /// # Errors
    ///
    /// The same errors as [`from_snapshot`](Self::from_snapshot).
    pub fn clean_ups(self, out: impl AsRef<Path>) -> Result<PlanSummary, BulkError> {
        let out = out.as_ref();
        let (snapshot, known_at) = self.complete_snapshot(&out.display().to_string())?;
        let draft = self.draft(out)?;
        draft.set_unreadable(&snapshot.unreadable()?)?;
        from_snapshot::clean_ups(snapshot, &self.clean_up, &draft)?;
        draft.set_known_at(known_at)?;
        draft.finish()?;
        Ok(PlanSummary { rows: 0, invalid: None, known_at })
    }

    fn draft(&self, out: &Path) -> Result<Draft, BulkError> {
        let draft = Draft::create(out, &self.site, SetKind::Plan)?;
        draft.set_unknown_flags(self.unknown_flags)?;
        Ok(draft)
    }

    /// Writes what the rows ask for, without what is there at present. `found_at` becomes the
    /// snapshot's age when rows were resolved by it.
    fn outline(
        self,
        input: Input,
        draft: &Draft,
        found_at: &mut Option<Timestamp>,
    ) -> Result<ReadRows, BulkError> {
        let name = input.name().to_owned();
        let complete = match self.snapshot {
            Some(_) => Some(self.complete_snapshot(&name)?),
            None => None,
        };
        if let Some((snapshot, _)) = complete {
            draft.set_unreadable(&snapshot.unreadable()?)?;
        }
        self.read(input, draft, |row, request| {
            let contact = |owner, contact| Target::Contact { owner, contact };
            match request.select {
                Select::Contact(owner, id) => {
                    draft.add_unread(Some(row.row), contact(owner, Some(id)), &request.action)
                }
                Select::New(owner) => {
                    draft.add_unread(Some(row.row), contact(owner, None), &request.action)
                }
                Select::Value(value, owner) => {
                    let (snapshot, complete_at) = complete.ok_or_else(|| {
                        BulkError::NeedsSnapshot { name: name.clone(), line: Some(row.line) }
                    })?;
                    *found_at = Some(complete_at);
                    let found = snapshot.with_value(&value, owner)?;
                    if found.is_empty() {
                        draft.settle_row(row.row, Some(State::NotFound), NO_SUCH_VALUE)?;
                    }
                    for (owner, known) in found {
                        let target = contact(owner, Some(known.contact.id));
                        draft.add_unread(Some(row.row), target, &request.action)?;
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
            return Err(BulkError::NeedsSnapshot { name: name.to_owned(), line: None });
        };
        self.site.admit(snapshot.site(), snapshot.path())?;
        snapshot.read_by(self.values.reader().region())?;
        snapshot.hold_still()?;
        let known_at = snapshot
            .known_at()?
            .ok_or_else(|| BulkError::SnapshotIncomplete { path: snapshot.path().to_owned() })?;
        Ok((snapshot, known_at))
    }
}
