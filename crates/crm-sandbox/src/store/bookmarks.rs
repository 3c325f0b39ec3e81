//! Where the pages of lists ended. A client that reads a list page by page then gets the next page
//! from there: by its number alone, each page would cost the way through all pages before it.
//!
//! A write moves what comes behind it. So the rows that writes put into a table or take out of it
//! are [kept for a while](super::moves), and an end is brought up to date by those of them that the
//! list has before it.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Mutex,
};

use rusqlite::{Connection, params_from_iter, types::Value};

use super::moves;
use crate::lock::lock;

/// How many ends are kept: enough for that many readers at the same time, and few enough to look
/// through them all.
const MOST: usize = 64;

/// The ends of the latest pages.
#[derive(Debug, Default)]
pub(crate) struct Bookmarks(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    ends: VecDeque<End>,
    /// The tables whose moves are recorded.
    watched: BTreeSet<&'static str>,
    /// A number that differs after every change of the file by another program.
    foreign_changes: i64,
    /// The number of rows that this program had changed when the moves were last cut back.
    cut_back_at: u64,
}

/// A list without its pages.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct List {
    pub(super) table: &'static str,
    /// Which rows of the table it has.
    pub(super) conditions: String,
    pub(super) values: Vec<Value>,
    /// The columns of the order, which together tell every row of the list from every other: where
    /// two rows were equal, a page could repeat one and leave out the other.
    pub(super) order: Vec<&'static str>,
    pub(super) descending: bool,
}

impl List {
    /// The condition that a row comes after the one with a key, or else before it or at it.
    pub(super) fn beside(&self, key: &[Value], after: bool) -> String {
        let comparison = match (after, self.descending) {
            (true, false) => ">",
            (true, true) => "<",
            (false, false) => "<=",
            (false, true) => ">=",
        };
        let marks = vec!["?"; key.len()].join(",");
        format!("({}) {comparison} ({marks})", self.order.join(", "))
    }
}

/// The end of a page.
#[derive(Debug, Clone)]
pub(super) struct End {
    /// The number of rows of the list up to here.
    pub(super) offset: i64,
    /// The sort key of the last of them.
    pub(super) key: Vec<Value>,
    /// The number of rows of the whole list, if it was counted.
    pub(super) total: Option<i64>,
    list: List,
    /// The last move of the table that is taken into account.
    seen: i64,
}

impl End {
    /// Takes the moves since into account.
    fn follow(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let newest = moves::newest(db, self.list.table)?;
        if newest == self.seen {
            return Ok(());
        }
        let sql = format!(
            "SELECT ifnull(sum(came) FILTER (WHERE {}), 0), ifnull(sum(came), 0)
             FROM {} WHERE rowid > ? AND {}",
            self.list.beside(&self.key, false),
            moves::of(self.list.table),
            self.list.conditions,
        );
        let seen = Value::from(self.seen);
        let values = self.key.iter().chain([&seen]).chain(&self.list.values);
        let (before, all): (i64, i64) = db
            .prepare_cached(&sql)?
            .query_row(params_from_iter(values), |row| Ok((row.get(0)?, row.get(1)?)))?;
        self.offset += before;
        self.total = self.total.map(|total| total + all);
        self.seen = newest;
        Ok(())
    }
}

impl Bookmarks {
    /// Returns the last known end of a page with at most this many rows up to it. It is kept: a
    /// page may be asked for again.
    pub(super) fn find(
        &self,
        db: &Connection,
        list: &List,
        offset: i64,
    ) -> rusqlite::Result<Option<End>> {
        let mut state = lock(&self.0);
        state.forget_after_foreign_changes(db)?;
        loop {
            let before = state.ends.iter_mut().filter(|end| end.offset <= offset);
            let nearest = before.filter(|end| end.list == *list).max_by_key(|end| end.offset);
            let Some(end) = nearest else {
                return Ok(None);
            };
            end.follow(db)?;
            // Rows that were put in before it may have moved it behind.
            if end.offset <= offset {
                return Ok(Some(end.clone()));
            }
        }
    }

