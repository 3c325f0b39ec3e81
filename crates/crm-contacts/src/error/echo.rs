//! A write after which the record is not as asked.

use std::fmt;

use super::site::CallSite;
use crate::change::{AnyRecord, Difference};

/// What became of a write after which the record is not as asked. [`Debug`] and the texts of
/// errors show the members that differ, but no value: they may be personal data.
#[non_exhaustive]
pub struct Echo {
    /// The write.
    pub site: CallSite,
    /// What was asked and what is so, member by member.
    pub differences: Vec<Difference>,
    /// The record as it was read back; as it was answered, where reading back did not tell.
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

impl Echo {
    /// The members that differ.
    pub(crate) fn fields(&self) -> String {
        let fields: Vec<_> = self.differences.iter().map(|d| &*d.field).collect();
        fields.join(", ")
    }
}
