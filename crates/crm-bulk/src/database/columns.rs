//! Columns by their names.

/// Declares a struct of the columns that a query gives. Its `of` finds each by its name, once for
/// a statement: a row that is asked for a name searches all columns for each cell. Its `NAMES` are
/// what to select.
macro_rules! columns {
    (
        $(#[$doc:meta])*
        $visible:vis struct $name:ident { $first:ident $(, $column:ident)* $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        $visible struct $name { $visible $first: usize, $($visible $column: usize),* }

        impl $name {
            #[allow(dead_code, reason = "some queries select by other expressions")]
            $visible const NAMES: &str =
                concat!(stringify!($first), $(", ", stringify!($column)),*);

            /// The places of all of them.
            #[allow(dead_code, reason = "most are read one by one")]
            $visible const fn all(&self) -> [usize; [stringify!($first), $(stringify!($column)),*].len()] {
                [self.$first, $(self.$column),*]
            }

            $visible fn of(statement: &rusqlite::Statement<'_>) -> rusqlite::Result<Self> {
                Ok(Self {
                    $first: statement.column_index(stringify!($first))?,
                    $($column: statement.column_index(stringify!($column))?),*
                })
            }
        }
    };
}
