//! A list query: conditions, order, one page.

use rusqlite::{Connection, Row, ToSql, params_from_iter, types::Value};

use super::bookmarks::{Bookmarks, End, Place, Version};
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
    from: String,
    conditions: Vec<String>,
    values: Vec<Value>,
    /// The columns of the order, which together tell every row of the list from every other: where
    /// two rows were equal, a page could repeat one and leave out the other.
    order: Vec<&'static str>,
    descending: bool,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
}

impl<T> Select<T> {
    pub(crate) fn new(
        columns: &str,
        from: &str,
        read: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Self {
        Self {
            columns: columns.to_owned(),
            from: from.to_owned(),
            conditions: Vec::new(),
            values: Vec::new(),
            order: vec!["id"],
            descending: false,
            read,
        }
    }

    /// Adds a condition without values.
    pub(crate) fn only(mut self, condition: &str) -> Self {
        self.conditions.push(condition.to_owned());
        self
    }

    /// Adds a condition with one value, unless there is none.
    pub(crate) fn filter(mut self, condition: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.conditions.push(condition.to_owned());
            self.values.push(value.into());
        }
        self
    }

    /// Keeps the rows whose column is in the list.
    pub(crate) fn among(mut self, column: &str, ids: Option<Vec<i64>>) -> Self {
        if let Some(ids) = ids {
            let marks = vec!["?"; ids.len()].join(",");
            self.conditions.push(format!("{column} IN ({marks})"));
            self.values.extend(ids.into_iter().map(Value::from));
        }
        self
    }

    /// Keeps the rows that come after this one in the order of the list.
    pub(crate) fn after(mut self, key: Vec<Value>) -> Self {
        let columns = self.order.join(", ");
        let is_after = if self.descending { '<' } else { '>' };
        let marks = vec!["?"; key.len()].join(",");
        self.conditions.push(format!("({columns}) {is_after} ({marks})"));
        self.values.extend(key);
        self
    }

    /// Sorts the list as it was asked for, and otherwise by id.
    pub(crate) fn sorted(mut self, sort: Option<Sort>) -> Self {
        if let Some(Sort { column, descending }) = sort {
            self.order = vec![column, "id"];
            self.descending = descending;
        }
        self
    }

    pub(crate) fn order(mut self, columns: &[&'static str]) -> Self {
        self.order = columns.to_vec();
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
        let mut place = Place {
            list: self.rows(),
            values: self.values.clone(),
            offset: (i64::from(paging.page) - 1) * i64::from(paging.page_size),
            version: Version::of(db)?,
        };
        let (skip, known_total) = match bookmarks.find(&place) {
            Some(End { key, total }) => {
                self = self.after(key);
                (0, total)
            }
            None => (place.offset, None),
        };
        let total = match known_total {
            None if paging.include_total => Some(count(db, &place)?),
            known => known,
        };
        // One row more than the page tells whether there is a next one. The limit stands in the
        // text: a statement whose limit is bound is planned anew with every binding.
        let sql = format!(
            "SELECT {}, {} {} LIMIT {} OFFSET ?",
            self.columns,
            self.order.join(", "),
            self.rows(),
            i64::from(paging.page_size) + 1,
        );
        self.values.push(Value::from(skip));

        let (mut seen, mut key) = (0, Vec::new());
        let mut items = rows(db, &sql, &self.values, |row| {
            seen += 1;
            if seen == size {
                key = last_columns(row, self.order.len())?;
            }
            (self.read)(row)
        })?;
        let has_more = items.len() > size;
        items.truncate(size);
        if has_more {
            place.offset += i64::from(paging.page_size);
            bookmarks.keep(place, End { key, total });
        }
        Ok(Rows { items, has_more, total: total.filter(|_| paging.include_total) })
    }

    /// Reads the first rows.
    pub(crate) fn first(self, db: &Connection, limit: u32) -> rusqlite::Result<Vec<T>> {
        let sql = format!("SELECT {} {} LIMIT {limit}", self.columns, self.rows());
        rows(db, &sql, &self.values, self.read)
    }

    /// Reads the first row, if there is any.
    pub(crate) fn one(self, db: &Connection) -> rusqlite::Result<Option<T>> {
        Ok(self.first(db, 1)?.into_iter().next())
    }

    /// Returns `FROM … WHERE … ORDER BY …`.
    fn rows(&self) -> String {
        let direction = if self.descending { " DESC" } else { "" };
        let order: Vec<_> =
            self.order.iter().map(|column| format!("{column}{direction}")).collect();
        let conditions = self.conditions.join(" AND ");
        let only = if conditions.is_empty() { "" } else { " WHERE " };
        format!("FROM {}{only}{conditions} ORDER BY {}", self.from, order.join(", "))
    }
}

fn count(db: &Connection, place: &Place) -> rusqlite::Result<i32> {
    db.prepare_cached(&format!("SELECT count(*) {}", place.list))?
        .query_row(params_from_iter(&place.values), |row| row.get(0))
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
