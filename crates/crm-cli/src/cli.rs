//! The grammar that all commands share: global options and the long help.

use clap::{ArgAction, Args, Parser, ValueEnum};
use crm_models::TenantId;
use crm_sandbox::Seed;

use crate::{commands::Command, error::Exit, output::Format};

/// What the environment and the profile are asked for, in the long help.
const SETTINGS: &str = "\
Settings, each from its option, else from the profile that --profile names, else from the
environment, else from the profile in use. A variable that contradicts a profile named by
--profile is refused; it may fill a secret that the profile lacks.
  CRM_TENANT         the tenant whose contacts to work on
  CRM_ENVIRONMENT    production or integration
  CRM_API_URL        other hosts instead of an environment,
  CRM_AUTH_URL         always both
  CRM_CLIENT_ID      the client's id and secret and the app's key; not options,
  CRM_CLIENT_SECRET    since other users can see a command line
  CRM_APP_KEY
  CRM_READ_ONLY      1 refuses every write; nothing lifts it for one command
  CRM_TOKEN_CACHE    1 keeps the access token for the next command
  CRM_PROFILE        which profile of crm/config.toml in the configuration folder,
                       for example ~/.config/crm/config.toml; without it default
  NO_COLOR           no colours
";

const EXAMPLES: &str = "\
Examples:
  crm --sandbox location-contacts list 2001
  crm auth check
  crm location-contacts update 2001 3001 --marketing-updates off --dry-run
  crm location-contacts changed --modified-since 2026-11-01 --all --output csv
  crm plan changes.csv --out set.crm
  crm apply set.crm --canary 20
";

/// Contacts of the ServiceTitan CRM v2 API from a terminal.
///
/// Answers go to stdout, everything else to stderr. Try any command without an account by
/// adding --sandbox: it runs against a local copy of the service with demo data.
#[derive(Debug, Parser)]
#[command(
    name = "crm",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_long_help = format!("{SETTINGS}\n{EXAMPLES}\n{}", Exit::help())
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The options that every command takes. Where an environment variable is named, it stands below the
/// option; `settings` says how it stands to a profile.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Globals {
    /// Run against a sandbox inside this process, with demo data; no account needed
    #[arg(long, global = true)]
    pub(crate) sandbox: bool,

    /// The data of the sandbox: demo, empty, or a number of contacts
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
    #[arg(long, global = true, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: Format,

    /// Write CSV that Excel opens as it is: with a byte order mark, and with an apostrophe before
    /// digits that it would change
    #[arg(long, global = true)]
    pub(crate) excel: bool,

    /// Only these members, by their names in the API, for example
    /// id,preferences.invoiceNotification
    #[arg(long, global = true, value_name = "A,B,C", value_delimiter = ',')]
    pub(crate) fields: Option<Vec<String>>,

    /// The tenant whose contacts to work on (CRM_TENANT)
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) tenant: Option<TenantId>,

    /// Which of the vendor's environments (CRM_ENVIRONMENT)
    #[arg(long, global = true, value_name = "NAME", conflicts_with_all = ["api_url", "auth_url"])]
    pub(crate) environment: Option<Vendor>,

    /// Another API host, together with --auth-url (CRM_API_URL)
    #[arg(long, global = true, value_name = "URL", requires = "auth_url", hide_short_help = true)]
    pub(crate) api_url: Option<String>,

    /// Another host of the token endpoint, together with --api-url (CRM_AUTH_URL)
    #[arg(long, global = true, value_name = "URL", requires = "api_url", hide_short_help = true)]
    pub(crate) auth_url: Option<String>,

    /// Which profile of the configuration file (CRM_PROFILE)
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,

    /// Refuse every write before it is sent (CRM_READ_ONLY)
    #[arg(long, global = true)]
    pub(crate) read_only: bool,

    /// Show the writes that would be sent, and send none
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,

    /// Write to production without asking
    #[arg(long, global = true)]
    pub(crate) yes: bool,

    /// Send preferences as the three flags that the API knew before May 2026
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) legacy_preferences: bool,

    /// Show on stderr what is being done, and everything a refusal says; twice for more detail.
    /// Never shows other bodies or secrets
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

impl Globals {
    /// How answers are written.
    pub(crate) fn format(&self) -> Format {
        match self.output {
            Format::Table if self.excel => Format::Csv,
            format => format,
        }
    }
}

/// The vendor's environments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Vendor {
    /// The live service
    Production,
    /// The vendor's test environment
    Integration,
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    #[test]
    fn the_grammar_is_consistent() {
        super::Cli::command().debug_assert();
    }

    #[test]
    fn every_argument_says_what_it_is() {
        fn look_at(command: &Command) {
            for argument in command.get_arguments() {
                let (command, argument_id) = (command.get_name(), argument.get_id());
                assert!(argument.get_help().is_some(), "{command} {argument_id}");
            }
            command.get_subcommands().for_each(look_at);
        }
        look_at(&super::Cli::command());
    }
}
