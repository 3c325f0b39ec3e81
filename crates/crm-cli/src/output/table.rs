//! Columns for people.

use std::io::{self, IsTerminal, Write};

use comfy_table::{ColumnConstraint, ContentArrangement, Width, presets};
use crm_bulk::visible;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::selection::{Row, cell};

/// How many rows are laid out together; a longer list comes in several parts.
const ROWS: usize = 500;

/// Columns up to this width are not broken over lines where the terminal is narrow.
const KEPT: u16 = 12;

/// Sentences get at least so much, or are written below each other: a word a line is hard to read.
const SENTENCE: usize = 24;

/// What is between two columns.
const GAP: u16 = 2;

/// A table that is written part by part.
pub(super) struct Table<W> {
    out: W,
    rows: Vec<Vec<String>>,
    titles: Vec<String>,
    /// Whether nothing is written yet: the titles come once.
    is_first: bool,
    /// The terminal's width, where there is one.
    width: Option<u16>,
}

impl<W: Write> Table<W> {
    pub(super) fn new(out: W, titles: Vec<String>) -> Self {
        Self { out, rows: Vec::new(), titles, is_first: true, width: width() }
    }

    pub(super) fn push(&mut self, row: impl Iterator<Item = String>) -> io::Result<()> {
        self.rows.push(row.collect());
        match self.rows.len() {
            ROWS => self.part(),
            _ => Ok(()),
        }
    }

    pub(super) fn finish(&mut self) -> io::Result<()> {
        if !self.rows.is_empty() || self.is_first {
            self.part()?;
        }
        self.out.flush()
    }

    /// Ends a table that an error follows: without rows there are no titles either.
    pub(super) fn interrupt(&mut self) -> io::Result<()> {
        if !self.rows.is_empty() {
            self.part()?;
        }
        self.out.flush()
    }

    /// Writes the rows one below the other, for a terminal that is too narrow for columns.
    fn blocks(&mut self, rows: Vec<Vec<String>>) -> io::Result<()> {
        for row in rows {
            if !std::mem::take(&mut self.is_first) {
                writeln!(self.out)?;
            }
            let pairs = self.titles.iter().cloned().zip(row);
            let held = pairs.filter(|(_, value)| !value.is_empty());
            let held: Vec<_> = held.map(|(title, value)| vec![title, value]).collect();
            let least = least_widths(2, &[], &held);
            self.lay_out(&[], held, &least)?;
        }
        Ok(())
    }

    /// Writes the rows so far, the first time below their titles.
    fn part(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let least = least_widths(self.titles.len(), &self.titles, &rows);
        let least_sum: u16 = least.iter().map(|least| least + GAP).sum();
        if self.width.is_some_and(|width| least_sum > width) {
            return self.blocks(rows);
        }
        let is_first = std::mem::take(&mut self.is_first);
        let titles = if is_first { self.titles.clone() } else { Vec::new() };
        self.lay_out(&titles, rows, &least)
    }

    fn lay_out(
        &mut self,
        titles: &[String],
        rows: Vec<Vec<String>>,
        least: &[u16],
    ) -> io::Result<()> {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING);
        if let Some(width) = self.width {
            table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic);
        }
        if !titles.is_empty() {
            table.set_header(titles);
        }
        table.add_rows(rows);
        for (column, least) in table.column_iter_mut().zip(least) {
            column.set_padding((0, GAP));
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least + GAP)));
        }
        for line in table.lines() {
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// How wide each column must be: as wide as its longest word, since an address that is broken is
/// another one; as its content where that is short; and wide enough to read sentences.
fn least_widths(columns: usize, titles: &[String], rows: &[Vec<String>]) -> Vec<u16> {
    let least = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).chain(titles.get(column));
        let widths = cells.map(|cell| match cell.width() {
            width if width <= usize::from(KEPT) => width,
            width => {
                let words = cell.split(' ').map(UnicodeWidthStr::width);
                words.max().unwrap_or(0).max(width.min(SENTENCE))
            }
        });
        u16::try_from(widths.max().unwrap_or(0)).unwrap_or(u16::MAX / 64)
    };
    (0..columns).map(least).collect()
}

