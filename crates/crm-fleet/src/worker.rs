//! A worker, which does what was submitted.

use std::{collections::HashSet, fmt, future::ready, num::NonZeroUsize, sync::Arc, time::Duration};

use async_trait::async_trait;
use crm_bulk::{
    Apply, BulkError, Event, ExpectedDigest, Finished, Proposal, State, StopReason, Verdict,
};
use crm_contacts::{Advice, DECISION_AGE};
use crm_values::PhoneReader;
use futures_util::{
    FutureExt, TryStreamExt,
    future::{BoxFuture, Shared, select, select_all},
};
use tokio::time::sleep;
use tracing::Instrument;

use crate::{
    accounts::{Accounts, NoAccount},
    caps::Allowance,
    desk::DeskJobId,
    desk_jobs::{self, BegunAtDesk},
    engine::{Engine as _, Graphile, Hands},
    error::FleetError,
    jobs::{Begun, Ended, job},
    program::{CrmProgram, Ran},
    server::Server,
    sets::{SetId, StoredSet},
};

/// How long a set is carried out before others of its queue have their turn.
const SLICE: Duration = Duration::from_secs(5 * 60);
/// How often a worker looks whether its sets are still wanted.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often it is looked for sets that are to be carried out and have no job, and for schedules whose time
/// has come.
const WAKE_EVERY: Duration = Duration::from_secs(60);
/// How often a job may be begun without coming to an end: one that kills its worker would go on and
/// on. A worker dies with all that it has, and for most of that it is not to blame: where workers are killed
/// every few seconds, some of twenty sets were met five times in a row before they got on.
const MOST_STARTS: i32 = 10;
/// How often in a row a job may end with refused credentials before somebody has to look at them.
const MOST_REFUSALS: i32 = 3;
/// How long the service may work on a request: the vendor ends it after this time.
const SERVER_TIMEOUT: Duration = Duration::from_secs(100);
/// How long what is in flight may take once a worker is to stop.
const GRACE: Duration = Duration::from_secs(60);
/// How long a job waits after its first passing failure, and at most after others.
const PAUSE: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(300)];

/// A worker, which carries out the sets that were [submitted](Server::submit), of each tenant and host
/// one at a time. It can run in a process of its own or beside a web service.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use async_trait::async_trait;
/// use crm_fleet::{Accounts, AnyService, FleetError, NoAccount, Server, Site, Submission, Worker};
///
/// /// One account; with many, `site` says which.
/// #[derive(Debug)]
/// struct OneAccount(AnyService);
///
/// #[async_trait]
/// impl Accounts for OneAccount {
///     async fn service(&self, site: &Site) -> Result<AnyService, NoAccount> {
///         if self.0.tenant() == site.tenant() {
///             return Ok(self.0.clone());
///         }
///         Err(NoAccount { reason: "this tenant is not ours".to_owned(), passes: false })
///     }
/// }
///
/// # async fn example(service: AnyService, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), FleetError> {
/// let server = Server::connect("postgres://crm@localhost/fleet").await?;
/// server.submit(&server.set("june").await?, Submission::new(), "the web service").await?;
/// Worker::new(server, OneAccount(service)).run(stop).await
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Worker {
    server: Server,
    accounts: Arc<dyn Accounts>,
    at_once: usize,
    slice: Duration,
    lease: Option<Duration>,
    grace: Duration,
    on_end: OnEnd,
    desks: Option<CrmProgram>,
}

/// Whom each end of a slice is told.
#[derive(Clone)]
struct OnEnd(Arc<Tell>);

type Tell = dyn Fn(&StoredSet, &Ended) + Send + Sync;

impl fmt::Debug for OnEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnEnd")
    }
}

