//! Opts a list of numbers and addresses out of marketing, wherever they stand, and writes the
//! evidence.
//!
//! The connection comes from the environment: `CRM_API_URL`, `CRM_AUTH_URL`, `CRM_TENANT`,
//! `CRM_CLIENT_ID`, `CRM_CLIENT_SECRET` and `CRM_APP_KEY`, as `crm sandbox serve` prints them.
//!
//! ```sh
//! cargo run -p crm-bulk --example opt_out_list -- opt-outs.csv work
//! ```
//!
//! Stopped or killed, it goes on where it was when it is run again with the same folder.

use std::{
    env,
    error::Error,
    fs::{self, File},
    path::PathBuf,
};

use crm_bulk::{Apply, ChangeSet, Event, Input, OptOut, Selection, Site, Snapshot};
use crm_contacts::ContactsService;
use crm_models::TenantId;
use crm_transport::{Credentials, Environment};
use futures_util::TryStreamExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [list, folder] = arguments.as_slice() else {
        return Err("give a list and a folder for the work".into());
    };
    let folder = PathBuf::from(folder);
    fs::create_dir_all(&folder)?;

    let environment = Environment::custom(&env::var("CRM_API_URL")?, &env::var("CRM_AUTH_URL")?)?;
    let credentials = Credentials::new(
        env::var("CRM_CLIENT_ID")?,
        env::var("CRM_CLIENT_SECRET")?,
        env::var("CRM_APP_KEY")?,
    );
    let tenant: TenantId = env::var("CRM_TENANT")?.parse()?;
    let transport = crm_transport::standard(&environment, credentials)?;
    let contacts = ContactsService::new(transport, tenant);
    let site = Site::of(&contacts, environment.api_url());

    let path = folder.join("opt-out.crm");
    if !path.exists() {
        // A snapshot finds every copy; later runs fetch only what changed since.
        let mut snapshot = Snapshot::open_or_create(folder.join("snapshot"), &site)?;
        snapshot.update(&contacts, &site, |_| {}).await?;
        let list = Input::open(list)?;
        OptOut::new(site.clone(), snapshot).plan(&contacts, list, &path).await?;
    }

    let set = ChangeSet::open(&path)?;
    println!("about {} calls:", set.calls()?);
    for change in set.changes(&Selection::all()) {
        let change = change?;
        println!("  {}: {}", change.target, change.outcome.state);
    }

    // Here a person looks at the plan. Applying it again goes on by itself.
    let mut events = Apply::new(set).run(&contacts, &site)?;
    while let Some(event) = events.try_next().await? {
        if let Event::Settled(change) = event {
            println!("{}: {}", change.target, change.outcome.state);
        }
    }
    drop(events);

    let [page, csv] = ["evidence.html", "evidence.html.csv"].map(|name| folder.join(name));
    let files = (File::create(&page)?, File::create(&csv)?);
    ChangeSet::open(&path)?.report_with_evidence(files.0, files.1, "evidence.html.csv")?;
    println!("evidence: {} and {}", page.display(), csv.display());
    Ok(())
}
