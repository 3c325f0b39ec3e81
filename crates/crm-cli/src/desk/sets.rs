//! The change sets of a desk: how they are named, and how they are found by their names.

use std::{
    ffi::OsStr,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crm_bulk::{ChangeSet, SetKind};
use crm_models::Timestamp;
use tempfile::NamedTempFile;

use super::{
    card,
    error::DeskError,
    folder::{ARCHIVE, Desk, SETS},
    updates::{Run, Updates},
};
use crate::globals::Siblings;

/// How the file of a set ends.
pub(crate) const EXTENSION: &str = "crm";

/// How many characters of the name of an input become part of a name.
const LONGEST: usize = 60;

/// A name that no other set has or gets while this exists.
#[derive(Debug)]
pub(crate) struct NewSet {
    path: PathBuf,
    /// An empty file beside it that says that the name is taken, locked as long as this process is
    /// at work.
    _reserved: NamedTempFile,
}

impl NewSet {
    /// The file to write.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Desk {
    /// A name for a new set, which says when and how it was made and from what, for example
    /// `2026-11-29-opt-out-numbers-csv.crm`.
    ///
    /// Where the same is planned for several accounts, all their sets get the same name, which no desk
    /// of them has yet.
    pub(crate) fn new_set(
        &self,
        how: &str,
        from: Option<&Path>,
        siblings: Option<&Siblings>,
    ) -> Result<NewSet, DeskError> {
        let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
        let name = name(&today, how, from);
        let folder = self.sets_folder();
        let failed = |source| DeskError::io(&folder, "written", source);
        let chosen = siblings.and_then(Siblings::number);
        let is_elsewhere = |file: &str| {
            let folders = [SETS, ARCHIVE].map(|folder| Path::new(folder).join(file));
            let siblings = siblings.filter(|_| chosen.is_none());
            siblings.is_some_and(|all| folders.iter().any(|file| all.have(file)))
        };
        remove_left_behind(&folder);
        for number in chosen.unwrap_or(1)..=u32::MAX {
            let name = if number == 1 { name.clone() } else { format!("{name}-{number}") };
            let Some(reserved) = reserve(&folder, &name).map_err(failed)? else { continue };
            let file = format!("{name}.{EXTENSION}");
            let journal = folder.join(format!("{file}-wal"));
            let taken = [folder.join(&file), self.archive_folder().join(&file), journal];
            if !taken.iter().any(|path| path.exists()) && !is_elsewhere(&file) {
                if let Some(siblings) = siblings {
                    siblings.choose(number);
                }
                return Ok(NewSet { path: folder.join(file), _reserved: reserved });
            }
        }
        Err(failed(io::ErrorKind::AlreadyExists.into()))
    }

    /// The files of all sets, archived ones last; by name, and so by date.
    pub(crate) fn set_files(&self) -> Result<Vec<PathBuf>, DeskError> {
        let mut files = Vec::new();
        for folder in [self.sets_folder(), self.archive_folder()] {
            let failed = |source| DeskError::io(&folder, "read", source);
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(error)),
            };
            let from = files.len();
            for entry in entries {
                let path = entry.map_err(failed)?.path();
                let is_hidden =
                    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
                if path.extension() == Some(OsStr::new(EXTENSION)) && !is_hidden {
                    files.push(path);
                }
            }
            files[from..].sort_by_key(|path| stem(path));
        }
        Ok(files)
    }

    /// The sets outside of the desk that were applied and are still there. Where they
    /// cannot be read, that is no reason to tell nothing of the sets of the desk.
    pub(super) fn files_elsewhere(&self) -> Vec<PathBuf> {
        let updates = self.recorded().ok().flatten();
        let runs = updates.and_then(|updates| self.runs_elsewhere(&updates).ok());
        let runs = runs.unwrap_or_default();
        runs.into_iter().map(|run| run.file).filter(|file| file.exists()).collect()
    }

    /// The sets outside of the desk that were applied, whether or not they are still there. Those of
    /// the desk are known by their names: it may have been moved since.
    pub(super) fn runs_elsewhere(&self, updates: &Updates) -> Result<Vec<Run>, DeskError> {
        let own = self.set_files()?;
        let is_own = |run: &Run| own.iter().any(|file| file.file_name() == run.file.file_name());
        let mut runs = updates.runs()?;
        runs.retain(|run| !is_own(run));
        Ok(runs)
    }

    /// The set of this name, with or without `.crm`; or the only one whose name has this in it; or of
    /// several that are called so but for the day and a counter, and were made in the same way from
    /// the same input, the newest. The reverse of a set is meant only where it is named as such.
    pub(crate) fn find(&self, name: &str) -> Result<PathBuf, DeskError> {
        let mut found = self.like(name)?;
        if let [path] = &found[..] {
            return Ok(path.clone());
        }
        let plain = without_end(name);
        if !plain.contains(UNDO) {
            found.retain(|path| !stem(path).contains(UNDO));
        }
        if let [path] = &found[..] {
            return Ok(path.clone());
        }
        let mut called_so: Vec<_> = found
            .iter()
            .filter(|path| is_called(path, plain))
            .map(|path| Origin::of(path))
            .collect();
        called_so.sort_by_key(|origin| origin.planned_at);
        match &called_so[..] {
            [first, rest @ .., newest]
                if rest.iter().chain([newest]).all(|it| it.is_like(first)) =>
            {
                Ok(newest.path.to_owned())
            }
            [only] => Ok(only.path.to_owned()),
            _ => {
                Err(DeskError::Ambiguous { name: name.to_owned(), names: dated(&self.like(name)?) })
            }
        }
    }

    /// The set of this name, with or without `.crm`, and not of a part of it.
    pub(crate) fn find_whole(&self, name: &str) -> Result<PathBuf, DeskError> {
        let found = self.like(name)?;
        match &found[..] {
            [path] if is_whole(path, without_end(name)) => Ok(path.clone()),
            _ => Err(DeskError::NotWhole { name: name.to_owned(), names: dated(&found) }),
        }
    }

    /// The sets of this name, or else all whose names have it in them; at least one.
    fn like(&self, name: &str) -> Result<Vec<PathBuf>, DeskError> {
        let (files, plain) = (self.set_files()?, without_end(name));
        let has_it = |path: &&PathBuf| !plain.is_empty() && stem(path).contains(plain);
        let whole: Vec<_> = files.iter().filter(|path| is_whole(path, plain)).cloned().collect();
        let found =
            if whole.is_empty() { files.iter().filter(has_it).cloned().collect() } else { whole };
        if found.is_empty() {
            return Err(DeskError::NoSuchSet { name: name.to_owned(), desk: self.folder.clone() });
        }
        Ok(found)
    }
}

