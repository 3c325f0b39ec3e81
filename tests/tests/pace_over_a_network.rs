//! The pace that a limit reaches against the strict sandbox through a proxy that delays what it
//! carries, over real sockets. Alone in its file: the tests of one file run at the same time.
//!
//! By default a few seconds over one network. `CRM_LIMITED_CALLS=3600` makes the long run, over all
//! of them, and checks how much of the allowance is used; for a machine where nothing else runs.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{env, time::Duration};

use crm_contacts::ContactsService;
use crm_models::{ContactChange, ContactId, LocationId, TenantId};
use crm_sandbox::{Sandbox, Seed};
use crm_transport::{Credentials, Environment};
use futures_util::{StreamExt, stream};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{Instant, sleep_until},
};

/// As many calls are under way or wait at once as in a run of a change set.
const AT_ONCE: usize = 128;

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_delays_unevenly_leaves_most_of_the_allowance() {
    let long = env::var("CRM_LIMITED_CALLS").ok().map(|calls| calls.parse().unwrap());
    let Some(calls) = long else {
        // Whatever the machine is busy with, every call arrives in the end.
        run(150, 20, 10).await;
        return;
    };
    let networks = [(0, 0, 98.5), (50, 10, 97.0), (300, 15, 95.0), (300, 30, 93.0)];
    let mut missed = Vec::new();
    for (takes, jitter, least) in networks {
        let (used, refused) = run(calls, takes, jitter).await;
        let later = refused.iter().filter(|at| **at > 10.0).count();
        println!(
            "{takes} ± {jitter} ms one way: {used:.1} %, {} refused, {later} of them after ten seconds",
            refused.len(),
        );
        if used < least || later as u64 > calls / 1_000 {
            missed.push((takes, jitter));
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

/// Makes so many updates; returns how much of the allowance arrived at the service, in percent, and
/// when it refused a call, in seconds.
async fn run(calls: u64, takes: u64, jitter: u64) -> (f64, Vec<f64>) {
    let sandbox = Sandbox::builder().seed(Seed::Count(10)).start().await.unwrap();
    let connection = sandbox.connection();
    let near = proxy(&connection.api_url, takes, jitter).await;
    let environment = Environment::custom(&near, &connection.auth_url).unwrap();
    let credentials = Credentials::new(
        connection.client_id.clone(),
        connection.client_secret.clone(),
        connection.app_key.clone(),
    );
    let transport = crm_transport::standard(&environment, credentials).unwrap();
    let service = ContactsService::new(transport, TenantId::new(connection.tenant).unwrap());
    let contact = sandbox.location_contacts().unwrap().remove(0);
    let location = LocationId::new(contact.owner_id).unwrap();
    let id = ContactId::new(contact.id).unwrap();
    let update = async |number| {
        let change = ContactChange::new().memo(format!("call {number}"));
        service.location(location).update(id, &change).await.unwrap_or_else(|e| panic!("{e}"));
    };
    stream::iter(0..calls).map(update).buffer_unordered(AT_ONCE).collect::<()>().await;

    let log = sandbox.log();
    let updates = || log.iter().filter(|entry| entry.operation == "Locations_UpdateContact");
    let first = updates().next().unwrap().time;
    let seconds = |time: i64| (time - first) as f64 / 1e9;
    let (refused, done): (Vec<_>, Vec<_>) = updates().partition(|entry| entry.status == 429);
    assert_eq!(done.len() as u64, calls);
    let used = (calls - 1) as f64 / 60.0 / seconds(done.last().unwrap().time);
    (100.0 * used, refused.iter().map(|entry| seconds(entry.time)).collect())
}

/// A proxy for the server at this URL; returns its own URL. Each direction takes so many
/// milliseconds, more or less by up to the jitter.
async fn proxy(server: &str, takes: u64, jitter: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = format!("http://{}", listener.local_addr().unwrap());
    let far = server.strip_prefix("http://").unwrap().to_owned();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&far).await.unwrap();
            for side in [&client, &server] {
                side.set_nodelay(true).unwrap();
            }
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::spawn(carry(from_client, to_server, takes, jitter));
            tokio::spawn(carry(from_server, to_client, takes, jitter));
        }
    });
    near
}

/// Carries what comes from one side to the other, each part after a time of its own, in order.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin + Send + 'static,
    takes: u64,
    jitter: u64,
) {
    let (sender, mut parts) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        while let Some((due, part)) = parts.recv().await {
            sleep_until(due).await;
            if to.write_all(&part).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    });
    let mut buffer = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let late = Duration::from_micros(fastrand::u64(0..=2_000 * jitter));
        let due = Instant::now() + Duration::from_millis(takes - jitter) + late;
        if sender.send((due, buffer[..read].to_vec())).is_err() {
            return;
        }
    }
}
