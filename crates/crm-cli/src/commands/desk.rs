//! `crm desk`: what this account has on this machine.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, Subcommand};
use crm_bulk::Snapshot;
use serde::Serialize;

use super::{
    age::in_words,
    args::{NumberArgs, tell_assumed},
    change_sets::known::remove_old_differences,
    sets::{ask_to_remove, no_desk},
};
use crate::{
    desk::{self, Desk, SetEntry, Sought, bytes_in},
    error::CliError,
    globals::{Format, Globals},
    output::{Output, confirm, count, crm, note, on_terminal},
    session,
    settings::{Config, Profiles, profile_in_use},
    signal::until_signal,
    status::Status,
};

/// What can be done with the desk.
#[derive(Debug, Subcommand)]
pub(crate) enum DeskCommand {
    /// Show where the desk is, how old its mirror is, what else it has, and what is wrong with its
    /// place
    Show,

    /// Move the desk to another folder, which the profile then names
    Move {
        /// The folder, which is not there yet
        folder: PathBuf,
    },

    /// Copy the desk to another folder, also while others work in it; the copies of the sets are
    /// never applied
    Backup {
        /// The folder, which is not there yet
        folder: PathBuf,
    },

    Forget(Forget),

    /// Remove the sets that are over and older than `keep_sets` in desk.toml, and what others changed
    /// that is older than `keep_differences`
    Prune,
}

/// Forget a number or an address, as far as that is possible
///
/// The mirror is emptied, and the next update reads it anew: what the service still has comes back.
/// What others changed stays where it has not the value. Recorded updates keep all but the value. Sets keep it, since it is what undoes them, and the answer
/// names each with the reason. So do the pages and lists in its folder of evidence.
#[derive(Debug, Args)]
pub(crate) struct Forget {
    /// The number or address, however it is written
    #[arg(allow_hyphen_values = true)]
    value: String,

    /// Remove the sets that are over and have it, which can then be neither undone nor looked up, and
    /// the evidence that has it
    #[arg(long)]
    with_sets: bool,

    #[command(flatten)]
    numbers: NumberArgs,
}

/// What a desk has.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    folder: PathBuf,
    name: Option<String>,
    tenant: i64,
    host: String,
    mirror: Option<Mirror>,
    /// How many sets are in which state.
    sets: BTreeMap<&'static str, u64>,
    /// Single updates that are recorded.
    updates: u64,
    bytes: u64,
    keep_sets: Option<String>,
    /// How long is kept what others changed.
    keep_differences: String,
    /// The country of telephone numbers without a country code.
    region: String,
    warnings: Vec<String>,
}

/// What is known of all contacts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Mirror {
    known_at: Option<String>,
    age_seconds: Option<u64>,
    bytes: u64,
}

impl DeskCommand {
    pub(crate) async fn run(self, globals: &Globals, output: &Output) -> Result<Status, CliError> {
        let place = session::desk(globals, "its path")?;
        let Some(desk) = place.existing()? else {
            return Err(CliError::Usage(no_desk(&place)?));
        };
        match self {
            Self::Show => show(desk, output)?,
            Self::Move { folder } => relocate(desk, globals, output, &folder)?,
            Self::Backup { folder } => {
                let folder = desk::whole(&folder)?;
                let sets =
                    match until_signal(async { Ok::<_, CliError>(desk.backup(&folder).await?) })
                        .await?
                    {
                        Ok(sets) => sets,
                        Err(signal) => return Ok(Status::Stopped(signal, None)),
                    };
                note(format!("{} copied, to look at and to undo", count(sets, "set")));
                output.done("backed up", &folder.display().to_string())?;
            }
            Self::Forget(forget) => forget.run(desk, globals, output)?,
            Self::Prune => prune(desk, globals, output).await?,
        }
        Ok(Status::Done)
    }
}

