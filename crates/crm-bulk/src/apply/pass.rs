//! One pass over what is open: load, read, decide, send; all at once, and decided late.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use crm_contacts::ContactsError;
use crm_mirror::OwnerId;
use crm_models::Contact;
use crm_transport::{Moment, Transport};
use futures_core::{Stream, future::BoxFuture};
use futures_util::{
    FutureExt, StreamExt,
    future::{self, Either, FusedFuture as _, Shared},
    stream::{self, FuturesUnordered},
};
use tokio::time::Instant;

use super::{
    classify,
    event::Event,
    queue::{Queue, Reading, Undecided, YOUNG},
    run::{Done, MOST_RETURNS, Run, Work},
    turns::Turns,
};
use crate::{
    current,
    decide::step::{self, OnDrift, Step, Write},
    error::BulkError,
    set::{Image, Outcome, State, Target},
    store::{Cursor, Loaded, Which},
};

/// When to look again for what was created, or may have been: ordinary lists may lag.
const LOOK_AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// How often to look after that while the service may still be working on it.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Completes when nothing more may be begun.
pub(super) type Stopped<'a> = Shared<BoxFuture<'a, ()>>;

/// Something that was going on and has ended.
enum Ended {
    Loaded(Vec<Loaded>, Cursor),
    Read(Vec<Undecided>, Reading),
    Done(Done),
    /// Something that was to wait for is due, or the run is over.
    Nothing,
}

/// One pass over the open changes.
///
/// Everything that goes on is polled whatever else happens: a call that waits for the rate limit
/// must never wait for being polled, or it would hold up the calls behind it.
pub(super) struct Pass<'a, T> {
    run: Arc<Run<T>>,
    stopped: Stopped<'a>,
    which: Which,
    /// Whether changes that rest on others are left to the next pass.
    defers: bool,
    is_first: bool,
    /// When the service has surely carried out what it was sent in an earlier pass or run: known in
    /// the last pass, which waits for it, unless an owner from whom the set was taken may still send
    /// something.
    done_by: Option<Instant>,
    /// The same of what it was sent in an earlier run, where the store knows when that was.
    earlier_done_by: Option<Instant>,
    /// Where the next block begins; `None` after the last.
    cursor: Option<Cursor>,
    is_loading: bool,
    is_reading: bool,
    queue: Queue,
    tasks: FuturesUnordered<BoxFuture<'a, Ended>>,
    turns: Arc<Turns>,
    /// How many changes are worked on, and how many of these may be sent.
    working: usize,
    writing: usize,
    events: VecDeque<Event>,
}

