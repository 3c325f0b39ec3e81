//! What became of a write: a lost answer, and one about another record, are looked after.

use std::time::Duration;

use crm_transport::Transport;
use tokio::time::Instant;

use crate::{ContactsService, RefusalKind, error::ContactsError, operation::Operation};

/// When to read back after an unknown outcome: at once, then with the ordinary lists' lag.
const READ_BACK: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// How long reading back may take in all: a host that lost the answer may be silent to each look.
const READ_BACK_TIME: Duration = Duration::from_secs(60);

impl<T: Transport> ContactsService<T> {
    /// [`call`](Self::call) for a write: a lost answer becomes
    /// [`ContactsError::OutcomeUnknown`].
    pub(crate) async fn write<O: Operation>(
        &self,
        operation: &O,
    ) -> Result<O::Answer, ContactsError> {
        self.call(operation)
            .await
            .map_err(ContactsError::or_unknown)
    }

    /// [`write`](Self::write) for a record that can be read by itself: after a lost answer, or one
    /// about another record, `look` is asked until the record is as wanted.
    pub(crate) async fn write_or_look<O: Operation, F>(
        &self,
        operation: &O,
        look: impl Fn() -> F,
        is_done: impl Fn(&O::Answer) -> bool,
    ) -> Result<O::Answer, ContactsError>
    where
        F: Future<Output = Result<O::Answer, ContactsError>>,
    {
        match self.call(operation).await {
            Err(error) if error.outcome_is_unknown() => {
                let found = self.read_back(look, is_done).await;
                found.map_err(|_| error.unknown())
            }
            settled => settled,
        }
    }

    /// [`write`](Self::write) for a deletion: when an earlier attempt of this very call may
    /// have deleted the record, "not found" counts as done, and after a lost answer `gone`
    /// is asked until it says so.
    pub(crate) async fn delete<O: Operation, F>(
        &self,
        operation: &O,
        gone: impl Fn() -> F,
    ) -> Result<(), ContactsError>
    where
        F: Future<Output = Result<bool, ContactsError>>,
    {
        match self.call(operation).await {
            Ok(_) => Ok(()),
            Err(error) if !error.outcome_is_unknown() => Err(error),
            Err(error) if error.refusal_kind() == Some(RefusalKind::NotFound) => Ok(()),
            Err(error) => match self.read_back(gone, |gone| *gone).await {
                Ok(_) => Ok(()),
                Err(_) => Err(error.unknown()),
            },
        }
    }

    /// After an unknown outcome, looks until all is done, since ordinary lists may lag behind a
    /// write. Otherwise gives what it saw at last; nothing without time for a single look, or if
    /// time ran out within the last one.
    pub(crate) async fn read_back<R, F>(
        &self,
        look: impl Fn() -> F,
        is_done: impl Fn(&R) -> bool,
    ) -> Result<R, Option<R>>
    where
        F: Future<Output = Result<R, ContactsError>>,
    {
        let end = Instant::now() + READ_BACK_TIME;
        let end = self
            .bounds()
            .deadline
            .map_or(end, |deadline| deadline.min(end));
        let mut seen = None;
        for pause in READ_BACK {
            if Instant::now() + pause >= end {
                break;
            }
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            let looked = tokio::time::timeout_at(end, look()).await;
            seen = looked.ok().and_then(Result::ok);
            if let Some(done) = seen.take_if(|seen| is_done(seen)) {
                return Ok(done);
            }
        }
        Err(seen)
    }
}
