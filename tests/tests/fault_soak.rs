//! Updates, creations and deletions through the whole stack while the server misbehaves: what
//! was reported is what the database holds.
//!
//! `CRM_SOAK_UPDATES` sets how many (100,000 for the long run), `CRM_SOAK_SEED` repeats a run.
//! With `CRM_EXACT_LIMIT` a stall of the machine excuses no call above the limit.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    env,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime},
};

use async_trait::async_trait;
use crm_contacts::{ContactsError, ContactsService};
use crm_models::{
    ContactChange, ContactId, ContactType, CreateContactRequest, LocationId, TenantId,
};
use crm_sandbox::{Fault, FaultPlan, FaultRule, LogEntry, Sandbox, Seed};
use crm_transport::{
    Auth, Call, Credentials, Effect, Environment, Limits, RateLimit, Request, ReqwestTransport,
    Response, RetryPolicy, Transport, TransportError, TransportExt,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// How many workers share the work; each has contacts of its own.
const WORKERS: usize = 32;
/// The share of requests that meet a fault.
const FAULTS: f64 = 0.2;
/// The calls per second that the server takes, strictly, and that the client keeps to.
const CALLS_PER_SECOND: u32 = 1_000;
/// From so many updates on, every kind of fault is met.
const LONG: u64 = 100_000;

fn setting(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seed = setting("CRM_SOAK_SEED", u64::from(now.unwrap().subsec_nanos()));
    println!("CRM_SOAK_SEED={seed}");
    seed
}

async fn start(contacts: u64) -> Sandbox {
    Sandbox::builder()
        .seed(Seed::Count(u32::try_from(contacts).unwrap()))
        .set("rate-limit", &CALLS_PER_SECOND.to_string())
        .unwrap()
        .set("log-size", "10000000")
        .unwrap()
        .start()
        .await
        .unwrap()
}

/// Counts the calls that reach the retry layer.
#[derive(Clone)]
struct Counted<T> {
    inner: T,
    calls: Arc<AtomicU64>,
}

#[async_trait]
impl<T: Transport> Transport for Counted<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.calls.fetch_add(1, Relaxed);
        self.inner.send(request).await
    }
}

