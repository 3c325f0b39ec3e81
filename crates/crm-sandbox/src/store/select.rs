//! A list query: conditions, order, one page.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, ToSql, params_from_iter};

use crate::query::{Paging, Sort};

/// One page of a list and whether more follows.
#[derive(Debug)]
pub(crate) struct Rows<T> {
    pub(crate) items: Vec<T>,
    pub(crate) has_more: bool,
    pub(crate) total: Option<i32>,
}

/// Builds `SELECT … WHERE … ORDER BY … LIMIT … OFFSET …`.
#[derive(Debug)]
pub(crate) struct Select {
    columns: &'static str,
    from: String,
    conditions: Vec<String>,
    values: Vec<Value>,
    order: String,
}

impl Select {
    pub(crate) fn new(columns: &'static str, from: impl Into<String>) -> Self {
        Self {
            columns,
            from: from.into(),
            conditions: Vec::new(),
            values: Vec::new(),
            order: "id".to_owned(),
        }
    }

    /// Adds a condition without values.
    pub(crate) fn only(mut self, condition: &str) -> Self {
        self.conditions.push(condition.to_owned());
        self
    }

    /// Adds a condition with one value, left out where there is none.
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

    /// Keeps the rows whose columns come after these values in their order.
    pub(crate) fn after<const N: usize>(mut self, columns: &str, values: [Value; N]) -> Self {
        let marks = vec!["?"; N].join(",");
        self.conditions.push(format!("{columns} > ({marks})"));
        self.values.extend(values);
        self
    }

    /// The order that a caller asked for; by id where they did not.
    pub(crate) fn sorted(self, sort: Option<Sort>) -> Self {
        match sort {
            None => self,
            Some(Sort {
                column,
                descending: false,
            }) => self.order(format!("{column}, id")),
            Some(Sort {
                column,
                descending: true,
            }) => self.order(format!("{column} DESC, id DESC")),
        }
    }

    pub(crate) fn order(mut self, order: impl Into<String>) -> Self {
        self.order = order.into();
        self
    }

    /// Reads one page, and the total where it was asked for.
    pub(crate) fn page<T>(
        mut self,
        db: &Connection,
        paging: Paging,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Rows<T>> {
        let total = match paging.include_total {
            true => Some(self.count(db)?),
            false => None,
        };
        let size = i64::from(paging.page_size);
        let offset = (i64::from(paging.page) - 1) * size;
        let sql = format!(
            "SELECT {} FROM {}{} ORDER BY {} LIMIT ? OFFSET ?",
            self.columns,
            self.from,
            self.conditions(),
            self.order,
        );
        // One row more than the page tells whether there is a next one.
        self.values
            .extend([Value::from(size + 1), Value::from(offset)]);
        let mut items = rows(db, &sql, &self.values, read)?;
        let has_more = items.len() > paging.page_size.unsigned_abs() as usize;
        items.truncate(paging.page_size.unsigned_abs() as usize);
        Ok(Rows {
            items,
            has_more,
            total,
        })
    }

    /// Reads the first rows.
    pub(crate) fn first<T>(
        mut self,
        db: &Connection,
        limit: u32,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        let sql = format!(
            "SELECT {} FROM {}{} ORDER BY {} LIMIT ?",
            self.columns,
            self.from,
            self.conditions(),
            self.order,
        );
        self.values.push(Value::from(i64::from(limit)));
        rows(db, &sql, &self.values, read)
    }

    fn count(&self, db: &Connection) -> rusqlite::Result<i32> {
        let sql = format!("SELECT count(*) FROM {}{}", self.from, self.conditions());
        db.prepare_cached(&sql)?
            .query_row(params_from_iter(&self.values), |row| row.get(0))
    }

    fn conditions(&self) -> String {
        match self.conditions.is_empty() {
            true => String::new(),
            false => format!(" WHERE {}", self.conditions.join(" AND ")),
        }
    }
}

fn rows<T>(
    db: &Connection,
    sql: &str,
    values: &[impl ToSql],
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    db.prepare_cached(sql)?
        .query_map(params_from_iter(values), read)?
        .collect()
}
