//! What is to be planned, and how.

use crm_mirror::{Site, Snapshot};
use crm_values::NewValues;

use crate::{clean_up::CleanUp, input::MendFile};

/// Compares rows with the current state and writes what differs as a change set.
///
/// The current state comes from a [`Snapshot`] ([`from_snapshot`](Self::from_snapshot): no calls,
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
    pub(super) site: Site,
    pub(super) snapshot: Option<Snapshot>,
    pub(super) clean_up: CleanUp,
    pub(super) values: NewValues,
    pub(super) unknown_flags: Option<bool>,
    pub(super) skip_invalid: bool,
    pub(super) mend: Option<MendFile>,
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

    /// What was chosen beyond what is usual, for people.
    pub(super) fn chosen(&self) -> Vec<String> {
        let mut chosen = self.clean_up.chosen();
        if self.skip_invalid {
            chosen.push("wrong rows are left out".to_owned());
        }
        let region = self.values.reader().region();
        if region != NewValues::default().reader().region() {
            chosen.push(format!("numbers without a country code are of {region}"));
        }
        chosen
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
    /// snapshot and the new set are refused as this file, and so is one that has something else in it.
    pub fn mend_file(mut self, file: impl Into<MendFile>) -> Self {
        self.mend = Some(file.into());
        self
    }
}
