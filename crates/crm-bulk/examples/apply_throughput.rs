//! Measures applying against a sandbox in the same process, on a thread of its own: how many writes
//! a second, how many bytes of the set for each, and how much of the processor, that of the
//! sandbox apart, beside the same number of calls without a set.
//!
//! ```text
//! cargo run --release -p crm-bulk --example apply_throughput -- 20000
//! cargo run --release -p crm-bulk --example apply_throughput -- 600 60
//! cargo run --release -p crm-bulk --example apply_throughput -- 600 60 1
//! cargo run --release -p crm-bulk --example apply_throughput -- 1000000 0 4 /tmp/million/set.crm
//! ```
//!
//! The first argument is the number of changes, the second the calls per second that client
//! and sandbox keep to, 0 for no limit, the third how many of an owner's four contacts change, the
//! fourth where the set is kept.

use std::{
    error::Error,
    fs,
    io::Cursor,
    path::PathBuf,
    time::{Duration, Instant},
};

use crm_bulk::{Apply, ChangeSet, Event, Input, Plan, Site, State};
use crm_contacts::ContactsService;
use crm_models::{ContactChange, ContactId, LocationId, TenantId};
use crm_sandbox::{Sandbox, Seed};
use crm_transport::{
    Auth, Credentials, Environment, RateLimit, ReqwestTransport, RetryPolicy, Transport,
    TransportExt,
};
use futures_util::{StreamExt, TryStreamExt, stream};

/// How many contacts each location has.
const CONTACTS_OF_EACH: u32 = 4;

/// How many writes of a set are on their way at once.
const AT_ONCE: usize = 64;

/// More than any machine does.
const NO_LIMIT: u32 = 1_000_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let changes: u32 = arguments.next().ok_or("how many changes?")?.parse()?;
    let mut number = || arguments.next().map(|text| text.parse()).transpose();
    let limit: Option<u32> = number()?.filter(|limit| *limit > 0);
    let of_each: u32 = number()?.unwrap_or(CONTACTS_OF_EACH);
    let owners = changes.div_ceil(of_each);

    let sandbox = Sandbox::builder()
        .seed(Seed::Count(owners * CONTACTS_OF_EACH))
        .set("rate-limit", "0")?
        .start()
        .await?;
    let connection = sandbox.connection();
    let environment = Environment::custom(&connection.api_url, &connection.auth_url)?;
    let credentials =
        Credentials::new(&*connection.client_id, &*connection.client_secret, &*connection.app_key);
    let wire = ReqwestTransport::new(&environment)?;
    let auth = Auth::new(wire.for_auth(&environment)?, credentials);
    let transport = wire
        .with_rate_limit(RateLimit::per_second(limit.unwrap_or(NO_LIMIT)))
        .with_auth(auth)
        .with_retry(RetryPolicy::default());
    let service = ContactsService::new(transport, TenantId::new(connection.tenant)?);
    let site = Site::of(&service, &connection.api_url);

    let folder = tempfile::tempdir()?;
    let kept = arguments.next().map(PathBuf::from);
    let out = kept.unwrap_or_else(|| folder.path().join("set.crm"));
    let mut rows = "location_id,contact_id,memo\n".to_owned();
    for change in 0..changes {
        let (owner, nth) = (change / of_each, change % of_each);
        let contact = owner * CONTACTS_OF_EACH + nth + 1;
        rows += &format!("{},{contact},Gate code 4411\n", owner + 1);
    }
    let input = Input::csv("rows", Cursor::new(rows));
    let plan = Processor::now();
    Plan::new(site.clone()).from_api(&service, input, &out).await?;
    let plan = plan.took_for(changes);
    let planned = fs::metadata(&out)?.len();
    ChangeSet::open(&out)?.name_owners(&service, &site, |_| {}).await?;
    let named = fs::metadata(&out)?.len();
    tokio::time::sleep(Duration::from_secs(2)).await;
    sandbox.clear_log();
    sandbox.set("rate-limit", &limit.unwrap_or(0).to_string())?;

    let (began, apply) = (Instant::now(), Processor::now());
    let mut events = Apply::new(ChangeSet::open(&out)?).run(&service, &site)?;
    while let Some(event) = events.try_next().await? {
        if let Event::Finished(finished) = event {
            println!("{} done, {:?}", finished.count(State::Done), finished.reason);
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    drop(events);
    let apply = apply.took_for(changes);
    let applied = fs::metadata(&out)?.len();
    println!(
        "bytes of the set for each change: {} planned, {} with the names of owners, {} applied",
        planned / u64::from(changes),
        named / u64::from(changes),
        applied / u64::from(changes),
    );
    let log = sandbox.log();
    let writes = log.iter().filter(|call| call.method == "PATCH").count();
    println!(
        "{writes} writes of {} calls in {seconds:.2} s: {:.0} writes/s, {:.1} calls/s, {} answers 429",
        log.len(),
        writes as f64 / seconds,
        log.len() as f64 / seconds,
        log.iter().filter(|call| call.status == 429).count(),
    );
    let calls = Processor::now();
    if limit.is_none() {
        bare_calls(&service, changes, of_each).await?;
        let calls = calls.took_for(changes);
        println!("processor time a change: plan {plan}; apply {apply}; a bare call {calls}");
    }
    Ok(())
}

/// As many calls as a run of the set makes writes, and as many at once, without a set.
async fn bare_calls<T: Transport>(
    service: &ContactsService<T>,
    changes: u32,
    of_each: u32,
) -> Result<(), Box<dyn Error>> {
    let calls = (0..changes).map(|change| async move {
        let (owner, nth) = (change / of_each, change % of_each);
        let contact = ContactId::new((owner * CONTACTS_OF_EACH + nth + 1).into())?;
        let memo = ContactChange::new().memo("Gate code 4412");
        let location = service.location(LocationId::new((owner + 1).into())?);
        location.update(contact, &memo).await?;
        Ok::<_, Box<dyn Error>>(())
    });
    stream::iter(calls).buffer_unordered(AT_ONCE).try_collect().await
}

/// What this process has had of the processor: the sandbox's thread, and all else.
#[derive(Clone, Copy)]
struct Processor(Option<(Duration, Duration)>);

impl Processor {
    fn now() -> Self {
        let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let spent = Duration::try_from(spent).ok().zip(of_sandbox());
        Self(spent.map(|(all, sandbox)| (all.saturating_sub(sandbox), sandbox)))
    }

    /// What it has had since, for each of so many changes.
    fn took_for(self, changes: u32) -> String {
        let since = |now: Duration, then: Duration| now.saturating_sub(then) / changes;
        match (self.0, Self::now().0) {
            (Some((all_else, sandbox)), Some(now)) => {
                let (all_else, sandbox) = (since(now.0, all_else), since(now.1, sandbox));
                format!("{all_else:.1?} and {sandbox:.1?} in the sandbox")
            }
            _ => "not told by this system".to_owned(),
        }
    }
}

fn of_sandbox() -> Option<Duration> {
    let mut threads = fs::read_dir("/proc/self/task").ok()?.flatten().map(|thread| thread.path());
    let is_sandbox = |name: String| name.trim_end() == "crm-sandbox";
    let thread =
        threads.find(|path| fs::read_to_string(path.join("comm")).is_ok_and(is_sandbox))?;
    let times = fs::read_to_string(thread.join("schedstat")).ok()?;
    times.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
