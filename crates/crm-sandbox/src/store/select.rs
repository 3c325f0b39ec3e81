//! A list query: conditions, order, one page.

use rusqlite::{Connection, Row, ToSql, params_from_iter, types::Value};

use super::bookmarks::{Bookmarks, List};
use crate::query::{Paging, Sort};

/// One page of a list, and whether more follow.
#[derive(Debug)]
pub(crate) struct Rows<T> {
    pub(crate) items: Vec<T>,
    pub(crate) has_more: bool,
    pub(crate) total: Option<i32>,
}

/// Builds `SELECT … WHERE … ORDER BY … LIMIT … OFFSET …`, whose rows are read as `T`.
pub(crate) struct Select<T> {
    columns: String,
    list: List,
    /// Whether what other tables have decides about its rows.
    is_joined: bool,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
}

impl<T> Select<T> {
    pub(crate) fn new(
        columns: &str,
        table: &'static str,
        read: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Self {
        let list = List {
            table,
            conditions: "true".to_owned(),
            values: Vec::new(),
            order: vec!["id"],
            descending: false,
        };
        Self { columns: columns.to_owned(), list, is_joined: false, read }
    }

    /// Adds a condition without values.
    pub(crate) fn only(mut self, condition: &str) -> Self {
        self.list.conditions.push_str(" AND ");
        self.list.conditions.push_str(condition);
        self
    }

    /// Adds a condition with one value, unless there is none.
    pub(crate) fn filter(mut self, condition: &str, value: Option<impl Into<Value>>) -> Self {
        let Some(value) = value else {
            return self;
        };
        self.list.values.push(value.into());
        self.only(condition)
    }

    /// Adds a condition that looks at other tables. A page of such a list is found by its number.
    pub(crate) fn joined(mut self, condition: &str, value: impl Into<Value>) -> Self {
        self.is_joined = true;
        self.filter(condition, Some(value))
    }

    /// Keeps the rows whose column is in the list.
    pub(crate) fn among(mut self, column: &str, ids: Option<Vec<i64>>) -> Self {
        let Some(ids) = ids else {
            return self;
        };
        let marks = vec!["?"; ids.len()].join(",");
        self.list.values.extend(ids.into_iter().map(Value::from));
        self.only(&format!("{column} IN ({marks})"))
    }

    /// Keeps the rows that come after this one in the order of the list.
    pub(crate) fn after(mut self, key: Vec<Value>) -> Self {
        let condition = self.list.beside(&key, true);
        self.list.values.extend(key);
        self.only(&condition)
    }

    /// Sorts the list as it was asked for, and otherwise by id.
    pub(crate) fn sorted(mut self, sort: Option<Sort>) -> Self {
        if let Some(Sort { column, descending }) = sort {
            self.list.order = vec![column, "id"];
            self.list.descending = descending;
        }
        self
    }

    pub(crate) fn order(mut self, columns: &[&'static str]) -> Self {
        self.list.order = columns.to_vec();
        self
    }

    /// Reads one page, and counts all rows if that was asked for.
    pub(crate) fn page(
        mut self,
        db: &Connection,
        bookmarks: &Bookmarks,
        paging: Paging,
    ) -> rusqlite::Result<Rows<T>> {
        let size = paging.page_size.unsigned_abs() as usize;
        let offset = (i64::from(paging.page) - 1) * i64::from(paging.page_size);
        let list = self.list.clone();
        let end = if self.is_joined { None } else { bookmarks.find(db, &list, offset)? };
        let (mut skip, mut total) = (offset, None);
        if let Some(end) = end {
            skip -= end.offset;
            total = end.total;
            self = self.after(end.key);
        }
        if total.is_none() && paging.include_total {
            total = Some(count(db, &list)?);
        }
        // One row more than the page tells whether there is a next one. The limit stands in the
        // text: a statement whose limit is bound is planned anew with every binding.
        let sql = format!(
            "SELECT {}, {} {} LIMIT {} OFFSET ?",
            self.columns,
            self.list.order.join(", "),
            rows_of(&self.list),
            i64::from(paging.page_size) + 1,
        );
        self.list.values.push(Value::from(skip));

        let (mut seen, mut key) = (0, Vec::new());
        let mut items = rows(db, &sql, &self.list.values, |row| {
            seen += 1;
            if seen == size {
                key = last_columns(row, list.order.len())?;
            }
            (self.read)(row)
        })?;
        let has_more = items.len() > size;
        items.truncate(size);
        if has_more && !self.is_joined {
            bookmarks.keep(db, list, offset + i64::from(paging.page_size), key, total)?;
        }
        let total = total.filter(|_| paging.include_total);
        let total = total.map(|total| i32::try_from(total).unwrap_or(i32::MAX));
        Ok(Rows { items, has_more, total })
    }

    /// Reads the first rows.
    pub(crate) fn first(self, db: &Connection, limit: u32) -> rusqlite::Result<Vec<T>> {
        let sql = format!("SELECT {} {} LIMIT {limit}", self.columns, rows_of(&self.list));
        rows(db, &sql, &self.list.values, self.read)
    }

    /// Reads the first row, if there is any.
    pub(crate) fn one(self, db: &Connection) -> rusqlite::Result<Option<T>> {
        Ok(self.first(db, 1)?.into_iter().next())
    }
}

/// Returns `FROM … WHERE … ORDER BY …`.
fn rows_of(list: &List) -> String {
    let List { table, conditions, order, descending, .. } = list;
    let direction = if *descending { " DESC" } else { "" };
    let order: Vec<_> = order.iter().map(|column| format!("{column}{direction}")).collect();
    format!("FROM {table} WHERE {conditions} ORDER BY {}", order.join(", "))
}

fn count(db: &Connection, list: &List) -> rusqlite::Result<i64> {
    db.prepare_cached(&format!("SELECT count(*) FROM {} WHERE {}", list.table, list.conditions))?
        .query_row(params_from_iter(&list.values), |row| row.get(0))
}

fn last_columns(row: &Row<'_>, number: usize) -> rusqlite::Result<Vec<Value>> {
    let end = row.as_ref().column_count();
    (end - number..end).map(|column| row.get(column)).collect()
}

fn rows<T>(
    db: &Connection,
    sql: &str,
    values: &[impl ToSql],
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    db.prepare_cached(sql)?.query_map(params_from_iter(values), read)?.collect()
}
