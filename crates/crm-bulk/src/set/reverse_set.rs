//! A set that takes another one back.

use std::path::PathBuf;

/// A set that reverses another one, with those that reverse it in turn:
/// [`ChangeSet::reversed_by`](crate::ChangeSet::reversed_by) takes it.
///
/// ```
/// use crm_bulk::ReverseSet;
///
/// let undo = ReverseSet::new("undo-june.crm").reversed_by([ReverseSet::new("redo-june.crm")]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ReverseSet {
    pub(crate) path: PathBuf,
    pub(crate) reverses: Vec<ReverseSet>,
}

impl ReverseSet {
    /// The set in this file, which no other reverses.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), reverses: Vec::new() }
    }

    /// Names the sets that reverse it, in the order in which they were planned.
    pub fn reversed_by(self, sets: impl IntoIterator<Item = Self>) -> Self {
        Self { reverses: sets.into_iter().collect(), ..self }
    }
}

impl From<PathBuf> for ReverseSet {
    fn from(path: PathBuf) -> Self {
        Self::new(path)
    }
}
