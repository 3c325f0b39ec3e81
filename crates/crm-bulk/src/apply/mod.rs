//! Carrying a change set out.

mod answer;
mod audit;
mod brake;
mod contact;
mod creations;
mod in_flight;
mod method;
mod outage;
mod pass;
mod queue;
mod run;
mod step;
#[cfg(test)]
mod tests;
mod window;

use std::{
    fmt,
    num::NonZeroUsize,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use crm_contacts::ContactsService;
use crm_transport::Transport;
use futures_core::Stream;
use futures_util::{FutureExt, StreamExt, TryStreamExt, future, stream};
use tokio::time::Instant;

use crate::{
    BulkError, Change, ChangeSet, Digest, ExpectedDigest, Site,
    store::{Store, Which, file::FileStore},
};

use self::{
    audit::Audit, brake::Brake, contact::Unheeded, in_flight::InFlight, pass::Pass, run::Run,
    window::Window,
};
pub use self::{
    audit::Written,
    brake::{Finished, StopReason},
};

/// Carries out what is open in a change set: everything at first, the rest after an
/// interruption.
///
/// Each change is compared with what its owner has now; 50 owners are read with one call, just
/// before their changes can be sent. A contact that is not what the plan saw is set aside
/// ([`OnDrift`]); one that is as wanted already is passed over. The others are sent, many at a
/// time; the transport keeps the rate limit. So a change costs one call and a fiftieth; a creation
/// with preferences one more; a person's contact method two, and one for each preference.
///
/// A write leaves within two seconds of the reading that decided it
/// ([`DECISION_AGE`](crm_contacts::DECISION_AGE)). One that is held up for longer, by a closed gate
/// of the rate limit or because the process was stopped, is not sent: its change is decided again.
/// That takes a transport that keeps [`Call::begin_by`](crm_transport::Call::begin_by), as those of
/// `crm-transport` do.
///
/// A change is durable as in flight before its request leaves, and durable with its outcome
/// before its [`Event`] is handed out. What was in flight when a process died is read back:
/// done if the record is as wanted, sent again if it is as before, set aside otherwise. Only a
/// creation that does not show up is not sent again at once: the service may still be working on
/// it ([`server_timeout`](Self::server_timeout)).
///
/// Each write leaves one line in the log: an event of `tracing` with the target
/// `crm_bulk::audit`, with tenant, set and record but without any value. The same is handed out
/// as [`Event::Written`]. A write that was on its way when the process died is told by the run
/// that finds it carried out.
///
/// ```no_run
/// use crm_bulk::{Apply, BulkError, ChangeSet, Event, Site};
/// use futures_util::TryStreamExt;
/// # use crm_contacts::ContactsService;
/// # use crm_transport::{Environment, Transport};
///
/// # async fn example<T: Transport>(contacts: ContactsService<T>, environment: Environment, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), BulkError> {
/// let site = Site::of(&contacts, environment.api_url());
/// let apply = Apply::new(ChangeSet::open("opt-outs.crm")?).max_failures(100).stop_when(stop);
/// let mut events = apply.run(&contacts, &site)?;
/// while let Some(event) = events.try_next().await? {
///     match event {
///         Event::Settled(change) => println!("{}: {}", change.target, change.outcome.state),
///         Event::Finished(finished) => println!("{:?}", finished.reason),
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct Apply {
    set: ChangeSet,
    expected: Option<ExpectedDigest>,
    options: Options,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl fmt::Debug for Apply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Apply")
            .field("set", &self.set)
            .field("expected", &self.expected)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Options {
    concurrency: usize,
    on_drift: OnDrift,
    max_failures: Option<u64>,
    canary: Option<u64>,
    dry_run: bool,
    retry_failed: bool,
    server_timeout: Duration,
    lease: Duration,
}

impl Options {
    /// Which changes a pass takes up.
    fn which(&self, pass: u32) -> Which {
        match self.retry_failed && pass == 0 {
            true => Which::OpenAndFailed,
            false => Which::Open,
        }
    }

    /// When the service has surely carried out what got no answer before this pass; known in the
    /// last one, which waits for it. A dry run sends nothing, so it need not wait.
    fn done_by(&self, pass: u32) -> Option<Instant> {
        let wait = match self.dry_run {
            true => Duration::ZERO,
            false => self.server_timeout,
        };
        let waits = self.dry_run || pass + 1 == PASSES;
        Instant::now().checked_add(wait).filter(|_| waits)
    }
}

/// What to do with a record that is not what the plan saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnDrift {
    /// Set the change aside.
    #[default]
    Skip,
    /// Make the change anyway: what it names is set, the rest stays as it is now.
    Force,
    /// Set the change aside and stop.
    Abort,
}

/// What happened while a set is carried out.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The run begins.
    Started {
        /// Changes that it takes up: those that are not settled, and the failed ones that are to
        /// be repeated.
        open: u64,
    },
    /// The outcome of a change is durable. It can also be [`State::Planned`](crate::State)
    /// again: not sent for a reason that passes, which the message tells. What is still open is
    /// looked at again at the end of the run, and then settled another time.
    Settled(Box<Change>),
    /// A request that may change a record was answered, or its answer got lost, or one of an
    /// earlier run turns out to be carried out. It comes before the change is
    /// [`Settled`](Self::Settled).
    Written(Written),
    /// The answer of this creation got lost, and so far its contact does not show up. Once
    /// everything else is done it is looked for as long as the service may be working on it
    /// ([`Apply::server_timeout`]), and only then sent again.
    Awaited(Box<Change>),
    /// In a dry run: this change would be sent.
    WouldSend(Box<Change>),
    /// This change was in flight when the run lost its set, as
    /// [`StopReason::Superseded`] or [`StopReason::Displaced`] tells: with its outcome if that was
    /// answered since, in flight otherwise. The set may know less. Just before the last event.
    InFlight(Box<Change>),
    /// The run is over and nothing is in flight any longer. This is the last event.
    Finished(Finished),
}

