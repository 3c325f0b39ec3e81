//! A copy of a change set that is kept and never applied.

use std::path::Path;

use crm_mirror::{
    database::NewDatabase,
    job::{Stop, on_thread},
};

use super::{change_set::ChangeSet, format::FORMAT};
use crate::{clock, error::BulkError};

impl ChangeSet {
    /// Writes a copy of the set to keep, with all that is recorded up to now, also while a run is
    /// open. The work is done on a thread of its own.
    ///
    /// The copy opens as an archive: it can be inspected, reported and undone, but nothing can be
    /// recorded in it, and [`Apply`](crate::Apply) refuses it with [`BulkError::Backup`]. Two sets with
    /// the same open changes would make them twice.
    ///
    /// ```no_run
    /// # use crm_bulk::{BulkError, ChangeSet};
    /// # async fn example() -> Result<(), BulkError> {
    /// ChangeSet::open("opt-outs.crm")?.backup("opt-outs of today.crm").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`MirrorError::Exists`](crate::MirrorError::Exists), or a failure to read or write.
    pub fn backup<P: AsRef<Path>>(
        &self,
        out: P,
    ) -> impl Future<Output = Result<(), BulkError>> + Send + use<P> {
        let (set, out) = (self.database.again(), out.as_ref().to_owned());
        async move {
            on_thread(&out, move |out, stop| Self::again(&set, stop)?.copy_to(out, stop)).await
        }
    }

    fn copy_to(&self, out: &Path, stop: &Stop) -> Result<(), BulkError> {
        let copy = NewDatabase::copy(&self.database, out, &FORMAT)?;
        let database = copy.database();
        let original = self.path().canonicalize();
        let original = original.map_err(|e| BulkError::file(self.path(), "found", e))?;
        database.set_meta("backup_of", &original.to_string_lossy())?;
        database.set_meta("backed_up_at", &clock::now().to_string())?;
        // It holds all that the run had recorded.
        database.execute("UPDATE owner SET path = NULL, device = NULL, inode = NULL", [])?;
        stop.check(out)?;
        Ok(copy.finish()?)
    }
}
