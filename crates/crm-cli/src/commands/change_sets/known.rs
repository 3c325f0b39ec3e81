//! What a plan knows without reading the service anew: the snapshot that is named, else the mirror
//! of the desk.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use crm_bulk::Snapshot;
use crm_values::Region;
use tempfile::TempDir;

use super::snapshot::{self, Need, read_by};
use crate::{
    commands::{
        age::{is_behind, tell_age, tell_refused},
        args::whole,
    },
    desk::Desk,
    error::CliError,
    output::note,
    session::Session,
};

/// What a plan looks contacts up in.
#[derive(Debug, Args)]
pub(in crate::commands) struct KnownArgs {
    /// Look up contacts in this snapshot instead of the desk's mirror
    #[arg(long, alias = "mirror", value_name = "FILE")]
    snapshot: Option<PathBuf>,

    /// Use the mirror alone if it is no older than this, else update it first; with --snapshot the
    /// owners are read instead
    #[arg(long, value_name = "MINUTES", default_value_t = 60, value_parser = whole(0_u64, None))]
    max_age: u64,

    /// Use the mirror or the snapshot as it is, whatever its age; no call is made
    #[arg(long)]
    pub(super) offline: bool,
}

/// All contacts, as a plan looks them up.
pub(in crate::commands) struct Known {
    pub(in crate::commands) snapshot: Snapshot,
    /// Whether it is to be used without reading the owners.
    pub(super) is_enough: bool,
    /// Whether something was sent through the desk since it was read.
    is_behind: bool,
    /// Where one lies that is for this command alone.
    _folder: Option<TempDir>,
}

impl Known {
    /// A file that stays, to be used as it is.
    pub(in crate::commands) fn kept(snapshot: Snapshot) -> Self {
        Self { snapshot, is_enough: true, is_behind: false, _folder: None }
    }

    /// The mirror of a desk, to be used as it is.
    pub(in crate::commands) fn of_desk(desk: &Desk, mirror: Snapshot) -> Result<Self, CliError> {
        Ok(Self { is_behind: is_behind(desk, &mirror)?, ..Self::kept(mirror) })
    }

    /// Tells how old it is, under this name.
    pub(in crate::commands) fn tell_age(&self, what: &str) -> Result<(), CliError> {
        tell_age(what, &self.snapshot, self.is_behind)
    }
}

impl KnownArgs {
    /// What is there for rows that name their records: none if neither a snapshot is named nor a
    /// mirror has been begun.
    pub(super) async fn at_hand(
        &self,
        session: &Session<'_>,
        region: Region,
    ) -> Result<Option<Known>, CliError> {
        if let Some(file) = &self.snapshot {
            return self.named(file, region).map(Some);
        }
        match session.existing_desk()? {
            Some(desk) if desk.mirror().exists() => {
                self.mirror(session, desk, region).await.map(Some)
            }
            _ if self.offline => Err(CliError::Usage(
                "--offline needs a mirror or a snapshot, and there is none: leave it out"
                    .to_owned(),
            )),
            _ => Ok(None),
        }
    }

    /// All contacts, which are read if they are not known; in a sandbox, which has no desk, for this
    /// command alone.
    pub(in crate::commands) async fn of_all(
        &self,
        session: &Session<'_>,
        need: Need,
        region: Region,
    ) -> Result<Known, CliError> {
        if self.snapshot.is_none() && session.has_desk() {
            return self.mirror(session, session.desk("--snapshot FILE")?, region).await;
        }
        match &self.snapshot {
            Some(file) if self.offline => self.named(file, region),
            file => fresh(session, file.as_deref(), need, region).await,
        }
    }

    /// The file that may know something now, as the owners' names.
    pub(in crate::commands) fn file(
        &self,
        session: &Session<'_>,
    ) -> Result<Option<PathBuf>, CliError> {
        file(session, self.snapshot.as_deref())
    }

