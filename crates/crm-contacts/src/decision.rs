//! Writes that rest on a reading: decided, sent while the reading is fresh, and otherwise decided
//! again.

use crm_models::{Timestamp, Tolerance};
use crm_transport::{Delivery, Transport};

use crate::{
    change::{AnyRecord, Difference, Preview, Record, RecordChange},
    error::{CallSite, ContactsError},
    operation::Operation,
    patience::Patience,
    pause,
    reading::Reading,
    service::ContactsService,
    settle::Unsettled,
};

/// A place in the API where a record can be read and changed.
pub(crate) trait Place<T>: Sync {
    /// The changes that can be asked of it.
    type Change: RecordChange<Record: Into<AnyRecord>>;
    /// The operation that sends an update.
    type Update: Operation<Answer = RecordOf<Self, T>> + Send + Sync;

    /// The service that sends the calls.
    fn service(&self) -> &ContactsService<T>;

    /// Reads the record.
    fn read(
        &self,
    ) -> impl Future<Output = Result<Reading<RecordOf<Self, T>>, ContactsError>> + Send;

    /// Puts a request, decided on this record, into the form in which the service takes it.
    fn in_form(
        &self,
        request: RequestOf<Self, T>,
        _present: &RecordOf<Self, T>,
    ) -> impl Future<Output = Result<RequestOf<Self, T>, ContactsError>> + Send {
        std::future::ready(Ok(request))
    }

    /// The operation that sends this request.
    fn operation(&self, request: RequestOf<Self, T>) -> Result<Self::Update, ContactsError>;

    /// The request that an operation sends.
    fn asked(update: &Self::Update) -> &RequestOf<Self, T>;

    /// How errors name the update, before there is one.
    fn site(&self) -> CallSite;
}

pub(crate) type RecordOf<P, T> = <<P as Place<T>>::Change as RecordChange>::Record;
pub(crate) type RequestOf<P, T> = <<P as Place<T>>::Change as RecordChange>::Request;

/// Sends a request to a place and finds out what becomes of it.
pub(crate) async fn send<T: Transport, P: Place<T>>(
    place: &P,
    service: &ContactsService<T>,
    request: RequestOf<P, T>,
    before: Option<&RecordOf<P, T>>,
) -> Result<RecordOf<P, T>, Unsettled<RecordOf<P, T>>> {
    let update = place.operation(request)?;
    let look = || place.read();
    let sent = service.write_and_compare(&update, P::asked(&update), before, look);
    sent.await
}

/// A change of the record at a place, decided on what the record is when the write leaves.
pub(crate) struct Decision<'a, P, C> {
    pub(crate) place: P,
    pub(crate) change: &'a C,
    /// Nothing is sent if the record was changed after this.
    pub(crate) unmodified_since: Option<Timestamp>,
    /// Whether it is sent the first time even if nothing differs.
    pub(crate) always: bool,
}

impl<'a, P, C: RecordChange> Decision<'a, P, C> {
    /// A change of which only what differs is sent.
    pub(crate) fn of(place: P, change: &'a C) -> Self {
        Self { place, change, unmodified_since: None, always: false }
    }

    pub(crate) fn unless_modified_since(self, moment: Option<Timestamp>) -> Self {
        Self { unmodified_since: moment, ..self }
    }
}

