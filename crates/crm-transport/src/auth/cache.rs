//! Access tokens kept on disk between short-lived commands.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::token::TokenAnswer;
use crate::{credentials::Credentials, environment::Environment};

/// How long a command waits for another one that is asking for the same token. Longer than a token
/// request usually takes; after that the command asks by itself, and keeps nothing.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How often it looks whether the other one is done.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A folder of access tokens, for commands that live shorter than their token. A service that runs
/// for hours has no use for it.
///
/// Each pair of auth host and client id, and of tenant where the credentials name one, has a file
/// of its own, whose name reveals none of them. Files are readable by their owner alone and
/// replaced as a whole; of several commands that start at once, one asks and the others use its
/// token. A file that is damaged, expired, dated in the future or not the user's own counts as
/// absent, and an answer 401 removes it.
///
/// The cache is off, without an error, where it cannot be private: in a folder that others own or
/// may write to, and on systems other than Unix. A missing folder is created for its owner alone.
///
/// ```
/// use crm_transport::{Auth, Credentials, Environment, TokenCache, Transport};
///
/// fn auth(endpoint: impl Transport + 'static, environment: &Environment) -> Auth {
///     let credentials = Credentials::new("cid.example", "secret", "ak1.example");
///     let cache = TokenCache::at("/home/ann/.cache/contacts", environment);
///     Auth::cached(endpoint, credentials, cache)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct TokenCache {
    folder: PathBuf,
    auth_url: String,
}

/// The place of one token, locked against other processes until it is dropped.
pub(super) struct Entry {
    folder: PathBuf,
    owner: Uuid,
    _lock: File,
}

/// A file's content.
#[derive(Serialize, Deserialize)]
struct Saved {
    /// The same as in the file's name, so that a file under another name is not used.
    owner: Uuid,
    /// Seconds since 1970.
    asked_at: u64,
    answer: TokenAnswer,
}

impl TokenCache {
    /// Creates a cache of this environment's tokens, in this folder.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>, environment: &Environment) -> Self {
        Self { folder: folder.into(), auth_url: environment.auth_url().to_owned() }
    }

    /// Returns the place of the credentials' token, once no other process holds it; `None` where
    /// the cache is off.
    pub(super) async fn entry(&self, credentials: &Credentials) -> Option<Entry> {
        match self.lock(self.owner(credentials)).await {
            Ok(entry) => Some(entry),
            Err(error) => {
                tracing::debug!(%error, "no token cache");
                None
            }
        }
    }

    /// Removes the credentials' token.
    pub(super) async fn forget(&self, credentials: &Credentials) {
        if let Some(entry) = self.entry(credentials).await {
            entry.remove();
        }
    }

    /// The name of a token: a hash, as a UUID of version 5 (RFC 9562, section 5.5).
    fn owner(&self, credentials: &Credentials) -> Uuid {
        let client = (&self.auth_url, credentials.client_id(), credentials.tenant());
        Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{client:?}").as_bytes())
    }

    async fn lock(&self, owner: Uuid) -> io::Result<Entry> {
        private::folder(&self.folder)?;
        let lock = private::lock_file(&self.folder.join(format!("{owner}.lock")))?;
        let started = Instant::now();
        // Looking again and again keeps the wait cancellable; a blocking lock would not be.
        while let Err(error) = lock.try_lock() {
            match error {
                TryLockError::WouldBlock if started.elapsed() < LONGEST_WAIT => {
                    sleep(LOOK_EVERY).await;
                }
                error => return Err(error.into()),
            }
        }
        Ok(Entry { folder: self.folder.clone(), owner, _lock: lock })
    }
}

impl Entry {
    /// The saved answer of the token endpoint and its age. Whether it has expired is for the
    /// caller to say, by the rules for any token.
    pub(super) fn load(&self) -> Option<(TokenAnswer, Duration)> {
        let path = self.path();
        let metadata = fs::symlink_metadata(&path).ok()?;
        if !private::is_file(&metadata) {
            return None;
        }
        let saved: Saved = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        // An error means that the clock has been set back: then the age is not known.
        let asked_at = UNIX_EPOCH.checked_add(Duration::from_secs(saved.asked_at))?;
        let age = SystemTime::now().duration_since(asked_at).ok()?;
        (saved.owner == self.owner).then_some((saved.answer, age))
    }

    /// Keeps an answer that was asked for this long ago.
    pub(super) fn store(&self, answer: TokenAnswer, age: Duration) {
        if let Err(error) = self.write(answer, age) {
            tracing::debug!(%error, "the token is not cached");
        }
    }

    pub(super) fn remove(&self) {
        // If the file cannot be removed, its token is refused once more: no harm.
        let _ = fs::remove_file(self.path());
    }

    fn write(&self, answer: TokenAnswer, age: Duration) -> io::Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let saved = Saved {
            owner: self.owner,
            asked_at: now.unwrap_or_default().saturating_sub(age).as_secs(),
            answer,
        };
        // Created with mode 0600; removed again unless it is moved into place.
        let mut file = NamedTempFile::new_in(&self.folder)?;
        file.write_all(&serde_json::to_vec(&saved)?)?;
        file.persist(self.path())?;
        Ok(())
    }

    fn path(&self) -> PathBuf {
        self.folder.join(format!("{}.json", self.owner))
    }
}

/// What only this user can read and write.
#[cfg(unix)]
mod private {
    use std::{
        fs::{DirBuilder, File, Metadata, OpenOptions, metadata},
        io,
        os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
        path::Path,
    };

    /// Creates the folder unless it exists; an error when others own it or may write to it.
    pub(super) fn folder(path: &Path) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(path)?;
        let metadata = metadata(path)?;
        if is_own(&metadata) && metadata.mode() & 0o022 == 0 {
            Ok(())
        } else {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }

    pub(super) fn lock_file(path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        options.mode(0o600).open(path)
    }

    pub(super) fn is_file(metadata: &Metadata) -> bool {
        metadata.is_file() && is_own(metadata) && metadata.mode() & 0o077 == 0
    }

    fn is_own(metadata: &Metadata) -> bool {
        metadata.uid() == rustix::process::geteuid().as_raw()
    }
}

/// Nothing: elsewhere files are not private by their mode.
#[cfg(not(unix))]
mod private {
    use std::{
        fs::{File, Metadata},
        io,
        path::Path,
    };

    pub(super) fn folder(_: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn lock_file(_: &Path) -> io::Result<File> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn is_file(_: &Metadata) -> bool {
        false
    }
}
