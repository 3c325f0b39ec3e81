//! The tables of a set, by their names and columns.

/// A table of a change set.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Table {
    /// The table's name.
    pub name: &'static str,
    /// Its columns in order.
    pub columns: &'static [Column],
    /// How many of the first columns are its key.
    pub key: usize,
}

/// A column of a table of a change set.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Column {
    /// The column's name.
    pub name: &'static str,
    /// What its cells hold, if anything.
    pub holds: Holds,
}

/// What the cells of a column hold, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Whole numbers.
    Integer,
    /// Texts.
    Text,
    /// Bytes.
    Bytes,
    /// Whole numbers and texts, which are told apart.
    Any,
}

/// All tables of a set, but the one that says whose it is.
pub const TABLES: &[Table] = &[
    Table { name: "meta", columns: &[text("name"), text("value")], key: 1 },
    Table {
        name: "rows",
        columns: &[
            integer("row"),
            integer("other_lines"),
            text("data"),
            text("state"),
            text("message"),
            integer("look_at"),
        ],
        key: 1,
    },
    PLANNED,
    PROGRESS,
    Table {
        name: "totals",
        columns: &[integer("action"), integer("state"), integer("changes"), integer("calls")],
        key: 2,
    },
    Table {
        name: "findings",
        columns: &[integer("change"), text("at"), text("found"), text("difference")],
        key: 1,
    },
    Table {
        name: "decisions",
        columns: &[
            integer("id"),
            text("kind"),
            text("at"),
            text("user"),
            text("said"),
            text("reason"),
            text("digest"),
            integer("changes"),
        ],
        key: 1,
    },
    Table { name: "towns", columns: &[integer("id"), text("town")], key: 1 },
    Table {
        name: "owners",
        columns: &[
            integer("kind"),
            integer("id"),
            text("name"),
            integer("town"),
            integer("is_inactive"),
            integer("merged_to"),
        ],
        key: 2,
    },
];

/// What was planned, change by change.
pub const PLANNED: Table = Table {
    name: "planned",
    columns: &[
        integer("id"),
        integer("row"),
        integer("repeats"),
        integer("owner_kind"),
        any("owner_id"),
        any("contact_id"),
        integer("action"),
        integer("verdict"),
        text("note"),
        any("wanted_type"),
        text("wanted_value"),
        text("wanted_memo"),
        integer("wanted_flags"),
        text("wanted_more"),
        any("contact_type"),
        text("value"),
        text("memo"),
        integer("flags"),
        integer("phone"),
        any("modified_on"),
        any("created_on"),
        text("extra"),
        text("beside"),
        bytes("digest"),
        integer("planned_seal"),
    ],
    key: 1,
};

/// What became of the changes that were claimed.
pub const PROGRESS: Table = Table {
    name: "progress",
    columns: &[
        integer("change"),
        integer("state"),
        integer("attempts"),
        any("at"),
        integer("http_status"),
        text("trace_id"),
        text("message"),
        text("field_errors"),
        any("created_id"),
        text("siblings"),
        text("found"),
        text("after"),
        any("after_modified_on"),
        integer("seal"),
    ],
    key: 1,
};

const fn integer(name: &'static str) -> Column {
    Column { name, holds: Holds::Integer }
}

const fn text(name: &'static str) -> Column {
    Column { name, holds: Holds::Text }
}

const fn bytes(name: &'static str) -> Column {
    Column { name, holds: Holds::Bytes }
}

const fn any(name: &'static str) -> Column {
    Column { name, holds: Holds::Any }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        set::Action,
        store::file::{columns::ChangeColumns, test_sets::set_of},
    };

    #[test]
    fn the_tables_are_those_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let set = set_of(&folder.path().join("set.crm"), &Action::Delete(None));
        let sql = "SELECT t.name AS name, c.name AS column, c.type AS type, c.pk > 0 AS is_key
             FROM pragma_table_list t JOIN pragma_table_info(t.name) c
             WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite%'
               AND t.name <> 'owner' ORDER BY t.name, c.cid";
        let mut found = BTreeMap::<String, (Vec<(String, String)>, usize)>::new();
        let columns = set.database.rows(sql, [], |row| {
            let is_key: bool = row.get("is_key")?;
            Ok((row.get("name")?, row.get("column")?, row.get("type")?, is_key))
        });
        for (table, column, holds, is_key) in columns.unwrap() {
            let (columns, keys): &mut (Vec<_>, usize) = found.entry(table).or_default();
            columns.push((column, holds));
            *keys += usize::from(is_key);
        }
        let known = TABLES.iter().map(|table| {
            let columns = table.columns.iter().map(|column| {
                let holds = match column.holds {
                    Holds::Integer => "INTEGER",
                    Holds::Text => "TEXT",
                    Holds::Bytes => "BLOB",
                    Holds::Any => "ANY",
                };
                (column.name.to_owned(), holds.to_owned())
            });
            (table.name.to_owned(), (columns.collect(), table.key))
        });
        assert_eq!(found, known.collect());
        let names = PLANNED.columns.iter().chain(PROGRESS.columns).map(|column| column.name);
        assert_eq!(names.collect::<Vec<_>>().join(", "), ChangeColumns::NAMES);
    }
}
