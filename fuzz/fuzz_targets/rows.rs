//! Rows of any bytes are planned or reported; a set that is written can be opened, and the
//! wrong rows can be fed in again.
#![no_main]

use std::{fs, io::Cursor, sync::LazyLock};

use async_trait::async_trait;
use crm_bulk::{BulkError, ChangeSet, Input, Plan, Site};
use crm_contacts::ContactsService;
use crm_models::TenantId;
use crm_transport::{Request, Response, Transport, TransportError};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// A tenant without contacts.
struct Empty;

#[async_trait]
impl Transport for Empty {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        let page = r#"{"page":1,"pageSize":50,"hasMore":false,"data":[]}"#;
        Ok(Response::new(page.into()))
    }
}

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a temporary folder"));
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime")
});

fuzz_target!(|input: &[u8]| {
    // The first byte tells the format: `c` for CSV, anything else for NDJSON.
    let Some((format, rows)) = input.split_first() else {
        return;
    };
    let set = FOLDER.path().join("rows.crm");
    let wrong = FOLDER.path().join("wrong.csv");
    let _ = fs::remove_file(&set);
    let _ = fs::remove_file(&wrong);
    let reader = Cursor::new(rows.to_vec());
    let rows = match format {
        b'c' => Input::csv("rows", reader),
        _ => Input::ndjson("rows", reader),
    };
    let tenant = TenantId::new(1_001).expect("valid");
    let contacts = ContactsService::new(Empty, tenant);
    let site = Site::of(&contacts, "http://127.0.0.1");
    let plan = Plan::new(site).skip_invalid().mend_file(&wrong);
    match RUNTIME.block_on(plan.from_api(&contacts, rows, &set)) {
        Ok(summary) => {
            ChangeSet::open(&set).expect("a set that was written opens");
            assert_eq!(summary.invalid_rows() > 0, wrong.exists());
        }
        Err(BulkError::Database { .. }) => panic!("rows never break the set"),
        Err(_) => assert!(!set.exists(), "a plan that failed leaves no set"),
    }
});
