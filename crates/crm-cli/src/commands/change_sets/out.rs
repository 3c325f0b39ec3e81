//! Where a new change set goes: the file that is named, else into the desk under a name of its own.

use std::path::{Path, PathBuf};

use crate::{
    desk::{Desk, DeskError, NewSet},
    error::CliError,
    globals::Siblings,
};

/// What is said where there is no desk to put a set into.
pub(in crate::commands) const INSTEAD: &str = "--out FILE";

/// The file of a new set.
pub(in crate::commands) enum Out {
    Named(PathBuf),
    /// The name is kept free until the set has it.
    OfDesk(NewSet),
}

impl Out {
    /// The file that is named, else one of the desk that says how the set was made and from what.
    pub(in crate::commands) fn of<'a>(
        named: Option<&Path>,
        desk: impl FnOnce() -> Result<&'a Desk, DeskError>,
        how: &str,
        from: Option<&Path>,
        siblings: Option<&Siblings>,
    ) -> Result<Self, CliError> {
        Ok(match named {
            Some(file) => Self::Named(file.to_owned()),
            None => Self::OfDesk(desk()?.new_set(how, from, siblings)?),
        })
    }

    pub(in crate::commands) fn path(&self) -> &Path {
        match self {
            Self::Named(file) => file,
            Self::OfDesk(set) => set.path(),
        }
    }
}
