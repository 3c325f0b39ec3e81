//! The names of the owners of a set: read when it is planned, and shown wherever it is.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
};

use clap::Args;
use crm_bulk::{BulkError, Change, ChangeSet, Named, Naming, Snapshot, Target};

use crate::{
    output::{count, note},
    progress::Progress,
    session::Session,
};

#[derive(Debug, Default, Args)]
pub(crate) struct NameArgs {
    /// Do not look for the names and towns of customers and locations, nor for those of people, which
    /// takes a call for 50 of the first and for each of the others that the mirror does not have: show
    /// their ids alone
    #[arg(long)]
    pub(in crate::commands) no_names: bool,
}

impl NameArgs {
    /// Finds the names for a set that was planned just now: in the mirror where there is one, and of
    /// the others by calls, unless none is to be made, and returns how many there are. Whatever
    /// prevents it is told: the set is whole without them.
    pub(in crate::commands) async fn find(
        &self,
        session: &Session<'_>,
        mirror: Option<&Path>,
        is_offline: bool,
        set: &Path,
    ) -> u64 {
        if self.no_names {
            return 0;
        }
        let known = mirror.map(|mirror| in_mirror(mirror, set)).transpose();
        let known = known.unwrap_or_else(|error| {
            note(format!("no names from the mirror: {error}"));
            None
        });
        let known = known.unwrap_or_default();
        if !is_offline {
            return known.named + self.read(session, set).await;
        }
        if known.unknown > 0 {
            let owners = count(known.unknown, "customer or location");
            note(format!("ids instead of names: the mirror does not have {owners}"));
        }
        known.named
    }

    async fn read(&self, session: &Session<'_>, set: &Path) -> u64 {
        let progress = Arc::new(Progress::before_the_answer("customers and locations named"));
        let advance = Arc::clone(&progress);
        let each = move |owners| advance.advance(usize::try_from(owners).unwrap_or(usize::MAX));
        let named = async {
            let site = session.site();
            ChangeSet::open(set)?.name_owners(&session.service, &site, each).await
        };
        let named = named.await;
        drop(progress);
        match &named {
            Ok(naming) => tell_nameless(naming),
            Err(error) => note(format!("ids instead of names: {error}")),
        }
        named.map_or(0, |naming| naming.named)
    }
}

/// Says who is not named, and why.
fn tell_nameless(naming: &Naming) {
    let kinds = naming.refused.iter().map(|kind| match *kind {
        "person" => "people".to_owned(),
        kind => format!("{kind}s"),
    });
    let kinds: Vec<_> = kinds.collect();
    if !kinds.is_empty() {
        let scope = if kinds.len() == 1 { "the scope" } else { "the scopes" };
        note(format!(
            "ids instead of names: the app lacks {scope} to read {} (--no-names does not try)",
            kinds.join(" and ")
        ));
    }
    if naming.people_left > 0 {
        note(format!(
            "ids instead of names for {}: the service tells one a call; after `crm mirror update` the \
             mirror has all, and `crm names` takes them from it",
            count(naming.people_left, "more person").replace("persons", "people")
        ));
    }
}

fn in_mirror(mirror: &Path, set: &Path) -> Result<Naming, BulkError> {
    ChangeSet::open(set)?.name_owners_from(&Snapshot::open(mirror)?)
}

/// The names that a set has, looked up for one change after another.
pub(in crate::commands) struct Names {
    set: ChangeSet,
    /// What was found last, by a record of each owner or person.
    known: HashMap<Target, Option<Named>>,
}

/// How many names are in memory at a time.
const AT_ONCE: usize = 1_000;

/// A target that is the same for all records of an owner or a person.
fn whose(target: &Target) -> Target {
    match target.owner() {
        Some(owner) => Target::Contact { owner, contact: None },
        None => *target,
    }
}

impl Names {
    /// Opens the set once more to look them up, whatever is done with it meanwhile.
    pub(in crate::commands) fn of(set: &Path) -> Result<Self, BulkError> {
        Ok(Self { set: ChangeSet::open(set)?, known: HashMap::new() })
    }

    /// Looks up the owners of all these changes, before they are asked for one by one.
    pub(in crate::commands) fn look_up<'c>(
        &mut self,
        changes: impl IntoIterator<Item = &'c Change>,
    ) -> Result<(), BulkError> {
        let owners = changes.into_iter().filter_map(|change| change.target.owner());
        let owners: HashSet<_> = owners.collect();
        let mut named = self.set.named_owners(owners.iter().copied())?;
        let of = |owner| Target::Contact { owner, contact: None };
        let known = owners.into_iter().map(|it| (of(it), named.remove(&it).map(Named::Owner)));
        self.known = known.collect();
        Ok(())
    }

    /// The name of whose record it is.
    pub(in crate::commands) fn of_owner(
        &mut self,
        target: &Target,
    ) -> Result<Option<&Named>, BulkError> {
        let whose = whose(target);
        if !self.known.contains_key(&whose) {
            let named = self.set.named(target)?;
            if self.known.len() >= AT_ONCE {
                self.known.clear();
            }
            self.known.insert(whose, named);
        }
        Ok(self.known.get(&whose).and_then(Option::as_ref))
    }
}
