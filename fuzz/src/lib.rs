//! What several targets need: a tenant without contacts, a folder, a runtime.

use std::{fs, io::Cursor, path::PathBuf, sync::LazyLock};

use async_trait::async_trait;
use crm_bulk::{BulkError, ChangeSet, Input, MirrorError, PlanSummary, Site};
use crm_contacts::ContactsService;
use crm_models::TenantId;
use crm_transport::{Request, Response, Transport, TransportError};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// A tenant without contacts.
pub struct Empty;

#[async_trait]
impl Transport for Empty {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        let page = r#"{"page":1,"pageSize":50,"hasMore":false,"continueFrom":"t","data":[]}"#;
        Ok(Response::new(page.into()))
    }
}

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a temporary folder"));
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime")
});

/// A service of the tenant without contacts, and its site.
#[must_use]
pub fn empty() -> (ContactsService<Empty>, Site) {
    let contacts = ContactsService::new(Empty, TenantId::new(1_001).expect("valid"));
    let site = Site::of(&contacts, "http://127.0.0.1");
    (contacts, site)
}

/// A file of this process.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    FOLDER.path().join(name)
}

/// Plans what the bytes hold into a set and a file of wrong rows, neither of which is there yet,
/// and checks that a set that is written can be opened and that wrong rows are kept, to be fed in
/// again: no more of them are wrong then. The first byte tells the format: `c` for CSV, anything else
/// for NDJSON.
pub fn plan(
    bytes: &[u8],
    plan: impl AsyncFn(Input, PathBuf, PathBuf) -> Result<PlanSummary, BulkError>,
) {
    let Some((format, rows)) = bytes.split_first() else {
        return;
    };
    let input = |rows| match format {
        b'c' => Input::csv("input", Cursor::new(rows)),
        _ => Input::ndjson("input", Cursor::new(rows)),
    };
    let (set, wrong) = (new("set.crm"), new("wrong"));
    match block_on(plan(input(rows.to_vec()), set.clone(), wrong.clone())) {
        Ok(summary) => {
            ChangeSet::open(&set).expect("a set that was written opens");
            assert_eq!(summary.invalid_rows() > 0, wrong.exists());
            if let Ok(rows) = fs::read(wrong) {
                let again = plan(input(rows), new("again.crm"), new("still-wrong"));
                match block_on(again) {
                    Ok(again) => assert_eq!(again.invalid_rows(), summary.invalid_rows()),
                    Err(error) => panic!("wrong rows can be fed in again: {error}"),
                }
            }
        }
        Err(BulkError::Mirror(MirrorError::Database { .. })) => {
            panic!("an input never breaks the set")
        }
        Err(_) => assert!(!set.exists(), "a plan that failed leaves no set"),
    }
}

/// A file that is not there yet.
fn new(name: &str) -> PathBuf {
    let path = path(name);
    let _ = fs::remove_file(&path);
    path
}

/// Runs to its end.
pub fn block_on<R>(future: impl Future<Output = R>) -> R {
    RUNTIME.block_on(future)
}
