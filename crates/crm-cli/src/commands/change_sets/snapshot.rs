//! A mirror that is up to date, to select from and to compare with.

use std::{io, path::Path};

use crm_bulk::{MirrorError, Snapshot};
use crm_values::Region;
use tempfile::TempDir;

use crate::{
    error::CliError,
    output::{count, note},
    progress::Progress,
    session::Session,
};

/// Brings the mirror in a file up to date, as a whole whatever the command needs of it.
/// Without a region its numbers are read as before.
pub(in crate::commands) async fn pull(
    session: &Session<'_>,
    file: &Path,
    need: Need,
    region: Option<Region>,
) -> Result<Snapshot, CliError> {
    let mut goes_on = GoesOn(Kept::default());
    follow(session, file, region, &mut goes_on.0, async |mirror, progress| match need {
        Need::Swept => mirror.update_and_sweep(&session.service, &session.site(), progress).await,
        _ => mirror.update(&session.service, &session.site(), progress).await,
    })
    .await
}

/// Lets a mirror be updated in one way or another, and shows how far it is.
async fn follow(
    session: &Session<'_>,
    file: &Path,
    region: Option<Region>,
    kept: &mut Kept,
    update: impl AsyncFnOnce(&mut Snapshot, &mut dyn FnMut(u64)) -> Result<(), MirrorError>,
) -> Result<Snapshot, CliError> {
    let mut mirror = Snapshot::open_or_create(file, &session.site())?;
    if let Some(region) = region {
        read_by(&mirror, region)?;
    }
    let progress = Progress::before_the_answer("records");
    let mut advance = |read| {
        progress.advance(usize::try_from(read - kept.read).unwrap_or(usize::MAX));
        kept.read = read;
    };
    update(&mut mirror, &mut advance).await?;
    kept.is_all = true;
    Ok(mirror)
}

/// How many records an update has read and stored.
#[derive(Default)]
struct Kept {
    read: u64,
    is_all: bool,
}

/// Tells it where an update ends before its end, by a signal or by a failure.
struct GoesOn(Kept);

impl Drop for GoesOn {
    fn drop(&mut self) {
        let Kept { read, is_all } = self.0;
        if read > 0 && !is_all {
            let read = count(read, "record");
            note(format!(
                "the update of the mirror ended after {read}; the next one goes on there"
            ));
        }
    }
}

/// Has the numbers without a country code read as numbers of this region, and tells it where they were
/// read as those of another one.
pub(super) fn read_by(mirror: &Snapshot, region: Region) -> Result<(), CliError> {
    let before = mirror.region();
    if before != region && mirror.known_at()?.is_some() {
        note(format!(
            "numbers without a country code were read as numbers of {before}: reading those of the \
             mirror as numbers of {region}"
        ));
    }
    Ok(mirror.read_by(region)?)
}

/// What a command asks a mirror for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Need {
    Contacts,
    /// Their owners too, with names, addresses and whether they are in use, and people.
    Owners,
    /// All that, and that nobody who is gone is among the people.
    Swept,
}

/// A mirror that is up to date: the one in the file, or one for this command alone, which
/// lies in the folder. Do it [until a signal](crate::signal::until_signal), so that none is
/// left behind.
pub(super) async fn fresh(
    session: &Session<'_>,
    file: Option<&Path>,
    need: Need,
    region: Region,
) -> Result<(Snapshot, Option<TempDir>), CliError> {
    if let Some(file) = file {
        return Ok((pull(session, file, need, Some(region)).await?, None));
    }
    let folder = private_folder()
        .map_err(|error| CliError::io("cannot make a folder for a snapshot", error))?;
    let file = folder.path().join("contacts");
    // Whatever ends it, nothing of it is kept.
    let mut kept = Kept::default();
    let read =
        follow(session, &file, Some(region), &mut kept, async |mirror, progress| match need {
            Need::Contacts => {
                mirror.update_contacts(&session.service, &session.site(), progress).await
            }
            Need::Owners | Need::Swept => {
                mirror.update(&session.service, &session.site(), progress).await
            }
        });
    let snapshot = read.await?;
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
