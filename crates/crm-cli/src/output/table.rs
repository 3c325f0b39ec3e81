//! Columns for people.

use std::io::{self, IsTerminal, Write};

use comfy_table::{ColumnConstraint, ContentArrangement, Width, presets};
use crm_bulk::visible;
use serde_json::Value;

use super::selection::{Row, cell};

/// How many rows are laid out together; a longer list comes in several parts.
const ROWS: usize = 500;

/// Columns up to this width are not broken over lines where the terminal is narrow, and
/// neither are those of GUIDs, so that ids can be copied.
const KEPT: u16 = 12;
const GUID: u16 = 36;

/// A table that is written part by part.
pub(super) struct Table<W> {
    out: W,
    rows: Vec<Vec<String>>,
    titles: Option<Vec<String>>,
}

impl<W: Write> Table<W> {
    pub(super) fn new(out: W, titles: Vec<String>) -> Self {
        Self {
            out,
            rows: Vec::new(),
            titles: Some(titles),
        }
    }

    pub(super) fn push(&mut self, row: Vec<Value>) -> io::Result<()> {
        self.rows.push(row.iter().map(shown).collect());
        match self.rows.len() {
            ROWS => self.part(),
            _ => Ok(()),
        }
    }

    pub(super) fn finish(&mut self) -> io::Result<()> {
        if !self.rows.is_empty() || self.titles.is_some() {
            self.part()?;
        }
        self.out.flush()
    }

    /// Lays out and writes the rows so far, the first time below their titles.
    fn part(&mut self) -> io::Result<()> {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING);
        if let Some(width) = width() {
            table
                .set_width(width)
                .set_content_arrangement(ContentArrangement::Dynamic);
        }
        if let Some(titles) = self.titles.take() {
            table.set_header(titles);
        }
        table.add_rows(self.rows.drain(..));
        let widths = table.column_max_content_widths();
        for (column, width) in table.column_iter_mut().zip(widths) {
            column.set_padding((0, 2));
            column.set_constraint(match width {
                ..=KEPT | GUID => ColumnConstraint::ContentWidth,
                _ => ColumnConstraint::LowerBoundary(Width::Fixed(KEPT)),
            });
        }
        for line in table.lines() {
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// One record as lines of member and value.
pub(super) fn members(mut out: impl Write, row: &Row) -> io::Result<()> {
    let width = row
        .iter()
        .map(|(member, _)| member.len())
        .max()
        .unwrap_or(0);
    for (member, value) in row {
        writeln!(
            out,
            "{}",
            format!("{member:<width$}  {}", shown(value)).trim_end()
        )?;
    }
    out.flush()
}

/// A value for the eye.
fn shown(value: &Value) -> String {
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => visible(&cell(other)).into_owned(),
    }
}

/// The terminal's width; none where there is no terminal, and so no need to wrap.
fn width() -> Option<u16> {
    let (terminal_size::Width(columns), _) = match io::stdout().is_terminal() {
        true => terminal_size::terminal_size()?,
        false => return None,
    };
    Some(columns)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_cannot_steer_the_terminal() {
        assert_eq!(shown(&json!("a\u{1b}[2Jb\nc")), "a\\u{1b}[2Jb\\nc");
    }

    #[test]
    fn a_long_list_has_its_titles_once() {
        let mut written = Vec::new();
        let mut table = Table::new(&mut written, vec!["ID".to_owned()]);
        for id in 0..ROWS + 1 {
            table.push(vec![json!(id)]).unwrap();
        }
        table.finish().unwrap();
        let text = String::from_utf8(written).unwrap();
        assert_eq!(text.lines().count(), ROWS + 2);
        assert_eq!(text.matches("ID").count(), 1);
    }
}