impl Worker {
    /// Creates a worker for the sets on this server.
    pub fn new(server: Server, accounts: impl Accounts + 'static) -> Self {
        let accounts = Arc::new(accounts);
        let on_end = OnEnd(Arc::new(|_, _| {}));
        let (at_once, slice, grace) = (8, SLICE, GRACE);
        Self { server, accounts, at_once, slice, lease: None, grace, on_end, desks: None }
    }

    /// Sets of how many tenants a set is carried out at once; the default is 8.
    pub fn at_once(mut self, tenants: NonZeroUsize) -> Self {
        self.at_once = tenants.get();
        self
    }

    /// Sets how long a set is carried out before others of its tenant have their turn; the default is
    /// five minutes.
    pub fn slice(mut self, slice: Duration) -> Self {
        self.slice = slice;
        self
    }

    /// Sets how long a set goes on to belong to this worker when its process shows no sign of life;
    /// the default is 10 seconds.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = Some(lease);
        self
    }

    /// Sets how long what is in flight may take once the worker is to stop; the default is a minute. What
    /// takes longer is left to the next worker, which reads it back.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Has this told each time the worker came to an end with a set, for the time being or for good: for
    /// metrics, or for those who wait for the set. It should not block.
    pub fn on_end(mut self, tell: impl Fn(&StoredSet, &Ended) + Send + Sync + 'static) -> Self {
        self.on_end = OnEnd(Arc::new(tell));
        self
    }

    /// Has the worker do what needs a tenant's desk, too, with the program and the home volumes that it
    /// is given. Without it such jobs are left to others.
    pub fn desks(mut self, program: CrmProgram) -> Self {
        self.desks = Some(program);
        self
    }

    /// Carries sets out until this completes; then what is in flight is finished.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`] if the server fails the job engine. What is in flight is finished then, too, and
    /// a worker can be run again at once.
    pub async fn run(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), FleetError> {
        let Self { server, accounts, at_once, slice, lease, grace, on_end, desks } = self;
        let engine = Arc::new(server.engine()?);
        let stop = select(stop.boxed(), engine.failed()).map(drop).boxed().shared();
        let waking = wake(server.clone(), Arc::clone(&engine));
        let hand = Hand {
            server: server.clone(),
            accounts,
            slice,
            lease,
            grace,
            on_end,
            desks,
            stop: stop.clone(),
            engine: Arc::clone(&engine),
        };
        let mounted = server.keep_mounted(hand.homes());
        let working = engine.run(Arc::new(hand), at_once, stop.boxed(), grace);
        // What goes on beside has no end.
        tokio::select! {
            ended = working => ended,
            ended = waking => ended,
            ended = mounted => ended,
        }
    }
}

/// Looks again and again for what has no job, and for schedules whose time has come; what fails is tried a
/// minute later.
async fn wake<R>(server: Server, engine: Arc<Graphile>) -> R {
    loop {
        if let Err(error) = server.wake(&engine).await {
            tracing::warn!(%error, "sets without a job were not looked for");
        }
        match server.file_due_with(&engine).await {
            Ok(0) => {}
            Ok(jobs) => tracing::info!(jobs, "the jobs of schedules were filed"),
            Err(error) => tracing::warn!(%error, "the jobs of schedules were not filed"),
        }
        sleep(WAKE_EVERY).await;
    }
}

/// What carries jobs out.
struct Hand {
    server: Server,
    accounts: Arc<dyn Accounts>,
    slice: Duration,
    lease: Option<Duration>,
    grace: Duration,
    on_end: OnEnd,
    desks: Option<CrmProgram>,
    stop: Shared<BoxFuture<'static, ()>>,
    engine: Arc<Graphile>,
}

impl fmt::Debug for Hand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hand").field("server", &self.server).finish_non_exhaustive()
    }
}

#[async_trait]
impl Hands for Hand {
    fn homes(&self) -> Vec<String> {
        self.desks.as_ref().map(CrmProgram::homes).unwrap_or_default()
    }