impl<'a, T: Transport + 'a> Pass<'a, T> {
    /// What happens in the pass of this number, if there is need of it.
    pub(super) fn events(
        run: Arc<Run<T>>,
        stopped: Stopped<'a>,
        pass: u32,
    ) -> impl Stream<Item = Event> + Send + 'a {
        if !run.brake.wants_pass(pass) {
            return stream::empty().boxed();
        }
        let may_send = run.store.has_stopped_owner();
        let alone_since = run.lease.get_alone_since();
        let earlier_done_by = alone_since.and_then(|since| run.options.surely_done(since));
        let pass = Self {
            which: run.options.which(pass),
            defers: run.options.defers(pass),
            is_first: pass == 0,
            done_by: run.options.done_by(pass).filter(|_| !may_send),
            earlier_done_by: earlier_done_by.filter(|_| !may_send),
            run,
            stopped,
            cursor: Some(Cursor::default()),
            is_loading: false,
            is_reading: false,
            queue: Queue::new(),
            tasks: FuturesUnordered::new(),
            turns: Arc::default(),
            working: 0,
            writing: 0,
            events: VecDeque::new(),
        };
        stream::unfold(pass, |mut pass| async {
            let event = pass.next().await?;
            Some((event, pass))
        })
        .boxed()
    }

    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            if self.run.brake.is_on() {
                // What would stop the run is dropped now: while it is not polled it may hold
                // something for which others wait.
                if !self.stopped.is_terminated() {
                    let _ = (&mut self.stopped).now_or_never();
                }
                // What is in flight is finished.
                let turns = Arc::clone(&self.turns);
                let ended = turns.share(self.tasks.next()).await?;
                self.end(ended);
                continue;
            }
            self.begin();
            let turns = Arc::clone(&self.turns);
            let ended = future::select(self.tasks.next(), &mut self.stopped);
            let came = turns.share(self.run.landed.or_more(ended)).await;
            match came {
                Some(Either::Left((ended, _))) => self.end(ended?),
                Some(Either::Right(((), _))) | None => {}
            }
        }
    }

    /// Whether another write may be on its way.
    fn has_room(&self) -> bool {
        let most = self.run.options.concurrency;
        // Where the disk is slower than the network, the network waits.
        let landed = self.run.landed.count().min(most);
        self.working < most + landed && self.writing < self.run.window() + landed
    }

    /// Begins what may be begun.
    fn begin(&mut self) {
        // Reading the clocks for each change would take longer than deciding on it.
        let now = Moment::now();
        while self.has_room() {
            // One of the canary may come back unsent.
            if self.run.brake.canary_is_sent() && self.writing > 0 {
                break;
            }
            let Some((undecided, reading)) = self.queue.next(now) else {
                break;
            };
            if self.waits(&undecided) {
                continue;
            }
            if let Some(pause) = self.pause(&undecided, &reading) {
                self.look_again(undecided, pause);
                continue;
            }
            let step = self.decide(&undecided, &reading);
            if !self.run.brake.admits(&step) {
                return;
            }
            self.work(Work { undecided, step, reading });
        }
        self.prepare(now);
    }

    /// Whether a change of the contact that has to stand in, or the creation of one that may be the
    /// carrier, is still open: it is left to the next pass, or to the next run.
    fn waits(&self, undecided: &Undecided) -> bool {
        let change = undecided.change();
        let Some(owner) = undecided.owner().filter(|_| change.action.rests_on_others()) else {
            return false;
        };
        // What is still to be created has no id.
        let contact = change.action.stand_in().map(|stand_in| stand_in.contact);
        self.run.brake.is_left(&Target::Contact { owner, contact })
    }

    /// How long to wait before it is looked for again, if what it is about may still show up.
    fn pause(&self, undecided: &Undecided, reading: &Reading) -> Option<Duration> {
        let loaded = &undecided.loaded;
        let contacts = contacts(loaded, reading).ok()?;
        let pause = LOOK_AGAIN.get(undecided.looks).copied();
        if pause.is_some() && self.run.misses(loaded, contacts) {
            return pause;
        }
        self.done_by?;
        // Not read after that time: it may have been carried out since.
        let done_by = self.creations_done_by(undecided.owner()?);
        let done_by = done_by.filter(|done_by| *done_by > reading.asked)?;
        step::may_still_be_created(loaded, contacts).then(|| {
            let left = done_by.saturating_duration_since(Instant::now());
            pause.unwrap_or(LOOK_EVERY).min(left)
        })
    }

    /// When the service has surely carried out the creations of this owner that got no answer. Until it
    /// is known and past, none of them is sent again.
    fn creations_done_by(&self, owner: OwnerId) -> Option<Instant> {
        let are_of_this_run = self.run.creations().are_lost(owner);
        self.earlier_done_by.filter(|_| !are_of_this_run).or(self.done_by)
    }

    fn look_again(&mut self, mut undecided: Undecided, pause: Duration) {
        undecided.looks += 1;
        undecided.not_before = Some(Instant::now() + pause);
        self.queue.put([undecided]);
        self.spawn(async move {
            tokio::time::sleep(pause).await;
            Ended::Nothing
        });
    }

    fn decide(&self, undecided: &Undecided, reading: &Reading) -> Step {
        let (loaded, change) = (&undecided.loaded, undecided.change());
        let contacts = match contacts(loaded, reading) {
            _ if undecided.returns > MOST_RETURNS => {
                return Step::Settle(classify::never_fresh(change), None);
            }
            Ok(contacts) => contacts,
            Err(error) => return Step::Settle(classify::unread(error, change), None),
        };
        let handed_over = !self.run.options.dry_run;
        let decide = |on_drift| match change.target.owner() {
            Some(owner) => {
                let mut creations = self.run.creations();
                step::decide(loaded, contacts, on_drift, creations.taken(owner), handed_over)
            }
            None => step::decide(loaded, contacts, on_drift, &mut HashSet::new(), handed_over),
        };
        let asked = |outcome: &Outcome| {
            let id = change.target.contact();
            let current = contacts.iter().find(|found| Some(found.id) == id);
            self.run.asked(change, outcome, current.cloned().map(Image::from))
        };
        let step = match decide(OnDrift::Skip) {
            Step::Drift(outcome) => match asked(&outcome) {
                OnDrift::Skip => Step::Drift(outcome),
                OnDrift::Abort => Step::Abort(outcome),
                OnDrift::Force => decide(OnDrift::Force),
            },
            Step::Settle(outcome, _) if outcome.state == State::Conflict => match asked(&outcome) {
                OnDrift::Skip => Step::Settle(outcome, None),
                OnDrift::Abort => Step::Abort(outcome),
                OnDrift::Force => {
                    step::create_beside(change, contacts).unwrap_or(Step::Settle(outcome, None))
                }
            },
            step => step,
        };
        let surely_ended =
            |owner| self.creations_done_by(owner).is_some_and(|done_by| done_by <= reading.asked);
        let are_lost = |owner| self.run.creations().are_lost(owner);
        match step {
            Step::Contact(owner, Write::Create(..))
                if step::may_be_sent(change) && !surely_ended(owner) =>
            {
                Step::Await
            }
            // The newcomer may be that of another change.
            Step::Drift(_) | Step::Abort(_)
                if step::is_creation(loaded) && change.target.owner().is_some_and(are_lost) =>
            {
                Step::Await
            }
            step => step,
        }
    }

    fn work(&mut self, work: Work) {
        let writes = work.step.writes();
        let creates = work.creates();
        self.working += 1;
        self.writing += usize::from(writes);
        if let Some(owner) = creates {
            self.run.creations().began(owner);
        }
        let run = Arc::clone(&self.run);
        let work = async move { Ended::Done(run.carry_out(work).await) };
        self.tasks.push(Arc::clone(&self.turns).take_for(work.boxed()).boxed());
    }

    /// Sees to it that there is always something to decide: loads the next changes, and reads
    /// their owners, just in time. A call takes about as long as a write, and while a write is on
    /// its way as many others are begun as the window holds: so many must be left.
    fn prepare(&mut self, now: Moment) {
        if let Some(cursor) = self.cursor
            && !self.is_loading
            && self.queue.runs_low()
        {
            self.is_loading = true;
            let (run, which) = (Arc::clone(&self.run), self.which);
            self.spawn(async move {
                let loaded = run.store.next_block(&run.lease, cursor, which).await;
                let loaded = loaded.map(|(block, next)| Ended::Loaded(block, next));
                loaded.unwrap_or_else(|error| run.fails(error))
            });
        }
        if self.is_loading || self.is_reading || self.queue.young(now) > self.run.window() {
            return;
        }
        let changes = self.queue.begin_reading(&self.run.creations());
        if !changes.is_empty() {
            self.is_reading = true;
            let run = Arc::clone(&self.run);
            self.spawn(async move {
                let read = run.read(&changes).await;
                let read = read.map(|reading| Ended::Read(changes, reading));
                read.unwrap_or_else(|error| run.fails(error))
            });
        }
    }

    /// Does this unless the run is stopped before it has ended.
    fn spawn(&mut self, task: impl Future<Output = Ended> + Send + 'a) {
        let task = future::select(task.boxed(), self.stopped.clone());
        let ended = task.map(|first| match first {
            Either::Left((ended, _)) => ended,
            Either::Right(((), _)) => Ended::Nothing,
        });
        self.tasks.push(ended.boxed());
    }

    /// Whether this pass decides on a change: on one that rests on another, from the second on. That
    /// one decides of what failed or was held before on nothing else.
    fn takes(&self, loaded: &Loaded) -> bool {
        let change = &loaded.change;
        let rests = change.action.rests_on_others();
        if self.defers && rests {
            self.run.brake.defer(change);
            return false;
        }
        self.is_first || rests || change.outcome.state.is_open()
    }

    /// Takes note of something that was going on.
    fn end(&mut self, ended: Ended) {
        match ended {
            Ended::Loaded(block, next) => {
                self.is_loading = false;
                self.cursor = Some(next).filter(|_| !block.is_empty());
                let taken = block.into_iter().filter(|loaded| self.takes(loaded));
                let taken: Vec<_> = taken.map(Undecided::new).collect();
                self.queue.put(taken);
                self.run.creations().keep(&self.queue.owners());
            }
            Ended::Read(changes, reading) => {
                self.is_reading = false;
                self.queue.end_reading(changes, reading);
            }
            Ended::Done(done) => {
                self.working -= 1;
                self.writing -= usize::from(done.writes);
                self.events.extend(done.events);
                self.queue.put(done.back);
            }
            Ended::Nothing => {}
        }
    }
}

impl<T: Transport> Run<T> {
    /// What the owners of these changes have now.
    async fn read(&self, changes: &[Undecided]) -> Result<Reading, ContactsError> {
        let asked = Instant::now();
        let mut owners: Vec<_> = changes.iter().filter_map(Undecided::owner).collect();
        owners.dedup();
        let current = current::contacts(&self.service, &owners, YOUNG).await?;
        let left = current.left();
        Ok(Reading { current, asked, left })
    }

    fn fails(&self, error: impl Into<BulkError>) -> Ended {
        self.fail(error.into());
        Ended::Nothing
    }
}

fn contacts<'a>(loaded: &Loaded, reading: &'a Reading) -> Result<&'a [Contact], &'a ContactsError> {
    match loaded.change.target.owner() {
        Some(owner) => reading.current.of(owner),
        None => Ok(&[]),
    }
}
