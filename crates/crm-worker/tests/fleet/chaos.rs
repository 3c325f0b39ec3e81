//! Everything dies again and again, until all sets are done; then the service has exactly what they ask for.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crm_fleet::StoredSet;
use crm_sandbox::FaultPlan;

use crate::{figures, fleet::Fleet, number, tenants::Tenants, workers::LEFT_TO_ANOTHER};

/// What happens to the fleet, each a number of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    /// A worker is killed.
    Kill,
    /// A worker stands still for longer than its lease.
    Pause,
    /// PostgreSQL crashes.
    Crash,
    /// Redis is killed, and is away for a while.
    Redis,
}

/// How long a worker stands still: the lease has 10 seconds, and another one has to take over.
const STILL: Duration = Duration::from_secs(14);
/// How long Redis is away.
const AWAY: Duration = Duration::from_secs(5);
/// How often it is looked who has which set.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A set that is taken over later than this is told of.
const LATE: Duration = Duration::from_secs(15);
/// How long nothing may get on.
const PATIENCE: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_is_doubled_whatever_dies() {
    let busy = number("BUSY", 3);
    let percent = number("CREATIONS", 0);
    let contacts = number("CHANGES", 2_400) * 100 / (100 + percent) / busy;
    let tenants = Tenants::new(busy, contacts, percent).await;
    let Some(fleet) = Fleet::start(tenants).await else { return };
    let seed = number("SEED", fastrand::u64(..));
    let acts = acts(seed);
    println!(
        "{busy} tenants with {} changes each, {} acts, CRM_FLEET_SEED={seed}",
        fleet.tenants.changes(),
        acts.len()
    );
    for tenant in fleet.tenants.numbers.clone() {
        fleet.tenants.push(&fleet.server, tenant).await;
    }
    let rate = number("FAULTS", 20) as f64 / 100.0;
    fleet.tenants.sandbox.set("log-size", "0").unwrap();
    fleet.tenants.sandbox.set("rate-limit", "60").unwrap();
    fleet.tenants.sandbox.inject(FaultPlan::mixed(seed, rate, 1));
    let (before, begun) = (fleet.cpu(), Instant::now());
    for set in fleet.server.sets().await.unwrap() {
        fleet.submit(&set).await;
    }
    let mut run = Run::new(fleet, acts, seed);
    run.until_done().await;
    let Run { mut fleet, done, mut took_over, held, .. } = run;
    fleet.workers.end();
    let (seconds, used) = (begun.elapsed().as_secs_f64(), fleet.cpu() - before);

    let mut late = 0;
    for tenant in fleet.tenants.numbers.clone() {
        fleet.tenants.retry(&fleet.server, tenant).await;
    }
    for set in fleet.server.sets().await.unwrap() {
        late += fleet.server.late_answers(&set).await.unwrap().len();
    }
    let disk = figures::disk(&fleet.cluster.data());
    for tenant in fleet.tenants.numbers.clone() {
        fleet.tenants.check(&fleet.server, tenant).await;
    }
    let changes = fleet.tenants.changes() * busy;
    let told = fleet.workers.told();
    // It refuses what a run writes, or that it leaves the set, whatever else ended it.
    let refusals = ["ended: superseded", LEFT_TO_ANOTHER];
    let refused = refusals.iter().filter_map(|told_as| told.get(*told_as)).max();
    let refused = refused.copied().unwrap_or_default();
    println!("  {changes} changes in {seconds:.0} s: {:.0} a second", changes as f64 / seconds);
    println!("  happened: {done:?}; sets held, and submitted again: {held}");
    println!("  the fence refused {refused} runs, and {late} answers came too late to be settled");
    println!("  taken over after a kill: {}", spread(&mut took_over));
    println!("  each change took {}", used.each(changes));
    println!(
        "  the largest worker had {} MiB; the disk of PostgreSQL has {disk} MiB",
        fleet.workers.used.largest()
    );
    println!("  told by the workers: {told:?}");
    let within = Duration::from_secs(number("TAKE_OVER", u64::MAX));
    assert!(took_over.last().is_none_or(|longest| *longest <= within), "taken over too late");
    assert!(refused > 0 || !done.contains_key(&Act::Pause), "no pause hit a run: {told:?}");
}

/// What happens, in an order that the seed repeats; a pause first, however soon all is done.
fn acts(seed: u64) -> Vec<Act> {
    let of = |act, name, usual| (0..number(name, usual)).map(move |_| act);
    let mut acts: Vec<_> = of(Act::Pause, "PAUSES", 1)
        .chain(of(Act::Kill, "KILLS", 4))
        .chain(of(Act::Crash, "CRASHES", 1))
        .chain(of(Act::Redis, "REDIS_KILLS", 1))
        .collect();
    if let [_, rest @ ..] = &mut acts[..] {
        fastrand::Rng::with_seed(seed).shuffle(rest);
    }
    acts.reverse();
    acts
}

struct Run {
    fleet: Fleet,
    random: fastrand::Rng,
    /// The next one last.
    acts: Vec<Act>,
    done: BTreeMap<Act, u64>,
    redis_is_back_at: Option<Instant>,
    /// When what happened, the latest last.
    happened: Vec<(Instant, Act)>,
    /// By their sets, how often they were begun, and when whoever was to carry them out was killed last.
    left: BTreeMap<String, (i64, Instant)>,
    took_over: Vec<Duration>,
    held: u64,
}

