//! What is done in the desk of a tenant: its files on one machine, with the mirror and the ledger.

use std::{fmt, time::SystemTime};

use crm_mirror::Site;

/// The number of a job that needs a desk. It never changes, and no other job gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeskJobId(pub(crate) i64);

impl DeskJobId {
    /// Returns the job with this number, which need not exist.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }
}

impl fmt::Display for DeskJobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a job does in a tenant's desk.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeskTask {
    /// Brings the mirror up to date.
    Mirror,
    /// Carries out the wishes of the consent ledger.
    Consent,
    /// Plans rows, and moves the set to the server.
    Plan(Rows),
}

impl DeskTask {
    /// Its name in tables, logs and metrics: `mirror`, `consent` or `plan`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Mirror => "mirror",
            Self::Consent => "consent",
            Self::Plan(_) => "plan",
        }
    }
}

/// The rows that a job plans, and how. They are kept until the job comes to its end, and no longer.
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct Rows {
    pub(crate) set: String,
    pub(crate) text: Vec<u8>,
    pub(crate) is_ndjson: bool,
    pub(crate) select_by_value: bool,
    pub(crate) skip_invalid: bool,
}

/// Without the rows, which have values of contacts.
impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { set, text, is_ndjson, select_by_value, skip_invalid } = self;
        f.debug_struct("Rows")
            .field("set", set)
            .field("bytes", &text.len())
            .field("is_ndjson", is_ndjson)
            .field("select_by_value", select_by_value)
            .field("skip_invalid", skip_invalid)
            .finish()
    }
}

impl Rows {
    /// Rows of CSV, to become a set of this name on the server.
    pub fn csv(set: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        let (set, text) = (set.into(), text.into());
        Self { set, text, is_ndjson: false, select_by_value: false, skip_invalid: false }
    }

    /// The same of NDJSON.
    pub fn ndjson(set: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        Self { is_ndjson: true, ..Self::csv(set, text) }
    }

    /// Has a row without a contact change every contact that has its value.
    pub fn select_by_value(mut self) -> Self {
        self.select_by_value = true;
        self
    }

    /// Leaves wrong rows out instead of planning nothing.
    pub fn skip_invalid(mut self) -> Self {
        self.skip_invalid = true;
        self
    }
}

/// A job that needs a tenant's desk, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeskJob {
    /// Its number.
    pub id: DeskJobId,
    /// The tenant and the environment.
    pub site: Site,
    /// The volume on which the desk lies; `None` if the tenant has lost its home since.
    pub home: Option<String>,
    /// What it does: `mirror`, `consent` or `plan`.
    pub task: String,
    /// What the planned set is called on the server.
    pub set: Option<String>,
    /// `queued`, `done`, `held` (a person has to look at it) or `cancelled`.
    pub state: String,
    /// Why, or the last failure that may pass.
    pub reason: Option<String>,
    /// What came of it the last time.
    pub summary: Option<String>,
    /// When it was submitted last.
    pub submitted_at: SystemTime,
    /// Since when a worker has it.
    pub began_at: Option<SystemTime>,
    /// When a worker came to an end with it last, for the time being or for good.
    pub ended_at: Option<SystemTime>,
}

/// A volume on which desks of tenants lie.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Home {
    /// Its name.
    pub name: String,
    /// How many tenants have their desk there.
    pub tenants: u64,
    /// How many workers have it at the moment.
    pub workers: u64,
    /// How many jobs wait for a worker that has it.
    pub queued: u64,
}

impl Home {
    /// Whether jobs wait for it and no worker has it.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        self.workers == 0 && self.queued > 0
    }
}

/// Where the desk of a tenant lies.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TenantHome {
    /// The tenant and the environment.
    pub site: Site,
    /// The name of the volume.
    pub home: String,
}
