//! Whether contact methods of people receive marketing, as far as somebody has read it: no list tells
//! it, and it takes a call for each.

use crm_models::{ContactMethod, ContactMethodId, Timestamp};
use rusqlite::params;

use crate::{
    error::MirrorError,
    mirror::{
        file::Mirror,
        row::{time_of, whole_ticks},
    },
};

impl Mirror {
    /// Notes whether contact methods receive marketing, each as of when it was read.
    #[doc(hidden)]
    pub fn note_marketing(
        &self,
        methods: impl IntoIterator<Item = (ContactMethodId, bool, Timestamp)>,
    ) -> Result<(), MirrorError> {
        let mut methods = methods.into_iter().peekable();
        if methods.peek().is_none() {
            return Ok(());
        }
        let transaction = self.database.begin_to_write()?;
        self.database.check(transaction.execute_batch(include_str!("marketing.sql")))?;
        for (method, receives, at) in methods {
            self.database.execute(
                "INSERT INTO method_marketing VALUES (?, ?, ?) ON CONFLICT DO UPDATE
                 SET receives = excluded.receives, read_at = excluded.read_at
                 WHERE excluded.read_at >= read_at",
                params![method.get().as_bytes(), receives, whole_ticks(at)],
            )?;
        }
        let gone = "DELETE FROM method_marketing WHERE guid NOT IN (SELECT guid FROM methods)";
        self.database.execute(gone, [])?;
        self.database.check(transaction.commit())
    }

    /// Whether a contact method receives marketing, and when that was read: none where nobody has,
    /// or it was changed since.
    #[doc(hidden)]
    pub fn marketing_of(
        &self,
        method: &ContactMethod,
    ) -> Result<Option<(bool, Timestamp)>, MirrorError> {
        let known = "SELECT 1 FROM sqlite_master WHERE name = 'method_marketing'";
        if self.database.value::<i64>(known, [])?.is_none() {
            return Ok(None);
        }
        let sql = "SELECT receives, read_at FROM method_marketing WHERE guid = ?";
        let read = self.database.row(sql, [method.id.get().as_bytes()], |row| {
            Ok((row.get("receives")?, row.get("read_at")?))
        })?;
        let read = read.and_then(|(receives, at)| Some((receives, time_of(at)?)));
        Ok(read.filter(|(_, at)| *at >= method.modified_on))
    }
}
