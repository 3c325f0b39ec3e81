//! Several processes that hold one limit together, over a real server.
//!
//! Where neither `redis-server` nor `valkey-server` is installed most are ignored, and say why.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod network;

use std::{
    env,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crm_transport::{
    Call, Delivery, Effect, Fallback, Limit, RateLimit, Request, Response, RetryPolicy,
    SharedLimit, Transport, TransportError, TransportErrorKind, TransportExt,
};
use futures_util::{StreamExt, stream};
use http::StatusCode;
use network::{BESIDE, Strict, Way, ms};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::tcp::{OwnedReadHalf, OwnedWriteHalf},
    runtime::Runtime,
    task::JoinSet,
    time::timeout,
};

/// The gate of key 1, where a server keeps it.
const GATE: &str = "crm-rate-limit:test:1";

/// Tells a process of this test which server to use.
const SERVER: &str = "CRM_TEST_SHARED_LIMIT";

/// A server on a free port of this machine; it ends with the test.
struct Server {
    process: Child,
    /// Read no further, but open: the server may have more to say.
    _told: BufReader<ChildStdout>,
    port: u16,
    folder: TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        // Another test may take the port before the server does.
        for _ in 0..10 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            if let Some((process, told)) = spawn(port, &folder) {
                return Self { process, _told: told, port, folder };
            }
        }
        panic!("no server");
    }

    fn limit(&self) -> SharedLimit {
        SharedLimit::new(&self.url(), "test").unwrap()
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn stop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// What it answers to a command.
    fn ask(&self, command: &str) -> String {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(connection, "{command}\r\n").unwrap();
        let mut lines = BufReader::new(connection).lines();
        let answer = lines.next().unwrap().unwrap();
        // The length of a text, which follows.
        if answer.starts_with('$') { lines.next().unwrap().unwrap() } else { answer }
    }

    fn start_again(&mut self) {
        let started = spawn(self.port, &self.folder);
        (self.process, self._told) = started.expect("the port is free again");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A server that is ready, and its output; `None` when it does not get the port.
fn spawn(port: u16, folder: &TempDir) -> Option<(Child, BufReader<ChildStdout>)> {
    let start = |program: &str| {
        Command::new(program)
            .args(["--bind", "127.0.0.1", "--save", "", "--port"])
            .arg(port.to_string())
            .current_dir(folder)
            .stdout(Stdio::piped())
            .spawn()
    };
    let process = start("redis-server").or_else(|_| start("valkey-server"));
    let mut process = process.expect("redis-server or valkey-server");
    let mut told = BufReader::new(process.stdout.take().unwrap());
    let mut line = String::new();
    while told.read_line(&mut line).unwrap() > 0 {
        if line.contains("Ready to accept connections") {
            return Some((process, told));
        }
        line.clear();
    }
    process.wait().unwrap();
    None
}

/// Microseconds since 1970, the same in every process.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_micros() as u64
}

fn call(key: u64) -> Call {
    Call::new("Test", Effect::Read).rate_limit_key(key)
}

/// Makes a call that takes no time.
async fn pass(limit: &SharedLimit, key: u64) {
    limit.ended(limit.pass(&call(key)).await.unwrap());
}

fn is_away(error: &TransportError) -> bool {
    error.to_string().contains("cannot be reached")
}

/// When the calls of many tasks passed within this time.
async fn passes(limit: &SharedLimit, time: Duration) -> Vec<u64> {
    let end = now() + time.as_micros() as u64;
    let mut tasks = JoinSet::new();
    for _ in 0..30 {
        let limit = limit.clone();
        tasks.spawn(async move {
            let mut passed = Vec::new();
            while now() < end {
                match limit.pass(&call(1)).await {
                    Ok(pass) => {
                        passed.push(now());
                        limit.ended(pass);
                    }
                    // The machine stalled for longer than the server may take.
                    Err(error) => assert!(is_away(&error), "{error}"),
                }
                tokio::task::yield_now().await;
            }
            passed
        });
    }
    tasks.join_all().await.concat()
}

/// Whether the figures are to be exact, as on a machine that does nothing else.
fn exact() -> bool {
    env::var_os("CRM_EXACT_LIMIT").is_some()
}

/// The share of the allowance that these calls used over some seconds from the first second's
/// middle; `None` when any second held more than allowed. A busy machine holds up single calls
/// by more than the pace has to spare, so some more are tolerated there.
fn share(mut times: Vec<u64>, per_second: usize, seconds: u64) -> Option<f64> {
    times.sort_unstable();
    let most = if exact() { per_second } else { per_second + per_second / 10 };
    let mut windows = times.windows(most + 1);
    if windows.any(|window| window[most] - window[0] < 1_000_000) {
        return None;
    }
    let start = times[0] + 500_000;
    let counted = start..start + seconds * 1_000_000;
    let calls = times.iter().filter(|time| counted.contains(time)).count();
    Some(calls as f64 / (per_second as u64 * seconds) as f64)
}

/// One run of five without a call too many and with half of the allowance is enough: a busy
/// machine gets no more done. `CRM_EXACT_LIMIT=1` asks every run for that, and for 98 % of the allowance.
fn assert_holds(run: impl FnMut() -> Option<f64>) {
    let least = if exact() { 0.98 } else { 0.5 };
    let is_good = |share: &Option<f64>| share.is_some_and(|share| share >= least);
    let mut runs = std::iter::repeat_with(run).take(5).inspect(|share| {
        println!("{share:?} of the allowance");
    });
    let holds =
        if exact() { runs.all(|share| is_good(&share)) } else { runs.any(|share| is_good(&share)) };
    assert!(holds, "at least {least} of the allowance, and no call too many");
}

/// Run by itself this is one process; run by the test below it is one of four.
#[test]
#[cfg_attr(no_redis, ignore = "neither redis-server nor valkey-server is installed")]
fn one_process_holds_the_limit() {
    let runtime = Runtime::new().unwrap();
    if let Ok(url) = env::var(SERVER) {
        let limit = SharedLimit::new(&url, "test").unwrap();
        let times = runtime.block_on(passes(&limit, Duration::from_secs(5)));
        println!("times: {times:?}");
        return;
    }
    let server = Server::start();
    assert_holds(|| {
        let limit = server.limit().per_second(100);
        let times = runtime.block_on(passes(&limit, Duration::from_secs(3)));
        share(times, 100, 2)
    });
}

#[test]
#[cfg_attr(no_redis, ignore = "neither redis-server nor valkey-server is installed")]
fn four_processes_hold_the_limit_together() {
    let server = Server::start();
    assert_holds(|| share(times_of_four_processes(&server), 60, 4));
}

fn times_of_four_processes(server: &Server) -> Vec<u64> {
    let processes: [Child; 4] = std::array::from_fn(|_| {
        Command::new(env::current_exe().unwrap())
            .args(["one_process_holds_the_limit", "--exact", "--nocapture"])
            .env(SERVER, server.url())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    });
    let times = processes.map(|process| {
        let output = process.wait_with_output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        let (_, list) = output.split_once("times: [").unwrap();
        let (list, _) = list.split_once(']').unwrap();
        let times: Vec<u64> = list.split(", ").map(|time| time.parse().unwrap()).collect();
        assert!(times.len() > 10, "a process that hardly got a turn");
        times
    });
    times.concat()
}

/// Makes so many calls through two limits that know of each other only by the server, as two
/// processes do. Returns how much of the allowance arrived, in percent, and how many were refused in
/// and after the first ten seconds.
async fn run_two(way: Way, calls: usize) -> (f64, [usize; 2]) {
    let redis = Server::start();
    let strict = Strict::new(way, fastrand::u64(..));
    let process = async || {
        let transport = strict.as_ref().with_rate_limit(redis.limit());
        let transport = transport.with_retry(RetryPolicy::default());
        stream::iter(0..calls / 2)
            .map(|_| transport.send(Request::default()))
            .buffer_unordered(64)
            .for_each(async |response| assert!(response.unwrap().status().is_success()))
            .await;
    };
    tokio::join!(process(), process());
    (strict.used(), strict.refused())
}

/// By default a few seconds over one network. `CRM_LIMITED_CALLS=3600` makes the long run, over more
/// of them, and checks how much of the allowance is used; for a machine where nothing else runs.
#[tokio::test]
#[cfg_attr(no_redis, ignore = "neither redis-server nor valkey-server is installed")]
async fn two_processes_learn_together_what_the_network_needs() {
    let long = env::var("CRM_LIMITED_CALLS").ok().map(|calls| calls.parse().unwrap());
    let Some(calls) = long else {
        run_two(Way { takes: ms(20), jitter: ms(10), ..BESIDE }, 150).await;
        return;
    };
    let networks = [(0, 0, 98.5), (50, 10, 97.0), (300, 15, 95.0), (300, 30, 93.0)];
    let mut missed = Vec::new();
    for (takes, jitter, least) in networks {
        let way = Way { takes: ms(takes), jitter: ms(jitter), ..BESIDE };
        let (used, refused) = run_two(way, calls).await;
        println!("{takes} ± {jitter} ms one way: {used:.1} %, refused {refused:?}");
        if used < least || refused[1] > calls / 1_000 {
            missed.push((takes, jitter));
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

/// Answers 429 to the first call, then 200.
struct BusyOnce(std::sync::atomic::AtomicBool);

#[async_trait::async_trait]
impl Transport for BusyOnce {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        let mut response = Response::new(Default::default());
        if !self.0.swap(true, std::sync::atomic::Ordering::SeqCst) {
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            response.headers_mut().insert("retry-after", 3.into());
        }
        Ok(response)
    }
}

#[tokio::test]
#[cfg_attr(no_redis, ignore = "neither redis-server nor valkey-server is installed")]
async fn a_gate_stays_closed_no_longer_when_the_servers_clock_is_set_back() {
    let server = Server::start();
    let limit = server.limit();
    limit.close(1, Some(Duration::from_secs(1))).await;
    assert!(limit.state(1).await.unwrap().closed_for > Duration::ZERO);

    // As a clock that went back by an hour leaves it.
    let hour = SystemTime::now() + Duration::from_secs(3_600);
    let micros = hour.duration_since(UNIX_EPOCH).unwrap().as_micros();
    let answer = server.ask(&format!("HSET {GATE} closed_at {micros} closed_until {micros}"));
    assert_eq!(answer, ":0");

    assert_eq!(limit.state(1).await.unwrap().closed_for, Duration::ZERO);
    let passed = timeout(Duration::from_secs(30), limit.pass(&call(1))).await;
    assert!(passed.unwrap().is_ok());
}

#[tokio::test]
#[cfg_attr(no_redis, ignore = "neither redis-server nor valkey-server is installed")]
async fn an_answer_429_closes_the_gate_for_all_processes_for_its_time() {
    let server = Server::start();
    let busy = BusyOnce(Default::default()).with_rate_limit(server.limit());
    let other = server.limit();
    let started = Instant::now();
    busy.send(Request::default()).await.unwrap();
    let impatient = server.limit().longest_wait(Duration::from_millis(100));
    let error = impatient.pass(&call(0)).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::RateLimited);
    assert_eq!(error.delivery(), Delivery::NotExecuted);
    assert!(!is_away(&error), "{error}");
    let deadline = started + Duration::from_secs(2);
    let error = other.pass(&call(0).deadline(deadline)).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::RateLimited);
    let state = other.state(0).await.unwrap();
    assert_eq!((state.permits, state.passed), (0, 0));
    assert!(state.closed_for > Duration::from_secs(1), "{state:?}");
    pass(&other, 1).await;
    assert!(started.elapsed() < Duration::from_secs(3), "another key");
    pass(&other, 0).await;
    let closed = started.elapsed();
    assert!(closed >= Duration::from_secs(3), "{closed:?}");
    assert!(closed < Duration::from_secs(10), "{closed:?}");
}

#[tokio::test]
#[cfg_attr(no_redis, ignore = "neither redis-server nor valkey-server is installed")]
async fn an_answer_429_that_names_no_time_closes_the_gate_for_longer_if_it_was_closed_just_now() {
    let server = Server::start();
    let limit = server.limit();
    let pause = || server.ask(&format!("HGET {GATE} pause"));
    limit.close(1, None).await;
    assert_eq!(pause(), "1000");

    // Still closed, however slow this machine is.
    let later = now() + 3_600_000_000;
    server.ask(&format!("HSET {GATE} closed_until {later}"));
    limit.close(1, None).await;
    assert_eq!(pause(), "1000");

    // Open again, after a pause that is long enough for any machine to be "just now".
    server.ask(&format!("HSET {GATE} closed_until {} pause 20000", now()));
    limit.close(1, None).await;
    assert_eq!(pause(), "40000");
    let closed_for = limit.state(1).await.unwrap().closed_for;
    assert!(closed_for > Duration::from_secs(20), "{closed_for:?}");
    assert_eq!(limit.state(1).await.unwrap().pauses, 2);
}

#[tokio::test]
#[cfg_attr(no_redis, ignore = "neither redis-server nor valkey-server is installed")]
async fn applications_and_tenants_do_not_wait_for_each_other() {
    let server = Server::start();
    let slow = |application| {
        let limit = SharedLimit::new(&server.url(), application).unwrap();
        limit.per_second(1)
    };
    let started = Instant::now();
    for application in ["one", "two"] {
        for key in 0..3 {
            pass(&slow(application), key).await;
        }
    }
    assert!(started.elapsed() < Duration::from_secs(3));
    pass(&slow("one"), 0).await;
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
#[cfg_attr(no_redis, ignore = "neither redis-server nor valkey-server is installed")]
async fn a_process_that_dies_leaves_nothing_behind_that_others_wait_for() {
    let server = Server::start();
    let dying = server.limit();
    let mut calls = JoinSet::new();
    for _ in 0..600 {
        let limit = dying.clone();
        calls.spawn(async move { limit.pass(&call(1)).await });
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    calls.shutdown().await;
    let started = Instant::now();
    pass(&server.limit(), 1).await;
    assert!(started.elapsed() < Duration::from_secs(5), "600 calls are 10 s");
}

#[tokio::test]
#[cfg_attr(no_redis, ignore = "neither redis-server nor valkey-server is installed")]
async fn a_call_that_nobody_polls_holds_up_none_behind_it() {
    let server = Server::start();
    let limit = server.limit().per_second(2);
    pass(&limit, 1).await;
    let waiting = call(1);
    let mut unpolled = Box::pin(limit.pass(&waiting));
    let patience = Duration::from_millis(20);
    assert!(timeout(patience, &mut unpolled).await.is_err());
    let others = async {
        for _ in 0..3 {
            pass(&limit, 1).await;
        }
    };
    timeout(Duration::from_secs(20), others).await.unwrap();
    drop(unpolled.await.unwrap());
}

#[tokio::test]
#[cfg_attr(no_redis, ignore = "neither redis-server nor valkey-server is installed")]
async fn without_the_server_calls_stop_or_keep_to_the_local_share_until_it_is_back() {
    let mut server = Server::start();
    let stops = server.limit();
    let local = RateLimit::per_second(20);
    let shares = server.limit().fallback(Fallback::LocalShare(local.clone()));
    pass(&stops, 1).await;
    pass(&shares, 1).await;
    assert_eq!(local.state(1).passed, 0);

    server.stop();
    let error = stops.pass(&call(1)).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::LimitServer);
    assert_eq!(error.delivery(), Delivery::NotExecuted);
    assert!(is_away(&error), "{error}");
    assert!(stops.state(1).await.is_err());
    let started = Instant::now();
    for _ in 0..10 {
        pass(&shares, 1).await;
    }
    let paced = started.elapsed();
    assert!(paced >= Duration::from_millis(400), "{paced:?}");
    assert_eq!(local.state(1).passed, 10);

    server.start_again();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    pass(&stops, 1).await;
    pass(&shares, 1).await;
    assert_eq!(local.state(1).passed, 10, "the server is asked again");
}

/// A server at the end of a long way: each direction takes so long.
async fn far(server: &Server, way: Duration) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let port = server.port;
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = tokio::net::TcpStream::connect(("127.0.0.1", port));
            let (near_reads, near_writes) = near.into_split();
            let (far_reads, far_writes) = far.await.unwrap().into_split();
            tokio::spawn(carry(near_reads, far_writes, way));
            tokio::spawn(carry(far_reads, near_writes, way));
        }
    });
    url
}