/// How the file ends that says that a name is taken.
const TAKEN: &str = ".taken";

/// Takes a name; none where another command has it. As a whole, so that the second of two at the same
/// time finds it taken.
fn reserve(folder: &Path, name: &str) -> io::Result<Option<NamedTempFile>> {
    let reserved = tempfile::Builder::new()
        .prefix(&format!(".{name}"))
        .suffix(TAKEN)
        .rand_bytes(0)
        .tempfile_in(folder);
    let reserved = match reserved {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        reserved => reserved?,
    };
    let is_lost = matches!(reserved.as_file().try_lock(), Err(TryLockError::WouldBlock));
    if is_lost || is_removed(reserved.as_file()) {
        // Another command took it for left behind. Whoever has the name by now keeps it.
        let _ = reserved.keep();
        return Ok(None);
    }
    Ok(Some(reserved))
}

/// Removes what commands left behind that were killed while they made a set: the name that they took,
/// and the set in the making. A command that is at work has its name locked. That something cannot be
/// removed is no reason to make no other set.
fn remove_left_behind(folder: &Path) {
    let files = || fs::read_dir(folder).into_iter().flatten().flatten();
    let name_of = |file: &fs::DirEntry| file.file_name().to_string_lossy().into_owned();
    for taken in files() {
        let name = name_of(&taken);
        let Some(set) = name.strip_prefix('.').and_then(|name| name.strip_suffix(TAKEN)) else {
            continue;
        };
        let Ok(lock) = File::options().append(true).open(taken.path()) else { continue };
        if lock.try_lock().is_err() || is_removed(&lock) {
            continue;
        }
        let begin = format!("{set}.{EXTENSION}.");
        let is_draft = |name: &str| name.starts_with(&begin) && name.contains(".partial");
        for draft in files().filter(|file| is_draft(&name_of(file))) {
            let _ = fs::remove_file(draft.path());
        }
        let _ = fs::remove_file(taken.path());
    }
}

