//! People and their numbers and addresses, kept.

use crm_models::{Page, UnreadableRecord};
use rusqlite::params;
use uuid::Uuid;

use super::listed::Listed;
use crate::{
    error::MirrorError,
    mirror::{file::Mirror, stage::Stage},
};

impl Mirror {
    /// Keeps the records of a page in place of what they were before.
    pub(super) fn store_page<L: Listed>(&self, page: &Page<L>) -> Result<(), MirrorError> {
        let sql = sql::<L>(self.is_staged(Stage::People)?);
        let mut is_new = !page.unreadable.is_empty();
        for record in &page.data {
            self.forget_unreadable_guid::<L>(record.id())?;
            let reader = self.reader.get();
            let stored = record.with_columns(reader, |values| self.database.execute(&sql, values));
            is_new |= stored? > 0;
        }
        for record in &page.unreadable {
            self.keep_unreadable_guid::<L>(record)?;
        }
        if is_new { self.forget_coverage() } else { Ok(()) }
    }

    /// The row of the record with this id.
    pub(super) fn row_of<L: Listed>(&self, id: Uuid) -> Result<Option<i64>, MirrorError> {
        let sql = format!("SELECT id FROM {} WHERE guid = ?", L::TABLE);
        self.database.value(&sql, [id.as_bytes()])
    }

    fn forget_unreadable_guid<L: Listed>(&self, id: Uuid) -> Result<(), MirrorError> {
        let (first, last) = halves(id);
        self.forget_unreadable(L::FEED, first, Some(last)).map(drop)
    }

    fn keep_unreadable_guid<L: Listed>(
        &self,
        record: &UnreadableRecord,
    ) -> Result<(), MirrorError> {
        let ids = guid_of(record).map(halves);
        if let Some((first, last)) = ids {
            self.forget_unreadable(L::FEED, first, Some(last))?;
        }
        let sql = "INSERT OR REPLACE INTO unreadable
                (feed, owner, contact_id, reason, record)
            VALUES (?, ?, ?, ?, ?)";
        let (first, last) = ids.unzip();
        let values = params![L::FEED.name(), first, last, record.reason, record.json];
        self.database.execute(sql, values).map(drop)
    }
}

/// The id of a record that cannot be read, if that can.
pub(super) fn guid_of(record: &UnreadableRecord) -> Option<Uuid> {
    record.member("id")?.parse().ok()
}

/// An id as the two numbers that stand for it among what cannot be read.
pub(super) fn halves(id: Uuid) -> (i64, i64) {
    let (first, last) = id.as_u64_pair();
    (first.cast_signed(), last.cast_signed())
}

/// Keeps a record. In a first load, whose repeats are sorted out when all are there, it only adds;
/// later it changes no row that says the same.
fn sql<L: Listed>(is_staged: bool) -> String {
    let (table, names) = (L::TABLE, L::COLUMNS);
    let of_new: Vec<_> = names.split(", ").map(|name| format!("excluded.{name}")).collect();
    let (marks, of_new) = (vec!["?"; of_new.len()].join(", "), of_new.join(", "));
    let insert = format!("INSERT INTO {table} ({names}) VALUES ({marks})");
    if is_staged {
        return insert;
    }
    format!(
        "{insert} ON CONFLICT (guid) DO UPDATE SET ({names}) = ({of_new})
         WHERE ({names}) IS NOT ({of_new})"
    )
}
