//! The files that one command works with.

use std::{
    fs::{self, OpenOptions},
    io,
    path::Path,
};

/// Options to create a file that may hold other people's data: for its owner alone, where the
/// system has owners; a narrower `umask` applies too. An existing file keeps its permissions.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Creates a folder, and those that lead to it, for their owner alone. One that is there stays as it is.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// The first of a file and the folders that lead to it which somebody else could change, so that it
/// would be a different file tomorrow: root and the user may, nobody else. In a sticky folder
/// others cannot replace anything that is not theirs. What does not exist is skipped.
#[cfg(unix)]
pub(crate) fn open_to_others(path: &Path) -> Option<&Path> {
    use std::os::unix::fs::MetadataExt;

    let user = rustix::process::geteuid().as_raw();
    path.ancestors().find(|place| {
        // A relative path begins in the process's current folder, by the user's choice.
        let Ok(metadata) = fs::metadata(place) else {
            return false;
        };
        let is_foreign = ![0, user].contains(&metadata.uid());
        let is_kept_apart = *place != path && metadata.mode() & 0o1000 != 0;
        is_foreign || metadata.mode() & 0o022 != 0 && !is_kept_apart
    })
}

/// Systems other than Unix have no such modes.
#[cfg(not(unix))]
pub(crate) fn open_to_others(_: &Path) -> Option<&Path> {
    None
}

/// Whether somebody else may read a file, by its mode.
#[cfg(unix)]
pub(crate) fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

/// Systems other than Unix have no such modes.
#[cfg(not(unix))]
pub(crate) fn others_may_read(_: &Path) -> bool {
    false
}

/// The folder in which a file lies or will lie.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_others_could_change_is_found_on_the_whole_way() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("folder");
        let file = folder.join("file");
        let set = |path: &Path, mode| fs::set_permissions(path, PermissionsExt::from_mode(mode));
        fs::create_dir(&folder).unwrap();
        fs::write(&file, "").unwrap();
        set(home.path(), 0o755).unwrap();
        set(&folder, 0o755).unwrap();
        set(&file, 0o644).unwrap();
        assert_eq!(open_to_others(&file), None);
        assert_eq!(open_to_others(&folder.join("missing")), None);

        for mode in [0o775, 0o757, 0o1777] {
            set(&folder, mode).unwrap();
            let found = (mode != 0o1777).then_some(&*folder);
            assert_eq!(open_to_others(&file), found, "{mode:o}");
            assert_eq!(open_to_others(&folder), Some(&*folder), "{mode:o}");
        }
        set(&folder, 0o755).unwrap();
        for mode in [0o664, 0o646] {
            set(&file, mode).unwrap();
            assert_eq!(open_to_others(&file), Some(&*file), "{mode:o}");
        }
    }
}
