//! Carrying a change set out.

mod audit;
mod brake;
mod classify;
mod contact;
mod contact_method;
mod creations;
mod event;
mod hooks;
mod in_flight;
mod landed;
mod options;
mod outage;
mod pass;
mod queue;
mod run;
mod turns;
mod unheeded;
mod window;

use std::{
    fmt,
    num::NonZeroUsize,
    path::PathBuf,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use crm_contacts::ContactsService;
use crm_mirror::Site;
use crm_transport::Transport;
use futures_core::Stream;
use futures_util::{FutureExt, StreamExt, TryStreamExt, future, stream};

use self::{
    audit::Audit,
    brake::Brake,
    hooks::Hooks,
    in_flight::InFlight,
    landed::Landed,
    options::{Options, PASSES},
    pass::Pass,
    run::Run,
    unheeded::Unheeded,
    window::Window,
};
pub use self::{
    event::{Event, Finished, StopReason, Written},
    hooks::{Deviation, DriftPolicy, Proposal, Resulting, Verdict},
};
pub use crate::decide::step::OnDrift;
use crate::{
    error::BulkError,
    set::{Change, ExpectedDigest},
    store::{
        ChangeSet, Store,
        file::{FileStore, admit},
    },
};

/// Carries out the open changes of a set: everything the first time, the rest after an
/// interruption.
///
/// Each change is compared with what its owner has now; 50 owners are read with one call, just
/// before their changes can be sent. A contact that is not what the plan saw is set aside
/// ([`OnDrift`]); one that is already as wanted is skipped. The others are sent, many at a time,
/// within the rate limit of the transport. A change therefore costs one call and a fiftieth; a
/// creation with preferences costs one more; a change to a person's contact method costs two, plus
/// one for each preference.
///
/// A write leaves within two seconds of the read on which it was decided
/// ([`DECISION_AGE`](crm_contacts::DECISION_AGE)). A write that is held up for longer, because a
/// rate limit's gate is closed or because the process was stopped, is not sent: its change is
/// decided again. This takes a transport that honors
/// [`Call::begin_by`](crm_transport::Call::begin_by), as those of `crm-transport` do.
///
/// A change is durably recorded as in flight before its request leaves, and with its outcome before
/// its [`Event`] is returned. What was in flight when a process died is read back: it is done if
/// the record is as wanted, sent again if the record is as before, and set aside otherwise. Only a
/// creation that does not show up is not sent again at once, since the service may still be working
/// on it ([`server_timeout`](Self::server_timeout)).
///
/// Each write is logged once, as an event of `tracing` with the target `crm_bulk::audit`, with
/// tenant, set and record but without any value. The same information is returned as
/// [`Event::Written`]. A write that was on its way when the process died is reported by the run
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
    set: Held,
    expected: Option<ExpectedDigest>,
    needs_approval: bool,
    options: Options,
    hooks: Hooks,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Where the set is that is to be carried out.
#[derive(Debug)]
enum Held {
    File(Box<ChangeSet>),
    Store { store: Box<dyn Store>, name: PathBuf, site: Site },
}

impl fmt::Debug for Apply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Apply")
            .field("set", &self.set)
            .field("expected", &self.expected)
            .field("needs_approval", &self.needs_approval)
            .field("options", &self.options)
            .field("hooks", &self.hooks)
            .finish_non_exhaustive()
    }
}

impl Apply {
    /// Creates a run that carries out this set.
    pub fn new(set: ChangeSet) -> Self {
        Self::of(Held::File(Box::new(set)))
    }

    /// Creates a run that carries out the set in this store, which people know by this name, and
    /// which is of this tenant and environment. How long its lease lasts is the store's matter.
    pub fn over(store: impl Store + 'static, name: impl Into<PathBuf>, site: Site) -> Self {
        Self::of(Held::Store { store: Box::new(store), name: name.into(), site })
    }

    fn of(set: Held) -> Self {
        Self {
            set,
            expected: None,
            needs_approval: false,
            options: Options::default(),
            hooks: Hooks::default(),
            stop: Box::pin(future::pending()),
        }
    }

    /// Carries the set out only if this is its digest, that is, if it is the set that was approved.
    pub fn expect(mut self, approved: impl Into<ExpectedDigest>) -> Self {
        self.expected = Some(approved.into());
        self
    }

    /// Carries the set out only if somebody [approved](crate::ChangeSet::approve) it exactly as it
    /// is.
    pub fn require_approval(mut self) -> Self {
        self.needs_approval = true;
        self
    }

    /// Compares each change with its digest when it is loaded, even where the set's digest is expected or
    /// has to be approved; by default all are compared before anything is sent. The set's digest is compared
    /// before that either way, with those that the changes keep. For a set that is carried out in many runs:
    /// to compare a million changes takes many seconds each time.
    pub fn compare_when_loaded(mut self) -> Self {
        self.options.compares_when_loaded = true;
        self
    }

