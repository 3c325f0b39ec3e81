//! Where a worker gets the credentials of its tenants.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use crm_contacts::ContactsService;
use crm_mirror::Site;
use crm_transport::Transport;

/// The service of a tenant, over whatever transport.
pub type AnyService = ContactsService<Arc<dyn Transport>>;

/// Where a worker gets the credentials of its tenants: for each set it asks for a service, which has
/// them, with the limits that are kept.
#[async_trait]
pub trait Accounts: fmt::Debug + Send + Sync {
    /// Returns the service of this tenant and environment.
    ///
    /// # Errors
    ///
    /// [`NoAccount`], which says whether a later try may help. Its reason is kept and shown to people,
    /// so it contains no secret.
    async fn service(&self, site: &Site) -> Result<AnyService, NoAccount>;
}

/// Where the program `crm` gets the credentials of a tenant, when a worker starts it.
#[async_trait]
pub trait Variables: fmt::Debug + Send + Sync {
    /// Returns what the environment of the program has beside tenant and host: `CRM_AUTH_URL`, the host
    /// of the token endpoint; `CRM_CLIENT_ID`, `CRM_CLIENT_SECRET`, `CRM_APP_KEY`; and what else the tenant
    /// needs. Unlike arguments, other users of the machine do not see it.
    ///
    /// # Errors
    ///
    /// [`NoAccount`], as of [`Accounts`].
    async fn variables(&self, site: &Site) -> Result<Vec<(&'static str, String)>, NoAccount>;
}

/// There is no service for a tenant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NoAccount {
    /// Why, for people.
    pub reason: String,
    /// Whether it may be otherwise later without anybody doing something about it.
    pub passes: bool,
}