/// How often a run goes over what is still open: answers that got lost are resolved by the
/// second time, creations that do not show up by the third.
const PASSES: u32 = 3;
const CONCURRENCY: usize = 64;
const SERVER_TIMEOUT: Duration = Duration::from_secs(100);
const LEASE: Duration = Duration::from_secs(10);

impl Apply {
    /// Carries out this set.
    pub fn new(set: ChangeSet) -> Self {
        Self {
            set,
            expected: None,
            options: Options {
                concurrency: CONCURRENCY,
                on_drift: OnDrift::Skip,
                max_failures: None,
                canary: None,
                dry_run: false,
                retry_failed: false,
                server_timeout: SERVER_TIMEOUT,
                lease: LEASE,
            },
            stop: Box::pin(future::pending()),
        }
    }

    /// Carries the set out only if this is its digest: if it is the one that somebody approved.
    pub fn expect(mut self, approved: impl Into<ExpectedDigest>) -> Self {
        self.expected = Some(approved.into());
        self
    }

    /// How many writes are on their way at once; 64 unless told otherwise.
    pub fn concurrency(mut self, writes: NonZeroUsize) -> Self {
        self.options.concurrency = writes.get();
        self
    }

    /// What to do with records that are not what the plan saw.
    pub fn on_drift(mut self, on_drift: OnDrift) -> Self {
        self.options.on_drift = on_drift;
        self
    }

    /// Stops once this many changes have failed.
    pub fn max_failures(mut self, failures: u64) -> Self {
        self.options.max_failures = Some(failures);
        self
    }

    /// Sends up to this many changes and then stops, so that they can be checked before the rest.
    pub fn canary(mut self, changes: u64) -> Self {
        self.options.canary = Some(changes);
        self
    }

    /// Reads and compares, but sends and records nothing.
    pub fn dry_run(mut self) -> Self {
        self.options.dry_run = true;
        self
    }

    /// Sends changes that failed before once more; not those of an undo that are not possible.
    pub fn retry_failed(mut self) -> Self {
        self.options.retry_failed = true;
        self
    }

