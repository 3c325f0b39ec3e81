//! Opening a mirror to update it, whatever is there.

use std::path::Path;

use super::{file::Mirror, version_1};
use crate::{error::MirrorError, site::Site};

impl Mirror {
    /// Opens the mirror at `path` to update it, or creates an empty one. A snapshot of version 0.1
    /// is written anew as a mirror, which goes on where it stopped.
    ///
    /// # Errors
    ///
    /// [`MirrorError::WrongTenant`] or [`MirrorError::WrongEnvironment`] if the mirror holds other
    /// data; otherwise the same errors as [`open`](Self::open).
    pub fn open_or_create(path: impl AsRef<Path>, site: &Site) -> Result<Self, MirrorError> {
        let path = path.as_ref();
        match Self::create(path, site) {
            Ok(()) | Err(MirrorError::Exists { .. }) => {}
            Err(error) => return Err(error),
        }
        let mirror = match Self::open(path) {
            Err(MirrorError::Older { .. }) => {
                version_1::rewrite(path, site)?;
                Self::open(path)?
            }
            opened => opened?,
        };
        site.admit(&mirror.site, path)?;
        Ok(mirror)
    }
}
