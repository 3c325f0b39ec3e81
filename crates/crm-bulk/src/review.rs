//! What people do with a set before it is applied: they take single changes out, and approve it.

use std::time::Duration;

use crm_mirror::job::{Stop, on_thread};

use crate::{
    error::BulkError,
    set::{Decision, ExpectedDigest, Remark},
    store::{ChangeSet, DropSummary, Selection, Store as _, file::FileStore},
};

/// How long the set belongs to whoever drops changes, if the process stops in between: as for a run.
const LEASE: Duration = Duration::from_secs(10);

impl ChangeSet {
    /// Takes the selected changes out of the set: they are never applied. The set keeps them, as
    /// [dropped](crate::State::Dropped), with who did it, when and why, and has another
    /// [digest](Self::digest) from then on, so that an approval from before no longer holds.
    ///
    /// It takes the set as a run does, so no run can be in progress. Nothing is dropped if one of the
    /// selected changes was sent or may have been; selected changes for which nothing would be sent
    /// are left as they are.
    ///
    /// ```no_run
    /// use crm_bulk::{BulkError, ChangeSet, Remark, Selection};
    /// # use crm_models::CustomerId;
    ///
    /// # async fn example(customer: CustomerId) -> Result<(), BulkError> {
    /// let set = ChangeSet::open("opt-outs.crm")?;
    /// let which = Selection::all().owner(customer.into());
    /// let remark = Remark::new().by("Dana Whitfield").reason("they want to stay on the list");
    /// println!("{} dropped", set.drop_changes(&which, remark).await?.dropped);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`BulkError::Begun`], [`BulkError::InUse`], [`BulkError::Backup`], [`BulkError::Altered`] and
    /// [`BulkError::NotAdopted`] as for [`digest`](Self::digest), or a failure to read or write.
    pub fn drop_changes(
        &self,
        which: &Selection,
        remark: Remark,
    ) -> impl Future<Output = Result<DropSummary, BulkError>> + Send + use<> {
        let (set, which, path) = (self.database.again(), which.clone(), self.path().to_owned());
        async move {
            let select = move |_: &std::path::Path, stop: &Stop| {
                let selected = Self::again(&set, stop)?;
                selected.refuse_backup()?;
                let ids = selected.changes(&which).map(|change| Ok(change?.id));
                let ids = ids.collect::<Result<Vec<_>, BulkError>>()?;
                Ok::<_, BulkError>((ids, Self::again(&set, &Stop::default())?))
            };
            let (ids, set) = on_thread(&path, select).await?;
            let store = FileStore::open(set, LEASE)?;
            let dropped = async {
                let lease = store.take(&format!("process {}", std::process::id())).await?;
                store.drop_changes(&lease, ids, remark).await
            };
            let dropped = dropped.await;
            store.leave().await;
            dropped
        }
    }

    /// Approves the set exactly as it is, if it is the expected one: the digest is computed and kept, with the user of the
    /// system and the name that is given. [`Apply::require_approval`](crate::Apply::require_approval)
    /// refuses a set without.
    ///
    /// It holds for this digest alone, so it ends as soon as anything of the plan is changed. Like the
    /// digest it protects against mistakes: whoever may write the file can write an approval.
    ///
    /// # Errors
    ///
    /// [`BulkError::NotExpected`] for a set with another digest; [`BulkError::Backup`],
    /// [`BulkError::Altered`] and [`BulkError::NotAdopted`] as for [`digest`](Self::digest), or a
    /// failure to read or write.
    pub fn approve(
        &self,
        expected: Option<ExpectedDigest>,
        remark: Remark,
    ) -> impl Future<Output = Result<Decision, BulkError>> + Send + use<> {
        let (set, path) = (self.database.again(), self.path().to_owned());
        async move {
            let approve = move |_: &std::path::Path, stop: &Stop| {
                let set = Self::again(&set, stop)?;
                set.refuse_backup()?;
                set.keep_approval(expected, remark)
            };
            on_thread(&path, approve).await
        }
    }

    /// A backup is never applied, so nothing is decided about it either.
    fn refuse_backup(&self) -> Result<(), BulkError> {
        match self.info()?.backup_of {
            Some(original) => Err(BulkError::Backup { path: self.path().to_owned(), original }),
            None => Ok(()),
        }
    }
}
