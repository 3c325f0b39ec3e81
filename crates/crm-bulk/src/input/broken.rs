//! Rows whose cells are not what was meant.

use super::columns::REASON_COLUMNS;
use crate::error::{BadCell, Counted};

/// A row that could not be split into cells.
pub(crate) struct UnreadableRow {
    pub(crate) line: u64,
    pub(crate) reason: String,
    /// The row as written, as far as it is text.
    pub(crate) data: String,
}

/// Reports that a row as a whole is wrong.
pub(crate) fn whole(line: u64, reason: String) -> Vec<BadCell> {
    vec![BadCell {
        line,
        counted: Counted::Lines,
        column: String::new(),
        value: String::new(),
        reason,
        personal: false,
    }]
}

/// The beginning of the problem of a row whose cells are not what was meant: there are too few of
/// them, or they are not text. Such a row may look right in the form in which it is kept and given
/// back.
const BROKEN: &str = "the row is broken: ";

/// Reports that the cells of a row are not what was meant.
pub(crate) fn broken(line: u64, reason: &str) -> Vec<BadCell> {
    whole(line, format!("{BROKEN}{reason}"))
}

/// Why a row that was given back as broken is still broken: it remains so until somebody says
/// otherwise.
pub(crate) fn still_broken(column: &str, text: &str) -> Option<String> {
    let is_told = REASON_COLUMNS.contains(&column) && text.trim_start().starts_with(BROKEN);
    is_told.then(|| format!("`{column}` says so; clear that cell when the row is mended"))
}

/// What is wrong with bytes of another encoding, and the cure.
pub(super) const NOT_UTF_8: &str = "is not UTF-8 text; if the file has another encoding, say which \
    with --encoding, for example windows-1252";