/// What is read arrives so much later, however much is on its way.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: Duration) {
    let (sender, mut on_its_way) =
        tokio::sync::mpsc::unbounded_channel::<(tokio::time::Instant, Vec<u8>)>();
    let arrives = async move {
        while let Some((at, bytes)) = on_its_way.recv().await {
            tokio::time::sleep_until(at).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    let leaves = async move {
        let mut bytes = vec![0; 4096];
        while let Ok(length @ 1..) = from.read(&mut bytes).await {
            let at = tokio::time::Instant::now() + way;
            sender.send((at, bytes[..length].to_vec())).unwrap();
        }
    };
    tokio::join!(arrives, leaves);
}

#[tokio::test]
#[cfg_attr(no_redis, ignore = "neither redis-server nor valkey-server is installed")]
async fn an_answer_429_reaches_the_others_though_its_caller_gave_up() {
    let server = Server::start();
    let url = far(&server, Duration::from_millis(40)).await;
    let limit = SharedLimit::new(&url, "test").unwrap();
    let closing = limit.close(1, Some(Duration::from_secs(60)));
    assert!(timeout(Duration::from_millis(10), closing).await.is_err());
    let other = server.limit();
    let closed = async {
        while other.state(1).await.unwrap().closed_for.is_zero() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), closed).await.unwrap();
}

