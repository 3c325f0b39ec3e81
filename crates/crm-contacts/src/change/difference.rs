//! One member with two values.

use std::{borrow::Cow, fmt};

use serde::Serialize;

/// One member of a record with two values.
///
/// `field` is the API's name, for example `preferences.marketingUpdatesEnabled`; a value that
/// is absent or not known is `None`. [`Debug`] shows the member alone: the values may be personal
/// data.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// The member, in the API's words.
    pub field: Cow<'static, str>,
    /// The value before, or as asked.
    pub before: Option<String>,
    /// The value after, or as answered.
    pub after: Option<String>,
}

impl Difference {
    /// A member whose value was `before` and is `after`, or was asked to be the one and is the
    /// other.
    #[must_use]
    pub fn new(
        field: impl Into<Cow<'static, str>>,
        before: Option<&str>,
        after: Option<&str>,
    ) -> Self {
        Self {
            field: field.into(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        }
    }

    /// The same, read the other way round: what was asked becomes what comes after.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self { field: self.field, before: self.after, after: self.before }
    }
}

impl fmt::Debug for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Difference").field("field", &self.field).finish_non_exhaustive()
    }
}
