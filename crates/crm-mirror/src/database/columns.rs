//! Columns by their names.

/// Declares a struct of the columns that a query gives. Its `of` finds each by its name, once for
/// a statement: a row that is asked for a name searches all columns for each cell. Its `NAMES` are
/// what to select.
#[doc(hidden)]
#[macro_export]
macro_rules! columns {
    (
        $(#[$doc:meta])*
        $visible:vis struct $name:ident { $first:ident $(, $column:ident)* $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        $visible struct $name { $visible $first: usize, $($visible $column: usize),* }

        impl $name {
            #[allow(dead_code, reason = "few need it")]
            $visible const COUNT: usize = [stringify!($first), $(stringify!($column)),*].len();

            #[allow(dead_code, reason = "some queries select by other expressions")]
            $visible const NAMES: &str =
                concat!(stringify!($first), $(", ", stringify!($column)),*);

            /// The places of all of them.
            #[allow(dead_code, reason = "most are read one by one")]
            $visible const fn all(&self) -> [usize; Self::COUNT] {
                [self.$first, $(self.$column),*]
            }

            /// Their places where they are selected in this order, from this place on: for what is
            /// asked so often that finding the names costs as much as the query.
            #[allow(dead_code, reason = "most are found by name")]
            $visible const fn in_order(first: usize) -> Self {
                let mut next = first;
                Self {
                    $first: { next += 1; next - 1 },
                    $($column: { next += 1; next - 1 }),*
                }
            }

            #[allow(dead_code, reason = "some are selected in this order")]
            $visible fn of(statement: &$crate::rusqlite::Statement<'_>) -> $crate::rusqlite::Result<Self> {
                Ok(Self {
                    $first: statement.column_index(stringify!($first))?,
                    $($column: statement.column_index(stringify!($column))?),*
                })
            }
        }
    };
}