#[test]
#[cfg_attr(no_redis, ignore = "neither redis-server nor valkey-server is installed")]
fn a_process_alone_uses_the_allowance_over_a_way_of_25_ms() {
    let runtime = Runtime::new().unwrap();
    let server = Server::start();
    assert_holds(|| {
        runtime.block_on(async {
            let url = far(&server, Duration::from_micros(12_500)).await;
            let limit = SharedLimit::new(&url, "test").unwrap();
            share(passes(&limit, Duration::from_secs(3)).await, 60, 2)
        })
    });
}

/// Of a server that takes connections and says nothing.
#[tokio::test]
async fn nobody_waits_long_for_a_server_that_is_silent() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let local = RateLimit::per_second(20);
    let limit = SharedLimit::new(&url, "test").unwrap();
    let limit = limit.fallback(Fallback::LocalShare(local.clone()));
    // The first calls find out.
    pass(&limit, 1).await;
    let passed = passes(&limit, Duration::from_secs(5)).await;
    let least = if exact() { 80 } else { 20 };
    assert!(passed.len() >= least, "{} of 100", passed.len());
}

/// A server that answers everything with this error, and is asked with this password.
async fn refusing(error: &'static str, password: &str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                while let Ok(1..) = connection.read(&mut bytes).await {
                    // More answers than commands: the client reads as many as it needs.
                    let answers = format!("-{error}\r\n").repeat(8);
                    if connection.write_all(answers.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    format!("redis://user:{password}@{address}/")
}

#[tokio::test]
async fn an_error_of_the_server_is_told_to_all_callers_but_no_password() {
    for (answer, password, protocol, told) in [
        ("WRONGPASS invalid pair", "s3cret", "", "authentication"),
        (
            "ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'user' 's3cret'",
            "s3cret",
            "?protocol=resp3",
            "unknown command",
        ),
        // Cut, as the server does with long ones.
        (
            "ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'user' 's3c",
            "s3cret",
            "?protocol=resp3",
            "unknown command",
        ),
        (
            "ERR I can't do that: unknown command `EVALSHA`, with args beginning with: `o`",
            "o",
            "?protocol=resp3",
            "I can't do that: unknown command …",
        ),
    ] {
        let url = refusing(answer, password).await + protocol;
        let limit = SharedLimit::new(&url, "test").unwrap();
        // The second is not even asked.
        for _ in 0..2 {
            let error = limit.pass(&call(1)).await.unwrap_err();
            assert_eq!(error.kind(), TransportErrorKind::LimitServer);
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(told), "{shown}");
            assert!(!shown.contains("s3c"), "{shown}");
        }
        assert!(limit.state(1).await.unwrap_err().to_string().contains(told));
    }
}

#[tokio::test]
#[cfg_attr(no_redis, ignore = "neither redis-server nor valkey-server is installed")]
async fn a_replica_that_may_only_read_is_told_as_such() {
    let server = Server::start();
    assert_eq!(server.ask("REPLICAOF 127.0.0.1 1"), "+OK");
    let error = server.limit().pass(&call(1)).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::LimitServer);
    assert!(error.to_string().contains("read only"), "{error}");
}

#[test]
fn a_url_that_cannot_be_read_is_an_error_that_does_not_repeat_it() {
    let error = SharedLimit::new("http://user:s3cret@host", "test").unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::InvalidRequest);
    assert!(!format!("{error} {error:?}").contains("s3cret"));
    let limit = SharedLimit::new("redis://user:s3cret@host", "test").unwrap();
    assert!(!format!("{limit:?}").contains("s3cret"));
}
