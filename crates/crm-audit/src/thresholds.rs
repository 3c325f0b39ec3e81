//! What a person may set: from when on something is told, and lists that grow.

use serde::{Deserialize, Serialize};

/// From when on something is told, and what is added to the lists that are kept here. Files of it
/// have these names with hyphens; what a file does not name keeps its default, and an unknown name
/// is an error.
///
/// ```
/// use crm_audit::Thresholds;
///
/// let read: Thresholds = serde_json::from_str(r#"{"stale-after-days": 730}"#)?;
/// assert_eq!((read.stale_after_days, read.shared_by), (730, Thresholds::default().shared_by));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Thresholds {
    /// By how many customers a number or an address has to be shared to be told.
    pub shared_by: u32,
    /// After how many days without a change a record is stale.
    pub stale_after_days: u32,
    /// Values that stand for none, beside the list that is kept here: numbers, whole addresses, or
    /// the part of an address before the `@` with it, as in `noreply@`.
    pub placeholders: Vec<String>,
    /// Domains of throw-away addresses, beside the list that is kept here.
    pub throw_away_domains: Vec<String>,
    /// Words of a memo that ask not to be contacted, beside those that are kept here.
    pub wishes: Vec<String>,
}

impl Default for Thresholds {
    /// Shared by three, since a customer and a location without a known customer may well have the
    /// same number; stale after five years.
    fn default() -> Self {
        Self {
            shared_by: 3,
            stale_after_days: 5 * 365,
            placeholders: Vec::new(),
            throw_away_domains: Vec::new(),
            wishes: Vec::new(),
        }
    }
}