fn show(desk: &Desk, output: &Output) -> Result<(), CliError> {
    let site = desk.card().site();
    let mut sets = BTreeMap::new();
    for entry in desk.entries()? {
        *sets.entry(entry.state.as_str()).or_default() += 1;
    }
    let shown = Shown {
        folder: desk.folder().to_owned(),
        name: desk.card().name.clone(),
        tenant: site.tenant().get(),
        host: site.environment().to_owned(),
        mirror: mirror(desk)?,
        sets,
        updates: desk.recorded()?.map_or(Ok(0), |updates| updates.count())?,
        bytes: bytes_in(desk.folder()),
        keep_sets: desk.card().keep_sets.as_ref().map(|keep| keep.as_str().to_owned()),
        keep_differences: desk.card().keeps_differences().to_owned(),
        region: desk.region().to_string(),
        warnings: desk.warnings(),
    };
    match output.format() {
        Format::Table => Ok(output.text(&shown.text())?),
        _ => Ok(output.value(&shown)?),
    }
}

fn mirror(desk: &Desk) -> Result<Option<Mirror>, CliError> {
    let file = desk.mirror();
    if !file.exists() {
        return Ok(None);
    }
    let known_at = Snapshot::open(&file)?.known_at()?;
    let age = known_at.and_then(|at| at.to_system_time()?.elapsed().ok());
    Ok(Some(Mirror {
        known_at: known_at.map(|at| at.to_string()),
        age_seconds: age.map(|age| age.as_secs()),
        bytes: desk::size(&file),
    }))
}

impl Shown {
    fn text(&self) -> String {
        let mirror = match &self.mirror {
            None => "none yet".to_owned(),
            Some(Mirror { age_seconds: Some(seconds), bytes, .. }) => {
                let age = in_words(Duration::from_secs(*seconds));
                format!("{age} old, {}", size(*bytes))
            }
            Some(Mirror { bytes, .. }) => format!("not read to its end, {}", size(*bytes)),
        };
        let sets: Vec<_> =
            self.sets.iter().map(|(state, many)| format!("{many} {state}")).collect();
        let sets = if sets.is_empty() { "none".to_owned() } else { sets.join(", ") };
        let keep = match &self.keep_sets {
            Some(time) => format!("{time} ({} desk prune)", crm()),
            None => "for ever (keep_sets in desk.toml)".to_owned(),
        };
        let name = self.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        format!(
            "{}{name}\ntenant {} on {}, numbers of {}\nmirror   {mirror}\nsets     {sets}, kept {keep}\n\
             others   what they changed, kept {}\nupdates  {} recorded\nsize     {}",
            self.folder.display(),
            self.tenant,
            self.host,
            self.region,
            self.keep_differences,
            self.updates,
            size(self.bytes),
        )
    }
}

/// A number of bytes as people say it.
fn size(bytes: u64) -> String {
    let kilo = bytes.div_ceil(1_000);
    if kilo < 10_000 { format!("{kilo} kB") } else { format!("{} MB", kilo / 1_000) }
}

/// Moves the desk and tells the profile. Without a profile the next command would begin a new desk
/// where this one was.
fn relocate(
    desk: &Desk,
    globals: &Globals,
    output: &Output,
    folder: &Path,
) -> Result<(), CliError> {
    let folder = desk::whole(folder)?;
    let profile = profile_in_use(globals, &Profiles::read()?)?;
    let mut config = Config::open()?;
    if !config.has(&profile) {
        return Err(CliError::Usage(
            "no profile takes part, so nothing would tell the next command where the desk is: add \
             one with `crm profile add`"
                .to_owned(),
        ));
    }
    config.set_desk(&profile, &folder);
    desk.relocate(&folder)?;
    if let Err(error) = config.save() {
        note(format!("the desk is at {} now, and no profile names it", folder.display()));
        return Err(error.into());
    }
    note(format!("profile {profile} names it in {}", config.path().display()));
    Ok(output.done("moved", &folder.display().to_string())?)
}