    /// Sets how many writes may be on their way at once; the default is 64. One that was carried out is
    /// on its way no longer, even before its outcome is durable; as many may wait for that.
    pub fn concurrency(mut self, writes: NonZeroUsize) -> Self {
        self.options.concurrency = writes.get();
        self
    }

    /// Sets what to do with records that are not what the plan saw: an [`OnDrift`] for all of them,
    /// or a closure that decides on each.
    ///
    /// ```
    /// use crm_bulk::{Apply, ChangeSet, Deviation, OnDrift};
    ///
    /// # fn example(set: ChangeSet) -> Apply {
    /// // Our own notes may be overwritten, other memos may not.
    /// Apply::new(set).on_drift(|deviation: &Deviation| {
    ///     let current = deviation.current.as_ref().and_then(|image| image.as_contact());
    ///     match current.and_then(|contact| contact.memo.as_deref()) {
    ///         Some(memo) if memo.starts_with("[synced]") => OnDrift::Force,
    ///         _ => OnDrift::Skip,
    ///     }
    /// })
    /// # }
    /// ```
    pub fn on_drift(mut self, policy: impl DriftPolicy + 'static) -> Self {
        self.hooks.policy = Arc::new(policy);
        self
    }

    /// Asks this before a change is sent, and before it is claimed. A change that is held back is
    /// [held](crate::State::Held) with the given reason; [`retry_failed`](Self::retry_failed) asks
    /// again.
    ///
    /// The hook is shown the record as it is now and as the change will leave it. It is asked once
    /// for each time that the change is decided, also in a [dry run](Self::dry_run), for many changes
    /// at once; not again for the second write of a creation. A write leaves within two seconds of the
    /// reading, so a change whose hook takes longer is decided and asked again.
    ///
    /// ```
    /// use crm_bulk::{Apply, ChangeSet, Proposal, Resulting, Verdict};
    /// # async fn may_be_called(number: String) -> bool { !number.is_empty() }
    ///
    /// # fn example(set: ChangeSet) -> Apply {
    /// Apply::new(set).before(async |proposal: Proposal| {
    ///     let Resulting::Contact(contact) = proposal.result else {
    ///         return Verdict::Send;
    ///     };
    ///     let number = contact.get_value().unwrap_or_default().to_owned();
    ///     let marketing = contact.get_preferences().get_marketing_updates();
    ///     if marketing == Some(true) && !may_be_called(number).await {
    ///         return Verdict::Hold("no consent for marketing is on record".to_owned());
    ///     }
    ///     Verdict::Send
    /// })
    /// # }
    /// ```
    pub fn before<F, V>(mut self, hook: F) -> Self
    where
        F: Fn(Proposal) -> V + Send + Sync + 'static,
        V: Future<Output = Verdict> + Send + 'static,
    {
        self.hooks.before = Some(Arc::new(move |proposal| hook(proposal).boxed()));
        self
    }

    /// Tells this of each outcome once it is durable, before the [`Settled`](Event::Settled) event
    /// and before the change counts as finished; not in a dry run. An outcome may be told of again
    /// by a later run if the process dies in between, or not at all: it is in the set then.
    pub fn after<F, D>(mut self, hook: F) -> Self
    where
        F: Fn(Change) -> D + Send + Sync + 'static,
        D: Future<Output = ()> + Send + 'static,
    {
        self.hooks.after = Some(Arc::new(move |change| hook(change).boxed()));
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

    /// Sends changes that failed or were held earlier once more, except those of an undo that are not
    /// possible.
    pub fn retry_failed(mut self) -> Self {
        self.options.retry_failed = true;
        self
    }

    /// Sets how long the service may work on a request whose answer was lost; the default is the
    /// vendor's limit of 100 seconds. A creation is sent again only if it has not shown up for that
    /// long, so that it is never duplicated; a run that has to wait does so at its end.
    pub fn server_timeout(mut self, timeout: Duration) -> Self {
        self.options.server_timeout = timeout;
        self
    }

    /// Has creations whose answers were lost left open for a later run, where this one would wait for
    /// them at its end. A later run sends them again without waiting once they have not shown up for
    /// [so long](Self::server_timeout), if its store knows since when nothing was sent
    /// ([`Lease::alone_since`](crate::Lease::alone_since)).
    pub fn leave_unanswered(mut self) -> Self {
        self.options.leaves_unanswered = true;
        self
    }

    /// Sets how long the set continues to belong to this run when the process shows no sign of life
    /// because it is stopped or asleep; the default is 10 seconds. After that another process may
    /// take over the set, and this one begins nothing more. A process that is dead is not waited
    /// for.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.options.lease = lease;
        self
    }

    /// Stops when this future completes: what is in flight is finished, and nothing else is begun.
    pub fn stop_when(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Box::pin(stop);
        self
    }

