//! The rows of the input, each with its changes.

use std::cmp::Ordering;

use crm_mirror::{columns, database::Database};
use rusqlite::{
    Row, Statement, fallible_streaming_iterator::FallibleStreamingIterator, params, types::ValueRef,
};

use super::{change_set::ChangeSet, columns::read_state};
use crate::{
    error::BulkError,
    input::{InputFormat, cells},
    set::State,
};

/// A row of the input as the set keeps it.
pub(crate) struct InputRow {
    pub(crate) row: u64,
    /// The line on which it starts.
    pub(crate) line: u64,
    /// The row as it was: a record of CSV, or a line of NDJSON.
    pub(crate) data: String,
    /// What became of a row that asks for no change.
    pub(crate) state: Option<State>,
    pub(crate) message: Option<String>,
    /// Whether the message names records about which a person has to decide.
    pub(crate) look_at: bool,
}

columns! {
    /// The columns of a row of the input.
    struct RowColumns { row, line, data, state, message, look_at }
}

/// What to select for these.
const ROW: &str = "row, row + other_lines AS line, data, state, message, look_at";

columns! {
    /// The columns of a change that belongs to a row.
    struct OrderColumns { row, id }
}

impl InputRow {
    fn read(row: &Row<'_>, at: &RowColumns) -> rusqlite::Result<Self> {
        let has_state = row.get_ref(at.state)? != ValueRef::Null;
        Ok(Self {
            row: row.get(at.row)?,
            line: row.get(at.line)?,
            data: row.get(at.data)?,
            state: has_state.then(|| read_state(row, at.state)).transpose()?,
            message: row.get(at.message)?,
            look_at: row.get(at.look_at)?,
        })
    }
}

/// How many rows are read at a time.
const ROWS: usize = 1_000;

/// The rows of the input behind this one, as many as are read at a time.
pub(super) fn behind(database: &Database, row: u64) -> Result<Vec<InputRow>, BulkError> {
    let sql = format!("SELECT {ROW} FROM rows WHERE row > ?1 ORDER BY row LIMIT ?2");
    let query = || {
        let mut rows = database.connection.prepare_cached(&sql)?;
        let at = RowColumns::of(&rows)?;
        rows.query_map(params![row, ROWS], |row| InputRow::read(row, &at))?.collect()
    };
    Ok(database.check(query())?)
}

impl ChangeSet {
    /// Returns the numbers of the rows of the input whose cell of this column is this text, for
    /// [`Selection::row`](crate::Selection::row).
    ///
    /// # Errors
    ///
    /// A failure to read the set.
    pub fn rows_with(&self, column: &str, text: &str) -> Result<Vec<u64>, BulkError> {
        let format = self.format()?;
        if format == InputFormat::Ndjson {
            let sql = "SELECT row FROM rows WHERE json_valid(data) AND json_extract(data, ?1) = ?2
                 ORDER BY row";
            let path = format!("$.\"{column}\"");
            return Ok(self.database.rows(sql, params![path, text], |row| row.get("row"))?);
        }
        // As the text is written in a cell; only rows that have it somewhere are read.
        let sought = text.replace('"', "\"\"");
        let sql = "SELECT row, data FROM rows WHERE instr(data, ?) ORDER BY row";
        let some = self
            .database
            .rows(sql, [sought], |row| Ok((row.get("row")?, row.get::<_, String>("data")?)))?;
        let header = self.header()?;
        let has_it = |data: &str| {
            let mut cells = cells(format, &header, data).into_iter();
            cells.any(|(header, cell)| header == column && cell == text)
        };
        Ok(some.into_iter().filter(|(_, data)| has_it(data)).map(|(row, _)| row).collect())
    }

    /// Returns the cell of this column of a row of the input.
    ///
    /// # Errors
    ///
    /// A failure to read the set.
    pub fn cell(&self, row: u64, column: &str) -> Result<Option<String>, BulkError> {
        let sql = "SELECT data FROM rows WHERE row = ?";
        let Some(data) = self.database.value::<String>(sql, [row])? else {
            return Ok(None);
        };
        let cells = cells(self.format()?, &self.header()?, &data).into_iter();
        Ok(cells.into_iter().find(|(header, _)| header == column).map(|(_, cell)| cell))
    }

    /// Hands each row of the input to `each`, in order, with what `add` made of its changes. Of
    /// these the columns with these names are read; `find` finds their places, once for all.
    pub(crate) fn each_row<C, A: Default>(
        &self,
        columns: &str,
        find: impl FnOnce(&Statement<'_>) -> rusqlite::Result<C>,
        add: impl Fn(&mut A, &C, &Row<'_>) -> rusqlite::Result<()>,
        mut each: impl FnMut(InputRow, A) -> Result<(), BulkError>,
    ) -> Result<(), BulkError> {
        let database = &self.database;
        let sql = format!("SELECT {ROW} FROM rows ORDER BY row");
        let mut rows = database.check(database.connection.prepare(&sql))?;
        let of_row = database.check(RowColumns::of(&rows))?;
        let mut rows = database.check(rows.query([]))?;
        // Which changes, in the order of the rows, and then one after another: to sort them whole
        // would write all of them to a file once more.
        let sql = "SELECT row, id FROM planned WHERE row IS NOT NULL ORDER BY row, id";
        let mut order = database.check(database.connection.prepare(sql))?;
        let of_order = database.check(OrderColumns::of(&order))?;
        let mut order = database.check(order.query([]))?;
        let sql = format!("SELECT {columns} FROM outcomes WHERE id = ?");
        let mut change = database.check(database.connection.prepare(&sql))?;
        let columns = database.check(find(&change))?;
        database.check(order.advance())?;
        while let Some(row) = database.check(rows.next())? {
            let row = database.check(InputRow::read(row, &of_row))?;
            let mut all = A::default();
            let mut gather = || -> rusqlite::Result<()> {
                while let Some(next) = order.get() {
                    match next.get::<_, u64>(of_order.row)?.cmp(&row.row) {
                        Ordering::Less => {}
                        Ordering::Equal => {
                            let id: i64 = next.get(of_order.id)?;
                            change.query_row([id], |change| add(&mut all, &columns, change))?;
                        }
                        Ordering::Greater => break,
                    }
                    order.advance()?;
                }
                Ok(())
            };
            database.check(gather())?;
            each(row, all)?;
        }
        Ok(())
    }
}
