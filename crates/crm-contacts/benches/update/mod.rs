//! The call that is measured, the ways to make it, and its server.
//!
//! One `Locations_UpdateContact`: a PATCH with a typed body to a server on this machine, over
//! plain HTTP/1.1 on kept connections, its answer read into a typed contact.

use std::error::Error;

use crm_contacts::{ContactsService, operations::locations::UpdateContact};
use crm_models::{
    Contact, ContactId, ContactPreferencesRequest, LocationId, Preference, TenantId,
    UpdateContactRequest,
};
use crm_transport::{
    Auth, Credentials, Environment, HyperTransport, RateLimit, ReqwestTransport, RetryPolicy,
    Transport, TransportExt,
};
use futures_util::future::try_join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub type BenchResult<T> = Result<T, Box<dyn Error + Send + Sync>>;

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

/// Starts the server; it ends with the runtime.
pub async fn start_server() -> BenchResult<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    Ok(url)
}

/// Makes the call so many times in one of the ways, so many at once.
pub async fn run(way: &str, calls: u64, at_once: u64, url: &str) -> BenchResult<()> {
    let calls = Calls { calls, at_once };
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
        "HyperTransport + limit, auth, retry" => {
            let auth = Auth::new(hyper()?, credentials());
            let authorized = hyper()?.with_rate_limit(limit()).with_auth(auth);
            through(authorized.with_retry(RetryPolicy::default()), calls).await
        }
        unknown => Err(format!("no such way: {unknown}").into()),
    }
}

fn update() -> UpdateContactRequest {
    UpdateContactRequest::new().memo("Gate code 4411").preferences(
        ContactPreferencesRequest::receiving(&[Preference::JobReminders, Preference::Invoices]),
    )
}

/// How many calls, and how many of them at once.
#[derive(Clone, Copy)]
struct Calls {
    calls: u64,
    at_once: u64,
}

impl Calls {
    async fn each(self, call: impl AsyncFn() -> BenchResult<Contact>) -> BenchResult<()> {
        let caller = async || {
            for _ in 0..self.calls / self.at_once {
                std::hint::black_box(call().await?);
            }
            BenchResult::Ok(())
        };
        try_join_all((0..self.at_once).map(|_| caller())).await?;
        Ok(())
    }
}

/// As an engineer would write it without this crate.
async fn by_hand(url: &str, calls: Calls) -> BenchResult<()> {
    let client = reqwest::Client::new();
    let call = async || {
        let (location, contact) = (55_021, 71_204);
        let response = client
            .patch(format!("{url}/crm/v2/tenant/1001/locations/{location}/contacts/{contact}"))
            .bearer_auth(TOKEN)
            .header("ST-App-Key", APP_KEY)
            .header("Accept", "application/json")
            .header("Content-Type", "application/json")
            .body(serde_json::to_vec(&update())?)
            .send()
            .await?
            .error_for_status()?;
        Ok(serde_json::from_slice(&response.bytes().await?)?)
    };
    calls.each(call).await
}

async fn through(transport: impl Transport, calls: Calls) -> BenchResult<()> {
    let service = ContactsService::new(transport, TenantId::new(1_001)?);
    let call = async || {
        let operation = UpdateContact {
            owner: LocationId::new(55_021)?,
            contact: ContactId::new(71_204)?,
            update: update(),
        };
        Ok(service.call(&operation).await?)
    };
    calls.each(call).await
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
        let body = if buffer.starts_with(b"POST") { &token } else { ANSWER };
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
    let length = head.split("\r\n").find_map(|line| line.strip_prefix("content-length: "));
    Some(end + 4 + length.and_then(|length| length.parse().ok()).unwrap_or(0))
}
