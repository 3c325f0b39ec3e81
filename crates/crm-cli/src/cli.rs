//! The grammar that all commands share: global options and the long help.

use std::ffi::OsString;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, error::ErrorKind};

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
  CRM_ENTERPRISE_HUB 1 asks for each token with the tenant's number
  CRM_DESKS          the folder of the desks of accounts whose profile names none
  CRM_READ_ONLY      1 refuses every write; nothing lifts it for one command
  CRM_TOKEN_CACHE    1 keeps the access token for the next command
  CRM_PROFILE        which profile of crm/config.toml in the configuration folder,
                       for example ~/.config/crm/config.toml; without it default
  NO_COLOR           no colours
";

/// What a person does first, in the short help.
const BEGIN: &str = "\
Begin:
  crm demo                  see a whole job in a minute, without an account
  crm --sandbox audit       any command, against a local copy of the service
  crm profile add --help    set an account up
";

/// Where the options are that every command takes, in the short help of each.
const EVERYWHERE: &str = "\
Options of every command, such as --sandbox, --profile, --output, --dry-run and --yes: crm --help
";

const EXAMPLES: &str = "\
Examples:
  crm demo                                           see a whole job, without an account
  crm --sandbox location-contacts list 2001          try any command so
  crm auth check                                     is the account set up?
  crm location-contacts update 2001 3001 --marketing-updates off --dry-run
  crm find '818-555-0142'                            who is calling?
  crm history '818-555-0142'                         what happened to it?
  crm audit                                          what is wrong?
  crm opt-out list.csv                               wherever these are; it says what comes next
  crm plan rows.csv --page page.html                 many changes, with a page to approve
  crm plan --replace-domain old.example=new.example  another domain in all addresses
  crm mirror export --excel --out week.csv --changed-since 7d
  crm --profile=east,west opt-out list.csv           for several accounts
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
    after_help = format!("{BEGIN}\n{EVERYWHERE}"),
    after_long_help = format!("{SETTINGS}\n{EXAMPLES}\n{}", Exit::help())
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// A command line that was read, and its words.
pub(crate) type Read = (Cli, ArgMatches);

/// Reads a command line.
pub(crate) fn read(words: &[OsString]) -> Result<Read, clap::Error> {
    let mut grammar = Cli::command().mut_subcommands(with_short_help);
    let given = grammar.try_get_matches_from_mut(words);
    let read = given.and_then(|given| {
        refuse_two_places(&given, words)?;
        Ok((Cli::from_arg_matches(&given)?, given))
    });
    let (mut cli, given) = read.map_err(|refused| refused.format(&mut grammar))?;
    cli.globals.command = self::words(&given);
    Ok((cli, given))
}

/// A command, and those below it, whose short help says where the options of every command are. The
/// long help has them.
fn with_short_help(command: clap::Command) -> clap::Command {
    let long = command.get_after_long_help().cloned().unwrap_or_default();
    command.after_help(EVERYWHERE).after_long_help(long).mut_subcommands(with_short_help)
}

/// Refuses profiles before and after the name of the command: of the two places one would win, and the
/// other's accounts would be left out in silence.
fn refuse_two_places(given: &ArgMatches, words: &[OsString]) -> Result<(), clap::Error> {
    let is_option = |word: &&OsString| {
        word.to_str().is_some_and(|word| word == "--profile" || word.starts_with("--profile="))
    };
    let typed = words.iter().take_while(|word| *word != "--").filter(is_option).count();
    let read = given.get_occurrences::<String>("profiles").map_or(0, Iterator::count);
    if read > 0 && typed > read {
        let why = "--profile stands before and after the command: name all profiles in one place";
        return Err(clap::Error::raw(ErrorKind::ArgumentConflict, format!("{why}\n")));
    }
    Ok(())
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
    fn the_short_help_of_a_command_has_its_own_options_and_says_where_the_others_are() {
        fn look_at(command: &mut Command) {
            let [short, long] = [command.render_help(), command.render_long_help()];
            let [short, long] = [short, long].map(|help| help.to_string());
            let name = command.get_name();
            assert!(!short.contains("Global options"), "{name}: {short}");
            assert!(short.trim_end().ends_with("crm --help"), "{name}: {short}");
            assert!(long.contains("Global options"), "{name}: {long}");
            command
                .get_subcommands_mut()
                .filter(|below| below.get_name() != "help")
                .for_each(look_at);
        }
        let mut grammar = super::Cli::command().mut_subcommands(super::with_short_help);
        grammar.build();
        look_at(&mut grammar);
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