impl<P, C: RecordChange> Decision<'_, P, C> {
    /// Reads the record first. A change of nothing is refused before that; whether another one is
    /// valid depends on what the record has already.
    pub(crate) async fn read_and_make<T: Transport>(
        &self,
    ) -> Result<Updated<C::Record>, ContactsError>
    where
        P: Place<T, Change = C>,
    {
        if self.change.is_empty() {
            self.change.check()?;
        }
        let reading = self.place.read().await?;
        self.make(reading, None).await
    }

    /// Returns what would be sent to this record, or nothing when nothing differs.
    pub(crate) fn preview<T: Transport>(
        &self,
        present: &C::Record,
    ) -> Result<Option<Preview>, ContactsError>
    where
        P: Place<T, Change = C>,
    {
        let Some(request) = self.decide(present, Delivery::NotExecuted)? else {
            return Ok(None);
        };
        let update = self.place.operation(request)?;
        let tenant = self.place.service().tenant();
        let request = update.request_tolerating(tenant, Tolerance::Anything)?;
        Ok(Some(Preview::of(&request)))
    }

    /// Decides what is to be sent, given the record as it is now; nothing when nothing differs.
    /// `earlier`: whether an earlier attempt may have been carried out.
    fn decide<T: Transport>(
        &self,
        present: &C::Record,
        earlier: Delivery,
    ) -> Result<Option<C::Request>, ContactsError>
    where
        P: Place<T, Change = C>,
    {
        let planned = self.change.plan(present);
        // An earlier attempt that was carried out has changed the time itself.
        let may_be_ours = earlier == Delivery::Unknown && matches!(planned, Ok(None));
        if let (Some(unmodified_since), Some(modified_on)) =
            (self.unmodified_since, present.modified_on())
            && modified_on > unmodified_since
            && !may_be_ours
        {
            return Err(ContactsError::Modified {
                site: Box::new(self.place.site()),
                modified_on,
                unmodified_since,
                earlier,
            });
        }
        self.change.check_against(present, self.place.service().tolerance())?;
        let is_forced = self.always && earlier == Delivery::NotExecuted;
        let planned = match planned {
            Ok(None) if is_forced => self.change.request_for(present).map(Some),
            planned => planned,
        };
        planned.map_err(|source| ContactsError::Preferences {
            site: Box::new(self.place.site()),
            source,
        })
    }

    /// Decides, and sends while the reading is fresh. A write that was certainly not carried out is
    /// decided again on a fresh reading, for as long as the call may take. One whose outcome is
    /// unknown is made once more, to what the record is then. The same request must not be
    /// repeated: it would also undo what somebody else has changed meanwhile.
    pub(crate) async fn make<T: Transport>(
        &self,
        mut reading: Reading<C::Record>,
        mut lost: Option<Lost<C::Record>>,
    ) -> Result<Updated<C::Record>, ContactsError>
    where
        P: Place<T, Change = C>,
    {
        let service = self.place.service();
        let mut patience = Patience::of(service);
        loop {
            let earlier = match lost {
                Some(_) => Delivery::Unknown,
                None => Delivery::NotExecuted,
            };
            let write = match self.decide(&reading.record, earlier) {
                Ok(Some(write)) => write,
                Ok(None) => {
                    let after = reading.record;
                    let seen = lost.and_then(|lost| lost.before);
                    let before = seen.unwrap_or_else(|| after.clone());
                    return Ok(Updated { before, after });
                }
                Err(error) => return Err(reported(error, lost)),
            };
            let write = match self.place.in_form(write, &reading.record).await {
                Ok(write) => write,
                Err(error) => return Err(reported(error, lost)),
            };
            let bounded = service.decided(reading.begin_by(), lost.is_some());
            let written = send(&self.place, &bounded, write, Some(&reading.record)).await;
            let Unsettled { error, found, not_before } = match written {
                Ok(after) => {
                    let before = reading.record;
                    return Ok(Updated { before, after });
                }
                Err(unsettled) => unsettled,
            };

            let is_first_loss = lost.is_none() && found.is_some() && error.outcome_is_unknown();
            // The first loss was read back meanwhile, so it only waits as long as the service asks;
            // a second one ends it, since `Patience` takes no unknown outcome for passing.
            let pause = if is_first_loss {
                patience.until(not_before)
            } else {
                patience.after(service, &error, not_before)
            };
            let Some(pause) = pause else {
                return Err(reported(error, lost));
            };
            if is_first_loss {
                let before = Some(reading.record);
                lost = Some(Lost { error, before });
            }
            reading = match found {
                // What was read back before a pause is too old to decide on after it.
                Some(found) if pause.is_zero() => found,
                _ => {
                    pause::make(pause).await;
                    match self.place.read().await {
                        Ok(fresh) => fresh,
                        Err(error) => return Err(reported(error, lost)),
                    }
                }
            };
        }
    }
}

/// The result of an update: the record before and after it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Updated<R> {
    /// The record on which the write that was sent was decided.
    pub before: R,
    /// The record as it is now. It is the same as `before` when nothing had to be sent.
    pub after: R,
}

#[cfg(feature = "test-util")]
impl<R> Updated<R> {
    /// Creates the result of an update, for tests.
    #[must_use]
    pub fn new(before: R, after: R) -> Self {
        Self { before, after }
    }
}

impl<R: Record> Updated<R> {
    /// Returns what changed, member by member. It is empty when nothing had to be sent.
    #[must_use]
    pub fn differences(&self) -> Vec<Difference> {
        self.before.differences_to(&self.after)
    }
}

/// An attempt whose outcome is unknown.
pub(crate) struct Lost<R> {
    pub(crate) error: ContactsError,
    /// The record as it was, if it had been read.
    pub(crate) before: Option<R>,
}

/// Chooses which error to report after an attempt whose outcome is unknown: that one, unless the
/// later error says what the record is now.
fn reported<R>(error: ContactsError, lost: Option<Lost<R>>) -> ContactsError {
    match (error, lost) {
        (error @ (ContactsError::Modified { .. } | ContactsError::EchoDiffers(_)), _) => error,
        (_, Some(lost)) => lost.error,
        (error, None) => error,
    }
}
