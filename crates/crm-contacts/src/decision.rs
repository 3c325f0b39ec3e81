//! Writes that rest on a reading: decided, sent while the reading is fresh, and otherwise decided
//! again.

use std::time::Duration;

use crm_transport::{Delivery, Transport, TransportErrorKind};
use tokio::time::Instant;

use crate::{
    ContactsService, Reading, RefusalKind,
    error::{Advice, ContactsError},
};

/// A write that rests on a reading.
pub(crate) trait Decision<T> {
    /// What is read.
    type Record: Send;
    /// What is sent.
    type Write: Send;

    /// A fresh look.
    fn read(&self) -> impl Future<Output = Result<Reading<Self::Record>, ContactsError>> + Send;

    /// What is to be sent, given what is there now; nothing when it is so already. `earlier`:
    /// whether an earlier attempt may have been carried out.
    fn decide(
        &self,
        record: &Self::Record,
        earlier: Delivery,
    ) -> Result<Option<Self::Write>, ContactsError>;

    /// Sends it by this service, which carries the bounds of the decision, and reads back what got
    /// lost.
    fn write(
        &self,
        service: &ContactsService<T>,
        write: Self::Write,
        record: &Self::Record,
    ) -> impl Future<Output = Result<Self::Record, Unsettled<Self::Record>>> + Send;
}

/// A write that did not succeed, or of which nobody knows: then the record as it reads back.
pub(crate) struct Unsettled<R> {
    pub(crate) error: ContactsError,
    pub(crate) found: Option<Reading<R>>,
    /// When the service asks to come back.
    pub(crate) not_before: Option<Instant>,
}

impl<R> From<ContactsError> for Unsettled<R> {
    fn from(error: ContactsError) -> Self {
        Self {
            error,
            found: None,
            not_before: None,
        }
    }
}

/// The record as it was when the write was decided that was sent, and as it is now.
pub(crate) struct Settled<R> {
    /// None when nothing had to be sent.
    pub(crate) before: Option<R>,
    pub(crate) after: R,
}

/// An attempt of which nobody knows whether it was carried out.
pub(crate) struct Lost<R> {
    pub(crate) error: ContactsError,
    /// The record as it was, if it had been read.
    pub(crate) before: Option<R>,
}

/// Decides, and sends while the reading is fresh. A write that was surely not carried out is decided
/// anew on a fresh look, for as long as the call may take. One of which nobody knows is made once
/// more, to what the record is then: the same request would also set again what somebody else has
/// changed meanwhile.
pub(crate) async fn carry_out<T: Transport, D: Decision<T>>(
    service: &ContactsService<T>,
    decision: &D,
    mut reading: Reading<D::Record>,
    mut lost: Option<Lost<D::Record>>,
) -> Result<Settled<D::Record>, ContactsError> {
    let mut patience = Patience::of(service);
    loop {
        let earlier = match lost {
            Some(_) => Delivery::Unknown,
            None => Delivery::NotExecuted,
        };
        let write = match decision.decide(&reading.record, earlier) {
            Ok(Some(write)) => write,
            Ok(None) => {
                return Ok(Settled {
                    before: lost.and_then(|lost| lost.before),
                    after: reading.record,
                });
            }
            Err(error) => return Err(told(error, lost)),
        };
        let bounded = service.decided(reading.begin_by(), lost.is_some());
        let written = decision.write(&bounded, write, &reading.record).await;
        let Unsettled {
            error,
            found,
            not_before,
        } = match written {
            Ok(after) => {
                let before = Some(reading.record);
                return Ok(Settled { before, after });
            }
            Err(unsettled) => unsettled,
        };

        let is_first_loss = lost.is_none() && found.is_some() && error.outcome_is_unknown();
        let pause = match is_first_loss {
            true => patience.until(not_before),
            false => patience.after(service, &error, not_before),
        };
        let Some(pause) = pause else {
            return Err(told(error, lost));
        };
        if is_first_loss {
            let before = Some(reading.record);
            lost = Some(Lost { error, before });
        }
        reading = match found {
            Some(found) if pause.is_zero() => found,
            _ => {
                tokio::time::sleep(pause).await;
                match decision.read().await {
                    Ok(fresh) => fresh,
                    Err(error) => return Err(told(error, lost)),
                }
            }
        };
    }
}

/// What is told of an error after an attempt of which nobody knows: that, unless the error says what
/// the record is now.
fn told<R>(error: ContactsError, lost: Option<Lost<R>>) -> ContactsError {
    match (error, lost) {
        (error @ (ContactsError::Modified { .. } | ContactsError::EchoDiffers(_)), _) => error,
        (_, Some(lost)) => lost.error,
        (error, None) => error,
    }
}

/// How long a decision is made again, and with what pauses.
pub(crate) struct Patience {
    end: Instant,
    pauses: u32,
}

/// The pause before the second time that a decision is made again; doubled each time. Mostly what
/// keeps a write from leaving in time makes the reading wait too, so it need not be long.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest pause that the service did not ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Patience {
    pub(crate) fn of<T: Transport>(service: &ContactsService<T>) -> Self {
        Self {
            end: service.bounds().end(),
            pauses: 0,
        }
    }

    /// How long to pause before a decision is made again after this error; none when it is final:
    /// it may have been carried out, waiting has been tried, or the time is up.
    pub(crate) fn after<T: Transport>(
        &mut self,
        service: &ContactsService<T>,
        error: &ContactsError,
        not_before: Option<Instant>,
    ) -> Option<Duration> {
        if !is_passing(error) || service.bounds().is_late() {
            return None;
        }
        let pause = match self.pauses {
            0 => Duration::ZERO,
            made => PAUSE
                .saturating_mul(1 << (made - 1).min(16))
                .min(LONGEST_PAUSE),
        };
        self.pauses += 1;
        let asked = self.until(not_before)?;
        Some(asked.max(pause)).filter(|pause| Instant::now() + *pause < self.end)
    }

    /// How long it is until the service may be asked again; none when that is too long.
    fn until(&self, not_before: Option<Instant>) -> Option<Duration> {
        let now = Instant::now();
        let not_before = not_before.unwrap_or(now);
        (not_before < self.end).then(|| not_before.saturating_duration_since(now))
    }
}

/// Whether a write was surely not carried out, for a reason that passes and that nothing has waited
/// for yet.
fn is_passing(error: &ContactsError) -> bool {
    use TransportErrorKind::{BudgetSpent, LimitServer, RateLimited, TokenEndpoint};

    let is_waited_for = |kind| {
        matches!(
            kind,
            BudgetSpent | LimitServer | RateLimited | TokenEndpoint
        )
    };
    match error {
        _ if error.advice() != Advice::Later => false,
        ContactsError::Transport { source, .. } => !is_waited_for(source.kind()),
        ContactsError::Refused(refusal) => matches!(
            refusal.kind,
            RefusalKind::RateLimited | RefusalKind::Maintenance
        ),
        _ => false,
    }
}

/// When the service asks to come back.
pub(crate) fn not_before(error: &ContactsError) -> Option<Instant> {
    let wait = error.refusal()?.retry_after?;
    Some(Instant::now() + wait)
}
