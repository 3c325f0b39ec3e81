//! The mark of an open run in the main file of a change set.
//!
//! While a set is carried out, what is durable lies partly in its journal, the file `NAME-wal`.
//! A set that parts from its journal (copied without it, moved, reached by a second name) looks
//! whole and is not. So before a run commits anything else, the main file itself says that a run
//! is open, under which name, and which file it was; a clean end takes that back.
//!
//! How far the journal goes, processes tell each other through its index, the file `NAME-shm`. One
//! that gets another index, since somebody removed the file, would see no sign of life of the run
//! and write over what that has written. So the mark says which file the index is, too.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crm_mirror::disk::{
    file_id::{FileId, Sight},
    journal::{has_journal, index, journal},
    journal_end::has_lost_commits,
};
use rusqlite::{Connection, OptionalExtension, params};

/// An open run, as the file says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunMark {
    path: PathBuf,
    file: [i64; 2],
    /// Which file the index of its journal is.
    index: Option<i64>,
    /// The boot of the machine in which the run was begun.
    boot: String,
}

/// The fact about a set that says in which file its last run was.
pub(crate) const RUN_IN: &str = "run_in";

impl RunMark {
    /// The mark that a set bears.
    pub(crate) fn read(set: &Connection) -> rusqlite::Result<Option<Self>> {
        let sql = "SELECT path, device, inode, journal_index, boot FROM owner
            WHERE path IS NOT NULL";
        set.query_row(sql, [], |row| {
            Ok(Self {
                path: PathBuf::from(row.get::<_, String>("path")?),
                file: [row.get("device")?, row.get("inode")?],
                index: row.get("journal_index")?,
                boot: row.get("boot")?,
            })
        })
        .optional()
    }

    /// Marks the set, which has an owner.
    pub(crate) fn set(set: &Connection, path: &Path, file: &FileId) -> rusqlite::Result<()> {
        let [device, inode] = file.columns();
        let sql = "UPDATE owner SET path = ?, device = ?, inode = ?, journal_index = ?";
        set.execute(sql, params![path.to_string_lossy(), device, inode, index_at(path)])?;
        Ok(())
    }

    /// The file in which the last run was, also one that has ended in good order.
    pub(crate) fn last(set: &Connection) -> rusqlite::Result<Option<Self>> {
        let sql = "SELECT value FROM meta WHERE name = ?";
        let kept = set.query_row(sql, [RUN_IN], |row| row.get::<_, String>("value")).optional()?;
        let read = |kept: String| serde_json::from_str::<(PathBuf, [i64; 2])>(&kept).ok();
        let kept = kept.and_then(read);
        Ok(kept.map(|(path, file)| Self { path, file, index: None, boot: String::new() }))
    }

    /// Keeps in which file the run is, for good.
    pub(crate) fn keep(set: &Connection, path: &Path, file: &FileId) -> rusqlite::Result<()> {
        let kept = serde_json::json!([path.to_string_lossy(), file.columns()]).to_string();
        let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)";
        set.execute(sql, [RUN_IN, &kept])?;
        Ok(())
    }

    /// Takes the mark of this epoch back.
    pub(crate) fn clear(set: &Connection, epoch: u64) -> rusqlite::Result<()> {
        let sql = "UPDATE owner SET path = NULL, device = NULL, inode = NULL, journal_index = NULL
            WHERE epoch = ?";
        set.execute(sql, [epoch])?;
        Ok(())
    }

    /// How a marked set at this path came to be without its journal, or without a part of it. `None`
    /// when it did so in good order: the last program to close a database moves what is in the
    /// journal into it, and removes the journal and its index together.
    pub(crate) fn parted(&self, path: &Path) -> Option<Parted> {
        if has_journal(path) {
            let original = || self.original_of(path).map_or(Parted::Damaged, Parted::Copied);
            return self.has_lost_commits(path).then(original);
        }
        let is_same_file = self.is_file_at(path);
        let was_closed = !has_traces(&self.path) && !has_traces(path);
        let run = self.path.clone();
        match (self.path == path, is_same_file) {
            (_, true) if was_closed => None,
            (true, _) => Some(Parted::Lost),
            (false, false) if self.is_file_at(&self.path) => Some(Parted::Copied(run)),
            // Onto another disk: the copy is what is left.
            (false, false) => Some(Parted::Moved(run)),
            (false, true) if self.is_file_at(&self.path) => Some(Parted::Linked(run)),
            (false, true) => Some(Parted::Moved(run)),
        }
    }

    /// Whether the journal beside this path was cut short or damaged. What cannot be read is told
    /// when the set is opened in earnest; where boots are not told apart, nothing is known.
    fn has_lost_commits(&self, path: &Path) -> bool {
        let is_of_this_boot = !self.boot.is_empty() && self.boot == boot();
        is_of_this_boot && has_lost_commits(path).unwrap_or_default()
    }

    /// Whether the file at this path is the one whose run is open.
    fn is_file_at(&self, path: &Path) -> bool {
        Sight::of(path).is_ok_and(|sight| sight.id.columns() == self.file)
    }

    /// Whether the index of its journal is no longer where it was: whoever opens the set here does
    /// not see what the run does.
    pub(crate) fn lost_its_index(&self, path: &Path) -> bool {
        self.index.is_some() && self.index != index_at(path)
    }

    /// The set whose run is open, if it is still there and the marked set at this path is a copy
    /// of it. What both still have to do would be done twice.
    pub(crate) fn original_of(&self, path: &Path) -> Option<PathBuf> {
        let is_copy = !self.is_file_at(path) && self.is_file_at(&self.path);
        is_copy.then(|| self.path.clone())
    }

    /// The name under which the run is open, if it is another one of the file at this path: the
    /// journal has that name.
    pub(crate) fn other_name_of(&self, path: &Path) -> Option<PathBuf> {
        let is_link = self.path != path && self.is_file_at(path) && self.is_file_at(&self.path);
        is_link.then(|| self.path.clone())
    }
}

