//! The changes of a set, one after another.

use std::vec;

use rusqlite::params;

use super::{
    change_set::ChangeSet,
    codes,
    columns::{CHANGES, STATE},
    seal::SealedChange,
};
use crate::{
    error::BulkError,
    set::{Change, State},
};

/// A selection of the changes to look at.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Selection {
    states: Vec<State>,
    row: Option<u64>,
    limit: Option<u32>,
}

impl Selection {
    /// Selects every change.
    pub fn all() -> Self {
        Self::default()
    }

    /// Selects the changes in one of these states, or all changes if no state is given.
    pub fn states(states: impl IntoIterator<Item = State>) -> Self {
        Self { states: states.into_iter().collect(), ..Self::default() }
    }

    /// Selects only the changes that this row of the input asks for.
    pub fn row(mut self, row: u64) -> Self {
        self.row = Some(row);
        self
    }

    /// Selects at most this many changes.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }
}

/// How many changes are kept in memory.
const PAGE: u64 = 500;

/// An iterator over the selected changes of a set, returned by [`ChangeSet::changes`]. It ends
/// after an error.
#[derive(Debug)]
#[must_use = "changes are read when they are asked for"]
pub struct Changes<'a> {
    set: &'a ChangeSet,
    /// The states, as a set.
    states: Option<i64>,
    row: Option<u64>,
    /// How many more may be read.
    left: u64,
    /// The last one that was read.
    last: i64,
    page: vec::IntoIter<Result<Change, BulkError>>,
    ended: bool,
}

impl ChangeSet {
    /// Returns the selected changes, in the order of the input. Only a few are in memory at a time,
    /// however many there are; while another process applies the set, each change is as it was when
    /// it was read.
    ///
    /// ```no_run
    /// use crm_bulk::{BulkError, ChangeSet, Selection, State};
    ///
    /// let set = ChangeSet::open("opt-outs.crm")?;
    /// for change in set.changes(&Selection::states([State::Failed, State::Unknown])) {
    ///     let change = change?;
    ///     println!("{}: {:?}", change.target, change.outcome.message);
    ///     if change.outcome.http_status == Some(403) {
    ///         println!("a scope is missing");
    ///         break;
    ///     }
    /// }
    /// # Ok::<(), BulkError>(())
    /// ```
    pub fn changes(&self, selection: &Selection) -> Changes<'_> {
        let states = codes::set_of(selection.states.iter().copied());
        Changes {
            set: self,
            states: (states != 0).then_some(states),
            row: selection.row,
            left: selection.limit.map_or(u64::MAX, u64::from),
            last: i64::MIN,
            page: Vec::new().into_iter(),
            ended: false,
        }
    }
}

impl Changes<'_> {
    fn read_on(&mut self) -> Result<(), BulkError> {
        let sql = format!(
            "SELECT {} FROM {CHANGES}
             WHERE id > ?1 AND (?2 IS NULL OR 1 << {STATE} & ?2 <> 0)
               AND (?3 IS NULL OR row = ?3)
             ORDER BY id LIMIT ?4",
            SealedChange::select()
        );
        let limit = self.left.min(PAGE);
        let database = &self.set.database;
        let mut statement = database.check(database.connection.prepare_cached(&sql))?;
        let selected = params![self.last, self.states, self.row, limit];
        let at = database.check(SealedChange::of(&statement))?;
        let rows = database.check(statement.query_map(selected, |row| at.read(row)))?;
        let mut page = Vec::new();
        let mut failed = false;
        for row in rows {
            // What comes before it is given all the same.
            failed = row.is_err();
            if let Ok(change) = &row {
                self.last = change.id.0;
            }
            page.push(database.check(row).map_err(BulkError::from));
            if failed {
                break;
            }
        }
        let read = page.len() as u64;
        self.left -= read;
        self.ended = failed || read < PAGE;
        self.page = page.into_iter();
        Ok(())
    }
}

impl Iterator for Changes<'_> {
    type Item = Result<Change, BulkError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.as_slice().is_empty()
            && !self.ended
            && let Err(error) = self.read_on()
        {
            self.ended = true;
            return Some(Err(error));
        }
        self.page.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        set::Action,
        store::file::test_sets::{add, contact, draft},
    };

    #[test]
    fn each_selected_change_comes_once_and_in_order_however_many_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.crm");
        let draft = draft(&path);
        for (row, id) in (1..=1_500).zip(1..) {
            let state = if id % 3 == 0 { State::Already } else { State::Planned };
            add(&draft, Some(row), contact(5, Some(id)), &Action::Delete, state);
        }
        draft.finish().unwrap();
        let set = ChangeSet::open(&path).unwrap();
        let rows = |selection: Selection| -> Vec<u64> {
            let changes = set.changes(&selection);
            changes.map(|change| change.unwrap().row.unwrap()).collect()
        };
        let all: Vec<_> = (1..=1_500).collect();
        assert_eq!(rows(Selection::all()), all);
        let planned: Vec<_> = all.iter().copied().filter(|id| id % 3 != 0).collect();
        assert_eq!(rows(Selection::states([State::Planned])), planned);
        let first = Selection::states([State::Planned]).limit(700);
        assert_eq!(rows(first), planned[..700]);
        assert_eq!(rows(Selection::all().limit(500)), all[..500]);
        assert_eq!(rows(Selection::all().row(1_203)), [1_203]);
    }
}
