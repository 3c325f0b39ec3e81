//! Columns by their names.

/// Declares a struct of the columns that a query gives. Its `of` finds each by its name, once for
/// a statement: a row that is asked for a name searches all columns for each cell.
macro_rules! columns {
    ($(#[$doc:meta])* $visible:vis struct $name:ident { $($column:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        $visible struct $name { $($column: usize),* }

        impl $name {
            $visible fn of(statement: &rusqlite::Statement<'_>) -> rusqlite::Result<Self> {
                Ok(Self { $($column: statement.column_index(stringify!($column))?),* })
            }
        }
    };
}
