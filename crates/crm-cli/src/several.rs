//! One command for the accounts of several profiles, one after the other.
//!
//! Each run is a command of its own: its command line is read anew with one profile, and settings,
//! credentials and desk are looked up for that one alone. What they share is where answers go, and the
//! names of new sets.

use std::{
    any::TypeId,
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
    rc::Rc,
};

use clap::{ArgMatches, Command as Grammar, CommandFactory, parser::ValueSource};

use crate::{
    cli::{Cli, read, words},
    desk::Whereabouts,
    error::CliError,
    exit::Exit,
    globals::Siblings,
    output::{self, Output, note},
    report::Report,
    session,
    status::Status,
};

/// What stands for the name of each profile in the words of a command line.
const PROFILE: &str = "{profile}";

/// The options whose files are only read, so that all may have the same one.
const READ: [&str; 3] = ["ca_file", "baseline", "thresholds"];

/// A command line and its words.
pub(crate) struct Given<'a> {
    pub(crate) cli: Cli,
    pub(crate) matches: ArgMatches,
    pub(crate) words: &'a [OsString],
}

/// The run of one profile.
struct Run {
    profile: String,
    cli: Cli,
    /// The desk that a set was found in, which nobody moves meanwhile.
    desk: Option<Whereabouts>,
}

/// Whether a profile's name is to be in any of these words.
pub(crate) fn has_place(words: &[OsString]) -> bool {
    words.iter().any(|word| word.to_str().is_some_and(|text| text.contains(PROFILE)))
}

/// The words with the profile's name where it is to be.
pub(crate) fn placed(words: &[OsString], profile: &str) -> Vec<OsString> {
    let place = |word: &OsString| match word.to_str() {
        Some(text) if text.contains(PROFILE) => text.replace(PROFILE, profile).into(),
        _ => word.clone(),
    };
    words.iter().map(place).collect()
}

/// Runs the command for each profile, and ends with the worst of their codes.
pub(crate) fn run(
    given: Given<'_>,
    run_one: fn(Cli, &Output) -> Result<Status, CliError>,
) -> ExitCode {
    let globals = &given.cli.globals;
    let format = given.cli.command.format(globals.format());
    let output = Output::new(format, globals.fields.clone()).excel(globals.excel).of_several();
    let (is_verbose, is_detailed) =
        (globals.verbose > 0, given.cli.command.has_detailed_exit_code());
    let report = Report { output: &output, is_verbose, is_detailed };
    let runs = match given.runs() {
        Ok(runs) => runs,
        Err(refused) => {
            let exit = report.exit(Err(refused));
            let _ = output.end_of_several();
            return ExitCode::from(exit as u8);
        }
    };
    let for_all = session::account(globals);
    let mut ends = Vec::new();
    for Run { profile, cli, desk: _desk } in runs {
        output::advise_with(session::account(&cli.globals), for_all.clone());
        let ended =
            output.begin(&profile).map_err(CliError::from).and_then(|()| run_one(cli, &output));
        ends.push((profile, report.exit(ended)));
    }
    let written = output.end_of_several().map_err(CliError::from);
    if ends.iter().any(|(_, exit)| *exit != Exit::Done) {
        let codes = ends.iter().map(|(profile, exit)| format!("{profile} {}", *exit as u8));
        note(format!("exit codes: {}", codes.collect::<Vec<_>>().join(", ")));
    }
    let exits = ends.into_iter().map(|(_, exit)| exit);
    let exits = exits.chain(written.err().map(|error| report.exit(Err(error))));
    ExitCode::from(Exit::of_several(exits) as u8)
}

