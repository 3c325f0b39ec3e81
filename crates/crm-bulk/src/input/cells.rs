//! One row of an input, not yet understood.

use std::borrow::Cow;

use super::{
    broken::UnreadableRow,
    columns::{COUNT, Column},
};

/// The cells of one row that have a meaning; a blank one is `None`.
#[derive(Default)]
pub(crate) struct Cells<'a>([Option<Cow<'a, str>>; COUNT]);

impl<'a> Cells<'a> {
    pub(crate) fn set(&mut self, column: Column, text: impl Into<Cow<'a, str>>) {
        let text = match text.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        };
        self.0[column.place()] = (!text.is_empty()).then_some(text);
    }

    pub(crate) fn get(&self, column: Column) -> Option<&str> {
        self.0[column.place()].as_deref()
    }
}

/// One row: the line on which it starts, its cells, and the whole row as the set keeps it.
pub(crate) struct RawRow<'a> {
    pub(crate) line: u64,
    pub(crate) cells: Cells<'a>,
    pub(crate) data: &'a str,
}

/// A row, or why it is not one.
pub(crate) type ReadRow<'a> = Result<RawRow<'a>, UnreadableRow>;
