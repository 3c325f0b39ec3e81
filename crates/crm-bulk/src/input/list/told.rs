//! What people are told of how a list was read: by which of its columns, and by which not.

use std::borrow::Cow;

use super::entries::Entries;
use crate::error::excerpt;

/// How many columns are named that are not read.
const TOLD: usize = 30;

/// Why a column counts for nothing of which nothing of a wish is known.
pub(super) const UNKNOWN: &str = "nothing of a wish is known to be in this column";
/// Why columns such as `Postal Opt Out` count for nothing.
pub(super) const ELSEWHERE: &str =
    "of another channel than the numbers and addresses, so it counts for nothing";

impl Entries {
    /// As what a list with this name is read, and what of it is not, in one sentence each.
    pub(crate) fn notes(&self, name: &str) -> Vec<String> {
        let columns = self.read_columns().into_iter();
        let columns: Vec<_> =
            columns.map(|(header, holds)| format!("{}: {holds}", excerpt(&header))).collect();
        let tool = self.tool().map(|tool| format!("as {}", tool.name));
        let how = tool.unwrap_or_else(|| "by its columns".to_owned());
        let read =
            (!columns.is_empty()).then(|| format!("{name} is read {how}: {}", columns.join(", ")));
        let unread = [
            unread("columns that are not read", &self.unread_columns(false)),
            unread(ELSEWHERE, &self.unread_columns(true)),
        ];
        read.into_iter().chain(unread.into_iter().flatten()).collect()
    }
}

fn unread(why: &str, columns: &[String]) -> Option<String> {
    let named = columns.iter().take(TOLD).map(|column| match column.trim() {
        "" => Cow::Borrowed("one without a name"),
        column => excerpt(column),
    });
    let named: Vec<_> = named.collect();
    let more = match columns.len().saturating_sub(TOLD) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    (!columns.is_empty()).then(|| format!("{why}: {}{more}", named.join(", ")))
}
