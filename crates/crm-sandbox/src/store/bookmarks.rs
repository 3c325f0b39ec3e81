//! Where the pages of lists ended. A client that reads a list page by page then gets the next page
//! from there: by its number alone, each page would cost the way through all pages before it.

use std::{collections::VecDeque, sync::Mutex};

use rusqlite::{Connection, types::Value};

use crate::lock::lock;

/// How many ends are kept: enough for that many readers at the same time, and few enough to look
/// through them all.
const MOST: usize = 64;

/// The ends of the latest pages.
#[derive(Debug, Default)]
pub(crate) struct Bookmarks {
    ends: Mutex<VecDeque<(Place, End)>>,
}

/// A number of rows into a list that has not changed meanwhile.
#[derive(Debug, PartialEq)]
pub(super) struct Place {
    /// The query without its page.
    pub(super) list: String,
    pub(super) values: Vec<Value>,
    pub(super) offset: i64,
    pub(super) version: Version,
}

/// What is known at such a place.
#[derive(Debug, Clone)]
pub(super) struct End {
    /// The sort key of the row before it.
    pub(super) key: Vec<Value>,
    /// The number of rows in the whole list, if it was counted.
    pub(super) total: Option<i32>,
}

/// The version of the data: a different one after every change of the database, whoever makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    own_changes: u64,
    foreign_changes: i64,
}

impl Version {
    pub(super) fn of(db: &Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            own_changes: db.total_changes(),
            foreign_changes: db
                .prepare_cached("PRAGMA data_version")?
                .query_row([], |row| row.get(0))?,
        })
    }
}

impl Bookmarks {
    /// Returns what is known at a place. The entry is kept: a page may be asked for again.
    pub(super) fn find(&self, place: &Place) -> Option<End> {
        let ends = lock(&self.ends);
        let found = ends.iter().find(|(known, _)| known == place);
        found.map(|(_, end)| end.clone())
    }

    pub(super) fn keep(&self, place: Place, end: End) {
        let mut ends = lock(&self.ends);
        ends.retain(|(known, _)| *known != place);
        ends.push_back((place, end));
        if ends.len() > MOST {
            ends.pop_front();
        }
    }
}
