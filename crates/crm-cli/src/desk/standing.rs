//! How far each change set of a desk is.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crm_bulk::{BulkError, ChangeSet, ReverseSet, SetInfo, State, Totals};
use serde::Serialize;

use super::{
    error::DeskError,
    folder::{ARCHIVE, Desk},
    reverses::Head,
    sets::stem,
};

/// How far a set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Standing {
    /// Nothing has been sent yet.
    Planned,
    /// Nothing has been sent yet, and somebody has approved it as it is.
    Approved,
    /// A run has it, or was cut off; what was in flight is not known.
    Interrupted,
    /// Something has been sent and something is open, or was not done.
    Partly,
    /// All of it has been done.
    Applied,
    /// Nothing is left to be sent, and nothing was done: it could not be made.
    NotDone,
    /// Nothing has to be done: all of it was so already, or was taken out.
    Settled,
    /// All that was done has been undone.
    Undone,
    /// Something that was done has been undone, and something still stands.
    PartlyUndone,
    /// It goes on in another store.
    Moved,
    /// It has no changes.
    Empty,
    /// The file cannot be read.
    Unreadable,
}

impl Standing {
    /// Its name in output.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Approved => "approved",
            Self::Interrupted => "interrupted",
            Self::Partly => "partly",
            Self::Applied => "applied",
            Self::NotDone => "not-done",
            Self::Settled => "settled",
            Self::Undone => "undone",
            Self::PartlyUndone => "partly-undone",
            Self::Moved => "moved",
            Self::Empty => "empty",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A set of a desk as lists show it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SetEntry {
    pub(crate) name: String,
    pub(crate) state: Standing,
    kind: Option<&'static str>,
    changes: u64,
    done: u64,
    /// Changes that were so already.
    already: u64,
    /// How many changes other sets have undone.
    undone: u64,
    pub(crate) open: u64,
    /// Changes that were refused or set aside.
    not_done: u64,
    /// Changes that a person took out.
    dropped: u64,
    /// The user who planned it, as the system knows.
    planned_by: Option<String>,
    pub(crate) planned_at: Option<String>,
    /// Who approved it as it is: the user, and the name that was said.
    approved_by: Option<String>,
    source: Option<String>,
    pub(crate) bytes: u64,
    pub(crate) archived: bool,
    pub(crate) file: PathBuf,
    /// Why it cannot be read.
    problem: Option<String>,
    /// What tells which sets it reverses; none if it cannot be read.
    #[serde(skip)]
    head: Option<Head>,
}

crate::output::records! {
    SetEntry {
        "name" => "NAME", "state" => "STATE", "kind", "changes" => "CHANGES", "done" => "DONE",
        "already" => "ALREADY", "undone" => "UNDONE", "open" => "OPEN", "notDone" => "NOT DONE",
        "dropped" => "DROPPED", "plannedBy" => "BY", "plannedAt" => "PLANNED", "approvedBy",
        "source", "bytes", "archived" => "ARCHIVED", "file", "problem",
    }
}

impl Desk {
    /// All sets with how far they are, archived ones last.
    pub(crate) fn entries(&self) -> Result<Vec<SetEntry>, DeskError> {
        let files = self.set_files()?;
        let mut entries: Vec<_> = files.into_iter().map(SetEntry::of).collect();
        let elsewhere = self.files_elsewhere().into_iter();
        let elsewhere = elsewhere.filter_map(|file| Head::read(&file).ok());
        let known = entries.iter().filter_map(|entry| entry.head.clone());
        let known: Vec<_> = known.chain(elsewhere).collect();
        let reversed_by = |head: &Head| head.reversed_by(&known);
        let reverses: Vec<_> = entries
            .iter()
            .map(|entry| entry.head.as_ref().map(reversed_by).unwrap_or_default())
            .collect();
        for (entry, reverses) in entries.iter_mut().zip(reverses) {
            entry.look_at_reverses(reverses);
        }
        Ok(entries)
    }
}

impl SetEntry {
    pub(super) fn of(file: PathBuf) -> Self {
        let mut entry = Self {
            name: stem(&file),
            state: Standing::Unreadable,
            kind: None,
            changes: 0,
            done: 0,
            already: 0,
            undone: 0,
            open: 0,
            not_done: 0,
            dropped: 0,
            planned_by: None,
            planned_at: None,
            approved_by: None,
            source: None,
            bytes: size(&file),
            archived: file.parent().is_some_and(|folder| folder.ends_with(ARCHIVE)),
            problem: None,
            head: None,
            file,
        };
        if let Err(error) = entry.read() {
            entry.problem = Some(error.to_string());
        }
        entry
    }

