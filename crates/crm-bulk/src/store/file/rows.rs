//! The rows of the input, each with its changes.

use std::cmp::Ordering;

use rusqlite::{
    Row, Statement, fallible_streaming_iterator::FallibleStreamingIterator, types::ValueRef,
};

use super::{change_set::ChangeSet, columns::read_state};
use crate::{error::BulkError, set::State};

/// A row of the input as the set keeps it.
pub(crate) struct InputRow {
    pub(crate) row: u64,
    /// The row as it was: cells of CSV as a JSON array, or a line of NDJSON.
    pub(crate) data: String,
    /// What became of a row that asks for no change.
    pub(crate) state: Option<State>,
    pub(crate) message: Option<String>,
}

columns! {
    /// The columns of a row of the input.
    struct RowColumns { row, data, state, message }
}

impl InputRow {
    fn read(row: &Row<'_>, at: &RowColumns) -> rusqlite::Result<Self> {
        let has_state = row.get_ref(at.state)? != ValueRef::Null;
        Ok(Self {
            row: row.get(at.row)?,
            data: row.get(at.data)?,
            state: has_state.then(|| read_state(row, at.state)).transpose()?,
            message: row.get(at.message)?,
        })
    }
}

impl ChangeSet {
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
        let sql = "SELECT row, data, state, message FROM rows ORDER BY row";
        let mut rows = database.check(database.connection.prepare(sql))?;
        let of_row = database.check(RowColumns::of(&rows))?;
        let mut rows = database.check(rows.query([]))?;
        let sql = format!(
            "SELECT {columns}, row AS of_row FROM outcomes WHERE row IS NOT NULL ORDER BY row, id"
        );
        let mut changes = database.check(database.connection.prepare(&sql))?;
        let place = database.check(changes.column_index("of_row"))?;
        let columns = database.check(find(&changes))?;
        let mut changes = database.check(changes.query([]))?;
        database.check(changes.advance())?;
        while let Some(row) = database.check(rows.next())? {
            let row = database.check(InputRow::read(row, &of_row))?;
            let mut all = A::default();
            let mut gather = || -> rusqlite::Result<()> {
                while let Some(change) = changes.get() {
                    match change.get::<_, u64>(place)?.cmp(&row.row) {
                        Ordering::Less => {}
                        Ordering::Equal => add(&mut all, &columns, change)?,
                        Ordering::Greater => break,
                    }
                    changes.advance()?;
                }
                Ok(())
            };
            database.check(gather())?;
            each(row, all)?;
        }
        Ok(())
    }
}
