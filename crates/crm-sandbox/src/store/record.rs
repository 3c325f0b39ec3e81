//! Structs that hold the rows of a table.

use rusqlite::{Connection, Row, ToSql, params_from_iter};
use uuid::Uuid;

use super::select::Select;

/// A row of one table. A column is named once, for reading and for writing: [`record!`] writes the
/// implementation.
pub(crate) trait Record: Sized + 'static {
    const TABLE: &'static str;
    /// The columns, in the order in which [`read`](Self::read) expects and
    /// [`values`](Self::values) gives them.
    const COLUMNS: &'static [&'static str];

    fn read(row: &Row<'_>) -> rusqlite::Result<Self>;

    fn values(&self) -> Vec<&dyn ToSql>;

    /// Starts a query for all of them.
    fn select() -> Select<Self> {
        Select::new(&Self::COLUMNS.join(", "), Self::TABLE, Self::read)
    }
}

/// Names the table of a struct, and for each field its column.
macro_rules! record {
    ($type:ty, $table:literal, { $($field:ident: $column:literal),+ $(,)? }) => {
        impl Record for $type {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$($column),+];

            fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
                // By number: a name is searched among all columns, for each value of each row.
                let mut columns = 0..;
                let mut next = || columns.next().unwrap_or_default();
                Ok(Self { $($field: row.get(next())?),+ })
            }

            fn values(&self) -> Vec<&dyn rusqlite::ToSql> {
                vec![$(&self.$field),+]
            }
        }
    };
}
pub(super) use record;

/// A record whose table has a GUID, `id`, as its key.
pub(crate) trait GuidRecord: Record {
    fn find(db: &Connection, id: Uuid) -> rusqlite::Result<Option<Self>> {
        Self::select().filter("id = ?", Some(id.to_string())).one(db)
    }

    fn exists(db: &Connection, id: Uuid) -> rusqlite::Result<bool> {
        db.prepare_cached(&format!("SELECT 1 FROM {} WHERE id = ?", Self::TABLE))?
            .exists([id.to_string()])
    }

    /// Stores the record, new or changed.
    fn save(&self, db: &Connection) -> rusqlite::Result<()> {
        let columns = Self::COLUMNS.join(", ");
        let marks = vec!["?"; Self::COLUMNS.len()].join(", ");
        let updates: Vec<_> =
            Self::COLUMNS.iter().map(|column| format!("{column} = excluded.{column}")).collect();
        // Not INSERT OR REPLACE: that would delete the row, and with it whatever belongs to it.
        let sql = format!(
            "INSERT INTO {} ({columns}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {}",
            Self::TABLE,
            updates.join(", ")
        );
        db.prepare_cached(&sql)?.execute(params_from_iter(self.values())).map(drop)
    }

    /// Deletes a record with whatever belongs to it, and says whether there was one.
    fn delete(db: &Connection, id: Uuid) -> rusqlite::Result<bool> {
        db.prepare_cached(&format!("DELETE FROM {} WHERE id = ?", Self::TABLE))?
            .execute([id.to_string()])
            .map(|deleted| deleted > 0)
    }
}