    fn read(&mut self) -> Result<(), BulkError> {
        let set = ChangeSet::open(&self.file)?;
        let (info, totals) = (set.info()?, set.totals()?);
        self.changes = totals.all();
        self.done = totals.in_state(State::Done);
        self.already = totals.in_state(State::Already);
        self.dropped = totals.in_state(State::Dropped);
        self.open = totals.open();
        self.not_done = totals.count(State::is_set_aside);
        self.state = standing(&totals, self.not_done, set.has_open_run()?);
        let approval = set.approval()?;
        if approval.is_some() && self.state == Standing::Planned {
            self.state = Standing::Approved;
        }
        if info.moved.is_some() {
            self.state = Standing::Moved;
        }
        self.approved_by = approval.map(|approval| approval.who());
        self.head = Some(Head::of(&self.file, &info));
        let SetInfo { kind, planned_by, created_at, source, .. } = info;
        self.kind = Some(kind.as_str());
        self.planned_by = planned_by;
        self.planned_at = created_at.map(|at| at.to_string());
        self.source = source;
        Ok(())
    }

    /// Counts what these sets have undone of it.
    fn look_at_reverses(&mut self, reverses: Vec<ReverseSet>) {
        let is_over = matches!(self.state, Standing::Applied | Standing::Partly);
        if !is_over || reverses.is_empty() {
            return;
        }
        match ChangeSet::open(&self.file).and_then(|set| set.reversed_by(reverses).undone()) {
            Ok(undone) if undone.changes() == 0 => {}
            Ok(undone) => {
                self.undone = undone.changes();
                self.state = match undone.standing {
                    0 => Standing::Undone,
                    _ => Standing::PartlyUndone,
                };
            }
            Err(error) => self.problem = Some(format!("what was undone of it: {error}")),
        }
    }

    /// Removes its file, with what SQLite keeps beside it.
    pub(crate) fn remove(&self) -> Result<(), DeskError> {
        remove_database(&self.file)
    }

    /// Why nothing may be done to its file now, if something is in the way.
    pub(crate) fn in_the_way(&self) -> Option<&'static str> {
        match self.state {
            Standing::Interrupted => {
                Some("a run has it or was cut off: `crm apply` brings it to its end first")
            }
            _ => None,
        }
    }

    /// Whether nothing of it is left to be sent.
    pub(crate) fn is_over(&self) -> bool {
        let is_over = match self.state {
            Standing::Applied
            | Standing::NotDone
            | Standing::Settled
            | Standing::Undone
            | Standing::PartlyUndone
            | Standing::Empty
            | Standing::Partly => self.open == 0,
            Standing::Planned
            | Standing::Approved
            | Standing::Interrupted
            | Standing::Moved
            | Standing::Unreadable => false,
        };
        is_over || self.archived
    }
}

fn standing(totals: &Totals, not_done: u64, has_open_run: bool) -> Standing {
    let done = totals.in_state(State::Done);
    if has_open_run || totals.count(State::may_be_sent) > 0 {
        return Standing::Interrupted;
    }
    match (done, totals.open(), not_done) {
        (0, 0, 0) if totals.all() == 0 => Standing::Empty,
        (0, 0, 0) => Standing::Settled,
        (0, 0, _) => Standing::NotDone,
        (0, ..) => Standing::Planned,
        (_, 0, 0) => Standing::Applied,
        _ => Standing::Partly,
    }
}

/// How many bytes a file takes, with what SQLite keeps beside it.
pub(crate) fn size(file: &Path) -> u64 {
    let beside = ["-wal", "-shm"].map(|end| with_end(file, end));
    let all = beside.iter().map(PathBuf::as_path).chain([file]);
    all.filter_map(|path| Some(fs::metadata(path).ok()?.len())).sum()
}

/// Removes a database and what SQLite keeps beside it.
pub(super) fn remove_database(file: &Path) -> Result<(), DeskError> {
    let failed = |source| DeskError::io(file, "removed", source);
    fs::remove_file(file).map_err(failed)?;
    for end in ["-wal", "-shm"] {
        match fs::remove_file(with_end(file, end)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    Ok(())
}

/// The name of a file beside another one.
fn with_end(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}