    /// Keeps the end of a page that was read just now.
    pub(super) fn keep(
        &self,
        db: &Connection,
        list: List,
        offset: i64,
        key: Vec<Value>,
        total: Option<i64>,
    ) -> rusqlite::Result<()> {
        let mut state = lock(&self.0);
        if state.watched.insert(list.table) {
            moves::watch(db, list.table)?;
        }
        let seen = moves::newest(db, list.table)?;
        state.ends.retain(|end| end.offset != offset || end.list != list);
        state.ends.push_back(End { offset, key, total, list, seen });
        if state.ends.len() > MOST {
            state.ends.pop_front();
        }
        Ok(())
    }

    /// Forgets, once in a while, what lies too far back to be worth keeping.
    pub(super) fn after_writing(&self, db: &Connection) -> rusqlite::Result<()> {
        let mut state = lock(&self.0);
        let changes = db.total_changes();
        if changes.abs_diff(state.cut_back_at) < moves::MOST.unsigned_abs() {
            return Ok(());
        }
        state.cut_back_at = changes;
        let State { ends, watched, .. } = &mut *state;
        for table in std::mem::take(watched) {
            let first = moves::cut_back(db, table)?;
            ends.retain(|end| end.list.table != table || end.seen >= first);
            if ends.iter().any(|end| end.list.table == table) {
                watched.insert(table);
            } else {
                moves::unwatch(db, table)?;
            }
        }
        Ok(())
    }
}

