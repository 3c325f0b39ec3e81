//! `crm show`: the changes of a set, one by one.

use std::path::PathBuf;

use clap::Args;
use crm_bulk::{
    BulkError, Change, ChangeId, ChangeSet, Image, Named, Restored, Selection, State, Target,
    UndoneChanges,
};
use serde::Serialize;

use super::{
    line::{INDENT, about, difference},
    owner_names::Names,
    select::SelectArgs,
    summary::name,
};
use crate::{
    commands::{
        args::{narrow, whole},
        ledger,
    },
    error::CliError,
    globals::Globals,
    output::{Output, count, note, records},
    session,
    status::Status,
};

/// List the changes of a set, with what was there before and the outcome of each
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The change set: a file, or the name of one of the desk
    pub(crate) set: PathBuf,

    /// Only in these states: planned, already, in-flight, done, failed, unknown, drifted,
    /// not-found, conflict, held, dropped
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    state: Vec<State>,

    /// Only the changes that this row of the input asks for
    #[arg(long, value_name = "ROW", value_parser = whole(1_u64, None))]
    row: Option<u64>,

    #[command(flatten)]
    select: SelectArgs,

    /// At most this many
    #[arg(long, value_name = "N", value_parser = whole(0_u32, None))]
    limit: Option<u32>,
}

/// Of how many changes the names are looked up at a time.
const AT_A_TIME: usize = 500;

/// Which change it is, as every list of changes begins.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Which {
    id: String,
    row: Option<u64>,
    /// The kind of the owner and the ids.
    #[serde(flatten)]
    target: Target,
    owner_name: Option<String>,
    owner_town: Option<String>,
    #[serde(rename = "type")]
    contact_type: Option<String>,
    value: Option<String>,
    action: &'static str,
    /// The contact that has to be the same and stay.
    same_as: Option<String>,
    /// Why it was planned.
    why: Option<String>,
    /// What to look at before it is applied.
    caution: Option<String>,
    /// For people: the lines that the change begins with.
    #[serde(skip)]
    pub(super) about: Vec<String>,
}

impl Which {
    pub(super) fn of(change: &Change, named: Option<&Named>) -> Self {
        let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Self {
            id: change.id.to_string(),
            row: change.row,
            target: change.target,
            owner_name: named.and_then(|named| known(named.name())),
            owner_town: named.and_then(|named| known(named.town())),
            contact_type: change.contact_type().map(|kind| kind.as_str().to_owned()),
            value: change.value().map(str::to_owned),
            action: change.action.name(),
            same_as: change.action.stand_in().map(|it| it.contact.to_string()),
            why: change.why.clone(),
            caution: change.caution.clone(),
            about: about(&format!("{}. ", change.id), change, named),
        }
    }
}

/// A change as it is shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    #[serde(flatten)]
    which: Which,
    change: String,
    state: State,
    message: Option<String>,
    field_errors: Option<String>,
    trace_id: Option<String>,
    http_status: Option<u16>,
    at: Option<String>,
    attempts: u32,
    /// The set that has undone it.
    undone_by: Option<String>,
    /// The contact that it created again in place of one that was deleted.
    restored_contact_id: Option<String>,
    /// What the service stored in place of the number or address that was there before.
    restored_value: Option<String>,
    /// The change of an earlier row that it repeats, and whose outcome it has.
    repeats: Option<String>,
    /// What the service stored in place of the value that was sent, and whether that is another way to
    /// write the same number or address.
    stored_as: Option<String>,
    stored_reading: Option<&'static str>,
    before: Option<Image>,
    after: Option<Image>,
    /// For people: how what was undone is not as it was before.
    #[serde(skip)]
    restored: Option<String>,
}

records! {
    Shown {
        "id" => "ID", "row", "ownerKind", "ownerId", "contactId", "ownerName" => "NAME",
        "ownerTown" => "TOWN", "type", "value" => "VALUE", "action", "sameAs", "why", "caution", "change" => "CHANGE",
        "state" => "STATE", "message" => "MESSAGE", "fieldErrors", "traceId", "httpStatus", "at",
        "attempts", "undoneBy", "restoredContactId", "restoredValue", "repeats", "storedAs", "storedReading", "before", "after";
        lines: Shown::lines
    }
}

impl Shown {
    pub(super) fn of(
        change: Change,
        names: &mut Names,
        (undone, repeats): (Option<&UndoneChanges>, Option<ChangeId>),
    ) -> Result<Self, BulkError> {
        let undone_by = undone.and_then(|undone| undone.by(change.id));
        let restored = undone.and_then(|undone| undone.restored(change.id));
        let named = names.of_owner(&change.target)?;
        let stored = change.stored().map(|it| (it.value.to_owned(), it.reading()));
        let (stored_as, stored_reading) = stored.unzip();
        Ok(Self {
            which: Which::of(&change, named),
            change: difference(&change),
            state: change.outcome.state,
            message: change.outcome.message,
            field_errors: change.outcome.field_errors,
            trace_id: change.outcome.trace_id,
            http_status: change.outcome.http_status,
            at: change.outcome.at.map(|at| at.to_string()),
            attempts: change.outcome.attempts,
            undone_by: undone_by.map(|by| name(&by.set)),
            restored_contact_id: restored.and_then(|it| Some(it.contact?.to_string())),
            restored_value: restored.and_then(|it| it.value.clone()),
            restored: restored.map(Restored::to_string),
            repeats: repeats.map(|id| id.to_string()),
            stored_as,
            stored_reading,
            before: change.before,
            after: change.after,
        })
    }