    fn named(&self, file: &Path, region: Region) -> Result<Known, CliError> {
        let snapshot = Snapshot::open(file)?;
        read_by(&snapshot, region)?;
        let known = Known::kept(snapshot);
        let is_enough = self.offline || known.snapshot.is_fresh(self.age())?;
        if self.offline {
            known.tell_age("the snapshot")?;
        } else if !is_enough {
            let why = if known.snapshot.is_dated_ahead()? {
                "is dated in the future, so nobody knows its age"
            } else {
                "is older than --max-age"
            };
            note(format!("the snapshot {why}: reading the owners"));
        }
        Ok(Known { is_enough, ..known })
    }

    /// The mirror, updated unless it is young enough or to be used as it is.
    async fn mirror(
        &self,
        session: &Session<'_>,
        desk: &Desk,
        region: Region,
    ) -> Result<Known, CliError> {
        let file = desk.mirror();
        let is_there = file.exists();
        if is_there || self.offline {
            let snapshot = Snapshot::open(&file)?;
            read_desk_by(desk, &snapshot, region).await?;
            let known = Known::of_desk(desk, snapshot)?;
            let is_young = known.snapshot.is_fresh(self.age())?;
            if self.offline || is_young && !known.is_behind {
                known.tell_age("the mirror")?;
                return Ok(known);
            }
            note(if is_young {
                "something was sent since the mirror was read: updating it"
            } else {
                "the mirror is older than --max-age: updating it"
            });
        }
        up_to_date(session, desk, Need::Owners, region).await
    }

    fn age(&self) -> Duration {
        Duration::from_secs(self.max_age.saturating_mul(60))
    }
}

/// The file that is named, else the mirror of the desk if there is one.
pub(in crate::commands) fn file(
    session: &Session<'_>,
    named: Option<&Path>,
) -> Result<Option<PathBuf>, CliError> {
    if let Some(file) = named {
        return Ok(Some(file.to_owned()));
    }
    let desk = session.existing_desk()?;
    Ok(desk.map(Desk::mirror).filter(|file| file.exists()))
}

/// All contacts as they were when they were last read, without a call.
pub(super) async fn as_it_is(
    session: &Session<'_>,
    file: Option<&Path>,
    region: Region,
) -> Result<Known, CliError> {
    let known = KnownArgs { snapshot: file.map(Path::to_owned), max_age: 0, offline: true };
    known.of_all(session, Need::Owners, region).await
}

/// All contacts as they are now: in the file that is named, else in the mirror of the desk, else, in a
/// sandbox, which has no desk, as far as this command needs them and for it alone.
pub(in crate::commands) async fn fresh(
    session: &Session<'_>,
    file: Option<&Path>,
    need: Need,
    region: Region,
) -> Result<Known, CliError> {
    if file.is_none() && session.has_desk() {
        return up_to_date(session, session.desk("--snapshot FILE")?, need, region).await;
    }
    let (snapshot, folder) = snapshot::fresh(session, file, need, region).await?;
    Ok(Known { _folder: folder, ..Known::kept(snapshot) })
}

/// The mirror, read to the ends of the feeds. One command does so at a time.
async fn up_to_date(
    session: &Session<'_>,
    desk: &Desk,
    need: Need,
    region: Region,
) -> Result<Known, CliError> {
    let _alone = desk.alone_at_mirror().await?;
    let snapshot = snapshot::pull(session, &desk.mirror(), need, Some(region)).await?;
    remove_old_differences(desk, &snapshot)?;
    tell_refused(&snapshot)?;
    Ok(Known::kept(snapshot))
}

/// Removes what others changed that is older than the desk keeps it, and says how many differences.
pub(in crate::commands) fn remove_old_differences(
    desk: &Desk,
    mirror: &Snapshot,
) -> Result<u64, CliError> {
    let before = desk.card().differences_before(jiff::Timestamp::now());
    match before.and_then(|before| before.to_string().parse().ok()) {
        Some(before) => Ok(mirror.remove_differences_before(before)?),
        None => Ok(0),
    }
}

/// Has the numbers without a country code in the mirror of a desk read as numbers of this region,
/// while no other command updates it.
pub(in crate::commands) async fn read_desk_by(
    desk: &Desk,
    mirror: &Snapshot,
    region: Region,
) -> Result<(), CliError> {
    if mirror.region() == region {
        return Ok(());
    }
    let _alone = desk.alone_at_mirror().await?;
    read_by(mirror, region)
}
