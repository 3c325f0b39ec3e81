//! Finding out what became of a write whose answer got lost or is about another record.

use std::time::Duration;

use crm_transport::Transport;
use tokio::time::Instant;

use crate::{
    change::{AnyRecord, Asks, Record},
    error::{CallSite, ContactsError, Echo, RefusalKind},
    operation::Operation,
    pause,
    reading::Reading,
    service::ContactsService,
};

/// A write that did not succeed, or whose outcome is unknown. Then it has the record as read back.
pub(crate) struct Unsettled<R> {
    pub(crate) error: ContactsError,
    pub(crate) found: Option<Reading<R>>,
    /// The time until which the service asks to wait.
    pub(crate) not_before: Option<Instant>,
}

impl<R> From<ContactsError> for Unsettled<R> {
    fn from(error: ContactsError) -> Self {
        Self { not_before: not_before(&error), error, found: None }
    }
}

/// Returns the time until which the service asks to wait.
pub(crate) fn not_before(error: &ContactsError) -> Option<Instant> {
    let wait = error.refusal()?.retry_after?;
    Some(Instant::now() + wait)
}

/// The pauses before each reading after an unknown outcome. Lists may lag behind a write, so the
/// first look comes at once and two more come after the lag that lists usually have.
const READ_BACK: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(3)];

/// How long reading back may take in all, since a host that lost the answer may be silent to each
/// reading too.
const READ_BACK_TIME: Duration = Duration::from_secs(60);

impl<T: Transport> ContactsService<T> {
    /// Sends a write. A lost answer becomes [`ContactsError::OutcomeUnknown`].
    pub(crate) async fn write<O: Operation>(
        &self,
        operation: &O,
    ) -> Result<O::Answer, ContactsError> {
        self.call(operation).await.map_err(ContactsError::or_unknown)
    }

    /// [`write`](Self::write) for a record that can be read by itself. The answer is compared with
    /// what was `asked`, and with the record as it was `before`, where that is known. If it is not
    /// so, got lost or is about another record, `look` is asked until the record is as asked.
    pub(crate) async fn write_and_compare<O, A, F>(
        &self,
        operation: &O,
        asked: &A,
        before: Option<&O::Answer>,
        look: impl Fn() -> F,
    ) -> Result<O::Answer, Unsettled<O::Answer>>
    where
        O: Operation<Answer: Record + Into<AnyRecord>>,
        A: Asks<Record = O::Answer>,
        F: Future<Output = Result<Reading<O::Answer>, ContactsError>>,
    {
        let answered = match self.call(operation).await {
            Ok(mut answer) => {
                if let Some(before) = before {
                    answer.complete(before, |member| asked.asks(member).is_some());
                }
                if asked.is_echoed_by(&answer, before) {
                    return Ok(answer);
                }
                // It is a reason to look, as a lost answer is: the write may have been carried out
                // and answered wrongly.
                Ok(answer)
            }
            Err(error) if !error.outcome_is_unknown() => return Err(error.into()),
            lost => lost,
        };
        let not_before = answered.as_ref().err().and_then(not_before);
        let is_done = |found: &Reading<O::Answer>| asked.is_met_by(&found.record);
        let found = match self.read_back(look, is_done).await {
            Ok(found) => return Ok(found.record),
            Err(found) => found,
        };
        let answer = match answered {
            Err(error) => {
                return Err(Unsettled { error: error.unknown(), found, not_before });
            }
            Ok(answer) => answer,
        };
        let is_read_back = found.is_some();
        let record = found.map_or(answer, |found| found.record);
        let is_unchanged = before.is_some_and(|before| before.differences_to(&record).is_empty());
        let echo = self.echo(operation, asked, record);
        Err(Unsettled::from(match (is_read_back, is_unchanged) {
            (false, _) => ContactsError::EchoDiffers(echo).unknown(),
            (true, true) => ContactsError::NotChanged(echo),
            (true, false) => ContactsError::EchoDiffers(echo),
        }))
    }

    /// Describes an answer that is not what was asked.
    pub(crate) fn echo<O, A>(&self, operation: &O, asked: &A, answer: O::Answer) -> Box<Echo>
    where
        O: Operation<Answer: Record + Into<AnyRecord>>,
        A: Asks<Record = O::Answer>,
    {
        Box::new(Echo {
            site: CallSite::of(operation, self.tenant()),
            differences: asked.unmet_by(&answer),
            answer: answer.into(),
        })
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
            // Only behind the line above: an attempt before this answer may have been carried out.
            Err(error) if error.refusal_kind() == Some(RefusalKind::NotFound) => Ok(()),
            Err(error) => match self.read_back(gone, |gone| *gone).await {
                Ok(_) => Ok(()),
                Err(_) => Err(error.unknown()),
            },
        }
    }

    /// Reads after an unknown outcome until the result shows that it is done, since lists may lag
    /// behind a write. Otherwise returns what the last reading showed, if there was time for one
    /// and it ended. Outside a runtime it looks once, for as long as that takes.
    pub(crate) async fn read_back<R, F>(
        &self,
        look: impl Fn() -> F,
        is_done: impl Fn(&R) -> bool,
    ) -> Result<R, Option<R>>
    where
        F: Future<Output = Result<R, ContactsError>>,
    {
        let end = Instant::now() + READ_BACK_TIME;
        let end = self.bounds().deadline.map_or(end, |deadline| deadline.min(end));
        let mut seen = None;
        for pause in READ_BACK {
            if Instant::now() + pause >= end || !pause::is_possible(pause) {
                break;
            }
            pause::make(pause).await;
            seen = pause::until(end, look()).await.and_then(Result::ok);
            if let Some(done) = seen.take_if(|seen| is_done(seen)) {
                return Ok(done);
            }
        }
        Err(seen)
    }
}

/// Whether the result of a read is that its record does not exist.
pub(crate) fn is_gone<R>(read: Result<R, ContactsError>) -> Result<bool, ContactsError> {
    match read {
        Ok(_) => Ok(false),
        Err(error) if error.is_not_found() => Ok(true),
        Err(error) => Err(error),
    }
}
