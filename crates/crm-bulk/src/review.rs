//! What people do with a set before it is applied: they take single changes out, and approve it.

use crm_mirror::job::{Stop, on_thread};

use crate::{
    error::BulkError,
    set::{Decision, ExpectedDigest, Remark},
    store::{
        ChangeSet, DropSummary, Selection, Store as _,
        file::{FileStore, admit},
        lease::LEASE,
    },
};

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
        self.drop_of_expected(None, which, remark)
    }

    /// Drops the selected changes, as [`drop_changes`](Self::drop_changes) does, of a set that is the
    /// expected one, and approves what is left, as [`approve`](Self::approve) does. The digest that is
    /// expected is that of the set before, which was looked at. Where no change is dropped, or nothing is
    /// left to send, nothing is approved, and there is no decision.
    ///
    /// A set that is not the expected one is left as it is. If the process stops in between, the
    /// changes are dropped and the set is not approved.
    ///
    /// # Errors
    ///
    /// The errors of both.
    pub fn approve_without(
        &self,
        expected: Option<ExpectedDigest>,
        which: &Selection,
        remark: Remark,
    ) -> impl Future<Output = Result<(DropSummary, Option<Decision>), BulkError>> + Send + use<>
    {
        // The reason is that of what is dropped.
        let approves = Remark { reason: None, ..remark.clone() };
        let dropping = self.drop_of_expected(expected, which, remark);
        let (set, path) = (self.database.again(), self.path().to_owned());
        async move {
            let dropped = dropping.await?;
            if dropped.dropped == 0 {
                return Ok((dropped, None));
            }
            let again = move |_: &std::path::Path, stop: &Stop| Self::again(&set, stop);
            let set = on_thread(&path, again).await?;
            match set.approve(Some(dropped.digest.into()), approves).await {
                Ok(decision) => Ok((dropped, Some(decision))),
                Err(BulkError::NothingToApprove { .. }) => Ok((dropped, None)),
                Err(error) => Err(error),
            }
        }
    }

    fn drop_of_expected(
        &self,
        expected: Option<ExpectedDigest>,
        which: &Selection,
        remark: Remark,
    ) -> impl Future<Output = Result<DropSummary, BulkError>> + Send + use<> {
        let (set, which, path) = (self.database.again(), which.clone(), self.path().to_owned());
        async move {
            let select = move |_: &std::path::Path, stop: &Stop| {
                let selected = Self::again(&set, stop)?;
                selected.refuse_elsewhere()?;
                let ids = selected.changes(&which).map(|change| Ok(change?.id));
                let ids = ids.collect::<Result<Vec<_>, BulkError>>()?;
                let again = || Self::again(&set, &Stop::default());
                Ok::<_, BulkError>((ids, again()?, again()?))
            };
            let (ids, set, looked_at) = on_thread(&path, select).await?;
            let store = FileStore::open(set, LEASE)?;
            let dropped = async {
                let lease = store.take(&format!("process {}", std::process::id())).await?;
                // While the set is taken, nobody else makes it another.
                if let Some(expected) = expected {
                    let digest = move |_: &std::path::Path, _: &Stop| looked_at.digest();
                    admit(on_thread(&path, digest).await?, expected, &path)?;
                }
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
    /// [`BulkError::NotExpected`] for a set with another digest; [`BulkError::NothingToApprove`] for
    /// one of which nothing is left to send; [`BulkError::Backup`],
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
                set.refuse_elsewhere()?;
                set.keep_approval(expected, remark)
            };
            on_thread(&path, approve).await
        }
    }

    /// A backup is never applied, nor is what was moved, so nothing is decided about it either.
    fn refuse_elsewhere(&self) -> Result<(), BulkError> {
        match self.info()?.backup_of {
            Some(original) => Err(BulkError::Backup { path: self.path().to_owned(), original }),
            None => self.refuse_moved(),
        }
    }
}
