//! Where a desk lies. SQLite's journal of commits needs all processes on one machine and a file
//! that nothing else touches: on a network drive two commands destroy each other's work, and a
//! program that copies files to a cloud copies a database apart from its journal.

use std::{fs, path::Path};

/// What is wrong with a folder, one sentence each.
pub(super) fn warnings(folder: &Path) -> Vec<String> {
    let here = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let cure = "databases can be damaged there: `crm desk move` takes the desk to a local folder";
    let network = network(&here);
    let network = network.map(|kind| format!("the desk is on {kind}, and {cure}"));
    let cloud = cloud(&here);
    let cloud = cloud.map(|name| format!("the desk is in a folder that {name} copies, and {cure}"));
    let open = is_open_to_others(&here).then(|| {
        format!("others may look into {}, where people's data are: chmod go= it", here.display())
    });
    [network, cloud, open].into_iter().flatten().collect()
}

/// Parts of the names of folders that are copied to a cloud, and by what.
const FOLDERS: [(&str, &str); 9] = [
    ("dropbox", "Dropbox"),
    ("onedrive", "OneDrive"),
    ("icloud", "iCloud"),
    ("mobile documents", "iCloud"),
    ("cloudstorage", "a cloud drive"),
    ("google drive", "Google Drive"),
    ("googledrive", "Google Drive"),
    ("nextcloud", "Nextcloud"),
    ("owncloud", "ownCloud"),
];

/// Files that such programs put at the top of what they copy.
const MARKS: [(&str, &str); 7] = [
    (".dropbox", "Dropbox"),
    (".dropbox.cache", "Dropbox"),
    (".849C9593-D756-4E56-8D6E-42412F2A707B", "OneDrive"),
    (".tmp.driveupload", "Google Drive"),
    (".nextcloudsync.log", "Nextcloud"),
    (".owncloudsync.log", "ownCloud"),
    (".stfolder", "Syncthing"),
];

/// The program that copies a folder to a cloud, by the names on the way to it and by its marks.
fn cloud(folder: &Path) -> Option<&'static str> {
    let named = folder.components().find_map(|part| {
        let part = part.as_os_str().to_string_lossy().to_lowercase();
        // `OneDrive - Company` and `Dropbox (Work)`, but not a folder of notes about them.
        FOLDERS.iter().find(|(name, _)| {
            part.strip_prefix(name).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        })
    });
    let marked = || {
        // The home folder itself has `.dropbox`, the settings of that program.
        let above = folder.ancestors().filter(|place| !place.join(".profile").exists());
        let mut found = above.flat_map(|place| MARKS.iter().map(move |mark| (place, mark)));
        found.find(|(place, (name, _))| place.join(name).exists()).map(|(_, mark)| mark)
    };
    named.or_else(marked).map(|(_, program)| *program)
}

/// The kind of network that a folder is on, if it is on one.
#[cfg(target_os = "linux")]
fn network(folder: &Path) -> Option<&'static str> {
    /// The numbers that statfs(2) gives.
    const KINDS: [(u32, &str); 8] = [
        (0x0000_6969, "a network drive (NFS)"),
        (0x0000_517B, "a network drive (SMB)"),
        (0xFF53_4D42, "a network drive (CIFS)"),
        (0xFE53_4D42, "a network drive (SMB)"),
        (0x0102_1997, "a drive of another system (9P)"),
        (0x00C3_6400, "a network drive (Ceph)"),
        (0x0BD0_0BD0, "a network drive (Lustre)"),
        (0x6573_5546, "a drive of a program (FUSE), as those of networks and clouds are"),
    ];
    let kind = rustix::fs::statfs(folder).ok()?.f_type;
    // The type of the number differs between machines; its low 32 bits do not.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the low 32 bits")]
    let kind = kind as u32;
    KINDS.iter().find(|(number, _)| *number == kind).map(|(_, kind)| *kind)
}

/// Only Linux is asked; elsewhere the names of folders tell the most frequent ones.
#[cfg(not(target_os = "linux"))]
fn network(_: &Path) -> Option<&'static str> {
    None
}

#[cfg(unix)]
fn is_open_to_others(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    fs::metadata(folder).is_ok_and(|metadata| metadata.mode() & 0o077 != 0)
}

/// Systems other than Unix have no such modes.
#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_are_copied_to_a_cloud_are_known_by_name() {
        for (path, program) in [
            ("/home/a/Dropbox/desk", "Dropbox"),
            ("/home/a/Dropbox (Work)/desk", "Dropbox"),
            ("/c/Users/a/OneDrive - Company/desk", "OneDrive"),
            ("/Users/a/Library/Mobile Documents/desk", "iCloud"),
            ("/Users/a/Library/CloudStorage/GoogleDrive-a@b.example/desk", "a cloud drive"),
            ("/home/a/Nextcloud/desk", "Nextcloud"),
        ] {
            assert_eq!(cloud(Path::new(path)), Some(program), "{path}");
        }
        for path in ["/home/a/desk", "/home/a/dropboxes/desk", "/home/a/my-onedrive-notes/desk"] {
            assert_eq!(cloud(Path::new(path)), None, "{path}");
        }
    }

    #[test]
    fn and_by_what_the_program_leaves_there() {
        let folder = tempfile::tempdir().unwrap();
        let desk = folder.path().join("synced/desk");
        fs::create_dir_all(&desk).unwrap();
        assert_eq!(cloud(&desk), None);
        fs::create_dir(folder.path().join("synced/.stfolder")).unwrap();
        assert_eq!(cloud(&desk), Some("Syncthing"));
    }

    #[cfg(unix)]
    #[test]
    fn a_desk_that_others_may_look_into_is_told() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        for (mode, told) in [(0o700, 0), (0o750, 1)] {
            fs::set_permissions(folder.path(), PermissionsExt::from_mode(mode)).unwrap();
            assert_eq!(warnings(folder.path()).len(), told, "{mode:o}");
        }
    }
}