/// Whether a file that is open has no name any longer.
#[cfg(unix)]
fn is_removed(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;

    file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
}

/// No other system removes a file that is open.
#[cfg(not(unix))]
fn is_removed(_: &File) -> bool {
    false
}

/// How the reverse of a set is named, after the day.
const UNDO: &str = "undo-";

fn without_end(name: &str) -> &str {
    name.strip_suffix(&format!(".{EXTENSION}")).unwrap_or(name)
}

fn is_whole(path: &Path, name: &str) -> bool {
    stem(path) == name || name_of(path).as_deref() == Some(name)
}

/// Whether a set has this name, but for the day before it and a counter behind it.
fn is_called(path: &Path, name: &str) -> bool {
    let undated = undated(path);
    let rest = undated.to_str().and_then(|undated| undated.strip_prefix(name));
    rest.is_some_and(|rest| {
        let counter = rest.strip_prefix('-');
        rest.is_empty() || counter.is_some_and(|counter| counter.parse::<u32>().is_ok())
    })
}

/// What a set was made from, and when.
struct Origin<'a> {
    path: &'a Path,
    planned_at: Option<Timestamp>,
    /// The kind and the name of the input; unknown where the set cannot be read.
    made_from: Option<(SetKind, Option<String>)>,
}

impl<'a> Origin<'a> {
    fn of(path: &'a Path) -> Self {
        let info = ChangeSet::open(path).and_then(|set| set.info()).ok();
        Self {
            path,
            planned_at: info.as_ref().and_then(|info| info.created_at),
            made_from: info.map(|info| (info.kind, info.source)),
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        self.made_from.is_some() && self.made_from == other.made_from
    }
}

/// The names of sets, each with when it was planned.
fn dated(files: &[PathBuf]) -> Vec<String> {
    let dated = files.iter().filter_map(|path| {
        let name = name_of(path)?;
        Some(match Origin::of(path).planned_at {
            Some(at) => format!("{name} (planned {at})"),
            None => name,
        })
    });
    dated.collect()
}

/// What a set is called that lies in a desk: its name, one that is archived with its folder.
pub(crate) fn name_of(path: &Path) -> Option<String> {
    let folder = path.parent()?;
    if !folder.parent()?.join(card::NAME).exists() {
        return None;
    }
    match folder.file_name()?.to_str()? {
        SETS => Some(stem(path)),
        ARCHIVE => Some(format!("{ARCHIVE}/{}", stem(path))),
        _ => None,
    }
}

/// The name of a set's file without the date that it begins with, to be part of another name.
pub(crate) fn undated(path: &Path) -> PathBuf {
    let name = stem(path);
    let dated = name.split_at_checked("2026-11-29-".len());
    let is_date = |text: &str| text.trim_end_matches('-').parse::<jiff::civil::Date>().is_ok();
    dated.filter(|(date, _)| is_date(date)).map_or(name.as_str(), |(_, rest)| rest).into()
}

/// The name of a set's file without its end.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The name of a set, without its end: the day, how it was made, and the name of what it was made
/// from in letters and digits.
fn name(day: &str, how: &str, from: Option<&Path>) -> String {
    let from = from.and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let words = from.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words = [day, how].into_iter().chain(words).collect::<Vec<_>>().join("-");
    let mut name: String = words.to_lowercase().chars().take(day.len() + LONGEST).collect();
    name.truncate(name.trim_end_matches('-').len());
    name
}

#[cfg(test)]
mod tests {
    use crm_bulk::Site;
    use crm_models::TenantId;

    use super::*;

    fn desk(folder: &Path) -> Desk {
        let site = Site::new(TenantId::new(7).unwrap(), "https://api.example.com");
        Desk::open_or_create(&folder.join("desk"), &site).unwrap()
    }