    async fn carry_out(&self, id: SetId) -> Result<(), FleetError> {
        let Some(set) = self.server.set_of_number(id).await? else {
            return Ok(());
        };
        let span = tracing::info_span!("set", tenant = set.site.tenant().get(), set = set.name);
        self.carry_out_set(&set).instrument(span).await
    }

    async fn run_at_desk(&self, id: DeskJobId) -> Result<(), FleetError> {
        let Some(desks) = &self.desks else {
            return Ok(());
        };
        let Some(begun) = self.server.begin_at_desk(id, &desks.homes()).await? else {
            return Ok(());
        };
        let (tenant, task) = (begun.site.tenant().get(), begun.task.as_str());
        let span = tracing::info_span!("desk", tenant, task, id = id.0);
        self.run_begun_at_desk(&begun, desks).instrument(span).await
    }
}

impl Hand {
    async fn carry_out_set(&self, set: &StoredSet) -> Result<(), FleetError> {
        // Before it counts as begun: a death while a dead worker's lease lasts is not the set's doing.
        tokio::select! {
            left = self.server.until_left(set.id) => left?,
            () = self.stop.clone() => {}
        }
        let Some(begun) = self.server.begin_job(set.id).await? else {
            return Ok(());
        };
        let ended = match too_often(begun.starts) {
            Some(ended) => ended,
            None => self.apply(set, &begun).await,
        };
        tracing::info!(ended = ended.as_str(), "a slice ended");
        let counts = self.server.end_job(set.id, begun.number, &ended).await?;
        (self.on_end.0)(set, &ended);
        match again(&ended, begun.failures).filter(|_| counts) {
            Some(after) => self.engine.add(job(set.id, &set.site, begun.priority, after)).await,
            None => Ok(()),
        }
    }

    async fn run_begun_at_desk(
        &self,
        begun: &BegunAtDesk,
        desks: &CrmProgram,
    ) -> Result<(), FleetError> {
        let id = begun.id;
        let ran = match too_often(begun.starts) {
            Some(ended) => Ran { ended, summary: None },
            // The worker before this one ended just then.
            None if begun.is_planned => Ran { ended: Ended::Done, summary: None },
            None => {
                let server = self.server.clone();
                let wanted = move || {
                    let server = server.clone();
                    async move { server.is_wanted_at_desk(id).await }
                };
                let stop = select_all([unwanted(wanted).boxed(), self.stop.clone().boxed()]);
                desks.run(begun, self.server.url(), stop.map(drop), self.grace_of_a_child()).await
            }
        };
        tracing::info!(ended = ran.ended.as_str(), "a job at a desk ended");
        let summary = ran.summary.as_deref();
        let counts = self.server.end_at_desk(id, begun.number, &ran.ended, summary).await?;
        match again(&ran.ended, begun.failures).filter(|_| counts) {
            Some(after) => {
                self.engine.add(desk_jobs::job(id, &begun.site, &begun.home, after)).await
            }
            None => Ok(()),
        }
    }

    /// How long a child may take to end: what came of it is kept within the worker's own grace.
    fn grace_of_a_child(&self) -> Duration {
        self.grace.saturating_sub(LOOK_EVERY)
    }

