//! Whether the set still is where it was when its run began.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use crm_mirror::disk::{
    file_id::Sight,
    journal::{index, journal},
};

/// The name of a set that is carried out, to be looked at without opening anything.
#[derive(Debug)]
pub(crate) struct Watch {
    path: PathBuf,
    first: Sight,
    began: Instant,
    /// When it was last seen in place, in microseconds since it began.
    seen: AtomicU64,
    /// Whether it was seen to be overwritten: it may grow again.
    is_overwritten: AtomicBool,
}

/// For how long a look stands. Some moment always passes between a look and the write that it
/// allows; a run without a rate limit writes so often that looking each time would cost a thirtieth
/// of its time.
const STANDS: Duration = Duration::from_millis(1);

/// What happened to the file of a set while it was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Displaced {
    /// The file was deleted. What the run did is recorded only in its events.
    Deleted,
    /// The file has another name now, and contains everything that the run did. Apply it under that
    /// name.
    Moved,
    /// The file was given another name in addition. Remove one of the names and apply the set under
    /// the other.
    Linked,
    /// The file was emptied, or something else was written into it. What the run did is recorded
    /// only in its events.
    Overwritten,
}

impl fmt::Display for Displaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deleted => {
                "was deleted while it was applied; nothing more is begun: look at what was in \
                 flight, and plan anew"
            }
            Self::Moved => {
                "was moved while it was applied; nothing more is begun: apply it under its new name"
            }
            Self::Linked => {
                "was given a second name while it was applied; nothing more is begun: remove one \
                 of the two, and apply it under the other"
            }
            Self::Overwritten => {
                "was overwritten while it was applied; nothing more is begun: look at what was in \
                 flight, and plan anew"
            }
        })
    }
}

impl Watch {
    pub(crate) fn begin(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let first = Sight::of(&path)?;
        Ok(Self {
            path,
            first,
            began: Instant::now(),
            seen: AtomicU64::new(0),
            is_overwritten: AtomicBool::new(false),
        })
    }

    /// What happened to the file since then, if anything did. `links`: how many names it has,
    /// asked of the file itself.
    pub(crate) fn look(&self, links: impl Fn() -> Option<u64>) -> Option<Displaced> {
        let asked = self.began.elapsed();
        if asked < Duration::from_micros(self.seen.load(Relaxed)) + STANDS {
            return None;
        }
        match Sight::of(&self.path) {
            Ok(now) if now.id == self.first.id => {
                if now.links > self.first.links {
                    return Some(Displaced::Linked);
                }
                // A set that is carried out only grows.
                if now.length < self.first.length || self.is_overwritten() {
                    self.is_overwritten.store(true, Relaxed);
                    return Some(Displaced::Overwritten);
                }
                let asked = u64::try_from(asked.as_micros()).unwrap_or(u64::MAX);
                self.seen.store(asked, Relaxed);
                None
            }
            _ => Some(match links() {
                Some(0) => Displaced::Deleted,
                _ => Displaced::Moved,
            }),
        }
    }

    pub(crate) fn is_overwritten(&self) -> bool {
        self.is_overwritten.load(Relaxed)
    }

    /// Whether the file had more bytes than this when the run began.
    pub(crate) fn was_longer_than(&self, bytes: u64) -> bool {
        self.first.length > bytes
    }

    /// Removes the empty journal of a file that lost its name: SQLite does that only for one that
    /// has it. Another set that gets the name must not find it; one that has it has its own. What
    /// was written over the set must not find its journal either.
    pub(crate) fn tidy(&self) {
        if Sight::of(&self.path).is_ok() && !self.is_overwritten() {
            return;
        }
        for beside in [journal(&self.path), index(&self.path)] {
            // It may have been moved along with the set.
            let _ = fs::remove_file(beside);
        }
    }
}