impl State {
    /// What other programs change is not among the moves.
    fn forget_after_foreign_changes(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let version = "PRAGMA data_version";
        let version = db.prepare_cached(version)?.query_row([], |row| row.get(0))?;
        if self.foreign_changes != version {
            self.foreign_changes = version;
            self.ends.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use fastrand::Rng;

    use super::*;
    use crate::{
        query::{Paging, Sort},
        store::{Store, contacts, contacts::Location, methods::StoredMethod, record::Record},
    };

    fn store(contacts: i64) -> Store {
        let (store, _) = Store::open(None).unwrap();
        let fill = |db: &Connection| (1..=contacts).try_for_each(|id| insert(db, id, id / 3));
        store.create(fill, "").unwrap();
        store
    }

    fn insert(db: &Connection, id: i64, owner: i64) -> rusqlite::Result<()> {
        let time = format!("2026-05-27T16:04:{:02}.0000000Z", id % 60);
        let sql = "INSERT INTO location_contacts
                (owner_id, id, type, value, created_on, modified_on)
            VALUES (?, ?, 'Phone', '8185550142', ?3, ?3)";
        db.execute(sql, (owner, id, time)).map(drop)
    }

    fn write(store: &Store, sql: &str, id: i64) {
        let run = |db: &Connection| Ok(db.execute(sql, [id]).unwrap());
        store.write(true, run).unwrap();
    }

    fn ids(
        store: &Store,
        by_time: bool,
        page: i32,
        page_size: i32,
    ) -> (Vec<i64>, bool, Option<i32>) {
        let paging = Paging { page, page_size, include_total: true };
        let list = contacts::select::<Location>().only("active").order(&["id", "owner_id"]);
        let sort = Sort { column: "modified_on", descending: true };
        let list = if by_time {
            list.sorted(Some(sort)).order(&["modified_on", "id", "owner_id"])
        } else {
            list
        };
        let run = |db: &Connection| Ok(list.page(db, &store.bookmarks, paging).unwrap());
        let rows = store.read(run).unwrap();
        (rows.items.iter().map(|contact| contact.id).collect(), rows.has_more, rows.total)
    }

    const WRITES: [&str; 6] = [
        "INSERT OR IGNORE INTO location_contacts
             (owner_id, id, type, value, created_on, modified_on)
         VALUES (9, -?1, 'Phone', '', '', '2026-05-27T16:04:30.5000000Z')",
        "DELETE FROM location_contacts WHERE id = ?",
        "UPDATE location_contacts SET active = 1 - active WHERE id = ?",
        "UPDATE location_contacts SET modified_on = '2026-05-27T16:04:31' WHERE id = ?",
        "UPDATE location_contacts SET memo = 'a' WHERE id = ?",
        "UPDATE location_contacts SET id = id + 1000 WHERE id = ? AND id < 1000",
    ];

    #[test]
    fn each_page_is_the_piece_of_the_list_as_it_is_then_whatever_was_written_before() {
        let store = store(300);
        let mut random = Rng::with_seed(11);
        for round in 0..600 {
            for _ in 0..random.usize(0..6) {
                write(&store, random.choice(WRITES).unwrap(), random.i64(1..=320));
            }
            if round % 50 == 0 {
                let sql = "DELETE FROM location_contacts WHERE id > 40";
                store.write(false, |db| Ok(db.execute(sql, []).unwrap())).unwrap();
            }
            let by_time = random.bool();
            let (whole, _, _) = ids(&store, by_time, 1, 5_000);
            let page = random.i32(1..15);
            let size = [20, 33][random.usize(0..2)];
            let from = ((page - 1) * size) as usize;
            let expected: Vec<_> = whole.iter().copied().skip(from).take(size as usize).collect();
            let has_more = whole.len() > from + size as usize;
            let total = Some(whole.len() as i32);
            assert_eq!(ids(&store, by_time, page, size), (expected, has_more, total), "{round}");
        }
    }

    /// How many steps of SQLite's machine reading the list takes, page by page, with writes in
    /// between.
    fn steps(contacts: i64, writes: i64) -> u64 {
        let store = store(contacts);
        let steps = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&steps);
        let count = move || {
            counted.fetch_add(1, Ordering::Relaxed);
            false
        };
        lock(&store.connection).progress_handler(1, Some(count)).unwrap();
        let mut read = 0;
        for page in 1.. {
            let before = steps.load(Ordering::Relaxed);
            let (found, has_more, _) = ids(&store, false, page, 50);
            read += steps.load(Ordering::Relaxed) - before;
            assert_eq!(found[0], i64::from(page - 1) * 50 + 1);
            if !has_more {
                return read;
            }
            for id in 1..=writes {
                write(&store, "UPDATE location_contacts SET memo = 'a' WHERE id = ?", id);
            }
        }
        read
    }

    #[test]
    fn a_list_takes_steps_for_its_rows_alone_while_something_writes() {
        let (some, twice) = (steps(2_000, 3), steps(4_000, 3));
        assert!(twice < 2 * some + some / 5, "{some} {twice}");
        let undisturbed = steps(4_000, 0);
        assert!(twice < 2 * undisturbed, "{undisturbed} {twice}");
    }

    #[test]
    fn what_moves_is_recorded_for_a_while_and_no_longer() {
        let store = store(100);
        let recorded = || {
            let sql = "SELECT count(*) FROM temp.sqlite_schema";
            store.inspect(|db| db.query_row(sql, [], |row| row.get::<_, i64>(0))).unwrap()
        };
        assert_eq!(recorded(), 0, "nothing is read");
        ids(&store, false, 1, 10);
        assert!(recorded() > 0);
        for round in 0..moves::MOST {
            write(&store, "UPDATE location_contacts SET memo = 'a' WHERE id = ?", round % 100);
        }
        assert_eq!(recorded(), 0, "nobody has read for long");
        assert_eq!(ids(&store, false, 2, 10).0, Vec::from_iter(11..=20));
    }

    #[test]
    fn what_is_deleted_along_with_something_counts_too() {
        let store = store(0);
        let sql = "INSERT INTO people (id, created_on, created_by, modified_on, modified_by)
                VALUES ('a', '', 1, '', 1), ('b', '', 1, '', 1);
             INSERT INTO contact_methods
                (id, person_id, type, value, created_on, created_by, modified_on, modified_by)
                VALUES ('1', 'a', 'Phone', '', '', 1, '', 1), ('2', 'b', 'Phone', '', '', 1, '', 1),
                    ('3', 'b', 'Phone', '', '', 1, '', 1)";
        store.inspect(|db| db.execute_batch(sql)).unwrap();
        let page = |page| {
            let paging = Paging { page, page_size: 1, include_total: true };
            let run = |db: &Connection| {
                Ok(StoredMethod::select().page(db, &store.bookmarks, paging).unwrap())
            };
            let rows = store.read(run).unwrap();
            (rows.items.into_iter().map(|method| method.id).collect::<Vec<_>>(), rows.total)
        };
        assert_eq!(page(1), (vec!["1".to_owned()], Some(3)));
        store
            .write(true, |db| Ok(db.execute("DELETE FROM people WHERE id = 'a'", []).unwrap()))
            .unwrap();
        assert_eq!(page(2), (vec!["3".to_owned()], Some(2)));
    }
}
