//! `crm snapshot`: all contacts in a file, to select from and to compare with.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use clap::Args;
use crm_bulk::{Coverage, Snapshot};
use serde::Serialize;
use tempfile::TempDir;

use crate::{
    error::CliError,
    globals::Format,
    output::{count, note},
    progress::Progress,
    session::Session,
    status::Status,
};

/// Pull all contacts into a file, to plan changes from
///
/// All contacts of customers and locations, deleted ones marked. The first run reads everything,
/// later ones only what changed; a run that was stopped continues where it was.
#[derive(Debug, Args)]
pub(crate) struct SnapshotCommand {
    /// The file; created if it does not exist
    file: PathBuf,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Held {
    contacts: u64,
    deleted: u64,
    owners: u64,
    preferences_unknown: u64,
    /// What cannot be read: the ids of each record, as far as they are known, and why.
    unreadable: Vec<String>,
    by_type: BTreeMap<String, u64>,
}

impl SnapshotCommand {
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<Status, CliError> {
        let (snapshot, coverage) = pull(session, &self.file).await?;
        let unreadable = snapshot.unreadable()?;
        for record in &unreadable {
            note(format!("set aside, since it cannot be read: {record}"));
        }
        let held = Held {
            contacts: coverage.contacts,
            deleted: coverage.deleted,
            owners: coverage.owners,
            preferences_unknown: coverage.preferences_unknown,
            unreadable: unreadable.iter().map(ToString::to_string).collect(),
            by_type: coverage.by_type.iter().cloned().collect(),
        };
        if session.output.format() != Format::Table {
            session.output.value(&held)?;
            return Ok(Status::Done);
        }
        let types: Vec<_> =
            coverage.by_type.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
        let unreadable = match held.unreadable.len() {
            0 => String::new(),
            records => format!("\ncannot be read: {}", count(records as u64, "record")),
        };
        session.output.text(&format!(
            "{} contacts of {} customers and locations: {}\n\
             {} more are deleted; of {} the preferences are not known{unreadable}",
            held.contacts,
            held.owners,
            types.join(", "),
            held.deleted,
            held.preferences_unknown
        ))?;
        Ok(Status::Done)
    }
}

/// Brings the snapshot in a file up to date.
pub(super) async fn pull(
    session: &Session<'_>,
    file: &Path,
) -> Result<(Snapshot, Coverage), CliError> {
    let site = session.site();
    let mut snapshot = Snapshot::open_or_create(file, &site)?;
    let progress = Progress::before_the_answer("contacts");
    let mut before = 0;
    let update = snapshot.update(&session.service, &site, |read| {
        progress.advance(usize::try_from(read - before).unwrap_or(usize::MAX));
        before = read;
    });
    let coverage = update.await?;
    Ok((snapshot, coverage))
}

/// A snapshot that is up to date: the one in the file, or one for this command alone, which
/// lies in the folder. Do it [until a signal](crate::signal::until_signal), so that none is
/// left behind.
pub(super) async fn fresh(
    session: &Session<'_>,
    file: Option<&Path>,
) -> Result<(Snapshot, Option<TempDir>), CliError> {
    if let Some(file) = file {
        return Ok((pull(session, file).await?.0, None));
    }
    let folder = private_folder()
        .map_err(|error| CliError::io("cannot make a folder for a snapshot", error))?;
    let (snapshot, _) = pull(session, &folder.path().join("contacts")).await?;
    Ok((snapshot, Some(folder)))
}

/// A temporary folder that nobody else may look into.
fn private_folder() -> io::Result<TempDir> {
    #[cfg(unix)]
    let folder = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .tempdir();
    #[cfg(not(unix))]
    let folder = tempfile::tempdir();
    folder
}