impl Run {
    fn new(fleet: Fleet, acts: Vec<Act>, seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        Self {
            fleet,
            random,
            acts,
            done: BTreeMap::new(),
            redis_is_back_at: None,
            happened: Vec::new(),
            left: BTreeMap::new(),
            took_over: Vec::new(),
            held: 0,
        }
    }

    async fn until_done(&mut self) {
        let every = Duration::from_millis(number("EVERY_MS", 2_000));
        let mut next = Instant::now() + every;
        let (mut least, mut got_on) = (u64::MAX, Instant::now());
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            self.fleet.workers.go_on();
            self.fleet.workers.note_memory();
            self.bring_redis_back();
            // It may be away.
            let Ok(sets) = self.fleet.server.sets().await else { continue };
            self.look(&sets).await;
            if sets.iter().all(|set| set.job.as_deref() == Some("done")) {
                return;
            }
            let open = sets.iter().map(|set| set.open).sum();
            if open < least {
                (least, got_on) = (open, Instant::now());
            }
            assert!(got_on.elapsed() < PATIENCE, "nothing gets on: {sets:?}");
            if Instant::now() >= next {
                next = Instant::now() + every;
                self.act(&sets).await;
            }
        }
    }

    async fn act(&mut self, sets: &[StoredSet]) {
        // Whoever has a set and does not stand still, nor did just now.
        let workers = self.fleet.workers.running.iter().enumerate();
        let at_work = workers.filter(|(_, worker)| {
            let owner = Some(worker.owner());
            !worker.is_left_alone() && sets.iter().any(|set| set.owner == owner)
        });
        let at_work: Vec<_> = at_work.map(|(which, _)| which).collect();
        let Some(which) = self.random.choice(at_work) else { return };
        let Some(act) = self.acts.pop() else { return };
        let pid = self.fleet.workers.running[which].pid();
        match act {
            Act::Kill => {
                self.fleet.workers.kill(which);
                let now = Instant::now();
                let its = self.fleet.sets_of(pid).await.into_iter();
                self.left.extend(its.map(|(set, begun)| (set, (begun, now))));
            }
            Act::Pause => {
                self.fleet.workers.pause(which, STILL);
                self.leave_again(pid).await;
            }
            Act::Crash => {
                self.fleet.crash_postgres();
                // Nobody could take anything over meanwhile.
                self.left.values_mut().for_each(|(_, since)| *since = Instant::now());
            }
            Act::Redis => {
                if let Some(redis) = &mut self.fleet.redis {
                    redis.kill();
                    self.redis_is_back_at = Some(Instant::now() + AWAY);
                }
            }
        }
        *self.done.entry(act).or_default() += 1;
        self.happened.push((Instant::now(), act));
    }

    /// Has the time begin again for sets of dead workers that this one has, or was about to take over. It is
    /// asked once it gets no more of them.
    async fn leave_again(&mut self, pid: u32) {
        for (set, _) in self.fleet.sets_of(pid).await {
            if let Some((_, since)) = self.left.get_mut(&set) {
                *since = Instant::now();
            }
        }
    }

    fn bring_redis_back(&mut self) {
        if self.redis_is_back_at.is_some_and(|time| Instant::now() >= time) {
            self.redis_is_back_at = None;
            if let Some(redis) = &mut self.fleet.redis {
                redis.resume().unwrap();
            }
        }
    }

    /// Takes note of sets that were taken over, and submits those again that are held.
    async fn look(&mut self, sets: &[StoredSet]) {
        // One whose job waits for what may pass has nobody, dead or alive: it is begun once it is due.
        let begun = if self.left.is_empty() { BTreeMap::new() } else { self.fleet.begun().await };
        for set in sets {
            let is_over = set.job.as_deref() != Some("queued");
            if let Some((former, since)) = self.left.get(&set.name)
                && (is_over || begun.get(&set.name) > Some(former))
            {
                if !is_over {
                    self.took_over(&set.name, *since);
                }
                self.left.remove(&set.name);
            }
            if set.job.as_deref() == Some("held") {
                println!("  held: {}: {:?}", set.name, set.job_reason);
                self.held += 1;
                self.fleet.submit(set).await;
            }
        }
    }

    fn took_over(&mut self, set: &str, since: Instant) {
        let took = since.elapsed();
        if took > LATE {
            let happened = self.happened.iter().filter(|(at, _)| *at > since);
            let happened: Vec<_> =
                happened.map(|(at, act)| (at.duration_since(since).as_secs(), act)).collect();
            println!(
                "  {set} was taken over after {took:.1?}; meanwhile, by seconds: {happened:?}"
            );
        }
        self.took_over.push(took);
    }
}

/// The middle one, the longest, and how many there were.
fn spread(times: &mut [Duration]) -> String {
    times.sort();
    match &*times {
        [] => "nothing".to_owned(),
        [.., longest] => {
            let (middle, longest) = (times[times.len() / 2].as_secs_f64(), longest.as_secs_f64());
            let late = times.iter().filter(|time| **time > LATE).count();
            let all = times.len();
            format!("{middle:.1} s, at most {longest:.1} s, {late} of {all} later than {LATE:?}")
        }
    }
}
