//! A list of any bytes is planned or reported; a plan that fails leaves no set.
#![no_main]

use std::{fs, io::Cursor, sync::LazyLock};

use async_trait::async_trait;
use crm_bulk::{BulkError, ChangeSet, Input, OptOut, Site, Snapshot};
use crm_contacts::ContactsService;
use crm_models::TenantId;
use crm_transport::{Request, Response, Transport, TransportError};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// A tenant with one contact, which both feeds show.
struct One;

#[async_trait]
impl Transport for One {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let owner = match request.uri().path().contains("/locations/") {
            true => "locationId",
            false => "customerId",
        };
        let contact = r#""id":7,"type":"Phone","value":"8185550142","active":true,
            "modifiedOn":"2026-03-01T10:00:00Z","preferences":{"jobRemindersEnabled":true,
            "marketingUpdatesEnabled":true,"invoiceStatementNotification":true}"#;
        let batch =
            format!(r#"{{"hasMore":false,"continueFrom":"a","data":[{{"{owner}":1,{contact}}}]}}"#);
        Ok(Response::new(batch.into()))
    }
}

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a temporary folder"));
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime")
});

fuzz_target!(|list: &[u8]| {
    let set = FOLDER.path().join("opt-outs.crm");
    let snapshot = FOLDER.path().join("snapshot.crm");
    let _ = fs::remove_file(&set);
    let contacts = ContactsService::new(One, TenantId::new(1_001).expect("valid"));
    let site = Site::of(&contacts, "http://127.0.0.1");
    let is_new = !snapshot.exists();
    let mut snapshot = Snapshot::open_or_create(snapshot, &site).expect("a snapshot");
    if is_new {
        let updated = RUNTIME.block_on(snapshot.update(&contacts, |_| {}));
        updated.expect("a good batch");
    }
    let list = Input::csv("list", Cursor::new(list.to_vec()));
    let plan = OptOut::new(snapshot).without_people().skip_invalid();
    match RUNTIME.block_on(plan.plan(&contacts, list, &set)) {
        Ok(_) => drop(ChangeSet::open(&set).expect("a set that was written opens")),
        Err(BulkError::Database { .. }) => panic!("a list never breaks the set"),
        Err(_) => assert!(!set.exists(), "a plan that failed leaves no set"),
    }
});
