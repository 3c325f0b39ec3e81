//! What a plan and a run of the ledger have in common.

use std::path::Path;

use clap::Args;
use crm_bulk::Target;
use crm_consent::{Ledger, Overridden, Reach, Reached};

use crate::{
    commands::{
        args::{Switch, narrow},
        change_sets::{known, owner_names::NameArgs, snapshot::Need},
    },
    error::CliError,
    output::{count, note},
    session::Session,
    signal::{Signal, until_signal},
};

/// How many of those that cannot be set are told.
const TOLD: usize = 3;

#[derive(Debug, Args)]
pub(super) struct ReachArgs {
    /// Leave people's contact methods out, for an app without their scope
    #[arg(long)]
    without_people: bool,

    /// The value of the other flags where the service does not say what a contact receives, since
    /// flags are set all or none; without it such a contact cannot be set
    #[arg(long, value_name = "on|off", hide_possible_values = true)]
    unknown_flags: Option<Switch>,
}

impl ReachArgs {
    /// Brings the mirror up to date and makes the set of all that is not yet so, with the names of its
    /// owners. There is none where nothing can be set.
    pub(super) async fn plan(
        &self,
        session: &Session<'_>,
        ledger: Ledger,
        set: &Path,
    ) -> Result<Result<Reached, Signal>, CliError> {
        until_signal(async {
            let known = known::fresh(session, None, Need::Owners, session.region()?).await?;
            let reach = narrow!(
                Reach::new(ledger, known.snapshot),
                without_people() if self.without_people,
                unknown_flags(self.unknown_flags.map(bool::from)),
            );
            let reached = reach.plan(&session.service, set).await?;
            if reached.changes > 0 {
                let mirror = known::file(session, None)?;
                NameArgs::default().find(session, mirror.as_deref(), false, set).await;
            }
            Ok(reached)
        })
        .await
    }
}

/// What is said in a sandbox of this command, which has no desk and so no ledger.
pub(super) const INSTEAD: &str = "a profile";

/// Tells what a plan has to say besides its set.
pub(super) fn tell(reached: &Reached) {
    reached.notes.iter().for_each(note);
    for (target, why) in reached.cannot.iter().take(TOLD) {
        note(format!("cannot be set: {target}: {why}"));
    }
    let more = reached.cannot.len().saturating_sub(TOLD);
    if more > 0 {
        note(format!("and {more} more: `crm consent due` lists them"));
    }
}

/// Tells what is turned off although somebody had it turned on against the wish.
pub(super) fn tell_overridden<'a>(
    all: impl IntoIterator<Item = (Target, &'a Overridden)>,
) -> Vec<String> {
    let mut all = all.into_iter();
    let told = all.by_ref().take(TOLD);
    let mut lines: Vec<_> = told.map(|(target, why)| format!("{target}: {why}")).collect();
    let more = all.count() as u64;
    if more > 0 {
        lines.push(format!("and {} that somebody turned on", count(more, "other")));
    }
    if !lines.is_empty() {
        lines.push("the wishes stand, so what is due is turned off again".to_owned());
    }
    lines
}