impl Forget {
    fn run(self, desk: &Desk, globals: &Globals, output: &Output) -> Result<(), CliError> {
        let reader = self.numbers.reader(desk.region());
        tell_assumed(&self.value, reader);
        let sought = Sought::read(&self.value, reader)
            .map_err(|invalid| CliError::Usage(format!("the value cannot be read: {invalid}")))?;
        if self.with_sets && !globals.yes {
            if !on_terminal() {
                return Err(CliError::Usage(
                    "--with-sets removes sets and evidence: add --yes to do it without being asked"
                        .to_owned(),
                ));
            }
            if !confirm("Remove the sets that are over and the evidence that have the value?") {
                return Err(CliError::Usage("not confirmed: nothing was removed".to_owned()));
            }
        }
        let forgotten = desk.forget(&sought, self.with_sets)?;
        if forgotten.mirror {
            note("the mirror is emptied: the next update reads it anew");
        }
        if forgotten.updates > 0 {
            note(format!("taken out of {}", count(forgotten.updates, "recorded update")));
        }
        for set in &forgotten.sets {
            note(format!("removed: {set}"));
        }
        for file in &forgotten.evidence {
            note(format!("removed: {}", file.display()));
        }
        if desk.ledger().exists() {
            note(
                "the consent ledger keeps what it has of it; `crm consent redact` removes that, and the \
                 wish stays honoured",
            );
        }
        for kept in &forgotten.kept {
            note(format!("kept in {}: {}", kept.set, kept.because));
        }
        for file in &forgotten.kept_evidence {
            note(format!(
                "kept in {}: it is evidence of what was done, or cannot be read: --with-sets removes \
                 evidence that has it",
                file.display()
            ));
        }
        let kept =
            [(forgotten.kept.len(), "set"), (forgotten.kept_evidence.len(), "evidence file")];
        let kept = kept.into_iter().filter(|(number, _)| *number > 0);
        let kept: Vec<_> = kept.map(|(number, what)| count(number as u64, what)).collect();
        match output.format() {
            Format::Table if kept.is_empty() => Ok(output.text("forgotten")?),
            Format::Table => {
                Ok(output.text(&format!("forgotten, but kept in {}", kept.join(" and ")))?)
            }
            _ => Ok(output.value(&forgotten)?),
        }
    }
}

async fn prune(desk: &Desk, globals: &Globals, output: &Output) -> Result<(), CliError> {
    let old = old_sets(desk)?;
    if !old.is_empty() && !globals.yes {
        ask_to_remove(&old)?;
    }
    for entry in &old {
        entry.remove()?;
    }
    let file = desk.mirror();
    let differences = if file.exists() {
        let _alone = desk.alone_at_mirror().await?;
        remove_old_differences(desk, &Snapshot::open(&file)?)?
    } else {
        0
    };
    let sets = count(old.len() as u64, "set");
    let differences = count(differences, "difference");
    Ok(output.done("removed", &format!("{sets}, {differences} of what others changed"))?)
}

/// The sets that are over and older than they are to be kept.
fn old_sets(desk: &Desk) -> Result<Vec<SetEntry>, CliError> {
    let Some(keep) = &desk.card().keep_sets else {
        note(format!(
            "nothing says how long sets are kept: add keep_sets = \"24 months\" to {}",
            desk.folder().join("desk.toml").display()
        ));
        return Ok(Vec::new());
    };
    let before = keep.before(jiff::Timestamp::now());
    let is_old = |entry: &SetEntry| {
        let at = entry.planned_at.as_ref().and_then(|at| at.parse::<jiff::Timestamp>().ok());
        at.zip(before).is_some_and(|(at, before)| at < before)
    };
    let mut old = desk.entries()?;
    old.retain(|entry| entry.is_over() && is_old(entry));
    if old.is_empty() {
        note(format!("no set that is over is older than {}", keep.as_str()));
    }
    Ok(old)
}
