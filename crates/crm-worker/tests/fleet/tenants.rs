//! The tenants at the service, what is to be changed of theirs, and whether it was.

use std::{collections::HashMap, fmt::Write as _, path::Path, path::PathBuf, time::Duration};

use crm_bulk::{Action, Apply, ChangeSet, Input, Plan, Selection, Site, State};
use crm_fleet::{Server, StoredSet};
use crm_sandbox::{FaultPlan, Sandbox, Seed};
use futures_util::TryStreamExt;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::common::{Service, service_at};

const FIRST: i64 = 1001;

/// How often each contact was really written, whatever was answered.
const COUNTED: &str = "CREATE TABLE written (
        owner_id INTEGER, id INTEGER, times INTEGER, PRIMARY KEY (owner_id, id)
    ) WITHOUT ROWID;
    CREATE TRIGGER count_writes AFTER UPDATE ON location_contacts BEGIN
        INSERT INTO written VALUES (new.owner_id, new.id, 1)
            ON CONFLICT (owner_id, id) DO UPDATE SET times = times + 1;
    END;";

pub struct Tenants {
    pub sandbox: Sandbox,
    pub folder: TempDir,
    pub numbers: Vec<i64>,
    contacts: u64,
    creations: u64,
}

impl Tenants {
    /// So many of them, with so many contacts each; for so many percent of these another one is created.
    pub async fn new(count: u64, contacts: u64, percent: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let numbers: Vec<_> = (FIRST..).take(count.try_into().unwrap()).collect();
        let builder = Sandbox::builder()
            .tenant(FIRST)
            .more_tenants(numbers[1..].iter().copied())
            .seed(Seed::Count(contacts.try_into().unwrap()))
            .sql(COUNTED)
            .data(folder.path().join("sandbox.db"));
        let sandbox = builder.set("rate-limit", "0").unwrap().start().await.unwrap();
        Self { sandbox, folder, numbers, contacts, creations: contacts * percent / 100 }
    }

    /// How many changes a tenant has.
    pub fn changes(&self) -> u64 {
        self.contacts + self.creations
    }

    /// The service of a tenant, without a limit.
    fn service(&self, tenant: i64) -> Service {
        let connection = self.sandbox.connection();
        let keys = [&connection.client_id, &connection.client_secret, &connection.app_key];
        service_at(&connection.api_url, tenant, keys.map(String::as_str))
    }

    fn path(&self, tenant: i64, name: &str) -> PathBuf {
        self.folder.path().join(format!("{tenant} {name}.crm"))
    }

    /// Plans what is to be changed of a tenant, and moves it to the server.
    pub async fn push(&self, server: &Server, tenant: i64) -> StoredSet {
        let service = self.service(tenant);
        let site = Site::of(&service, &self.sandbox.connection().api_url);
        let path = self.path(tenant, "set");
        let rows = Input::csv("test", std::io::Cursor::new(self.rows()));
        Plan::new(site).from_api(&service, rows, &path).await.unwrap();
        let set = server.push(ChangeSet::open(&path).unwrap(), &name(tenant)).await.unwrap().set;
        std::fs::remove_file(path).unwrap();
        set
    }

    /// Every contact gets a memo of its own.
    fn rows(&self) -> String {
        let mut rows = "location_id,contact_id,action,type,value,memo\n".to_owned();
        for id in 1..=self.contacts {
            let location = 1 + (id - 1) / 4;
            writeln!(rows, "{location},{id},,,,changed {id}").unwrap();
            if id <= self.creations {
                writeln!(rows, "{location},,create,Email,new{id}@site.example,").unwrap();
            }
        }
        rows
    }

    /// Sends what the faults had fail, once they are over.
    pub async fn retry(&self, server: &Server, tenant: i64) {
        self.sandbox.inject(FaultPlan::new());
        self.sandbox.set("rate-limit", "0").unwrap();
        let set = server.set(&name(tenant)).await.unwrap();
        let apply = Apply::over(server.store(&set), &set.name, set.site.clone()).retry_failed();
        let apply = apply.server_timeout(Duration::from_secs(2));
        let service = self.service(tenant);
        let events = apply.run(&service, &set.site).unwrap();
        events.try_for_each(|_| async { Ok(()) }).await.unwrap();
    }

    /// All that a tenant's set asks for is so, nothing is there twice, and each write was claimed before and
    /// is recorded.
    pub async fn check(&self, server: &Server, tenant: i64) {
        let stored = self.stored(tenant);
        let count = |sql: &str| stored.query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap();
        let unchanged = "SELECT count(*) FROM location_contacts
            WHERE value NOT LIKE 'new%@site.example' AND memo IS NOT 'changed ' || id";
        assert_eq!(count(unchanged), 0, "tenant {tenant}: lost");
        let created = "FROM location_contacts WHERE value LIKE 'new%@site.example'";
        let distinct = count(&format!("SELECT count(DISTINCT value) {created}"));
        assert_eq!(distinct, self.creations, "tenant {tenant}: lost");
        let all = count(&format!("SELECT count(*) {created}"));
        assert_eq!(all, self.creations, "tenant {tenant}: doubled");

        let mut statement = stored.prepare("SELECT id, times FROM written").unwrap();
        let written = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let mut written: HashMap<i64, u32> = written.map(Result::unwrap).collect();
        let path = self.path(tenant, "back");
        let pulled = server.pull(&name(tenant), &path).await.unwrap();
        let mut changes = 0;
        for change in pulled.set.changes(&Selection::all()) {
            let change = change.unwrap();
            changes += 1;
            assert_eq!(change.outcome.state, State::Done, "tenant {tenant}: {:?}", change.outcome);
            if matches!(change.action, Action::Update(_)) {
                let contact = change.target.contact_text().unwrap().parse().unwrap();
                let (times, claimed) = (written.remove(&contact).unwrap(), change.outcome.attempts);
                assert!(times <= claimed, "contact {contact}: {times} writes, {claimed} claims");
            }
        }
        assert_eq!(changes, self.changes());
        assert!(written.is_empty(), "tenant {tenant}: not recorded: {written:?}");
        drop(pulled);
        std::fs::remove_file(path).unwrap();
    }

    /// What the service has of a tenant.
    fn stored(&self, tenant: i64) -> Connection {
        let name = match tenant {
            FIRST => "sandbox.db".to_owned(),
            other => format!("sandbox.{other}.db"),
        };
        let path: &Path = &self.folder.path().join(name);
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
    }
}

/// What a tenant's set is called.
pub fn name(tenant: i64) -> String {
    format!("all of {tenant}")
}