    /// How long the service may work on a request whose answer got lost: the vendor's limit of 100
    /// seconds unless told otherwise. A creation is sent again only when it does not show up for
    /// so long, so that it is never doubled; a run that has to wait does so at its end.
    pub fn server_timeout(mut self, timeout: Duration) -> Self {
        self.options.server_timeout = timeout;
        self
    }

    /// For how long the set stays this run's when the process shows no sign of life, being
    /// stopped or asleep: 10 seconds unless told otherwise. After that another process may take
    /// the set over, and this one begins nothing more. A process that is dead is not waited for.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.options.lease = lease;
        self
    }

    /// Stops when this completes: what is in flight is finished, nothing else is begun.
    pub fn stop_when(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Box::pin(stop);
        self
    }

    /// Takes the set for this process and carries it out as the stream is polled.
    ///
    /// Nothing moves while the stream is not polled, and calls that wait for the rate limit
    /// keep their place in the queue: poll it without long pauses. Dropping it is safe at any
    /// time: what was in flight is resolved by the next run.
    ///
    /// # Errors
    ///
    /// [`BulkError::WrongTenant`] and [`BulkError::WrongEnvironment`] before anything is sent,
    /// and [`BulkError::InUse`] when this process carries the set out already. Whether another one
    /// does is found out as the stream is polled, which then ends with the same error. So is
    /// whether the set is what it should be: [`BulkError::Altered`] when it is not what was
    /// planned, [`BulkError::NotAdopted`] for one of version 0.1 that nobody has looked at,
    /// [`BulkError::NotExpected`] for another one than is [expected](Self::expect). Every change is
    /// read for that before anything is sent.
    ///
    /// When the API cannot be read or the file cannot be written, nothing more is begun, what is
    /// in flight is finished and told, and then the stream ends with the error. Running the set
    /// again continues. A single owner that cannot be read postpones its own changes alone.
    pub fn run<'a, T: Transport>(
        self,
        service: &'a ContactsService<T>,
        site: &Site,
    ) -> Result<impl Stream<Item = Result<Event, BulkError>> + Send + Unpin + use<'a, T>, BulkError>
    {
        let path = self.set.path().to_owned();
        site.admit(&self.set.info()?.site, &path)?;
        Site::new(service.tenant(), site.environment()).admit(site, &path)?;
        let store = FileStore::open(self.set, self.options.lease)?;
        let Self {
            options,
            expected,
            stop,
            ..
        } = self;
        let begun = async move {
            let lease = store.take(&owner()).await?;
            approve(store.digest(&lease).await?, expected, &path)?;
            let open = store.count(&lease, options.which(0)).await?;
            let brake = Arc::new(Brake::new(&options));
            let window = Window::of(options.concurrency);
            let run = Arc::new(Run {
                service,
                store: Box::new(store),
                lease,
                in_flight: InFlight::default(),
                options,
                brake: Arc::clone(&brake),
                audit: Audit::new(service.tenant(), path),
                window: Mutex::new(window),
                creations: Mutex::default(),
                unheeded: Unheeded::default(),
                failure: Mutex::default(),
            });
            let stopped = async move {
                future::select(stop, Box::pin(brake.stopped())).await;
                brake.stop(StopReason::Stopped);
            };
            let stopped = stopped.boxed().shared();
            let last = Arc::clone(&run);
            let events = stream::iter(0..PASSES)
                .map(move |pass| Pass::events(Arc::clone(&run), stopped.clone(), pass))
                .flatten()
                .map(Ok);
            let started = stream::iter([Ok(Event::Started { open })]);
            let finished = stream::once(async move { stream::iter(last.finish()) }).flatten();
            Ok::<_, BulkError>(started.chain(events).chain(finished))
        };
        Ok(stream::once(begun).try_flatten().fuse().boxed())
    }
}

/// How this process is named to people who look at the set.
fn owner() -> String {
    format!("process {}", std::process::id())
}

/// Refuses a set that is not what was approved.
fn approve(found: Digest, expected: Option<ExpectedDigest>, path: &Path) -> Result<(), BulkError> {
    match expected.filter(|expected| !expected.admits(&found)) {
        None => Ok(()),
        Some(expected) => Err(BulkError::NotExpected {
            path: path.to_owned(),
            found,
            expected,
        }),
    }
}
