//! The grammar that all commands share: global options and the long help.

use clap::{ArgMatches, Parser};

use crate::{commands::Command, exit::Exit, globals::Globals};

/// What the environment and the profile are asked for, in the long help.
const SETTINGS: &str = "\
Settings, each from its option, else from the profile that --profile names, else from the
environment, else from the profile in use. A variable that contradicts a profile named by
--profile is refused; it may fill a secret that the profile lacks.
  CRM_TENANT         the tenant whose contacts to work on
  CRM_ENVIRONMENT    production or integration
  CRM_API_URL        other hosts instead of an environment,
  CRM_AUTH_URL         always both
  CRM_ALLOW_HTTP     1 lets these hosts be others than this machine without TLS
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

/// The words of a command line that name the command, as in `crm location-contacts update`.
pub(crate) fn words(given: &ArgMatches) -> String {
    let mut words = vec!["crm"];
    let mut given = given.subcommand();
    while let Some((word, below)) = given {
        words.push(word);
        given = below.subcommand();
    }
    words.join(" ")
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
