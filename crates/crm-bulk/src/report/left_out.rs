//! Records that should be as a set makes others, and of which no set can make it.

use maud::{Markup, html};

use super::{
    deadline::LastDay,
    markup::{foreign, last_day},
    words,
};
use crate::set::Target;

/// A record that should be as a set makes others, and is not in the set since it cannot be set. Whoever
/// planned the set knows it; a [`Report`](crate::Report) tells it.
///
/// [`Debug`] output contains a number or an address.
///
/// ```
/// use crm_bulk::{LastDay, LeftOut, OwnerId, Target};
/// use crm_models::CustomerId;
///
/// let owner = OwnerId::from(CustomerId::new(1_001)?);
/// let record = Target::Contact { owner, contact: Some(4_001.try_into()?) };
/// let why = "the service does not tell its flags";
/// let left = LeftOut::new(record, "(818) 555-0142", LastDay::new("2026-11-23", 2), why);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// The record.
    pub record: Target,
    /// Its number or address.
    pub value: String,
    /// By when it had to be so, and how late it is now.
    pub last: LastDay,
    /// Why it cannot be set.
    pub why: String,
}

impl LeftOut {
    /// A record with its number or address, its last day, and why it cannot be set.
    #[must_use]
    pub fn new(
        record: Target,
        value: impl Into<String>,
        last: LastDay,
        why: impl Into<String>,
    ) -> Self {
        Self { record, value: value.into(), last, why: why.into() }
    }
}

pub(super) const HEADING: &str = "Due, and not in this set";

/// What is around the rows of such records.
pub(super) const TABLE: [&str; 2] = [
    "<table class=\"even\"><thead><tr><th>Contact<th>Number or address<th>To be done by<th>Why \
     not</thead><tbody>",
    "</tbody></table>",
];

pub(super) fn row(left: &LeftOut) -> Markup {
    let LeftOut { record, value, why, last } = left;
    html! {
        tr {
            td data-label="Contact" { (words::place(record)) }
            td data-label="Number or address" { (foreign(value)) }
            td data-label="To be done by" {
                (last_day(last.of.as_deref(), &last.day))
                @if last.days_late > 0 { br; b.bad { (words::late(last.days_late)) } }
                @if let Some(because) = &last.why { br; small { (foreign(because)) } }
            }
            td data-label="Why not" { (foreign(why)) }
        }
    }
}
