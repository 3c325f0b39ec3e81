//! The folder: whose it is, what is where in it, and who is working in it.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crm_bulk::Site;
use crm_values::Region;

use super::{
    card::{self, Card},
    error::DeskError,
    place,
    updates::Updates,
};
use crate::{files, output::note};

/// A folder that belongs to one tenant on one host.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(super) folder: PathBuf,
    pub(super) card: Card,
    /// Shared with the other commands that work in it; who moves the desk has it alone.
    lock: Option<File>,
}

/// The names in the folder; those of a desk that was begun may be there before its card.
pub(super) const MIRROR: &str = "mirror.db";
pub(super) const SETS: &str = "sets";
pub(super) const ARCHIVE: &str = "archive";
pub(super) const UPDATES: &str = "updates.db";
pub(super) const LEDGER: &str = "ledger.db";
pub(super) const THRESHOLDS: &str = "audit.toml";
/// An empty file whose lock says that a command works in the desk.
const IN_USE: &str = ".in-use";
/// An empty file whose lock says that a command updates the mirror.
const MIRROR_IN_USE: &str = ".mirror-in-use";
/// An empty file whose lock says that a command carries out the wishes of the ledger.
const LEDGER_IN_USE: &str = ".ledger-in-use";
/// A file that says that there is a ledger, by which one is missed.
const LEDGER_MARK: &str = ".ledger-begun";
/// What it says to whoever opens it.
const LEDGER_MARK_TEXT: &str = "\
This desk has a consent ledger, ledger.db. While it is missing, nothing is sent that it would have to
be asked about. Remove this file only to do without the wishes that it had.
";

impl Desk {
    /// Opens the desk in a folder, if there is one.
    pub(crate) fn open(folder: &Path, site: &Site) -> Result<Option<Self>, DeskError> {
        let Some(card) = Card::read(folder)? else {
            return Ok(None);
        };
        card.admit(site, folder)?;
        // Without a lock, as on a medium that cannot be written, nobody moves the desk either.
        let lock = lock_file(&folder.join(IN_USE)).and_then(|file| {
            file.lock_shared()?;
            Ok(file)
        });
        let desk = Self { folder: folder.to_owned(), card, lock: lock.ok() };
        desk.warnings().iter().for_each(|warning| note(format!("warning: {warning}")));
        Ok(Some(desk))
    }

    /// Opens the desk in a folder, or begins one there.
    pub(crate) fn open_or_create(folder: &Path, site: &Site) -> Result<Self, DeskError> {
        if !folder.join(card::NAME).exists() {
            Self::create(folder, site)?;
        }
        let opened = Self::open(folder, site)?;
        opened.ok_or_else(|| DeskError::io(folder, "found", io::ErrorKind::NotFound.into()))
    }

