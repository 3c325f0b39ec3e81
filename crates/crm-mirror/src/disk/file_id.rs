//! One file, by whatever name it is reached: which one it is, and its lock.
//!
//! The lock lies on the file itself, so it holds through renaming, deletion and hard links. It is
//! taken on a descriptor of its own, and there POSIX has a trap: closing any descriptor of a file
//! drops all locks that the process has on it, also those of SQLite's connections. So the
//! descriptor is kept, for the whole process, until the last connection to the file is closed.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io, mem,
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
};

use crate::lock::lock;

/// What tells a file apart from all others, whatever its names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId {
    device: u64,
    inode: u64,
    /// Elsewhere than on Unix a file is its path: one that is open there keeps its name.
    #[cfg(not(unix))]
    path: std::path::PathBuf,
}

/// A file as its name shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    pub id: FileId,
    /// How many names it has.
    pub links: u64,
    /// How many bytes it has.
    pub length: u64,
}

impl Sight {
    /// Looks at a name without opening the file.
    pub fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        Self::from_metadata(&metadata, path)
    }

    #[cfg(unix)]
    #[allow(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    fn from_metadata(metadata: &fs::Metadata, _path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt;

        Ok(Self {
            id: FileId { device: metadata.dev(), inode: metadata.ino() },
            links: metadata.nlink(),
            length: metadata.len(),
        })
    }

    #[cfg(not(unix))]
    fn from_metadata(metadata: &fs::Metadata, path: &Path) -> io::Result<Self> {
        let id = FileId { device: 0, inode: 0, path: fs::canonicalize(path)? };
        Ok(Self { id, links: 1, length: metadata.len() })
    }
}

impl FileId {
    /// As two columns of a table, which are signed.
    pub fn columns(&self) -> [i64; 2] {
        [self.device.cast_signed(), self.inode.cast_signed()]
    }
}

/// The files to which this process has connections.
static OPEN: Mutex<BTreeMap<FileId, Open>> = Mutex::new(BTreeMap::new());

#[derive(Default)]
struct Open {
    connections: usize,
    /// Whether somebody in this process has reserved it.
    is_reserved: bool,
    /// Whether that one is about to let go.
    is_being_left: bool,
    /// The one descriptor that carries the lock.
    descriptor: Option<Arc<File>>,
}

fn open() -> MutexGuard<'static, BTreeMap<FileId, Open>> {
    lock(&OPEN)
}

/// Held while a file is looked at without a connection, and while one is announced.
static LOOKING: Mutex<()> = Mutex::new(());

/// Does this while this process has no connection to the file of this name, and none is made: it
/// may close descriptors of the file and of what lies beside it. `None` where there is one.
pub fn unconnected<R>(path: &Path, look: impl FnOnce() -> R) -> Option<R> {
    let _nobody_connects = lock(&LOOKING);
    let is_connected = Sight::of(path).is_ok_and(|sight| open().contains_key(&sight.id));
    (!is_connected).then(look)
}

/// Whether another process has locked the file of this name, as far as that can be told. Only for
/// a file to which this process has no connection: see above.
pub fn is_locked_elsewhere(path: &Path) -> bool {
    let is_taken = |file| match Lock::take(&Arc::new(file)) {
        Err(e) => e.kind() == io::ErrorKind::WouldBlock,
        Ok(_) => false,
    };
    File::open(path).is_ok_and(is_taken)
}

/// Says that this process has a connection to a file: to be made before it is opened, and dropped
/// after it is closed.
#[derive(Debug)]
pub struct Connected(FileId);

impl Connected {
    pub fn to(path: &Path) -> io::Result<Self> {
        Sight::of(path).map(|sight| Self::to_file(sight.id))
    }

    fn to_file(id: FileId) -> Self {
        let _nobody_looks = lock(&LOOKING);
        open().entry(id.clone()).or_default().connections += 1;
        Self(id)
    }

    pub fn id(&self) -> &FileId {
        &self.0
    }

    /// Keeps the others of this process from taking the file; `None` if one of them has it. Where
    /// that one is about to let go, the file is still to be [claimed](Reserved::claim).
    pub fn reserve(&self) -> Option<Reserved> {
        let file = Self::to_file(self.0.clone());
        let mut reserved = Reserved { lock: None, file, is_ours: false };
        match reserved.claim() {
            Some(false) => None,
            _ => Some(reserved),
        }
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        let mut open = open();
        if let Some(file) = open.get_mut(&self.0) {
            file.connections -= 1;
            if file.connections == 0 {
                open.remove(&self.0);
            }
        }
    }
}

/// A file that is this owner's within the process, and in the machine once it is locked.
#[derive(Debug)]
pub struct Reserved {
    lock: Option<Lock>,
    file: Connected,
    is_ours: bool,
}

