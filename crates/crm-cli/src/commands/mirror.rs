//! `crm mirror`: the local copy of all contacts, their owners and people.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use crm_mirror::{Coverage, Feed, FeedState, Mirror, PeopleReach, Reach};
use serde::Serialize;

use super::{
    change_sets::{
        known::{self, Known},
        snapshot::{Need, pull},
    },
    sheet::ExportCommand,
};
use crate::{
    error::CliError,
    globals::{Format, Globals},
    output::{Output, count, note},
    session::{self, Session},
    signal::until_signal,
    status::Status,
};

/// What can be done with a mirror.
#[derive(Debug, Subcommand)]
pub(crate) enum MirrorCommand {
    /// Pull what is new of all contacts, their owners' names and addresses, and people into a file
    ///
    /// The first run reads everything, later ones only what changed; a run that was stopped
    /// continues where it was. Who was deleted among people is found out once a day, since all of
    /// them have to be read for that. `crm snapshot FILE` does the same.
    Update(Update),

    Export(Box<ExportCommand>),

    /// Show how fresh a mirror is, and how customers can be reached
    Status(In),
}

/// Which mirror it is.
#[derive(Debug, Args)]
pub(crate) struct In {
    /// The file of the mirror, which an update creates if it does not exist; without it the desk's
    #[arg(long, value_name = "FILE")]
    pub(crate) mirror: Option<PathBuf>,
}

/// Which mirror is brought up to date, and how far.
#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    mirror: In,

    /// Find out who was deleted among people now
    #[arg(long)]
    sweep: bool,
}

impl Update {
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<Status, CliError> {
        let need = if self.sweep { Need::Swept } else { Need::Owners };
        let updated = async {
            match &self.mirror.mirror {
                Some(file) => pull(session, file, need, None).await.map(Known::kept),
                None => known::fresh(session, None, need, session.region()?).await,
            }
        };
        match until_signal(updated).await? {
            Ok(known) => Held::of(&known.snapshot)?.write(session.output),
            Err(signal) => Ok(Status::Stopped(signal, None)),
        }
    }
}

impl In {
    pub(crate) async fn status(
        self,
        globals: &Globals,
        session: Option<&Session<'_>>,
        output: &Output,
    ) -> Result<Status, CliError> {
        match until_signal(self.open(globals, session)).await? {
            Ok(known) => Held::of(&known.snapshot)?.write(output),
            Err(signal) => Ok(Status::Stopped(signal, None)),
        }
    }

    /// Whether it takes a session: in a sandbox, which has no desk, a mirror is made for the command.
    pub(super) fn is_made(&self, globals: &Globals) -> bool {
        globals.sandbox && self.mirror.is_none()
    }

    /// The mirror as it is: the one that is named, else that of the desk, else the one that is
    /// [made](Self::is_made).
    pub(super) async fn open(
        &self,
        globals: &Globals,
        session: Option<&Session<'_>>,
    ) -> Result<Known, CliError> {
        if let Some(file) = &self.mirror {
            return Ok(Known::kept(Mirror::open(file)?));
        }
        if let Some(session) = session.filter(|session| !session.has_desk()) {
            return known::fresh(session, None, Need::Owners, session.region()?).await;
        }
        let place = session::desk(globals, "--mirror FILE")?;
        let Some(desk) = place.existing()?.filter(|desk| desk.mirror().exists()) else {
            return Err(CliError::Usage(
                "this account has no mirror yet: `crm mirror update` makes one, or give --mirror FILE"
                    .to_owned(),
            ));
        };
        let mirror = Mirror::open(desk.mirror())?;
        known::read_desk_by(desk, &mirror, desk.region()).await?;
        Known::of_desk(desk, mirror)
    }
}

/// Pull all contacts into a file, to plan changes from
///
/// All contacts of customers and locations, deleted ones marked, and the owners' names and
/// addresses, and people. The first run reads everything, later ones only what changed; a run that was stopped
/// continues where it was. Another name of `crm mirror update`.
#[derive(Debug, Args)]
pub(crate) struct SnapshotCommand {
    /// The file; created if it does not exist
    file: PathBuf,
}

impl SnapshotCommand {
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<Status, CliError> {
        Update { mirror: In { mirror: Some(self.file) }, sweep: false }.run(session).await
    }
}

