//! Whether a file can still grow, which SQLite does not say where a write failed.

use std::{
    fs,
    io::{self, Seek, SeekFrom, Write},
    path::Path,
};

use super::journal::journal;

/// How many bytes are tried: more than SQLite writes at a time, whose index of a journal grows by
/// 32 KiB.
const SOME: usize = 64 * 1_024;

/// Why a file or its journal cannot grow: the disk is full, or a limit is reached. It is tried on a
/// file without a name beside them, as far behind its beginning as the longer of the two ends.
pub fn is_wanting(path: &Path) -> Option<io::Error> {
    let length = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
    let end = length(path).max(length(&journal(path)));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let tried = tempfile::tempfile_in(folder.unwrap_or(Path::new("."))).and_then(|mut file| {
        file.seek(SeekFrom::Start(end))?;
        file.write_all(&vec![0; SOME])
    });
    tried.err().filter(|error| is_for_want_of_room(error.kind()))
}

/// Whether something failed since there is no room for it.
pub fn is_for_want_of_room(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};

    matches!(kind, FileTooLarge | QuotaExceeded | StorageFull)
}