    /// Carries out what can be done of a set in one slice.
    async fn apply(&self, set: &StoredSet, begun: &Begun) -> Ended {
        let service = match self.accounts.service(&set.site).await {
            Ok(service) => service,
            Err(NoAccount { reason, passes: true }) => return Ended::Later(reason),
            Err(NoAccount { reason, passes: false }) => return Ended::Held(reason),
        };
        let Ok(digest) = begun.digest.parse::<ExpectedDigest>() else {
            return Ended::Held("it was submitted without a digest".to_owned());
        };
        let allowance = match self.server.set_aside(&set.site).await {
            Ok(Some(Allowance { writes: 0, of, .. })) => {
                return Ended::Later(format!(
                    "the {of} writes of this day are sent: it goes on at 00:00 UTC"
                ));
            }
            Ok(allowance) => allowance,
            Err(error) => return Ended::Later(error.to_string()),
        };
        let mut store = self.server.store(set).approved_by_another_than(&begun.submitted_by);
        if let Some(lease) = self.lease {
            store = store.lease(lease);
        }
        let mut apply = Apply::over(store, &set.name, set.site.clone())
            .expect(digest)
            .compare_when_loaded()
            .server_timeout(SERVER_TIMEOUT)
            .leave_unanswered()
            .stop_when(self.stopped(set.id));
        if begun.needs_approval {
            apply = apply.require_approval();
        }
        if begun.has_desk {
            apply = apply.before(|proposal| ready(without_ledger(&proposal)));
        }
        if let Some(allowance) = &allowance {
            apply = apply.canary(allowance.writes);
        }
        let (mut failures, mut awaited) = (begun.failures, HashSet::new());
        let run = async {
            let mut events = apply.run(&service, &set.site)?;
            let mut last = None;
            while let Some(event) = events.try_next().await? {
                match event {
                    Event::Settled(change) => {
                        awaited.remove(&change.id);
                        if change.outcome.state == State::Done {
                            failures = 0;
                        }
                    }
                    Event::Awaited(change) => drop(awaited.insert(change.id)),
                    Event::Finished(finished) => last = Some(finished),
                    _ => {}
                }
            }
            Ok::<_, BulkError>(last)
        };
        match run.await {
            Ok(Some(finished)) => {
                if let Some(allowance) = &allowance {
                    self.give_back(set, allowance, &finished).await;
                }
                self.after(set.id, &finished, awaited.len() as u64, failures).await
            }
            Ok(None) => Ended::Later("the run had no end".to_owned()),
            Err(error) => failed(&error, failures),
        }
    }

    /// Gives back what the run did not write, if nothing of it can be on its way still.
    async fn give_back(&self, set: &StoredSet, allowance: &Allowance, finished: &Finished) {
        use StopReason::{Canary, Complete, Stopped};

        if !matches!(finished.reason, Complete | Canary | Stopped) {
            return;
        }
        let sent = [State::Done, State::Failed, State::Unknown];
        let sent = sent.into_iter().map(|state| finished.count(state)).sum();
        if let Err(error) = self.server.give_back(&set.site, allowance, sent).await {
            tracing::warn!(%error, "what was not written is lost to this day");
        }
    }

    /// Completes when the slice is over, the worker is to stop, or nobody wants the set any more.
    fn stopped(&self, set: SetId) -> impl Future<Output = ()> + Send + 'static {
        let server = self.server.clone();
        let wanted = move || {
            let server = server.clone();
            async move { server.is_wanted(set).await }
        };
        let all = [unwanted(wanted).boxed(), sleep(self.slice).boxed(), self.stop.clone().boxed()];
        select_all(all).map(drop)
    }

    /// What a run makes of a job, of whose changes so many wait until they are surely not carried out.
    async fn after(&self, set: SetId, finished: &Finished, awaited: u64, failures: i32) -> Ended {
        match finished.reason {
            StopReason::Complete => match self.server.set_of_number(set).await {
                Ok(Some(StoredSet { open: 0, .. })) => Ended::Done,
                // A worker that waited for them would be missed elsewhere, and might die meanwhile.
                Ok(Some(StoredSet { open, .. })) if open == awaited => Ended::Unanswered,
                Ok(_) => Ended::Later("what became of some changes is not known yet".to_owned()),
                Err(error) => Ended::Later(error.to_string()),
            },
            // What was set aside for it is sent.
            StopReason::Stopped | StopReason::Canary => Ended::Yields,
            StopReason::Unreachable | StopReason::Outage => {
                Ended::Later("the service cannot be reached".to_owned())
            }
            StopReason::Superseded => Ended::Superseded,
            StopReason::Credentials => refused("the credentials are refused".to_owned(), failures),
            StopReason::Forbidden => {
                Ended::Held("the service does not let this app write".to_owned())
            }
            other => Ended::Held(format!("the run was stopped: {other:?}")),
        }
    }
}