/// One record as lines of member and value.
pub(super) fn members(mut out: impl Write, row: &Row) -> io::Result<()> {
    for line in member_lines(row) {
        writeln!(out, "{line}")?;
    }
    out.flush()
}

/// A line for each member with its value.
pub(super) fn member_lines(row: &Row) -> Vec<String> {
    let width = row.iter().map(|(member, _)| member.len()).max().unwrap_or(0);
    let line = |(member, value): &(String, Value)| {
        let text = shown(&cell(value), value.is_string());
        let line = format!("{member:<width$}  {text}");
        line.trim_end().to_owned()
    };
    row.iter().map(line).collect()
}

/// A value for the eye; a text, or else as JSON writes it.
pub(super) fn shown(value: &str, is_text: bool) -> String {
    match value {
        "true" if !is_text => "yes".to_owned(),
        "false" if !is_text => "no".to_owned(),
        other => visible(other).into_owned(),
    }
}

/// The terminal's width; none where there is no terminal, and so no need to wrap.
fn width() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let (terminal_size::Width(columns), _) = terminal_size::terminal_size()?;
    Some(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_steer_the_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb\nc", true), "a\\u{1b}[2Jb\\nc");
        assert_eq!([shown("true", true), shown("true", false)], ["true", "yes"]);
    }

    #[test]
    fn a_long_list_has_its_titles_once() {
        let mut written = Vec::new();
        let mut table = Table::new(&mut written, vec!["ID".to_owned()]);
        for id in 0..ROWS + 1 {
            table.push([id.to_string()].into_iter()).unwrap();
        }
        table.finish().unwrap();
        let text = String::from_utf8(written).unwrap();
        assert_eq!(text.lines().count(), ROWS + 2);
        assert_eq!(text.matches("ID").count(), 1);
    }

    fn at_80_columns(rows: &[&[&str]]) -> String {
        let mut written = Vec::new();
        let titles = ["ID", "TYPE", "VALUE", "MEMO", "JOB", "MODIFIED"];
        let mut table = Table::new(&mut written, titles.map(str::to_owned).to_vec());
        table.width = Some(80);
        for row in rows {
            table.push(row.iter().map(|cell| (*cell).to_owned())).unwrap();
        }
        table.finish().unwrap();
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn an_address_is_never_broken() {
        let long = format!("{}@{}.example", "ada.quill".repeat(4), "harbor-bakery".repeat(4));
        let memo = "Rings twice, then leaves a message with the neighbour at number forty-four";
        for address in ["ada@site.example", "office@harbor-bakery-and-sons.example", &long] {
            let row = ["3001", "MobilePhone", address, memo, "yes", "2026-11-01"];
            let text =
                at_80_columns(&[&row, &["3002", "Email", "b@c.example", "", "no", "2026-11-02"]]);
            assert!(text.lines().any(|line| line.contains(address)), "{text}");
            let width = text.lines().map(|line| line.width()).max().unwrap();
            assert!(width <= 80 || address == long, "{width}: {text}");
            for word in memo.split(' ').chain(["b@c.example", "2026-11-02"]) {
                assert!(text.contains(word), "{word}: {text}");
            }
        }
    }

    #[test]
    fn no_sentence_has_a_word_a_line() {
        let memo = "Rings twice and then leaves a message with the neighbour at forty-four";
        for value in ["a@b.example", "ada-and-all-others@site.example", "8185550142"] {
            let text = at_80_columns(&[&["3001", "Email", value, memo, "yes", "2026-11-01"]]);
            let lines = memo.split(' ').filter(|word| text.contains(word)).count();
            assert_eq!(lines, memo.split(' ').count(), "{text}");
            let of_memo = text.lines().filter(|line| memo.split(' ').any(|it| line.contains(it)));
            assert!(of_memo.count() <= memo.len().div_ceil(SENTENCE - 8), "{text}");
        }
    }

    #[test]
    fn an_error_before_the_first_row_leaves_no_titles() {
        let mut written = Vec::new();
        Table::new(&mut written, vec!["ID".to_owned()]).interrupt().unwrap();
        assert_eq!(written, b"");
    }
}