    #[test]
    fn a_name_says_when_how_and_from_what() {
        for (from, wanted) in [
            (Some("numbers.csv"), "2026-11-29-plan-numbers-csv"),
            (Some("/home/a/List (3).CSV"), "2026-11-29-plan-list-3-csv"),
            (Some("Größe.csv"), "2026-11-29-plan-größe-csv"),
            (Some("-"), "2026-11-29-plan"),
            (Some("../.."), "2026-11-29-plan"),
            (None, "2026-11-29-plan"),
        ] {
            assert_eq!(name("2026-11-29", "plan", from.map(Path::new)), wanted);
        }
        let long = "word ".repeat(100);
        assert!(name("2026-11-29", "plan", Some(Path::new(&long))).len() <= 70);
    }

    #[test]
    fn the_date_of_a_set_is_no_part_of_the_name_of_its_undo() {
        for (name, wanted) in [
            ("2026-11-29-plan-a.crm", "plan-a"),
            ("2026-11-99-a.crm", "2026-11-99-a"),
            ("a.crm", "a"),
        ] {
            assert_eq!(undated(Path::new(name)), Path::new(wanted));
        }
    }

    #[test]
    fn no_name_is_given_twice() {
        let home = tempfile::tempdir().unwrap();
        let desk = desk(home.path());
        let name = |set: &NewSet| stem(set.path());
        let one = desk.new_set("plan", None, None).unwrap();
        let two = desk.new_set("plan", None, None).unwrap();
        assert_eq!(name(&two), format!("{}-2", name(&one)), "the first one is in the making");
        fs::write(one.path(), "").unwrap();
        fs::rename(one.path(), desk.archive_folder().join(one.path().file_name().unwrap()))
            .unwrap();
        drop((one, two));
        let three = desk.new_set("plan", None, None).unwrap();
        assert!(name(&three).ends_with("-2"), "the first one is archived");
        drop(three);
        assert_eq!(fs::read_dir(desk.sets_folder()).unwrap().count(), 0);
    }

    #[test]
    fn what_a_killed_command_left_goes_and_what_is_being_written_stays() {
        let home = tempfile::tempdir().unwrap();
        let desk = desk(home.path());
        let at_work = desk.new_set("plan", None, None).unwrap();
        let draft = |stem: &str| desk.sets_folder().join(format!("{stem}.crm.a1B2.partial"));
        fs::write(draft(&stem(at_work.path())), "").unwrap();
        let left = ["2026-11-20-consent", "2026-11-21-consent"];
        for name in left {
            fs::write(desk.sets_folder().join(format!(".{name}.taken")), "").unwrap();
            fs::write(draft(name), "").unwrap();
            fs::write(draft(name).with_extension("partial-journal"), "").unwrap();
        }
        let whole = desk.sets_folder().join("2026-11-20-consent.crm");
        fs::write(&whole, "").unwrap();
        let next = desk.new_set("plan", None, None).unwrap();
        assert!(whole.exists() && draft(&stem(at_work.path())).exists());
        // The set, the draft that is being written, and the two names.
        assert_eq!(fs::read_dir(desk.sets_folder()).unwrap().count(), 4);
        drop((at_work, next));
    }

    #[test]
    fn a_set_is_found_by_its_name_or_by_what_only_it_has() {
        let home = tempfile::tempdir().unwrap();
        let desk = desk(home.path());
        for name in ["2026-11-28-plan-a", "2026-11-29-plan-a", "2026-11-29-plan-a-2"] {
            fs::write(desk.sets_folder().join(format!("{name}.crm")), "").unwrap();
        }
        let found = |name: &str| desk.find(name).map(|path| stem(&path));
        assert_eq!(found("2026-11-29-plan-a").unwrap(), "2026-11-29-plan-a");
        assert_eq!(found("2026-11-29-plan-a.crm").unwrap(), "2026-11-29-plan-a");
        assert_eq!(found("11-28").unwrap(), "2026-11-28-plan-a");
        for name in ["b", ""] {
            assert!(matches!(found(name), Err(DeskError::NoSuchSet { .. })), "{name}");
        }
        let Err(DeskError::Ambiguous { names, .. }) = found("11-29") else { panic!() };
        assert_eq!(names, ["2026-11-29-plan-a", "2026-11-29-plan-a-2"]);
    }
}
