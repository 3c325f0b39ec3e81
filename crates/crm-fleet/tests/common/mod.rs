//! A sandbox, a service on it, and a cluster of PostgreSQL.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test fails so")]

pub mod cluster;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use crm_bulk::{
    Apply, BulkError, Change, ChangeSet, Event, Finished, Input, Plan, ResultRows, Selection, Site,
};
use crm_contacts::ContactsService;
use crm_fleet::{Accounts, NoAccount};
use crm_models::TenantId;
use crm_sandbox::{Sandbox, Seed};
use crm_transport::{
    Auth, Credentials, Environment, ReqwestTransport, RetryPolicy, Transport, TransportExt,
};
use futures_util::TryStreamExt;
use tempfile::TempDir;

pub type Service = ContactsService<Arc<dyn Transport>>;

/// A connection of the test's own to this server.
pub async fn look_into(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The service of every tenant.
#[derive(Debug)]
pub struct OneAccount(pub Service);

#[async_trait]
impl Accounts for OneAccount {
    async fn service(&self, _: &Site) -> Result<Service, NoAccount> {
        Ok(self.0.clone())
    }
}

pub struct World {
    pub sandbox: Sandbox,
    pub service: Service,
    pub site: Site,
    pub folder: TempDir,
}

pub async fn world(seed: Seed) -> World {
    let builder = Sandbox::builder().seed(seed).set("rate-limit", "0").unwrap();
    let sandbox = builder.start().await.unwrap();
    let service = service(&sandbox);
    let site = Site::of(&service, &sandbox.connection().api_url);
    World { sandbox, service, site, folder: tempfile::tempdir().unwrap() }
}

fn service(sandbox: &Sandbox) -> Service {
    let connection = sandbox.connection();
    let keys = [&connection.client_id, &connection.client_secret, &connection.app_key];
    service_at(&connection.api_url, connection.tenant, keys.map(String::as_str))
}

/// The standard stack without its rate limit.
pub fn service_at(api_url: &str, tenant: i64, [id, secret, key]: [&str; 3]) -> Service {
    let environment = Environment::custom(api_url, api_url).unwrap();
    let wire = ReqwestTransport::new(&environment).unwrap();
    let auth = Auth::new(wire.for_auth(&environment).unwrap(), Credentials::new(id, secret, key));
    let transport = wire.with_auth(auth).with_retry(RetryPolicy::default());
    ContactsService::new(Arc::new(transport), TenantId::new(tenant).unwrap())
}

impl World {
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Plans rows of CSV from the API.
    pub async fn plan(&self, rows: &str, name: &str) -> ChangeSet {
        let input = Input::csv("test", std::io::Cursor::new(rows.to_owned()));
        let path = self.path(name);
        Plan::new(self.site.clone()).from_api(&self.service, input, &path).await.unwrap();
        ChangeSet::open(path).unwrap()
    }

    pub async fn apply(&self, apply: Apply) -> Result<Finished, BulkError> {
        let mut events = apply.run(&self.service, &self.site)?;
        let mut last = None;
        while let Some(event) = events.try_next().await? {
            if let Event::Finished(finished) = event {
                last = Some(finished);
            }
        }
        Ok(last.expect("every run ends with its result"))
    }

    /// How many requests of this method the sandbox carried out or refused.
    pub fn sent(&self, method: &str) -> usize {
        let log = self.sandbox.log();
        log.iter().filter(|entry| entry.method == method && entry.path.contains("/tenant/")).count()
    }
}

/// Rows that change each contact's memo.
pub fn all_memos(world: &World) -> String {
    let contacts = world.sandbox.location_contacts().unwrap();
    let rows =
        contacts.iter().map(|contact| format!("{},{},changed\n", contact.owner_id, contact.id));
    "location_id,contact_id,memo\n".to_owned() + &rows.collect::<String>()
}

/// Waits until this is so.
pub async fn until_so(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !is_so().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub fn changes(path: &Path) -> Vec<Change> {
    let set = ChangeSet::open(path).unwrap();
    set.changes(&Selection::all()).map(Result::unwrap).collect()
}

/// The results of a set, as `crm results` exports them.
pub fn results(set: &ChangeSet) -> String {
    let mut out = Vec::new();
    set.results(ResultRows::All, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}