    /// Whether the owner has no name here: only those are looked for about whom there is something to
    /// do.
    fn lacks_name(&self) -> bool {
        let Which { target, owner_name, owner_town, .. } = &self.which;
        let is_nameless = owner_name.is_none() && owner_town.is_none();
        is_nameless && target.owner().is_some() && self.state != State::Already
    }

    /// As people read it.
    fn lines(&self) -> Vec<String> {
        let mut lines = self.which.about.clone();
        if !self.change.is_empty() {
            lines.push(format!("{INDENT}{}", self.change));
        }
        lines.extend(self.which.why.as_ref().map(|why| format!("{INDENT}{why}")));
        let is_open = self.state == State::Planned;
        let first = if is_open { "look at this first" } else { "was to be looked at first" };
        let caution = self.which.caution.as_ref();
        lines.extend(caution.map(|caution| format!("{INDENT}{first}: {caution}")));
        let repeats = self.repeats.as_ref().map(|id| format!(", repeats {id}"));
        let stored = self.stored_as.as_ref().map(|value| match self.stored_reading {
            Some("same") => format!(", stored as {value}"),
            _ => format!(", stored as {value}, which is another one"),
        });
        let undone = self.undone_by.as_ref().map(|set| format!(", undone by {set}"));
        let restored = self.restored.as_ref().map(|how| format!(" ({how})"));
        let more = [repeats, stored, undone, restored].into_iter().flatten().collect::<String>();
        let state = format!("{}{more}", self.state.in_words());
        lines.push(match &self.message {
            Some(message) => format!("{INDENT}{state}: {message}"),
            None => format!("{INDENT}{state}"),
        });
        lines
    }
}

impl Show {
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<Status, CliError> {
        let mut records = output.records::<Shown>()?;
        records.if_none("no change is all that was asked for");
        let selection = self.select.narrow(self.state).map_err(CliError::Usage)?;
        let selection = narrow!(selection, row(self.row), limit(self.limit)).following_repeats();
        let set = ChangeSet::open(&self.set)?.reversed_by(session::reverses(globals, &self.set));
        tell_digest(&set)?;
        let ledger = ledger::of_account(globals);
        ledger::taken_back(ledger.as_ref(), &set)?.iter().for_each(note);
        let undone = set.undone_changes()?;
        let mut names = Names::of(&self.set)?;
        let (mut written, mut nameless) = (0_u64, 0_u64);
        let each = |shown: Shown| {
            records.push(&shown)?;
            written += 1;
            nameless += u64::from(shown.lacks_name());
            Ok(())
        };
        if let Err(error) = each_shown(&set, &selection, &mut names, &undone, each) {
            // What was read is shown; a reader that went away hides no error.
            let _ = records.interrupt();
            return Err(error);
        }
        records.finish()?;
        let totals = set.totals()?;
        let all = totals.all() + totals.repeats();
        if written < all {
            note(format!("{written} of {} shown", count(all, "change")));
        }
        if nameless > 0 {
            let (changes, set) = (count(nameless, "change"), name(&self.set));
            note(format!("{changes} without a name: `crm names {set}` looks for them"));
        }
        Ok(Status::Done)
    }
}

/// Hands over one change after the other. The names of some are looked up at a time.
fn each_shown(
    set: &ChangeSet,
    selection: &Selection,
    names: &mut Names,
    undone: &UndoneChanges,
    mut each: impl FnMut(Shown) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let mut changes = set.changes(selection);
    loop {
        let some: Vec<_> = changes.by_ref().take(AT_A_TIME).collect();
        if some.is_empty() {
            return Ok(());
        }
        names.look_up(some.iter().flatten())?;
        for change in some {
            let (change, repeats) = set.with_outcome(change?)?;
            each(Shown::of(change, names, (Some(undone), repeats))?)?;
        }
    }
}

/// Tells the digest, on stderr since stdout is for the changes. A set of version 0.1 gets its own
/// now that somebody looks at it.
fn tell_digest(set: &ChangeSet) -> Result<(), CliError> {
    let digest = match set.adopt() {
        Ok(Some(digest)) => {
            note("this set was written by version 0.1 without a digest; it has one from now on");
            Some(digest)
        }
        Ok(None) => set.info()?.digest,
        Err(error) => {
            note(format!("the digest cannot be kept in the set: {error}"));
            None
        }
    };
    if let Some(digest) = digest {
        note(format!("digest {}", digest.short()));
    }
    Ok(())
}
