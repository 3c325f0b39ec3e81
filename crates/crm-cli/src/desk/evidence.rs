//! The pages of evidence of what sets did: where they are, and which are owed.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::{
    error::DeskError,
    folder::{Desk, lock_file},
    sets::stem,
};
use crate::files;

/// Where a command puts its pages of evidence.
const EVIDENCE: &str = "evidence";
/// Names the files of evidence that are elsewhere, one a line.
const EVIDENCE_ELSEWHERE: &str = "evidence-elsewhere.txt";
/// Has an empty file with the name of each set of which evidence is owed.
const EVIDENCE_OWED: &str = "evidence-owed";

impl Desk {
    /// The folder of the pages of evidence, which need not be there.
    fn evidence_folder(&self) -> PathBuf {
        self.folder.join(EVIDENCE)
    }

    /// The `nth` place for the page about a set, in this folder or in the desk, and for its CSV. The names
    /// tell the account: evidence of several may be kept in one folder, where sets have the same names.
    pub(crate) fn evidence_of(&self, set: &Path, folder: Option<&Path>, nth: u32) -> [PathBuf; 2] {
        let folder = folder.map_or_else(|| self.evidence_folder(), Path::to_owned);
        let site = self.card.site();
        let host =
            site.environment().split_once("://").map_or(site.environment(), |(_, host)| host);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let host: String = host.chars().map(|c| if is_plain(c) { c } else { '-' }).collect();
        let nth = if nth == 1 { String::new() } else { format!("-{nth}") };
        let page = folder.join(format!("{}-{}-{host}{nth}.html", stem(set), site.tenant()));
        let csv = page.with_added_extension("csv");
        [page, csv]
    }

    /// Whether this desk wrote the page: another desk may keep its own in the same folder.
    pub(crate) fn wrote_evidence(&self, page: &Path) -> Result<bool, DeskError> {
        let Ok(page) = page.canonicalize() else { return Ok(false) };
        Ok(page.starts_with(&self.folder) || self.evidence_elsewhere()?.contains(&page))
    }

    /// Notes that evidence is owed of what is sent of a set of the desk from now on, whoever sends it.
    pub(crate) fn owe_evidence(&self, set: &Path) -> Result<(), DeskError> {
        let folder = self.folder.join(EVIDENCE_OWED);
        let owed = folder.join(stem(set));
        let noted = files::private_folder(&folder).and_then(|()| lock_file(&owed));
        noted.map(drop).map_err(|source| DeskError::io(&owed, "written", source))
    }

    /// The sets of the desk of which evidence is owed, also archived ones, by name.
    pub(crate) fn evidence_owed(&self) -> Result<Vec<PathBuf>, DeskError> {
        let folder = self.folder.join(EVIDENCE_OWED);
        let mut sets = self.set_files()?;
        sets.retain(|set| folder.join(stem(set)).exists());
        Ok(sets)
    }

    /// Notes that the evidence of a set is written.
    pub(crate) fn evidence_is_written(&self, set: &Path) -> Result<(), DeskError> {
        let owed = self.folder.join(EVIDENCE_OWED).join(stem(set));
        match fs::remove_file(&owed) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(DeskError::io(&owed, "removed", error))
            }
            _ => Ok(()),
        }
    }

    /// Remembers files of evidence that are elsewhere, so that who looks for a number finds them.
    pub(crate) fn note_evidence(&self, files: &[PathBuf]) -> Result<(), DeskError> {
        let list = self.folder.join(EVIDENCE_ELSEWHERE);
        let failed = |source| DeskError::io(&list, "written", source);
        let known = self.evidence_elsewhere()?;
        let mut new = String::new();
        for file in files {
            let file = file.canonicalize().map_err(failed)?;
            if !file.starts_with(&self.folder) && !known.contains(&file) {
                new += &format!("{}\n", file.display());
            }
        }
        let mut list_file = lock_file(&list).map_err(failed)?;
        list_file.write_all(new.as_bytes()).map_err(failed)
    }

    /// The files of evidence that are elsewhere, also those that are no longer there.
    fn evidence_elsewhere(&self) -> Result<Vec<PathBuf>, DeskError> {
        let list = self.folder.join(EVIDENCE_ELSEWHERE);
        match fs::read_to_string(&list) {
            Ok(text) => Ok(text.lines().map(PathBuf::from).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(DeskError::io(&list, "read", source)),
        }
    }

    /// The pages and lists in the folder of evidence, and those elsewhere that are still there.
    pub(super) fn evidence(&self) -> Result<Vec<PathBuf>, DeskError> {
        let folder = self.evidence_folder();
        let failed = |source| DeskError::io(&folder, "read", source);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            entries => Some(entries.map_err(failed)?),
        };
        let entries = entries.into_iter().flatten();
        let files = entries.map(|entry| Ok(entry.map_err(failed)?.path()));
        let mut files = files.collect::<Result<Vec<_>, DeskError>>()?;
        files.extend(self.evidence_elsewhere()?);
        files.retain(|file| file.is_file());
        files.sort();
        Ok(files)
    }
}
