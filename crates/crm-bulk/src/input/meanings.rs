//! What the columns of one file mean, and which of them are not read.

use super::{
    columns::{Column, is_ours, is_read_only, misspelled, resembled},
    spelling::folded,
};
use crate::error::excerpt;

/// What a column means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The column says what to change.
    Known(Column),
    /// The column is carried along.
    Further,
    /// This crate added the column.
    Ours,
}

/// How many names of columns that are not read are kept; a file of NDJSON may have any number.
const KEPT: usize = 100;

/// Says what headers mean, and remembers which are not read.
#[derive(Debug, Default)]
pub(super) struct Meanings {
    /// Names that are not to be read, as they were typed, and whether a column has them.
    ignored: Vec<(String, bool)>,
    not_read: Vec<String>,
    read_only: Vec<String>,
}

impl Meanings {
    pub(super) fn new(ignored: &[String]) -> Self {
        Self {
            ignored: ignored.iter().map(|name| (name.clone(), false)).collect(),
            ..Self::default()
        }
    }

    /// What each of these headers, side by side, means, or why that is not known.
    pub(super) fn of<'h>(
        &mut self,
        headers: impl Iterator<Item = &'h str>,
    ) -> Result<Vec<Meaning>, String> {
        let mut known: Vec<(Column, &str)> = Vec::new();
        let mut meanings = Vec::new();
        for header in headers {
            let meaning = self.one(header)?;
            if let Meaning::Known(column) = meaning {
                if let Some((_, first)) = known.iter().find(|(other, _)| *other == column) {
                    return Err(format!(
                        "the columns `{}` and `{}` both mean {}: keep one of them, or leave the \
                         other out with --ignore-columns",
                        excerpt(first),
                        excerpt(header),
                        column.name()
                    ));
                }
                known.push((column, header));
            }
            meanings.push(meaning);
        }
        Ok(meanings)
    }

    fn one(&mut self, header: &str) -> Result<Meaning, String> {
        if is_ours(header) {
            return Ok(Meaning::Ours);
        }
        let mut ignored = self.ignored.iter_mut();
        if let Some((_, seen)) = ignored.find(|(name, _)| folded(name) == folded(header)) {
            *seen = true;
            keep(&mut self.not_read, header);
            return Ok(Meaning::Further);
        }
        if let Some(column) = Column::named(header) {
            return Ok(Meaning::Known(column));
        }
        if is_read_only(header) {
            keep(&mut self.read_only, header);
            return Ok(Meaning::Further);
        }
        if let Some(name) = misspelled(header) {
            return Err(format!(
                "the column `{header}` is not known; if it is {name}, write it so, else leave it \
                 out with --ignore-columns"
            ));
        }
        keep(&mut self.not_read, header);
        Ok(Meaning::Further)
    }

    /// What people have to know about the columns that do not change any row.
    pub(super) fn notes(&self) -> Vec<String> {
        [
            ("columns that are not read", &self.not_read),
            ("columns that can only be read and are never applied", &self.read_only),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| {
            let more = if names.len() > KEPT { ", and more" } else { "" };
            let names: Vec<_> = names.iter().take(KEPT).map(|name| excerpt(name)).collect();
            format!("{what}: {}{more}", names.join(", "))
        })
        .chain(self.meant())
        .collect()
    }

    /// What columns that are not read may be meant to be, unless somebody said to ignore them.
    fn meant(&self) -> impl Iterator<Item = String> {
        let is_ignored =
            |header: &str| self.ignored.iter().any(|(name, _)| folded(name) == folded(header));
        let unread = self.not_read.iter().filter(move |header| !is_ignored(header));
        unread.filter_map(|header| {
            let name = resembled(header)?;
            Some(format!("is `{}` meant to be {name}? Then write it so", excerpt(header)))
        })
    }

    /// The name of a column that was not to be read and that no row has.
    pub(super) fn never_seen(&self) -> Option<&str> {
        let mut ignored = self.ignored.iter();
        let never = ignored.find(|(_, seen)| !seen);
        never.map(|(name, _)| name.as_str())
    }
}

fn keep(names: &mut Vec<String>, header: &str) {
    let is_new = !names.iter().any(|name| name == header);
    if is_new && names.len() <= KEPT && !header.trim().is_empty() {
        names.push(header.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[&str], ignored: &[&str]) -> Result<(Vec<Meaning>, Vec<String>), String> {
        let ignored: Vec<_> = ignored.iter().map(ToString::to_string).collect();
        let mut meanings = Meanings::new(&ignored);
        let read = meanings.of(headers.iter().copied())?;
        Ok((read, meanings.notes()))
    }

    #[test]
    fn columns_that_are_not_read_are_told_and_a_slip_or_a_second_one_is_refused() {
        let (read_as, notes) = read(&["id", "Notes", "active", "crm_line"], &[]).unwrap();
        let expected =
            [Meaning::Known(Column::ContactId), Meaning::Further, Meaning::Further, Meaning::Ours];
        assert_eq!(read_as, expected);
        assert_eq!(
            notes,
            [
                "columns that are not read: Notes",
                "columns that can only be read and are never applied: active"
            ]
        );

        let slip = read(&["Locaton ID"], &[]).unwrap_err();
        assert!(slip.contains("`Locaton ID`") && slip.contains("location_id"));
        let (read_as, notes) = read(&["Locaton ID"], &["locaton-id"]).unwrap();
        assert_eq!(read_as, [Meaning::Further]);
        assert_eq!(notes, ["columns that are not read: Locaton ID"]);

        let (_, notes) = read(&["id", "Marketing", "branch"], &[]).unwrap();
        assert_eq!(
            notes,
            [
                "columns that are not read: Marketing, branch",
                "is `Marketing` meant to be marketing_updates? Then write it so"
            ]
        );

        let twice = read(&["id", "memo", "Contact ID"], &[]).unwrap_err();
        assert!(twice.contains("`id` and `Contact ID`"), "{twice}");
        let (read_as, _) = read(&["id", "Contact ID"], &["ID"]).unwrap();
        assert_eq!(read_as, [Meaning::Further, Meaning::Known(Column::ContactId)]);
    }

    #[test]
    fn a_name_to_ignore_that_no_column_has_is_known() {
        let mut meanings = Meanings::new(&["memmo".to_owned(), "branch".to_owned()]);
        meanings.of(["memo", "branch"].into_iter()).unwrap();
        assert_eq!(meanings.never_seen(), Some("memmo"));
    }
}
