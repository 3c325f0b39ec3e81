//! Measures change sets of many tenants side by side, each at the vendor's limit, against a
//! sandbox in the same process that keeps the strict limit for each of them.
//!
//! ```text
//! cargo run --release -p crm-bulk --example many_tenants -- 50 600
//! ```
//!
//! The arguments are the number of tenants, and of changes for each.

use std::{error::Error, io::Cursor, time::Instant};

use crm_bulk::{Apply, ChangeSet, Event, Input, Plan, Site, State};
use crm_contacts::ContactsService;
use crm_models::TenantId;
use crm_sandbox::{Sandbox, Seed};
use crm_transport::{Credentials, Environment};
use futures_util::{TryStreamExt, future::try_join_all};

const FIRST: i64 = 1_001;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let tenants: i64 = arguments.next().ok_or("how many tenants?")?.parse()?;
    let changes: u32 = arguments.next().ok_or("how many changes?")?.parse()?;

    let sandbox = Sandbox::builder()
        .seed(Seed::Count(changes))
        .set("log-size", "1000000")?
        .tenant(FIRST)
        .more_tenants(FIRST + 1..FIRST + tenants)
        .start()
        .await?;
    let connection = sandbox.connection();
    let environment = Environment::custom(&connection.api_url, &connection.auth_url)?;
    let folder = tempfile::tempdir()?;
    let rows: String = (1..=changes)
        .map(|contact| format!("{},{contact},Gate code 4411\n", contact.div_ceil(4)))
        .collect();

    let mut sets = Vec::new();
    for tenant in FIRST..FIRST + tenants {
        let credentials = Credentials::new(
            &*connection.client_id,
            &*connection.client_secret,
            &*connection.app_key,
        );
        let transport = crm_transport::standard(&environment, credentials)?;
        let service = ContactsService::new(transport, TenantId::new(tenant)?);
        let site = Site::of(&service, &connection.api_url);
        let path = folder.path().join(format!("{tenant}.crm"));
        let input = Input::csv("rows", Cursor::new(format!("location_id,contact_id,memo\n{rows}")));
        Plan::new(site.clone()).from_api(&service, input, &path).await?;
        sets.push((service, site, path));
    }
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    sandbox.clear_log();

    let began = Instant::now();
    let runs = sets.iter().map(async |(service, site, path)| {
        let mut events = Apply::new(ChangeSet::open(path)?).run(service, site)?;
        let mut done = 0;
        while let Some(event) = events.try_next().await? {
            if let Event::Finished(finished) = event {
                done = finished.count(State::Done);
            }
        }
        Ok::<_, Box<dyn Error>>(done)
    });
    let done: u64 = try_join_all(runs).await?.into_iter().sum();
    let seconds = began.elapsed().as_secs_f64();
    let log = sandbox.log();
    println!(
        "{done} changes of {tenants} tenants in {seconds:.2} s: {:.1} calls/s each, {} answers 429",
        log.len() as f64 / seconds / tenants as f64,
        log.iter().filter(|call| call.status == 429).count(),
    );
    Ok(())
}