    fn create(folder: &Path, site: &Site) -> Result<(), DeskError> {
        let failed = |source| DeskError::io(folder, "created", source);
        files::private_folder(folder).map_err(failed)?;
        // Another command may be beginning the same desk.
        let is_ours = |name: &str| name.starts_with('.') || is_of_a_desk(name);
        for entry in fs::read_dir(folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            if !name.to_str().is_some_and(is_ours) {
                return Err(DeskError::Occupied {
                    folder: folder.to_owned(),
                    by: name.to_string_lossy().into_owned(),
                });
            }
        }
        for name in [SETS, ARCHIVE] {
            files::private_folder(&folder.join(name)).map_err(failed)?;
        }
        Card::new(site).write(folder)?;
        note(format!("this account has a desk now: {}", folder.display()));
        Ok(())
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the desk says of itself.
    pub(crate) fn card(&self) -> &Card {
        &self.card
    }

    /// The country of telephone numbers without a country code.
    pub(crate) fn region(&self) -> Region {
        self.card.region.unwrap_or_default()
    }

    /// The file of the mirror, which need not be there.
    pub(crate) fn mirror(&self) -> PathBuf {
        self.folder.join(MIRROR)
    }

    /// The file of thresholds of an audit, which need not be there.
    pub(crate) fn thresholds(&self) -> PathBuf {
        self.folder.join(THRESHOLDS)
    }

    /// Takes the desk for this command alone, until it ends.
    pub(super) fn take_alone(&self) -> Result<(), DeskError> {
        let in_use = || DeskError::InUse { desk: self.folder.clone() };
        let lock = self.lock.as_ref().ok_or_else(in_use)?;
        // Not every system lets go of a shared lock by itself when it is to be alone.
        let taken = lock.unlock().map_err(TryLockError::Error).and_then(|()| lock.try_lock());
        taken.map_err(|_| in_use())
    }

    /// Waits until no other command updates the mirror, which none does before the answer is dropped:
    /// two that read the same feed would overwrite what is newer with what is older.
    pub(crate) async fn alone_at_mirror(&self) -> Result<File, DeskError> {
        self.alone(MIRROR_IN_USE, "another command is updating the mirror: waiting for it").await
    }

    /// Waits until no other run carries out the wishes of the ledger, which none does before the
    /// answer is dropped: two would plan the same.
    pub(crate) async fn alone_at_ledger(&self) -> Result<File, DeskError> {
        self.alone(LEDGER_IN_USE, "another `crm consent run` is at work: waiting for it").await
    }

    /// Waits for the lock of a file. The system releases it when its process ends, however that ends.
    async fn alone(&self, file: &str, waiting: &str) -> Result<File, DeskError> {
        let path = self.folder.join(file);
        let failed = |source| DeskError::io(&path, "locked", source);
        let file = lock_file(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => note(waiting),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let waited = tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await;
        waited.map_err(io::Error::other).and_then(|locked| locked).map_err(failed)
    }

    /// The file of the consent ledger, which need not be there.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.folder.join(LEDGER)
    }

    /// The file that says that there is a ledger.
    pub(crate) fn ledger_mark(&self) -> PathBuf {
        self.folder.join(LEDGER_MARK)
    }

    /// Notes that there is a ledger.
    pub(crate) fn mark_ledger(&self) -> Result<(), DeskError> {
        let mark = self.ledger_mark();
        if mark.exists() {
            return Ok(());
        }
        let written = fs::write(&mark, LEDGER_MARK_TEXT);
        written.map_err(|source| DeskError::io(&mark, "written", source))
    }

    /// The record of single updates, to add to it.
    pub(crate) fn updates(&self) -> Result<Updates, DeskError> {
        Updates::open(&self.folder.join(UPDATES))
    }

    /// The single updates that were recorded, if there is a record.
    pub(crate) fn recorded(&self) -> Result<Option<Updates>, DeskError> {
        Updates::read(&self.folder.join(UPDATES))
    }

    /// Whether something was sent through the desk since this moment.
    pub(crate) fn has_sent_since(&self, at: SystemTime) -> Result<bool, DeskError> {
        let sent = match self.recorded()? {
            Some(updates) => updates.last_sent()?,
            None => None,
        };
        // It is kept by the millisecond.
        Ok(sent.is_some_and(|sent| sent + Duration::from_millis(1) >= at))
    }

    /// The folder of the change sets, and that of those that are kept and never applied.
    pub(crate) fn sets_folder(&self) -> PathBuf {
        self.folder.join(SETS)
    }

    /// The folder of the sets that are kept and never applied.
    pub(crate) fn archive_folder(&self) -> PathBuf {
        self.folder.join(ARCHIVE)
    }

    /// What is wrong with the place of the desk, one sentence each.
    pub(crate) fn warnings(&self) -> Vec<String> {
        place::warnings(&self.folder)
    }
}

pub(super) fn lock_file(path: &Path) -> io::Result<File> {
    files::private().append(true).open(path)
}

/// Whether a desk has a file or folder of this name, or has it while it works: a journal of SQLite, or
/// a file in the making.
fn is_of_a_desk(name: &str) -> bool {
    [MIRROR, SETS, ARCHIVE, UPDATES, THRESHOLDS, card::NAME].into_iter().any(|own| {
        name.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    })
}

#[cfg(test)]
mod tests {
    use crm_models::TenantId;

    use super::*;

    fn site(tenant: i64) -> Site {
        Site::new(TenantId::new(tenant).unwrap(), "https://api.example.com")
    }

    #[test]
    fn a_desk_belongs_to_one_tenant_on_one_host() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/desk");
        assert!(Desk::open(&folder, &site(7)).unwrap().is_none());
        Desk::open_or_create(&folder, &site(7)).unwrap();
        assert!(Desk::open(&folder, &site(7)).unwrap().is_some());

        let other_host = Site::new(TenantId::new(7).unwrap(), "https://api.example.org");
        for other in [site(8), other_host] {
            let error = Desk::open_or_create(&folder, &other).unwrap_err();
            let DeskError::Another { .. } = error else { panic!("{error}") };
            assert!(error.to_string().contains("tenant 7"), "{error}");
        }
    }

    #[test]
    fn a_folder_with_something_else_does_not_become_a_desk() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("letter.txt"), "Dear").unwrap();
        let error = Desk::open_or_create(home.path(), &site(7)).unwrap_err();
        assert!(error.to_string().contains("letter.txt"), "{error}");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "nothing is left behind");
    }

    #[cfg(unix)]
    #[test]
    fn a_new_desk_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;

        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("desks/7");
        let desk = Desk::open_or_create(&folder, &site(7)).unwrap();
        for place in [folder.clone(), desk.sets_folder(), desk.archive_folder()] {
            let mode = fs::metadata(&place).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", place.display());
        }
    }
}