/// Completes when a job is no longer wanted, by what is asked again and again.
async fn unwanted<A: Future<Output = Result<bool, FleetError>>>(is_wanted: impl Fn() -> A) {
    // What cannot be asked is wanted still.
    while is_wanted().await.unwrap_or(true) {
        sleep(LOOK_EVERY).await;
    }
}

/// Holds a job that was begun so often without coming to an end.
fn too_often(starts: i32) -> Option<Ended> {
    let times = starts - 1;
    let held = format!("its workers died {times} times, and it was not begun again");
    (starts > MOST_STARTS).then_some(Ended::Held(held))
}

/// After which time a job is done again that ended so, after so many failures; `None` if it is not.
fn again(ended: &Ended, failures: i32) -> Option<Duration> {
    match ended {
        Ended::Done | Ended::Held(_) => None,
        Ended::Yields => Some(Duration::ZERO),
        Ended::Later(_) | Ended::Superseded => Some(pause(failures)),
        // Nothing was sent later than this run's end.
        Ended::Unanswered => Some(pause(failures).max(SERVER_TIMEOUT + DECISION_AGE)),
    }
}

/// What becomes of a job whose credentials are refused, after so many failures without getting on: a
/// service that is ill refuses good ones too.
fn refused(why: String, failures: i32) -> Ended {
    if failures < MOST_REFUSALS { Ended::Later(why) } else { Ended::Held(why) }
}

/// What an error makes of a job, after so many failures without getting on.
fn failed(error: &BulkError, failures: i32) -> Ended {
    let passes = match error {
        BulkError::Superseded { .. } => return Ended::Superseded,
        BulkError::Contacts(error) if error.is_credentials() => {
            return refused(error.to_string(), failures);
        }
        BulkError::InUse { .. } | BulkError::Store { .. } => true,
        BulkError::Contacts(error) => error.advice() == Advice::Later,
        _ => false,
    };
    if matches!(error, BulkError::NotApproved { .. }) {
        return Ended::Held(format!("{error} (whoever submitted it does not count)"));
    }
    if passes { Ended::Later(error.to_string()) } else { Ended::Held(error.to_string()) }
}

/// Holds what turns marketing on: of the tenant's wishes only its desk knows. Numbers are read as by
/// default; where a desk reads them otherwise, more is held.
fn without_ledger(proposal: &Proposal) -> Verdict {
    match proposal.begins_marketing(PhoneReader::default()) {
        None => Verdict::Send,
        Some(_) => Verdict::Hold(
            "it turns marketing on, and a worker cannot ask the consent ledger: `crm pull` the set, and \
             `crm apply --retry-failed` it at the tenant's desk"
                .to_owned(),
        ),
    }
}

/// How long to wait after so many failures before this one.
fn pause(failures: i32) -> Duration {
    let [first, most] = PAUSE;
    let doubled = 1_u32.checked_shl(failures.clamp(0, 16).unsigned_abs()).unwrap_or(u32::MAX);
    first.saturating_mul(doubled).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_that_goes_on_is_asked_about_less_and_less_often() {
        let pauses = [0, 1, 2, 7, 1_000].map(|failures| pause(failures).as_secs());
        assert_eq!(pauses, [2, 4, 8, 256, 300]);
    }

    #[test]
    fn what_may_pass_comes_again_and_what_cannot_waits_for_a_person() {
        let path = std::path::PathBuf::from("june");
        let later = failed(&BulkError::InUse { path: path.clone() }, 0);
        assert!(matches!(later, Ended::Later(_)), "{later:?}");
        let held = failed(&BulkError::Altered { path, changes: Vec::new(), more: 0 }, 0);
        assert!(matches!(held, Ended::Held(_)), "{held:?}");
    }
}