impl Given<'_> {
    /// What is to be run, once all is known to be about accounts of their own.
    fn runs(&self) -> Result<Vec<Run>, CliError> {
        let globals = &self.cli.globals;
        self.refuse_what_is_of_one()?;
        let siblings = Rc::new(Siblings::default());
        let mut runs = Vec::new();
        for profile in &globals.profiles {
            let (mut cli, _) = read(&placed(self.words, profile))
                .map_err(|error| CliError::Usage(format!("profile {profile}: {error}")))?;
            cli.globals.profiles = vec![profile.clone()];
            cli.globals.siblings = Some(Rc::clone(&siblings));
            cli.globals.command.clone_from(&globals.command);
            runs.push(Run { profile: profile.clone(), cli, desk: None });
        }
        let mut sites = Vec::new();
        for Run { profile, cli, .. } in &runs {
            let site = session::site(&cli.globals)?;
            if let Some((other, _)) = sites.iter().find(|(_, known)| *known == site) {
                return Err(CliError::Usage(format!(
                    "profiles {other} and {profile} are of the same account: name one of them"
                )));
            }
            siblings.add(session::desk(&cli.globals, "--out FILE")?.folder()?.to_owned());
            sites.push((profile, site));
        }
        if self.cli.command.writes() {
            for Run { profile, cli, desk } in &mut runs {
                *desk = find_set(profile, cli)?;
            }
        }
        Ok(runs)
    }

    /// Refuses what would be done to one account, or with one account's settings, for all.
    fn refuse_what_is_of_one(&self) -> Result<(), CliError> {
        let globals = &self.cli.globals;
        let refuse = |why: String| Err(CliError::Usage(why));
        let words = words(&self.matches);
        if self.cli.command.is_of_one() {
            let first = &globals.profiles[0];
            let rest = words.trim_start_matches("crm ");
            return refuse(format!(
                "`{words}`, as it is given here, is about one account: run it once for each, as in \
                 `crm --profile={first} {rest} …`"
            ));
        }
        let of_one = [
            ("--sandbox", globals.sandbox),
            ("--tenant", globals.tenant.is_some()),
            ("--environment", globals.environment.is_some()),
            ("--api-url", globals.api_url.is_some()),
        ];
        if let Some((option, _)) = of_one.iter().find(|(_, is_given)| *is_given) {
            return refuse(format!("{option} names one account, and several profiles are named"));
        }
        let mut names: Vec<_> = globals.profiles.iter().collect();
        names.sort();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return refuse(format!("profile {} is named twice", twice[0]));
        }
        if self.words.iter().any(|word| word == "-") {
            return refuse(
                "stdin can be read once, and several profiles are named: give a file".to_owned(),
            );
        }
        match self.shared_file() {
            Some((option, file)) => refuse(format!(
                "each profile needs a file of its own: write {PROFILE} into the name of --{option}, as \
                 in --{option} {}",
                of_each(&file).display()
            )),
            None => Ok(()),
        }
    }

    /// An option with the same file for all, which each may write.
    fn shared_file(&self) -> Option<(String, PathBuf)> {
        let whole = Cli::command();
        let (mut grammar, mut matches) = (&whole, &self.matches);
        let mut found = shared_file(grammar, matches);
        while let (None, Some((name, below))) = (&found, matches.subcommand()) {
            grammar = grammar.find_subcommand(name)?;
            matches = below;
            found = shared_file(grammar, matches);
        }
        found
    }
}

fn shared_file(grammar: &Grammar, matches: &ArgMatches) -> Option<(String, PathBuf)> {
    let options = grammar.get_arguments().filter(|arg| {
        let is_file = arg.get_value_parser().type_id() == TypeId::of::<PathBuf>();
        is_file && !arg.is_positional() && !READ.contains(&arg.get_id().as_str())
    });
    let shared = |arg: &clap::Arg| {
        let id = arg.get_id().as_str();
        let is_given = matches.value_source(id) == Some(ValueSource::CommandLine);
        let mut files = matches.get_raw(id).filter(|_| is_given)?;
        let file = files.find(|file| !file.to_string_lossy().contains(PROFILE))?;
        Some((arg.get_long()?.to_owned(), PathBuf::from(file)))
    };
    options.filter_map(shared).next()
}

/// The file with a name that each profile fills in: `june.csv` becomes `june-{profile}.csv`.
fn of_each(file: &Path) -> PathBuf {
    let mut name = file.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{PROFILE}"));
    let named = file.with_file_name(name);
    match file.extension() {
        Some(extension) => named.with_added_extension(extension),
        None => named,
    }
}

/// Finds the set that a run is to apply, before any is applied.
fn find_set(profile: &str, cli: &mut Cli) -> Result<Option<Whereabouts>, CliError> {
    let Cli { globals, command } = cli;
    let desk = command.locate(globals).map_err(|error| {
        CliError::Usage(format!("profile {profile}: {error}; nothing was sent to any account"))
    })?;
    match command.set() {
        Some(set) if !set.exists() => Err(CliError::Usage(format!(
            "profile {profile} has no set {}; nothing was sent to any account",
            set.display()
        ))),
        _ => Ok(desk),
    }
}
