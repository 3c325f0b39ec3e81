//! One member with two values.

use std::{borrow::Cow, fmt};

use serde::Serialize;

/// One member of a record and its two values.
///
/// `field` is the API's name, for example `preferences.marketingUpdatesEnabled`; a value that
/// is absent or not known is `None`. [`Debug`] shows the name alone, because the values may be
/// personal data.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// The name of the member in the API.
    pub field: Cow<'static, str>,
    /// The value before the change, or the value that was asked for.
    pub before: Option<String>,
    /// The value after the change, or the value that was answered.
    pub after: Option<String>,
}

impl Difference {
    /// Creates the difference of a member that was `before` and is `after`, or that was asked to be
    /// the one and is the other.
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

    /// Swaps the two values, so that what was asked for becomes what comes after.
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
