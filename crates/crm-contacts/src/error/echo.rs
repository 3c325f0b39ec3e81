//! A write that was carried out otherwise than asked.

use std::fmt;

use crm_models::Contact;

use super::CallSite;
use crate::update::Difference;

/// The answer to an update that was carried out otherwise than asked. [`Debug`] and text show the
/// members that differ, but no value: they may be personal data.
#[non_exhaustive]
pub struct Echo {
    /// The update.
    pub site: CallSite,
    /// Asked and answered, member by member.
    pub differences: Vec<Difference>,
    /// The contact as the API answered it.
    pub answer: Contact,
}

impl fmt::Debug for Echo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Echo")
            .field("site", &self.site)
            .field("differences", &self.differences)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Echo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<_> = self.differences.iter().map(|d| d.field).collect();
        let fields = fields.join(", ");
        write!(
            f,
            "{}: written, but the answer differs from what was asked in {fields}",
            self.site
        )
    }
}
