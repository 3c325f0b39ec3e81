//! Reading rows of changes, and lists of numbers and addresses: CSV and NDJSON.

mod arriving;
mod broken;
mod cells;
mod columns;
mod csv;
mod delimiter;
mod dialect;
mod encoding;
mod fix;
mod list;
mod meanings;
mod ndjson;
mod no_text;
mod object;
mod row;
mod source;
mod spelling;
mod typed;
mod value;
mod write;

pub(crate) use self::{
    broken::{broken, whole},
    columns::OUTCOME_COLUMNS,
    csv::record,
    delimiter::name as delimiter_name,
    dialect::{Dialect, Marks},
    fix::{BadRows, refuse_to_mend_in},
    list::{Entries, Entry, Kept, Moment, Value, cells, is_named_against, read_date},
    row::{COMBINED, RowRequest, Select},
    write::{write_cells, write_head, write_members, write_record},
};
use self::{cells::ReadRow, csv::CsvRows, ndjson::NdjsonRows, typed::TypedRows};
pub use self::{
    columns::InputColumn,
    dialect::InputFormat,
    fix::MendFile,
    list::{DateOrder, List, ListOptions, ListRow, ListedValue, MappedRole, Wish},
    source::Input,
    typed::Row,
    value::read_value,
};
use crate::error::BulkError;

impl Input {
    /// The rows, and the dialect in which they are written.
    pub(crate) fn rows(self) -> Result<(Rows, Dialect), BulkError> {
        let format = self.format();
        let input = match self.typed() {
            Ok((name, arriving, dialect)) => {
                let rows = TypedRows::new(name, arriving, &dialect);
                return Ok((Rows::Typed(Box::new(rows)), dialect));
            }
            Err(input) => *input,
        };
        let opened = input.opened()?;
        Ok(match format {
            InputFormat::Csv => {
                let (rows, dialect) = CsvRows::new(opened)?;
                (Rows::Csv(Box::new(rows)), dialect)
            }
            InputFormat::Ndjson => {
                let rows = NdjsonRows::new(opened.name, opened.reader, &opened.dialect);
                (Rows::Ndjson(Box::new(rows)), opened.dialect)
            }
        })
    }
}

/// The rows of an input, one at a time.
pub(crate) enum Rows {
    Csv(Box<CsvRows>),
    Ndjson(Box<NdjsonRows>),
    Typed(Box<TypedRows>),
}

impl Rows {
    /// Returns the next row; the outer error ends the reading.
    pub(crate) fn next(&mut self) -> Result<Option<ReadRow<'_>>, BulkError> {
        match self {
            Self::Csv(rows) => rows.next(),
            Self::Ndjson(rows) => rows.next(),
            Self::Typed(rows) => rows.next(),
        }
    }

    /// Returns what people have to know about how the input was read, once all rows have been read.
    ///
    /// # Errors
    ///
    /// Returns the name of a column that was not to be read and that does not exist.
    pub(crate) fn notes(&self) -> Result<Vec<String>, String> {
        let (meanings, of_dialect) = match self {
            Self::Csv(rows) => (rows.meanings(), rows.dialect_note()),
            Self::Ndjson(rows) => (rows.meanings(), None),
            Self::Typed(rows) => (rows.meanings(), None),
        };
        match meanings.never_seen() {
            Some(name) => {
                Err(format!("--ignore-columns names `{name}`, and there is no such column"))
            }
            None => Ok(of_dialect.into_iter().chain(meanings.notes()).collect()),
        }
    }

    /// The names of the cells in the input's order, without those that this crate added.
    pub(crate) fn header(&self) -> &[String] {
        match self {
            Self::Csv(rows) => rows.header(),
            Self::Ndjson(_) | Self::Typed(_) => &[],
        }
    }
}
