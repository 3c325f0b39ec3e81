//! The most memory that a stream needs, however long it is.
//!
//! ```text
//! cargo bench -p crm-contacts --bench streams
//! ```
//!
//! Each stream runs in a process of its own, over a transport that makes up pages of 5,000
//! contacts. Both the page as it came and its items are in memory for a moment.

use std::{
    env,
    error::Error,
    process::{Command, ExitCode, Stdio},
};

use async_trait::async_trait;
use crm_contacts::ContactsService;
use crm_models::{ContactFilter, LocationId, TenantId};
use crm_transport::{Request, Response, Transport, TransportError};
use futures_util::{Stream, TryStreamExt};

type BenchResult<T> = Result<T, Box<dyn Error + Send + Sync>>;

const PAGE: usize = 5_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let result = match arguments.as_slice() {
        [run, stream, contacts] if run == "run" => measure(stream, contacts).await,
        _ => compare(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("streams: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare() -> BenchResult<()> {
    if peak_memory().is_err() {
        println!("skipped: this system does not tell a process's peak memory");
        return Ok(());
    }
    println!("{:<20} {:>10} {:>12}", "", "contacts", "peak memory");
    for stream in ["nothing", "list", "list, prefetched", "export"] {
        for contacts in ["5000", "100000", "1000000"] {
            let mut command = Command::new(env::current_exe()?);
            command.args(["run", stream, contacts]);
            let output = command.stderr(Stdio::inherit()).output()?;
            let peak: f64 = String::from_utf8(output.stdout)?.trim().parse()?;
            println!("{stream:<20} {contacts:>10} {:>9.1} MB", peak / 1e6);
            if stream == "nothing" {
                break;
            }
        }
    }
    Ok(())
}

async fn measure(stream: &str, contacts: &str) -> BenchResult<()> {
    let contacts: usize = contacts.parse()?;
    let pages = Pages::new(contacts / PAGE);
    let service = ContactsService::new(pages, TenantId::new(1_001)?);
    let filter = ContactFilter::<LocationId>::new().modified_on_or_after("2026-01-01".parse()?);
    let list = service.changed(filter).page_size(PAGE as i32);
    let seen = match stream {
        "nothing" => contacts,
        "list" => count(list.items()).await?,
        "list, prefetched" => count(list.prefetch().items()).await?,
        _ => {
            let batches = service.export::<LocationId>().batches();
            let add = async |seen, batch: crm_models::ExportBatch<_>| Ok(seen + batch.data.len());
            batches.try_fold(0, add).await?
        }
    };
    if seen != contacts {
        return Err(format!("{seen} of {contacts} contacts came").into());
    }
    println!("{}", peak_memory()?);
    Ok(())
}

async fn count<T, E: Error + Send + Sync + 'static>(
    mut items: impl Stream<Item = Result<T, E>> + Unpin,
) -> BenchResult<usize> {
    let mut seen = 0;
    while items.try_next().await?.is_some() {
        seen += 1;
    }
    Ok(seen)
}

/// So many pages, all with the same contacts.
struct Pages {
    pages: usize,
    items: String,
}

impl Pages {
    fn new(pages: usize) -> Self {
        let item = |number| {
            format!(
                r#"{{"id":{number},"locationId":{},"type":"MobilePhone","value":"8185550142",
                "memo":"Gate code 4411","active":true,"phoneSettings":{{"phoneNumber":
                "8185550142","doNotText":false}},"modifiedOn":"2026-05-27T16:04:11.4827193Z",
                "createdOn":"2025-11-02T09:15:00Z","preferences":{{"jobRemindersEnabled":true,
                "marketingUpdatesEnabled":false,"invoiceStatementNotification":false,
                "invoiceNotification":true,"statementNotification":false}}}}"#,
                number / 4 + 1
            )
        };
        let items: Vec<_> = (1..=PAGE).map(item).collect();
        Self { pages, items: items.join(",") }
    }
}

#[async_trait]
impl Transport for Pages {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let query = request.uri().query().unwrap_or_default();
        let number = query.split('&').find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            ["page", "from"].contains(&name).then(|| value.parse().ok())?
        });
        let number: usize = number.unwrap_or(1);
        let more = number < self.pages;
        let body = format!(
            r#"{{"page":{number},"pageSize":{PAGE},"hasMore":{more},"continueFrom":"{}","data":[{}]}}"#,
            number + 1,
            self.items
        );
        Ok(Response::new(body.into()))
    }
}

/// The most memory that this process had so far, in bytes.
fn peak_memory() -> BenchResult<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kilobytes.ok_or("not told")?.trim().parse::<u64>()? * 1_024)
}