/// What a mirror holds, and how old it is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Held {
    contacts: u64,
    deleted: u64,
    owners: u64,
    preferences_unknown: u64,
    of_inactive_owners: u64,
    /// What cannot be read: the ids of each record, as far as they are known, and why.
    unreadable: Vec<String>,
    by_type: serde_json::Map<String, serde_json::Value>,
    customers: Reach,
    people: PeopleReach,
    feeds: Vec<Fresh>,
}

/// How far a mirror is in a feed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fresh {
    feed: Feed,
    complete_at: Option<String>,
    /// When all were last seen of which nobody tells the deletions.
    swept_at: Option<String>,
    /// Why the service did not give it the last time.
    refused: Option<String>,
}

impl From<FeedState> for Fresh {
    fn from(state: FeedState) -> Self {
        let [complete_at, swept_at] =
            [state.complete_at, state.swept_at].map(|at| at.map(|at| at.to_string()));
        Self { feed: state.feed, complete_at, swept_at, refused: state.refused }
    }
}

impl Held {
    pub(super) fn of(mirror: &Mirror) -> Result<Self, CliError> {
        let Coverage {
            contacts,
            deleted,
            owners,
            preferences_unknown,
            of_inactive_owners,
            by_type,
            customers,
            people,
            ..
        } = mirror.coverage()?;
        let unreadable = mirror.unreadable()?;
        Ok(Self {
            contacts,
            deleted,
            owners,
            preferences_unknown,
            of_inactive_owners,
            unreadable: unreadable.iter().map(ToString::to_string).collect(),
            by_type: by_type.into_iter().map(|(kind, n)| (kind, n.into())).collect(),
            customers,
            people,
            feeds: mirror.feeds()?.into_iter().map(Fresh::from).collect(),
        })
    }

    pub(super) fn write(&self, output: &Output) -> Result<Status, CliError> {
        for record in &self.unreadable {
            note(format!("set aside, since it cannot be read: {record}"));
        }
        for Fresh { feed, refused, complete_at, .. } in &self.feeds {
            // Methods are refused as people are, for want of one scope.
            let is_told = *feed == Feed::ContactMethods && self.are_people_refused();
            if let Some(why) = refused.as_ref().filter(|_| !is_told) {
                let are = match complete_at {
                    None => "are not in the mirror".to_owned(),
                    Some(at) => format!("are in the mirror as of {at}"),
                };
                note(format!("{} {are}: {why}", feed.name()));
            }
        }
        match output.format() {
            Format::Table => output.text(&self.text())?,
            _ => output.value(self)?,
        }
        Ok(Status::Done)
    }

    fn are_people_refused(&self) -> bool {
        self.feeds.iter().any(|fresh| fresh.feed == Feed::People && fresh.refused.is_some())
    }

    fn text(&self) -> String {
        let types: Vec<_> = self.by_type.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
        let mut lines = vec![
            format!(
                "{} of {}: {}",
                count(self.contacts, "contact"),
                match self.owners {
                    1 => "1 customer or location".to_owned(),
                    owners => format!("{owners} customers and locations"),
                },
                types.join(", ")
            ),
            format!(
                "{} more are deleted; of {} the preferences are not known; {} are of deactivated \
                 or merged owners",
                self.deleted, self.preferences_unknown, self.of_inactive_owners
            ),
        ];
        let Reach { known, with_phone, with_email, with_both, only_on_location, .. } =
            self.customers;
        if known > 0 {
            lines.push(format!(
                "of {}: {with_phone} with a phone, {with_email} with an e-mail, {with_both} with \
                 both; {only_on_location} with contacts only on a location",
                count(known, "active customer")
            ));
        }
        let PeopleReach { known, archived, methods, with_phone, with_email, with_both, .. } =
            self.people;
        if known > 0 {
            lines.push(format!(
                "{} ({archived} archived) with {}: {with_phone} with a phone, {with_email} with an \
                 e-mail, {with_both} with both",
                match known {
                    1 => "1 person".to_owned(),
                    people => format!("{people} people"),
                },
                count(methods, "contact method")
            ));
        }
        if !self.unreadable.is_empty() {
            let unreadable = count(self.unreadable.len() as u64, "record");
            lines.push(format!("cannot be read: {unreadable}"));
        }
        for Fresh { feed, complete_at, swept_at, .. } in &self.feeds {
            let at = complete_at.as_deref().unwrap_or("never to its end");
            let swept = swept_at.as_ref().map(|at| format!(", who is gone removed {at}"));
            lines.push(format!("{}: read {at}{}", feed.name(), swept.unwrap_or_default()));
        }
        lines.join("\n")
    }
}