/// How a change set came to be without the whole journal of its last run, or next to the set that
/// has it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Parted {
    /// The set was copied from where the run was, without its journal or with a part of it; the
    /// original is still there and is the one to apply.
    Copied(PathBuf),
    /// The set was moved without its journal from where the run was.
    Moved(PathBuf),
    /// The set has a second name; the run was under the one given here.
    Linked(PathBuf),
    /// The journal was deleted.
    Lost,
    /// The journal was cut short or damaged: it ends before what was committed last.
    Damaged,
    /// The index of the journal was deleted while a process carries the set out.
    Unindexed,
    /// The set is a copy of the set at this path, which was begun and is still there: made together
    /// with the journal, or when no run was open. It can be inspected.
    Twin(PathBuf),
}

impl Parted {
    /// What happened to the set at this path, and how to cure it.
    pub(crate) fn explain(&self, path: &Path) -> String {
        let journal = journal(path);
        let journal = journal.display();
        let how = match self {
            Self::Twin(run) => {
                return format!(
                    "it is a copy of {}, which was begun: apply that one instead, or the remaining \
                     changes would be made twice; if that one is not needed, remove it first",
                    run.display()
                );
            }
            Self::Copied(run) => format!(
                "it was copied without its whole journal; use the original, {}, and remove this copy",
                run.display()
            ),
            Self::Moved(run) => format!(
                "it was moved without its journal; once no run is open any longer, move {}-wal to \
                 {journal}",
                run.display()
            ),
            Self::Linked(run) => format!(
                "it is a second name of {}; use that one, and remove this one",
                run.display()
            ),
            Self::Unindexed => format!(
                "{} was removed while a process carries the set out; wait until that has ended",
                index(path).display()
            ),
            Self::Damaged => format!(
                "its journal {journal} is cut short or damaged; bring it back as it was, or make a \
                 new plan from the present state of the records"
            ),
            Self::Lost => format!(
                "its journal {journal} is missing; bring it back, or make a new plan from the \
                 present state of the records"
            ),
        };
        format!("its last run did not end, and not all that it did is in this file: {how}")
    }
}

/// What tells this boot of the machine from others; empty where that is not known.
pub(crate) fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.unwrap_or_default().trim().to_owned()
}

/// Which file the index of the journal of the set at this path is.
fn index_at(path: &Path) -> Option<i64> {
    let [_, inode] = Sight::of(&index(path)).ok()?.id.columns();
    Some(inode)
}

/// Whether a process that was at work here was cut off, or still is at work.
fn has_traces(path: &Path) -> bool {
    has_journal(path) || index(path).exists()
}

/// Moves what is committed from the journal into the main file, and says whether that was all of
/// it: readers may be in the way.
pub(crate) fn checkpoint(set: &Connection, mode: &str) -> rusqlite::Result<bool> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    set.query_row(&sql, [], |row| {
        let busy: i64 = row.get("busy")?;
        let (frames, moved): (i64, i64) = (row.get("log")?, row.get("checkpointed")?);
        Ok(busy == 0 && frames == moved)
    })
}
