//! The records that a set is about, and what it has of them.

use std::collections::BTreeSet;

use crm_mirror::columns;
use rusqlite::{Row, params, types::Value};

use super::{
    change_set::ChangeSet,
    codes,
    columns::{CHANGES, owner_column, read_target},
    seal::SealedChange,
};
use crate::{
    error::BulkError,
    set::{Change, Target},
};

columns! {
    /// The record of a change.
    struct RecordOfChange { id, owner_kind, owner_id, contact }
}

/// Of a change the record, all of it from the index but for what is created.
const RECORD: &str = "id, owner_kind, owner_id,
    coalesce(contact_id, (SELECT created_id FROM progress WHERE change = id)) AS contact";

/// For so many owners each is looked up on its own; of more the index is read from the first to the
/// last.
const OWNERS: usize = 100;

impl RecordOfChange {
    fn read(&self, row: &Row<'_>) -> rusqlite::Result<(i64, Target)> {
        let kind = codes::read_owner(row.get(self.owner_kind)?).unwrap_or_default();
        Ok((row.get(self.id)?, read_target(row, kind, self.owner_id, self.contact)?))
    }
}

impl ChangeSet {
    /// Returns the records that the set has changes of, those of some owners at a time: of the first
    /// ones, or of those behind the owner of this record, and at least so many if there are. None are
    /// left when none are returned.
    ///
    /// ```no_run
    /// use crm_bulk::{BulkError, ChangeSet};
    ///
    /// # fn example() -> Result<(), BulkError> {
    /// let set = ChangeSet::open("june.crm")?;
    /// let mut last = None;
    /// loop {
    ///     let records = set.records(last.as_ref(), 1_000)?;
    ///     let Some(newest) = records.last() else { break };
    ///     last = Some(*newest);
    ///     println!("{} records", records.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn records(
        &self,
        after: Option<&Target>,
        many: usize,
    ) -> Result<BTreeSet<Target>, BulkError> {
        let sql = format!(
            "SELECT {RECORD} FROM planned WHERE (owner_kind, owner_id) > (?1, ?2)
             ORDER BY owner_kind, owner_id"
        );
        let (kind, owner) = match after {
            Some(record) => (codes::owner(record), owner_column(record)),
            None => (-1, Value::Null),
        };
        let query = || {
            let mut query = self.database.connection.prepare_cached(&sql)?;
            let at = RecordOfChange::of(&query)?;
            let mut rows = query.query(params![kind, owner])?;
            let (mut records, mut last) = (BTreeSet::new(), None);
            while let Some(row) = rows.next()? {
                let (_, record) = at.read(row)?;
                let owner = (codes::owner(&record), owner_column(&record));
                if records.len() >= many && last.as_ref() != Some(&owner) {
                    break;
                }
                last = Some(owner);
                records.insert(record);
            }
            Ok(records)
        };
        Ok(self.database.check(query())?)
    }

    /// Returns the changes that the set has of these records, in the order of the input. Nothing but
    /// the records of these changes is read: for some thousands at a time.
    ///
    /// # Errors
    ///
    /// [`BulkError::Altered`] if a change is not what was planned, or a failure to read.
    pub fn changes_of(&self, records: &BTreeSet<Target>) -> Result<Vec<Change>, BulkError> {
        let numbers = self.database.check(self.numbers_of(records))?;
        self.changes_numbered(&numbers)
    }

    /// The changes with these numbers, but for those that repeat another.
    pub(super) fn changes_numbered(
        &self,
        numbers: &BTreeSet<i64>,
    ) -> Result<Vec<Change>, BulkError> {
        let sql = format!(
            "SELECT {} FROM {CHANGES} WHERE id = ? AND repeats IS NULL",
            SealedChange::select()
        );
        let query = || {
            // As one reading: each by itself would lock the file anew.
            let _reading = self.database.connection.unchecked_transaction()?;
            let mut query = self.database.connection.prepare_cached(&sql)?;
            let mut changes = Vec::new();
            for number in numbers {
                changes.extend(query.query_map([number], SealedChange::read_row)?);
            }
            changes.into_iter().collect()
        };
        Ok(self.database.check(query())?)
    }

    fn numbers_of(&self, records: &BTreeSet<Target>) -> rusqlite::Result<BTreeSet<i64>> {
        let owner = |record: &Target| (codes::owner(record), owner_column(record));
        let mut owners: Vec<_> = records.iter().map(owner).collect();
        owners.dedup();
        let spans: Vec<_> = match &owners[..] {
            [first, .., last] if owners.len() > OWNERS => vec![(first, last)],
            some => some.iter().map(|owner| (owner, owner)).collect(),
        };
        let sql = format!(
            "SELECT {RECORD} FROM planned
             WHERE (owner_kind, owner_id) >= (?1, ?2) AND (owner_kind, owner_id) <= (?3, ?4)"
        );
        let mut query = self.database.connection.prepare_cached(&sql)?;
        let at = RecordOfChange::of(&query)?;
        let mut numbers = BTreeSet::new();
        for (first, last) in spans {
            let mut rows = query.query(params![first.0, first.1, last.0, last.1])?;
            while let Some(row) = rows.next()? {
                let (number, record) = at.read(row)?;
                if records.contains(&record) {
                    numbers.insert(number);
                }
            }
        }
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        set::{Action, State},
        store::file::test_sets::{add, contact, draft},
    };

    #[test]
    fn records_come_by_owner_and_changes_by_record_however_many_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.crm");
        let draft = draft(&path);
        for owner in (1..=300).rev() {
            for id in 1..=2 {
                let target = contact(owner, Some(10 * owner + id));
                add(&draft, None, target, &Action::Delete(None), State::Planned);
            }
        }
        draft.finish().unwrap();
        let set = ChangeSet::open(&path).unwrap();
        let (mut all, mut last, mut sizes) = (BTreeSet::new(), None, Vec::new());
        loop {
            let records = set.records(last.as_ref(), 251).unwrap();
            let Some(newest) = records.last() else { break };
            last = Some(*newest);
            sizes.push(records.len());
            all.extend(records);
        }
        // Whole owners.
        assert_eq!((sizes, all.len()), (vec![252, 252, 96], 600));
        for step in [1, 2, 300] {
            let some: BTreeSet<_> = all.iter().copied().step_by(step).collect();
            let changes = set.changes_of(&some).unwrap();
            let found: BTreeSet<_> = changes.iter().map(|change| change.target).collect();
            assert_eq!((found, changes.len()), (some.clone(), some.len()));
            assert!(changes.is_sorted_by_key(|change| change.id));
        }
        assert_eq!(set.changes_of(&BTreeSet::new()).unwrap(), []);
    }
}