    /// Takes the set for this process and carries it out as the stream is polled.
    ///
    /// Nothing progresses while the stream is not polled, and calls that wait for the rate limit
    /// keep their place in the queue, so poll it without long pauses. Dropping the stream is safe
    /// at any time, and waits for nothing: what was in flight is resolved by the next run, which begins
    /// once the file is closed. The stream has a clone of the service, so it can be moved to a task of
    /// its own.
    ///
    /// # Errors
    ///
    /// [`MirrorError::WrongTenant`](crate::MirrorError::WrongTenant) and [`MirrorError::WrongEnvironment`](crate::MirrorError::WrongEnvironment) before anything is sent, and
    /// [`BulkError::InUse`] if this process is already carrying out the set; [`BulkError::Backup`]. Whether another
    /// process is doing so is found out as the stream is polled, which then ends with the same
    /// error. The set itself is also checked at that point: the stream ends with
    /// [`BulkError::Altered`] if the set is not what was planned, [`BulkError::NotAdopted`] for a
    /// set of version 0.1 that nobody has looked at, [`BulkError::NotExpected`] for a set other than
    /// the [expected](Self::expect) one, and [`BulkError::NotApproved`]. Every change is read for this check before anything
    /// is sent.
    ///
    /// If the API cannot be read or the file cannot be written, nothing more is begun, what is in
    /// flight is finished and reported, and then the stream ends with the error. Running the set
    /// again continues. A single owner that cannot be read postpones only its own changes.
    pub fn run<'a, T: Transport + 'a>(
        self,
        service: &ContactsService<T>,
        site: &Site,
    ) -> Result<impl Stream<Item = Result<Event, BulkError>> + Send + Unpin + use<'a, T>, BulkError>
    {
        let (path, planned_for) = self.set.admit()?;
        site.admit(&planned_for, &path)?;
        Site::new(service.tenant(), site.environment()).admit(site, &path)?;
        let store = self.set.into_store(self.options.lease)?;
        let Self { options, hooks, expected, needs_approval, stop, .. } = self;
        let mut chosen = options.chosen();
        chosen.extend(hooks.policy.in_words().map(str::to_owned));
        chosen.extend(needs_approval.then(|| "only if it was approved".to_owned()));
        chosen.extend(expected.as_ref().map(|digest| format!("only with the digest {digest}")));
        let service = service.clone();
        let begun = async move {
            let taken = async {
                let lease = store.take(&owner()).await?;
                let open = store.count(&lease, options.which(0)).await?;
                let anything = expected.is_none() && !needs_approval;
                let found = if anything || options.compares_when_loaded {
                    store.check(&lease).await?
                } else {
                    store.digest(&lease).await?
                };
                if let Some(expected) = expected {
                    admit(found, expected, &path)?;
                }
                // Where nothing would be sent there was nothing to approve.
                if needs_approval && open > 0 && !store.is_approved(&lease, found).await? {
                    return Err(BulkError::NotApproved { path: path.clone(), found });
                }
                if open > 0 && !options.dry_run {
                    store.keep_run(&lease, chosen, open).await?;
                }
                Ok((lease, open))
            };
            let (lease, open) = match taken.await {
                Ok(taken) => taken,
                Err(error) => {
                    store.leave().await;
                    return Err(error);
                }
            };
            let brake = Arc::new(Brake::new(&options));
            let window = Window::of(options.concurrency);
            let audit = Audit::new(service.tenant(), path);
            let run = Arc::new(Run {
                service,
                store,
                lease,
                in_flight: InFlight::default(),
                landed: Landed::default(),
                options,
                hooks,
                brake: Arc::clone(&brake),
                audit,
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
            let finished = stream::once(async move { stream::iter(last.finish().await) }).flatten();
            Ok::<_, BulkError>(started.chain(events).chain(finished))
        };
        Ok(stream::once(begun).try_flatten().fuse().boxed())
    }
}

impl Held {
    /// The name of the set and whose it is, if it may be carried out.
    fn admit(&self) -> Result<(PathBuf, Site), BulkError> {
        match self {
            Self::File(set) => {
                let (path, info) = (set.path().to_owned(), set.info()?);
                match info.backup_of {
                    Some(original) => Err(BulkError::Backup { path, original }),
                    None => Ok((path, info.site)),
                }
            }
            Self::Store { name, site, .. } => Ok((name.clone(), site.clone())),
        }
    }

    fn into_store(self, lease: Duration) -> Result<Box<dyn Store>, BulkError> {
        match self {
            Self::File(set) => Ok(Box::new(FileStore::open(*set, lease)?)),
            Self::Store { store, .. } => Ok(store),
        }
    }
}

/// How this process is named to people who look at the set.
fn owner() -> String {
    format!("process {}", std::process::id())
}
