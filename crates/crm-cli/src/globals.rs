//! The options that every command takes.

use std::{
    cell::{Cell, RefCell},
    num::NonZeroU32,
    path::{Path, PathBuf},
    rc::Rc,
};

use clap::{ArgAction, Args, ValueEnum};
use crm_models::TenantId;
use crm_sandbox::Seed;

/// The options that every command takes: the short help of a command leaves them to `crm --help`. Where
/// an environment variable is named, it stands below the option; `settings` says how it stands to a
/// profile.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Globals {
    /// Run against a sandbox inside this process, with demo data; no account needed
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) sandbox: bool,

    /// The data of the sandbox: demo, untidy, empty, or a number of contacts
    #[arg(
        long,
        global = true,
        value_name = "SEED",
        default_value = "demo",
        requires = "sandbox",
        hide_short_help = true
    )]
    pub(crate) sandbox_seed: Seed,

    /// How answers are written
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        default_value = "table",
        hide_short_help = true
    )]
    pub(crate) output: Format,

    /// Write CSV that Excel opens as it is: with a byte order mark, and with an apostrophe before
    /// digits that it would change
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) excel: bool,

    /// Only these members, by their names in the API, for example
    /// id,preferences.invoiceNotification
    #[arg(
        long,
        global = true,
        value_name = "A,B,C",
        value_delimiter = ',',
        hide_short_help = true
    )]
    pub(crate) fields: Option<Vec<String>>,

    /// The tenant whose contacts to work on (CRM_TENANT)
    #[arg(long, global = true, value_name = "ID", hide_short_help = true)]
    pub(crate) tenant: Option<TenantId>,

    /// Which of the vendor's environments (CRM_ENVIRONMENT)
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        conflicts_with_all = ["api_url", "auth_url"],
        hide_short_help = true
    )]
    pub(crate) environment: Option<Vendor>,

    /// Another API host, together with --auth-url (CRM_API_URL)
    #[arg(long, global = true, value_name = "URL", requires = "auth_url", hide_short_help = true)]
    pub(crate) api_url: Option<String>,

    /// Another host of the token endpoint, together with --api-url (CRM_AUTH_URL)
    #[arg(long, global = true, value_name = "URL", requires = "api_url", hide_short_help = true)]
    pub(crate) auth_url: Option<String>,

    /// How many calls to make in any second at most; 60 is what the vendor allows an application for
    /// each tenant
    #[arg(long, global = true, value_name = "N", hide_short_help = true)]
    pub(crate) rate: Option<NonZeroU32>,

    /// Trust the authorities whose certificates are in this file (PEM), besides the system's
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) ca_file: Option<PathBuf>,

    /// Reach the hosts through this proxy, or `none`; otherwise HTTPS_PROXY and NO_PROXY say
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    pub(crate) proxy: Option<String>,

    /// Which profile of the configuration file (CRM_PROFILE); several, as in a,b,c or each with the
    /// option of its own, do the same for the account of each
    #[arg(
        long = "profile",
        global = true,
        value_name = "NAME,NAME",
        value_delimiter = ',',
        hide_short_help = true
    )]
    pub(crate) profiles: Vec<String>,

    /// Refuse every write before it is sent (CRM_READ_ONLY)
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) read_only: bool,

    /// Show the writes that would be sent, and send none
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) dry_run: bool,

    /// Write to production without asking
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) yes: bool,

    /// Send single writes without recording them in the desk first
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) no_record: bool,

    /// Send preferences as the three flags that the API knew before May 2026
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) legacy_preferences: bool,

    /// Show on stderr what is being done, and everything a refusal says; twice for more detail.
    /// Never shows other bodies or secrets
    #[arg(long, short, global = true, action = ArgAction::Count, hide_short_help = true)]
    pub(crate) verbose: u8,

    /// The words that name the command.
    #[arg(skip)]
    pub(crate) command: String,

    /// What the run has in common with those for the other profiles, if several are named.
    #[arg(skip)]
    pub(crate) siblings: Option<Rc<Siblings>>,
}

/// What the runs of one command for several profiles have in common: the names of the sets that they
/// plan, so that the next command can name them all at once.
#[derive(Debug, Default)]
pub(crate) struct Siblings {
    desks: RefCell<Vec<PathBuf>>,
    number: Cell<Option<u32>>,
}

impl Siblings {
    /// Adds the folder of a run's desk, which need not be there.
    pub(crate) fn add(&self, desk: PathBuf) {
        self.desks.borrow_mut().push(desk);
    }

    /// The number that the sets of all runs have behind their name, once the first has chosen it.
    pub(crate) fn number(&self) -> Option<u32> {
        self.number.get()
    }

    /// Keeps the number that the first of the runs has chosen.
    pub(crate) fn choose(&self, number: u32) {
        self.number.set(Some(self.number().unwrap_or(number)));
    }

    /// Whether a file is in the desk of any run.
    pub(crate) fn have(&self, file: &Path) -> bool {
        self.desks.borrow().iter().any(|desk| desk.join(file).exists())
    }
}

impl Globals {
    /// The profile that the command line names, where it names one.
    pub(crate) fn profile(&self) -> Option<&str> {
        self.profiles.first().map(String::as_str)
    }

    /// How answers are written.
    pub(crate) fn format(&self) -> Format {
        match self.output {
            Format::Table if self.excel => Format::Csv,
            format => format,
        }
    }
}

/// The vendor's environments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Vendor {
    /// The live service
    Production,
    /// The vendor's test environment
    Integration,
}

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people
    Table,
    /// One JSON value; a list is an array
    Json,
    /// One JSON value a line
    Ndjson,
    /// A header and rows; text that a spreadsheet would run as a formula is quoted with '
    Csv,
}

impl Format {
    /// The format of a list that has no end: as JSON it is one value a line.
    pub(crate) fn without_end(self) -> Self {
        if self == Self::Json { Self::Ndjson } else { self }
    }
}
