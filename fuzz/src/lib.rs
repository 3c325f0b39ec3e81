//! What several targets need: a tenant without contacts, a folder, a runtime.

use std::{path::PathBuf, sync::LazyLock};

use async_trait::async_trait;
use crm_bulk::Site;
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

/// Runs to its end.
pub fn block_on<R>(future: impl Future<Output = R>) -> R {
    RUNTIME.block_on(future)
}
