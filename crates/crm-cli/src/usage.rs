//! A command line that cannot be read: what is wrong with it, in the form that it asks for as far
//! as it can be understood.

use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    iter,
    process::ExitCode,
};

use clap::{
    Arg, ArgAction, ArgMatches, Command, CommandFactory, ValueEnum, error::ErrorKind, value_parser,
};
use crm_bulk::visible;

use crate::{
    cli::Cli,
    exit::Exit,
    globals::Format,
    output::{self, Output},
    report,
};

/// Reports clap's refusal of the command line, or the help that it was asked for.
pub(crate) fn report(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A reader that went away is not a failure.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    tell(error);
    let asked = Asked::by(env::args_os().collect());
    let exit = if asked.detailed_exit_code { Exit::Local } else { Exit::Usage };
    let output = Output::new(asked.format, None);
    if output.is_json() {
        let text = error.to_string();
        // What is wrong continues on lines of its own; after an empty one comes the usage.
        let lines = text.lines().map(str::trim);
        let lines: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
        let message = lines.join(" ");
        let _ = report::usage(&output, message.trim_start_matches("error: "), exit);
    }
    ExitCode::from(exit as u8)
}

/// Prints clap's message, without its colours where it repeats a word that contains invisible
/// characters: they could not be distinguished from the colours' own.
fn tell(error: &clap::Error) {
    let words = env::args_os().map(|word| word.to_string_lossy().into_owned());
    let unseen = words.filter(|word| visible(word) != *word);
    let plain = unseen.fold(None, |text: Option<String>, word| {
        let text = text.unwrap_or_else(|| error.render().to_string());
        Some(text.replace(&word, &visible(&word)))
    });
    // If nobody reads stderr any more, only the exit code can report it.
    let _ = match plain {
        Some(text) => write!(io::stderr(), "{}", output::lines(&text)),
        None => error.print(),
    };
}

/// What a command line asks for that cannot be read as a whole.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    format: Format,
    /// Whether the exit code is to say if there are changes.
    detailed_exit_code: bool,
}

impl Asked {
    fn by(words: Vec<OsString>) -> Self {
        let grammar = lenient(Cli::command(), words.len().min(MOST_STRAY));
        let matches = grammar.try_get_matches_from(words).unwrap_or_default();
        let format = matches.try_get_one::<OsString>("output").ok().flatten();
        let format = format.and_then(|name| Format::from_str(name.to_str()?, false).ok());
        let format = format.unwrap_or(Format::Table);
        let is_export = matches.subcommand_name() == Some("export");
        let chain = iter::successors(Some(&matches), |matches| Some(matches.subcommand()?.1));
        let detailed = |command: &ArgMatches| {
            let flag = command.try_get_one::<bool>("detailed_exitcode");
            flag.is_ok_and(|flag| flag == Some(&true))
        };
        Self {
            format: if is_export { format.without_end() } else { format },
            detailed_exit_code: chain.last().is_some_and(detailed),
        }
    }
}

/// How many words that belong nowhere are read over. A shell may put the names of ten thousand files
/// into a command line, and every command of the grammar gets a place for each.
const MOST_STRAY: usize = 64;

/// The same grammar, so that a word is an option or a value as it would be, but with any value where
/// one belongs and with stray words between: `clap` would stop at the first fault even if it is to
/// ignore faults, and not see what comes after it.
fn lenient(command: Command, stray: usize) -> Command {
    let command = command
        .ignore_errors(true)
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .disable_version_flag(true)
        .mut_args(|arg| {
            let arg = if arg.get_action().takes_values() {
                arg.value_parser(value_parser!(OsString)).required(false)
            } else {
                arg
            };
            // One that takes many leaves the others to the stray words.
            if arg.is_positional() {
                arg.allow_hyphen_values(true).action(ArgAction::Set).num_args(1)
            } else {
                arg
            }
        })
        .mut_subcommands(|command| lenient(command, stray));
    let any = (0..stray).map(|at| Arg::new(format!("stray {at}")).allow_hyphen_values(true));
    command.args(any.map(|arg| arg.value_parser(value_parser!(OsString))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Asked {
        let words = ["crm"].into_iter().chain(line.split(' ')).map(OsString::from);
        Asked::by(words.collect())
    }

    #[test]
    fn the_format_is_understood_wherever_the_fault_is() {
        for line in [
            "location-contacts get x 1 --output json",
            "--output=json location-contacts get x 1",
            "location-contacts --output json get x 1",
            "location-contacts create 2001 --output json",
            "drop set.crm 1 2 x 3 --output json",
            "location-contacts list 2001 --limt 3 --output json",
            "location-contacts list 2001 --limt=3 -z --output json",
            "location-contacts list 2001 -z=3 --output=json",
            "location-contacts list 2001 2002 2003 --output json",
            "location-contacts list 2001 --limit --output json",
            "location-contacts list 2001 --limit 3 --all --output json",
            "location-contacts lst 2001 --output json",
            "--limt location-contacts list 2001 --output json",
            "locations --output json",
        ] {
            assert_eq!(asked(line).format, Format::Json, "{line}");
        }
    }

    #[test]
    fn a_line_of_twenty_thousand_words_is_understood() {
        let files = "a.csv ".repeat(20_000);
        assert_eq!(asked(&format!("--output json plan {files} b.csv")).format, Format::Json);
    }

    #[test]
    fn a_word_is_a_command_an_option_or_a_value_as_the_grammar_says() {
        for (line, format) in [
            ("export none --output json", Format::Ndjson),
            ("export none --output csv", Format::Csv),
            ("people create --name export --nme x --output json", Format::Json),
            ("people list export --output json", Format::Json),
            ("location-contacts create 1 --type x --value export --output json", Format::Json),
            ("location-contacts create 1 --type x --memo --output=json", Format::Table),
            ("profile add x --nme --credential-command a --output json", Format::Table),
        ] {
            assert_eq!(asked(line).format, format, "{line}");
        }
    }

    #[test]
    fn only_the_option_itself_asks_for_detailed_exit_codes() {
        for (line, is_asked) in [
            ("plan rows.csv --detailed-exitcode --smple 3", true),
            ("plan rows.csv --out set.crm --sample x --detailed-exitcode", true),
            ("opt-out --detailed-exitcode", true),
            ("location-contacts create 1 --type x --value 1 --memo --detailed-exitcode", false),
            ("location-contacts list x --detailed-exitcode", false),
            ("people create --name --detailed-exitcode --nme", false),
        ] {
            assert_eq!(asked(line).detailed_exit_code, is_asked, "{line}");
        }
    }
}
