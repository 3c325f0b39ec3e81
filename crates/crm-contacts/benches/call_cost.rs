//! What one call costs, counted: instructions and allocations per typed update, by the layers
//! that it passes.
//!
//! `cargo bench -p crm-contacts --bench call_cost` runs itself under valgrind, once with few
//! and once with many calls for each way, and prints the difference per call. Counts do not
//! depend on the machine's load; a machine without valgrind says so.
//!
//! Every way sends the same PATCH with a typed body to the same server on this machine, over
//! plain HTTP/1.1 on a kept connection, from a current-thread runtime, and reads the answer
//! into a typed contact.

use std::{
    env,
    error::Error,
    process::{Command, ExitCode},
};

use crm_contacts::{ContactsService, operations::locations::UpdateContact};
use crm_models::{
    Contact, ContactId, ContactPreferencesRequest, LocationId, TenantId, UpdateContactRequest,
};
use crm_transport::{
    Auth, Credentials, Environment, HyperTransport, RateLimit, ReqwestTransport, RetryPolicy,
    Transport, TransportExt,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The ways to make the call, from the least to the most.
const WAYS: [&str; 7] = [
    "reqwest, by hand",
    "ReqwestTransport",
    "ReqwestTransport + limit",
    "ReqwestTransport + limit, auth",
    "ReqwestTransport + limit, auth, retry",
    "HyperTransport",
    "HyperTransport + limit, auth, retry",
];

/// So many calls more in the second run than in the first.
const CALLS: u64 = 1_000;
const WARM_UP: u64 = 200;

const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.an-access-token-of-about-the-usual-length.c2lnbmF0dXJl";
const APP_KEY: &str = "ak1.benchmark";

const ANSWER: &str = concat!(
    r#"{"id":71204,"type":"MobilePhone","value":"8185550142","memo":"Gate code 4411","#,
    r#""phoneSettings":{"phoneNumber":"8185550142","doNotText":false},"#,
    r#""modifiedOn":"2026-05-27T16:04:11.4827193Z","createdOn":"2025-11-02T09:15:00Z","#,
    r#""preferences":{"jobRemindersEnabled":true,"marketingUpdatesEnabled":false,"#,
    r#""invoiceStatementNotification":false,"invoiceNotification":true,"#,
    r#""statementNotification":false}}"#
);

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let result = match (runtime, &arguments[1..]) {
        (Err(error), _) => Err(error.into()),
        (Ok(runtime), [run, way, calls, url]) if run == "run" => {
            runtime.block_on(run_calls(way, calls, url))
        }
        (Ok(runtime), _) => runtime.block_on(compare()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("call_cost: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Counts every way and prints the table.
async fn compare() -> Outcome<()> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("call_cost: skipped, valgrind is not installed");
        return Ok(());
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    println!(
        "{:<40} {:>14} {:>8} {:>12}",
        "per call", "instructions", "ratio", "allocations"
    );
    let mut baseline = None;
    for way in WAYS {
        let instructions = per_call(way, &url, "callgrind", "Collected :").await?;
        let allocations = per_call(way, &url, "memcheck", "total heap usage:").await?;
        let ratio = instructions / *baseline.get_or_insert(instructions);
        println!("{way:<40} {instructions:>14.0} {ratio:>8.3} {allocations:>12.1}");
    }
    Ok(())
}

/// The first number after `label` in valgrind's summary, per call.
async fn per_call(way: &str, url: &str, tool: &'static str, label: &'static str) -> Outcome<f64> {
    let few = count(way, WARM_UP, url, tool, label).await?;
    let many = count(way, WARM_UP + CALLS, url, tool, label).await?;
    Ok((many - few) as f64 / CALLS as f64)
}

async fn count(
    way: &str,
    calls: u64,
    url: &str,
    tool: &'static str,
    label: &'static str,
) -> Outcome<u64> {
    let mut command = Command::new("valgrind");
    command.arg(format!("--tool={tool}"));
    if tool == "callgrind" {
        command.arg("--callgrind-out-file=/dev/null");
    }
    command.arg(env::current_exe()?);
    command.args(["run", way, &calls.to_string(), url]);
    // The server runs on this runtime: the child must not block it.
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let summary = String::from_utf8_lossy(&output.stderr);
    let number = summary
        .split(label)
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next());
    let number = number.ok_or_else(|| format!("no count by {tool}: {summary}"))?;
    Ok(number.replace(',', "").parse()?)
}

async fn run_calls(way: &str, calls: &str, url: &str) -> Outcome<()> {
    let calls = calls.parse()?;
    let environment = Environment::custom(url, url)?;
    let reqwest = || ReqwestTransport::new(&environment);
    let hyper = || HyperTransport::new(&environment);
    let credentials = || Credentials::new("cid.benchmark", "secret", APP_KEY);
    let limit = || RateLimit::per_second(1_000_000);
    match way {
        "reqwest, by hand" => by_hand(url, calls).await,
        "ReqwestTransport" => through(reqwest()?, calls).await,
        "ReqwestTransport + limit" => through(reqwest()?.with_rate_limit(limit()), calls).await,
        "ReqwestTransport + limit, auth" => {
            let auth = Auth::new(reqwest()?, credentials());
            through(reqwest()?.with_rate_limit(limit()).with_auth(auth), calls).await
        }
        "ReqwestTransport + limit, auth, retry" => {
            let auth = Auth::new(reqwest()?, credentials());
            let authorized = reqwest()?.with_rate_limit(limit()).with_auth(auth);
            through(authorized.with_retry(RetryPolicy::default()), calls).await
        }
        "HyperTransport" => through(hyper()?, calls).await,
        _ => {
            let auth = Auth::new(hyper()?, credentials());
            let authorized = hyper()?.with_rate_limit(limit()).with_auth(auth);
            through(authorized.with_retry(RetryPolicy::default()), calls).await
        }
    }
}

fn update() -> UpdateContactRequest {
    UpdateContactRequest::new()
        .memo("Gate code 4411")
        .preferences(ContactPreferencesRequest::new(true, false, true, false))
}

/// As an engineer would write it without this crate.
async fn by_hand(url: &str, calls: u64) -> Outcome<()> {
    let client = reqwest::Client::new();
    for _ in 0..calls {
        let (location, contact) = (55_021, 71_204);
        let response = client
            .patch(format!(
                "{url}/crm/v2/tenant/1001/locations/{location}/contacts/{contact}"
            ))
            .bearer_auth(TOKEN)
            .header("ST-App-Key", APP_KEY)
            .header("Accept", "application/json")
            .header("Content-Type", "application/json")
            .body(serde_json::to_vec(&update())?)
            .send()
            .await?
            .error_for_status()?;
        let contact: Contact = serde_json::from_slice(&response.bytes().await?)?;
        std::hint::black_box(contact);
    }
    Ok(())
}

async fn through(transport: impl Transport, calls: u64) -> Outcome<()> {
    let service = ContactsService::new(transport, TenantId::new(1_001)?);
    for _ in 0..calls {
        let operation = UpdateContact {
            owner: LocationId::new(55_021)?,
            contact: ContactId::new(71_204)?,
            update: update(),
        };
        std::hint::black_box(service.call(&operation).await?);
    }
    Ok(())
}

/// Answers every request with the contact, or with a token.
async fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    let token = format!(r#"{{"access_token":"{TOKEN}","expires_in":900}}"#);
    let mut buffer = Vec::with_capacity(4_096);
    loop {
        let whole = loop {
            if let Some(whole) = request_length(&buffer).filter(|whole| buffer.len() >= *whole) {
                break whole;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let body = if buffer.starts_with(b"POST") {
            &token
        } else {
            ANSWER
        };
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json";
        let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        buffer.drain(..whole);
        stream.write_all(answer.as_bytes()).await?;
    }
}

/// The length of the first request, once its head is there.
fn request_length(buffer: &[u8]) -> Option<usize> {
    let end = buffer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
    let length = head
        .split("\r\n")
        .find_map(|line| line.strip_prefix("content-length: "));
    Some(end + 4 + length.and_then(|length| length.parse().ok()).unwrap_or(0))
}
