//! Rows that are wrong, as they are reported.

use std::{borrow::Cow, fmt, path::PathBuf};

/// How many characters of a cell are shown to people.
const SHOWN: usize = 60;

/// By what the rows of an input are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Counted {
    /// By the lines on which they start.
    #[default]
    Lines,
    /// By themselves: a program makes them, and they have no lines.
    Rows,
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lines => "line",
            Self::Rows => "row",
        })
    }
}

/// Returns a cell or a header as it is shown to people: its beginning, where it is long. A file that
/// is no list may have one of any length.
///
/// ```
/// use crm_bulk::excerpt;
///
/// assert_eq!(excerpt("Mobile Phone"), "Mobile Phone");
/// assert!(excerpt(&"no line ends ".repeat(1_000)).ends_with('…'));
/// ```
#[must_use]
pub fn excerpt(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    match text.char_indices().nth(SHOWN) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

/// One cell that is wrong.
///
/// `Debug` and `Display` hide the middle of numbers, addresses and memos, because they end up in
/// logs.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BadCell {
    /// The line of the input on which the row starts; of rows that a program makes, the row's
    /// number.
    pub line: u64,
    /// What that number counts.
    pub counted: Counted,
    /// The column's name; empty when the row as a whole is wrong.
    pub column: String,
    /// The cell's text.
    pub value: String,
    /// What is wrong, in words for people.
    pub reason: String,
    /// Whether the text is personal data.
    pub(crate) personal: bool,
}

impl BadCell {
    /// Formats the cell as `Display` does, but with its text in clear, for readers who have the
    /// input before them.
    #[must_use]
    pub fn in_clear(&self) -> String {
        self.with(&excerpt(&self.value))
    }

    fn masked(&self) -> Cow<'_, str> {
        if self.personal { Cow::Owned(mask(&self.value)) } else { excerpt(&self.value) }
    }

    fn with(&self, value: &str) -> String {
        let column = match self.column.as_str() {
            "" => String::new(),
            column => format!(", {}", excerpt(column)),
        };
        let value = match value {
            "" => String::new(),
            value => format!(" `{value}`"),
        };
        format!("{} {}{column}{value}: {}", self.counted, self.line, self.reason)
    }
}

impl fmt::Display for BadCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with(&self.masked()))
    }
}

impl fmt::Debug for BadCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BadCell")
            .field("line", &self.line)
            .field("column", &self.column)
            .field("value", &self.masked())
            .field("reason", &self.reason)
            .finish()
    }
}

/// What is wrong with the cells of one row, without their texts.
pub(crate) fn problem(cells: &[BadCell]) -> String {
    let problems = cells.iter().map(|cell| match cell.column.as_str() {
        "" => cell.reason.clone(),
        column => format!("{}: {}", excerpt(column), cell.reason),
    });
    problems.collect::<Vec<_>>().join("; ")
}

/// The error for an input with wrong rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name}: {}{}{}",
    match rows {
        1 => "1 row is wrong: ".to_owned(),
        rows => format!("{rows} rows are wrong; the first: "),
    },
    cells.first().map(ToString::to_string).unwrap_or_default(),
    mend.as_ref().map(|path| format!("; {} has these rows alone", path.display())).unwrap_or_default()
)]
#[non_exhaustive]
pub struct InvalidRows {
    /// The input's name.
    pub name: String,
    /// How many rows are wrong.
    pub rows: u64,
    /// The bad cells, up to the first thousand.
    pub cells: Vec<BadCell>,
    /// How many more bad cells there are.
    pub more_cells: u64,
    /// What people have to know about how the input was read, such as the columns that were not.
    pub notes: Vec<String>,
    /// The file that contains the bad rows and what is wrong with each.
    pub mend: Option<PathBuf>,
}

/// The text with its middle hidden.
///
/// ```text
/// 8185550142 -> 81…42      dana@site.example -> da…le      55 -> …
/// ```
pub(crate) fn mask(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    match characters.as_slice() {
        [] => String::new(),
        [a, b, .., y, z] if characters.len() >= 6 => format!("{a}{b}…{y}{z}"),
        _ => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn a_masked_value_shows_its_ends_only_when_it_is_long() {
        assert_eq!(mask("8185550142"), "81…42");
        assert_eq!(mask("55"), "…");
        assert_eq!(mask(""), "");
    }
}
