//! A sandbox without rate limit, a service on it, and small helpers.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test fails so")]

pub mod child;
pub mod wishes;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use crm_bulk::{
    Apply, BulkError, Change, ChangeSet, Event, Finished, Input, Plan, Selection, Site, Snapshot,
    State,
};
use crm_contacts::ContactsService;
use crm_models::{Preference, TenantId};
use crm_sandbox::{Connection, Sandbox, Seed, StoredContact};
use crm_transport::{
    Auth, Credentials, Environment, ReqwestTransport, RetryPolicy, Transport, TransportExt,
};
use futures_util::TryStreamExt;

pub type Service = ContactsService<Arc<dyn Transport>>;

/// The columns of rows that name every flag.
pub fn flag_columns() -> String {
    Preference::SETTABLE.map(Preference::column).join(",")
}

/// The cells in [`flag_columns`].
pub fn flag_cells<'a>(cell: impl Fn(Preference) -> &'a str) -> String {
    Preference::SETTABLE.map(cell).join(",")
}

pub struct World {
    pub sandbox: Sandbox,
    pub service: Service,
    pub site: Site,
    pub folder: tempfile::TempDir,
}

pub async fn world(seed: Seed) -> World {
    let builder = Sandbox::builder().seed(seed).set("rate-limit", "0").unwrap();
    let sandbox = builder.start().await.unwrap();
    let service = service(sandbox.connection());
    let site = Site::of(&service, &sandbox.connection().api_url);
    World { sandbox, service, site, folder: tempfile::tempdir().unwrap() }
}

/// The standard stack without its rate limit.
pub fn service(connection: &Connection) -> Service {
    service_with(connection, RetryPolicy::default())
}

pub fn service_with(connection: &Connection, retry: RetryPolicy) -> Service {
    let keys = [&connection.client_id, &connection.client_secret, &connection.app_key];
    let keys = keys.map(String::as_str);
    stack(&connection.api_url, connection.tenant, keys, retry)
}

pub fn service_at(api_url: &str, tenant: i64, keys: [&str; 3]) -> Service {
    stack(api_url, tenant, keys, RetryPolicy::default())
}

fn stack(api_url: &str, tenant: i64, [id, secret, key]: [&str; 3], retry: RetryPolicy) -> Service {
    let environment = Environment::custom(api_url, api_url).unwrap();
    let wire = ReqwestTransport::new(&environment).unwrap();
    let auth = Auth::new(wire.for_auth(&environment).unwrap(), Credentials::new(id, secret, key));
    let transport = wire.with_auth(auth).with_retry(retry);
    ContactsService::new(Arc::new(transport), TenantId::new(tenant).unwrap())
}

impl World {
    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Plans rows of CSV from the API.
    pub async fn plan(&self, rows: &str, name: &str) -> ChangeSet {
        let input = Input::csv("test", std::io::Cursor::new(rows.to_owned()));
        let path = self.path(name);
        Plan::new(self.site.clone()).from_api(&self.service, input, &path).await.unwrap();
        ChangeSet::open(path).unwrap()
    }

    /// A snapshot of all contacts as they are now.
    pub async fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::open_or_create(self.path("snapshot"), &self.site).unwrap();
        snapshot.update(&self.service, &self.site, |_| {}).await.unwrap();
        snapshot
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

    /// The sandbox's contacts of both kinds that exist.
    pub fn stored(&self) -> BTreeMap<(&'static str, i64, i64), StoredContact> {
        let locations = self.sandbox.location_contacts().unwrap();
        let customers = self.sandbox.customer_contacts().unwrap();
        let key =
            |kind| move |contact: StoredContact| ((kind, contact.owner_id, contact.id), contact);
        locations
            .into_iter()
            .map(key("location"))
            .chain(customers.into_iter().map(key("customer")))
            .filter(|(_, contact)| contact.active)
            .collect()
    }

    pub fn location_contact(&self, location: i64, contact: i64) -> StoredContact {
        self.stored().remove(&("location", location, contact)).unwrap()
    }

    /// How many requests of this method the sandbox carried out or refused.
    pub fn sent(&self, method: &str) -> usize {
        let log = self.sandbox.log();
        log.iter().filter(|entry| entry.method == method && entry.path.contains("/tenant/")).count()
    }
}

pub fn changes(path: &Path) -> Vec<Change> {
    let set = ChangeSet::open(path).unwrap();
    set.changes(&Selection::all()).map(Result::unwrap).collect()
}

pub fn states(path: &Path) -> Vec<State> {
    changes(path).iter().map(|change| change.outcome.state).collect()
}

/// Makes a set one of version 0.1: its tables alone, with what they know of the set. The cells of
/// its input have no quotes.
pub fn as_of_version_1(path: &Path) {
    let newer = path.with_extension("newer");
    std::fs::rename(path, &newer).unwrap();
    let connection = rusqlite::Connection::open(path).unwrap();
    let columns = "id, row, repeats, owner_kind, owner_id, contact_id, action, wanted, before,
        after, siblings, state, message, field_errors, trace_id, http_status, at, attempts";
    let sql = format!(
        "PRAGMA application_id = 0x43524D53; PRAGMA user_version = 1; {};
         ATTACH '{}' AS newer;
         INSERT INTO meta SELECT * FROM newer.meta WHERE name NOT IN ('digest', 'owners', 'open');
         INSERT INTO rows SELECT row, row + other_lines,
             iif((SELECT value FROM meta WHERE name = 'format') = 'csv',
                 '[' || char(34) || replace(data, ',', char(34, 44, 34)) || char(34) || ']', data),
             state, message FROM newer.rows;
         INSERT INTO changes ({columns}) SELECT {columns} FROM newer.changes;
         UPDATE changes SET wanted = json_patch(json_remove(wanted, '$.preferences'), json_object(
             'jobReminders', json(wanted -> '$.preferences.jobRemindersEnabled'),
             'marketingUpdates', json(wanted -> '$.preferences.marketingUpdatesEnabled'),
             'invoices', json(wanted -> '$.preferences.invoiceNotification'),
             'statements', json(wanted -> '$.preferences.statementNotification')))
         WHERE owner_kind <> 'person' AND wanted -> '$.preferences' IS NOT NULL",
        include_str!("../../src/store/file/schema.sql"),
        newer.display()
    );
    connection.execute_batch(&sql).unwrap();
    drop(connection);
    std::fs::remove_file(newer).unwrap();
}