/// Whether a file is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locked {
    /// By this owner.
    Ours,
    /// By another process.
    Elsewhere,
    /// The file system knows no locks.
    Unknown,
}

impl Reserved {
    /// Whether the file is this owner's, if nobody else has it: `None` while another owner in this
    /// process is about to let go.
    pub fn claim(&mut self) -> Option<bool> {
        if self.is_ours {
            return Some(true);
        }
        let mut open = open();
        let file = open.entry(self.file.0.clone()).or_default();
        if file.is_being_left {
            return None;
        }
        self.is_ours = !mem::replace(&mut file.is_reserved, true);
        Some(self.is_ours)
    }

    /// Says that this owner is about to let go.
    pub fn leave(&self) {
        if self.is_ours
            && let Some(file) = open().get_mut(self.file.id())
        {
            file.is_being_left = true;
        }
    }

    /// Takes the lock of the file, which has this name, if nobody has it.
    pub fn try_lock(&mut self, path: &Path) -> io::Result<Locked> {
        if self.lock.is_some() {
            return Ok(Locked::Ours);
        }
        match Lock::take(&self.descriptor(path)?) {
            Ok(lock) => {
                self.lock = Some(lock);
                Ok(Locked::Ours)
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(Locked::Elsewhere),
            Err(e) if e.kind() == io::ErrorKind::Unsupported => Ok(Locked::Unknown),
            Err(e) => Err(e),
        }
    }

    /// How many names the file has now, also when the one that was known is no longer its own.
    pub fn links(&self) -> Option<u64> {
        let descriptor = open().get(self.file.id())?.descriptor.clone()?;
        let metadata = descriptor.metadata().ok()?;
        let sight = Sight::from_metadata(&metadata, Path::new("")).ok()?;
        Some(sight.links)
    }

    fn descriptor(&self, path: &Path) -> io::Result<Arc<File>> {
        let mut open = open();
        let slot = &mut open.entry(self.file.id().clone()).or_default().descriptor;
        if let Some(descriptor) = slot {
            return Ok(Arc::clone(descriptor));
        }
        let file = File::options().read(true).write(true).open(path)?;
        let sight = Sight::from_metadata(&file.metadata()?, path)?;
        if sight.id != *self.file.id() {
            // Closing it would drop the locks of connections to that other file.
            mem::forget(file);
            return Err(io::Error::other("another file has its name by now"));
        }
        Ok(Arc::clone(slot.insert(Arc::new(file))))
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.lock = None;
        if self.is_ours
            && let Some(file) = open().get_mut(self.file.id())
        {
            (file.is_reserved, file.is_being_left) = (false, false);
        }
    }
}

/// The lock, until it is dropped; the descriptor stays open.
#[cfg(not(windows))]
#[derive(Debug)]
struct Lock(Arc<File>);

#[cfg(not(windows))]
impl Lock {
    fn take(file: &Arc<File>) -> io::Result<Self> {
        file.try_lock()?;
        Ok(Self(Arc::clone(file)))
    }
}

#[cfg(not(windows))]
impl Drop for Lock {
    fn drop(&mut self) {
        // Otherwise closing the descriptor, or the end of the process, unlocks it.
        let _ = self.0.unlock();
    }
}

/// On Windows locks keep others from reading: only one byte is locked, far beyond those that
/// SQLite uses and beyond the end of any file.
#[cfg(windows)]
struct Lock {
    _guard: file_guard::FileGuard<Arc<File>>,
}

#[cfg(windows)]
impl std::fmt::Debug for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lock")
    }
}

#[cfg(windows)]
impl Lock {
    const BYTE: usize = 1 << (usize::BITS - 2);

    fn take(file: &Arc<File>) -> io::Result<Self> {
        let file = Arc::clone(file);
        let guard = file_guard::try_lock(file, file_guard::Lock::Exclusive, Self::BYTE, 1)?;
        Ok(Self { _guard: guard })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_one_whatever_it_is_called_and_its_lock_ends_with_whoever_reserved_it() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&path, "").unwrap();
        let connected = Connected::to(&path).unwrap();
        let mut reserved = connected.reserve().unwrap();
        assert_eq!(reserved.try_lock(&path).unwrap(), Locked::Ours);
        assert_eq!(reserved.try_lock(&path).unwrap(), Locked::Ours);
        if cfg!(unix) {
            fs::hard_link(&path, &other).unwrap();
            let linked = Connected::to(&other).unwrap();
            assert!(linked.reserve().is_none());
            assert_eq!(reserved.links(), Some(2));
            fs::remove_file(&path).unwrap();
            fs::remove_file(&other).unwrap();
            assert_eq!(reserved.links(), Some(0));
        }
        drop(reserved);
        assert!(connected.reserve().is_some());
        let id = connected.id().clone();
        drop(connected);
        assert!(!open().contains_key(&id), "its descriptor is closed");
    }
}
