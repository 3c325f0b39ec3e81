//! What a column of a set's tables holds, wherever they are kept.

use rusqlite::{
    Row,
    types::{FromSql, Value, ValueRef},
};

/// What one column of one row of a set's [tables](super::tables) holds.
///
/// [`Debug`] output contains numbers, addresses and memos.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Cell {
    /// Returns the number that it holds; `None` where it holds something else.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the text that it holds; `None` where it holds something else.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl From<ValueRef<'_>> for Cell {
    /// A set has no fractions; a text that is no UTF-8 is read as well as it can be, and no longer
    /// fits its seal.
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null | ValueRef::Real(_) => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Text(text) => Self::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => Self::Bytes(bytes.to_owned()),
        }
    }
}

impl<'a> From<&'a Cell> for ValueRef<'a> {
    fn from(cell: &'a Cell) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Integer(number) => Self::Integer(*number),
            Cell::Text(text) => Self::Text(text.as_bytes()),
            Cell::Bytes(bytes) => Self::Blob(bytes),
        }
    }
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        ValueRef::from(&value).into()
    }
}

/// A row whose columns are asked for by their places: one that a query found in the file, the cells of
/// one, or one that was kept elsewhere.
pub(crate) trait Cells {
    fn get_ref(&self, at: usize) -> rusqlite::Result<ValueRef<'_>>;

    fn get<T: FromSql>(&self, at: usize) -> rusqlite::Result<T> {
        let value = self.get_ref(at)?;
        T::column_result(value).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(at, value.data_type(), Box::new(error))
        })
    }
}

impl Cells for Row<'_> {
    fn get_ref(&self, at: usize) -> rusqlite::Result<ValueRef<'_>> {
        Row::get_ref(self, at)
    }
}

impl Cells for [ValueRef<'_>] {
    fn get_ref(&self, at: usize) -> rusqlite::Result<ValueRef<'_>> {
        match <[ValueRef<'_>]>::get(self, at) {
            Some(cell) => Ok(*cell),
            None => Err(rusqlite::Error::InvalidColumnIndex(at)),
        }
    }
}

impl Cells for [Cell] {
    fn get_ref(&self, at: usize) -> rusqlite::Result<ValueRef<'_>> {
        match <[Cell]>::get(self, at) {
            Some(cell) => Ok(cell.into()),
            None => Err(rusqlite::Error::InvalidColumnIndex(at)),
        }
    }
}
