//! A write after which the record is not what was asked for.

use std::fmt;

use super::site::CallSite;
use crate::change::{AnyRecord, Difference};

/// The record after a write, where it is not what was asked for. [`Debug`] and the messages of
/// errors show the names of the members that differ but no values, which may be personal data.
#[non_exhaustive]
pub struct Echo {
    /// The write.
    pub site: CallSite,
    /// What was asked and what the record has, member by member.
    pub differences: Vec<Difference>,
    /// The record as it was read back, or as it was answered where it could not be read back.
    pub answer: AnyRecord,
}

impl fmt::Debug for Echo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Echo")
            .field("site", &self.site)
            .field("differences", &self.differences)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "test-util")]
impl Echo {
    /// Creates a record that is not what the write at `site` asked for, for tests.
    #[must_use]
    pub fn new(site: CallSite, differences: Vec<Difference>, answer: impl Into<AnyRecord>) -> Self {
        Self { site, differences, answer: answer.into() }
    }
}

impl Echo {
    /// Returns the names of the members that differ.
    pub(crate) fn fields(&self) -> String {
        let fields: Vec<_> = self.differences.iter().map(|d| &*d.field).collect();
        fields.join(", ")
    }
}