/// A patient stack: it sits out the pauses of a failing token endpoint.
fn connect(
    sandbox: &Sandbox,
    budget: (f64, u32),
) -> ContactsService<Counted<impl Transport + Clone + use<>>> {
    let connection = sandbox.connection();
    let environment = Environment::custom(&connection.api_url, &connection.auth_url).unwrap();
    let limits = Limits::default().timeout(Duration::from_secs(5));
    let wire = ReqwestTransport::with_limits(&environment, limits).unwrap();
    let credentials = Credentials::new(
        connection.client_id.clone(),
        connection.client_secret.clone(),
        connection.app_key.clone(),
    );
    let auth = Auth::new(wire.for_auth(&environment).unwrap(), credentials);
    let policy = RetryPolicy::default()
        .attempts(12)
        .waits(Duration::from_millis(5), Duration::from_millis(500))
        .budget(budget.0, budget.1);
    let transport = wire
        .with_rate_limit(RateLimit::per_second(CALLS_PER_SECOND))
        .with_auth(auth)
        .with_retry(policy);
    let transport = Counted { inner: transport, calls: Arc::default() };
    ContactsService::new(transport, TenantId::new(connection.tenant).unwrap())
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Report {
    Done,
    Failed,
    Unknown,
}

impl Report {
    fn of<T>(result: &Result<T, ContactsError>) -> Self {
        match result {
            Ok(_) => Self::Done,
            Err(error) if error.outcome_is_unknown() => Self::Unknown,
            Err(_) => Self::Failed,
        }
    }
}

/// Counts reports, of which so many in a hundred are of success.
fn tally(reports: impl Iterator<Item = Report>, percent: usize) -> BTreeMap<Report, usize> {
    let mut tally = BTreeMap::new();
    for report in reports {
        *tally.entry(report).or_default() += 1;
    }
    let done = tally.get(&Report::Done).copied().unwrap_or(0);
    let all: usize = tally.values().sum();
    assert!(done * 100 > all * percent, "too little got through: {tally:?}");
    tally
}

fn is_call(entry: &&LogEntry) -> bool {
    entry.operation != "Token"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_reported_is_what_the_database_holds() {
    let updates = setting("CRM_SOAK_UPDATES", 2_000);
    let seed = seed();
    let sandbox = start(updates).await;
    // One update for each contact: every outcome is there to be seen in the end.
    let before = sandbox.location_contacts().unwrap();
    let keys: Arc<Vec<_>> = Arc::new(before.iter().map(|c| (c.owner_id, c.id)).collect());
    // An answer 429 asks for no wait, so that the run is short.
    let plan = FaultPlan::mixed(seed, FAULTS, 1);
    sandbox.inject(plan.clone());

    let service = connect(&sandbox, BUDGET);
    let delays = tokio::spawn(longest_delay(sandbox.connection().api_url.clone()));
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let (service, keys) = (service.clone(), Arc::clone(&keys));
        workers.spawn(async move {
            let mut reports = Vec::new();
            for key in keys.iter().skip(worker).step_by(WORKERS) {
                let location = LocationId::new(key.0).unwrap();
                let id = ContactId::new(key.1).unwrap();
                let change = ContactChange::new().memo(memo(*key));
                let result = service.location(location).update(id, &change).await;
                reports.push((*key, Report::of(&result)));
            }
            reports
        });
    }
    let reports: BTreeMap<_, _> = workers.join_all().await.into_iter().flatten().collect();
    let elapsed = started.elapsed();
    delays.abort();
    sandbox.inject(FaultPlan::new());

    let log = sandbox.log();
    let faults = sandbox.faults_injected();
    let tokens = log.len() - log.iter().filter(is_call).count();
    println!(
        "{:?} in {elapsed:?}, {} requests, {tokens} of them for tokens, {faults:?}",
        tally(reports.values().copied(), 90),
        log.len()
    );
    for (before, stored) in before.iter().zip(sandbox.location_contacts().unwrap()) {
        let key = (before.owner_id, before.id);
        let mut changed = before.clone();
        changed.memo = Some(memo(key));
        changed.modified_on.clone_from(&stored.modified_on);
        let is_right = match reports[&key] {
            Report::Done => stored == changed,
            // Holds only if the client remembers what an earlier attempt may have done.
            Report::Failed => stored == *before,
            Report::Unknown => stored == changed || stored == *before,
        };
        let report = reports[&key];
        assert!(is_right, "seed {seed}: {report:?}, but {stored:?}");
    }
    faults_were_met(&plan, &log, &faults, updates);
    let calls = service.transport().calls.load(Relaxed);
    within_budget(&log, calls, BUDGET, elapsed);
    within_limit(&log, DELAY.load(Relaxed));
}

fn memo(key: (i64, i64)) -> String {
    format!("soak {} {}", key.0, key.1)
}

/// Faults came as often as they were asked for, and in a long run each kind of them.
fn faults_were_met(
    plan: &FaultPlan,
    log: &[LogEntry],
    faults: &BTreeMap<&'static str, u64>,
    updates: u64,
) {
    let met = log.iter().filter(|entry| entry.fault.is_some()).count();
    assert!(met * 100 >= log.len() * 15, "{met} faults: {faults:?}");
    if updates >= LONG {
        let plan = serde_json::to_value(plan).unwrap();
        for random in plan["random"].as_array().unwrap() {
            let kind = random["fault"]["kind"].as_str().unwrap();
            assert!(faults.contains_key(kind), "no {kind} in {faults:?}");
        }
        let tokens = log.iter().filter(|entry| !is_call(entry));
        assert!(tokens.filter(|entry| entry.fault.is_some()).count() > 10);
    }
}

/// Repeats for each call, and in reserve.
const BUDGET: (f64, u32) = (1.0, 1_000);

/// What arrived is what the calls may cost: one request each, the repeats that the budget
/// grants for calls and time, and one more after each answer 401.
fn within_budget(log: &[LogEntry], calls: u64, (per_call, reserve): (f64, u32), took: Duration) {
    let requests = log.iter().filter(is_call).count() as u64;
    let refused = log.iter().filter(is_call).filter(|e| e.status == 401);
    let reserve = f64::from(reserve) * (1.0 + took.as_secs_f64() / 600.0);
    let repeats = calls as f64 * per_call + reserve;
    let most = calls + repeats as u64 + refused.count() as u64;
    assert!(requests <= most, "{requests} requests for {calls} calls");
}

/// The longest way of a request to the server and back while nothing is wrong with it but the
/// machine, in nanoseconds.
static DELAY: AtomicU64 = AtomicU64::new(0);

/// Measures [`DELAY`], over a connection of its own. Its requests meet no faults and no limit.
async fn longest_delay(url: String) {
    let address = url.strip_prefix("http://").unwrap();
    loop {
        // A fault may meet the connection itself.
        let Ok(mut stream) = TcpStream::connect(address).await else {
            continue;
        };
        let mut answer = [0; 4_096];
        loop {
            let asked = Instant::now();
            let request = b"GET /sandbox/health HTTP/1.1\r\nhost: sandbox\r\n\r\n";
            let written = stream.write_all(request).await;
            let read = stream.read(&mut answer).await;
            if written.is_err() || !read.is_ok_and(|bytes| bytes > 0) {
                break;
            }
            DELAY.fetch_max(asked.elapsed().as_nanos() as u64, Relaxed);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// No second, wherever it begins, holds more requests than the limit, by the server's clock.
/// Requests that the machine held up may have come closer together by as much.
fn within_limit(log: &[LogEntry], delay: u64) {
    let exact = env::var_os("CRM_EXACT_LIMIT").is_some();
    let excused = if exact { 0 } else { delay as i64 };
    let times: Vec<_> = log.iter().filter(is_call).map(|entry| entry.time).collect();
    let windows = times.windows(CALLS_PER_SECOND as usize + 1);
    let Some(shortest) = windows.map(|window| window[window.len() - 1] - window[0]).min() else {
        return;
    };
    let over = Duration::from_nanos((1_000_000_000 - shortest).max(0) as u64);
    println!(
        "over the limit by {over:?} at most; the machine held requests up by up to {:?}",
        Duration::from_nanos(delay)
    );
    assert!(
        over.as_nanos() as i64 <= excused,
        "{} requests within a second less {over:?}",
        CALLS_PER_SECOND + 1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_not_multiplied() {
    const RATIO: f64 = 0.1;
    const RESERVE: u32 = 50;
    let updates = 1_000;
    let sandbox = start(updates).await;
    let outage = FaultRule::new(Fault::Status { status: 503 }).method("PATCH").times(0);
    sandbox.inject(FaultPlan::new().rule(outage));
    let service = connect(&sandbox, (RATIO, RESERVE));
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS as u64 {
        let service = service.clone();
        workers.spawn(async move {
            for number in (worker..updates).step_by(WORKERS) {
                // Not through an operation, which would look what became of each.
                let mut request = Request::new("{}".into());
                *request.method_mut() = http::Method::PATCH;
                let (owner, id) = (1 + number / 4, 1 + number);
                let path = format!("/crm/v2/tenant/1001/locations/{owner}/contacts/{id}");
                *request.uri_mut() = path.parse().unwrap();
                let json = http::HeaderValue::from_static("application/json");
                request.headers_mut().insert("content-type", json);
                let call = Call::new("Locations_UpdateContact", Effect::Idempotent);
                request.extensions_mut().insert(call);
                let answer = service.transport().send(request).await.unwrap();
                assert_eq!(answer.status(), 503);
            }
        });
    }
    workers.join_all().await;
    let log = sandbox.log();
    let calls = service.transport().calls.load(Relaxed);
    within_budget(&log, calls, (RATIO, RESERVE), started.elapsed());
    let requests = log.iter().filter(is_call).count() as u64;
    println!("an outage: {calls} calls, {requests} requests");
    assert_eq!(calls, updates);
    // While nothing succeeds one write at a time goes out again, and what waited for it does not.
    assert!(requests > calls, "nothing was repeated");
    assert!(requests <= calls + u64::from(RESERVE), "{requests} requests");
    assert_eq!(log.len() as u64 - requests, 1, "one token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_creation_is_doubled_and_no_deletion_is_lost() {
    let creations = setting("CRM_SOAK_UPDATES", 2_000) / 5;
    let seed = seed();
    let sandbox = start(64).await;
    let locations: Vec<_> = sandbox
        .location_contacts()
        .unwrap()
        .into_iter()
        .map(|contact| LocationId::new(contact.owner_id).unwrap())
        .collect();
    sandbox.inject(FaultPlan::mixed(seed, FAULTS, 1));

    let service = connect(&sandbox, BUDGET);
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let service = service.clone();
        let location = locations[worker % locations.len()];
        workers.spawn(async move {
            let contacts = service.location(location);
            // The value, and how many of it there may be.
            let mut expected: Vec<(String, std::ops::RangeInclusive<usize>, Report)> = Vec::new();
            for number in 0..creations / WORKERS as u64 {
                let value = format!("soak.{worker}.{number}@site.example");
                let new = CreateContactRequest::new(ContactType::Email, value.clone());
                let created = match number % 2 {
                    0 => contacts.create(new).await,
                    _ => contacts.create_unless_present(new).await.map(|c| c.into_contact()),
                };
                let report = Report::of(&created);
                let (range, report) = match (created, report) {
                    (Ok(contact), _) if number % 3 == 0 => {
                        let report = Report::of(&contacts.delete(contact.id).await);
                        match report {
                            Report::Done => (0..=0, report),
                            Report::Failed => (1..=1, report),
                            Report::Unknown => (0..=1, report),
                        }
                    }
                    (_, Report::Done) => (1..=1, report),
                    (_, Report::Failed) => (0..=0, report),
                    (_, Report::Unknown) => (0..=1, report),
                };
                expected.push((value, range, report));
            }
            expected
        });
    }
    let expected: Vec<_> = workers.join_all().await.into_iter().flatten().collect();
    sandbox.inject(FaultPlan::new());
    let mut stored: BTreeMap<String, usize> = BTreeMap::new();
    for contact in sandbox.location_contacts().unwrap() {
        if contact.active {
            *stored.entry(contact.value).or_default() += 1;
        }
    }
    // A creation is never repeated once the server may have seen it: most of those that meet a
    // fault stay unknown.
    let counted = tally(expected.iter().map(|(_, _, report)| *report), 75);
    println!("creations and deletions: {counted:?}");
    for (value, range, _) in expected {
        let count = stored.get(&value).copied().unwrap_or(0);
        assert!(range.contains(&count), "seed {seed}: {count} of {value}, expected {range:?}");
    }
}
