//! The tenant and the server that the data of a file belong to.

use std::path::Path;

use crm_contacts::ContactsService;
use crm_models::TenantId;
use crm_transport::Transport;

use crate::error::MirrorError;

/// A tenant on one API host. A file that was made for one site is refused on every other, so a
/// change set that was planned on integration cannot be applied to production.
///
/// ```
/// use crm_mirror::Site;
/// use crm_models::TenantId;
///
/// let tenant = TenantId::new(1_001)?;
/// let planned = Site::new(tenant, "https://api-integration.servicetitan.io/");
/// assert_eq!(planned, Site::new(tenant, "https://API-integration.servicetitan.io"));
/// assert_ne!(planned, Site::new(tenant, "https://api.servicetitan.io"));
/// # Ok::<(), crm_models::InvalidId>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    tenant: TenantId,
    environment: String,
}

impl Site {
    /// Creates the site of a tenant on the API host with this base URL.
    #[must_use]
    pub fn new(tenant: TenantId, api_url: &str) -> Self {
        Self { tenant, environment: api_url.trim_end_matches('/').to_ascii_lowercase() }
    }

    /// Creates the site of a service's tenant on the API host with this base URL.
    #[must_use]
    pub fn of<T: Transport>(service: &ContactsService<T>, api_url: &str) -> Self {
        Self::new(service.tenant(), api_url)
    }

    /// Returns the tenant.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Returns the base URL of the API host.
    #[must_use]
    pub fn environment(&self) -> &str {
        &self.environment
    }

    /// Refuses a service of another tenant, for work on the file at `path`.
    #[doc(hidden)]
    pub fn admit_service<T: Transport>(
        &self,
        service: &ContactsService<T>,
        path: &Path,
    ) -> Result<(), MirrorError> {
        Self::new(service.tenant(), self.environment()).admit(self, path)
    }

    /// Refuses a file that was made for another site.
    #[doc(hidden)]
    pub fn admit(&self, file: &Self, path: &Path) -> Result<(), MirrorError> {
        let path = path.to_owned();
        if file.environment() != self.environment() {
            return Err(MirrorError::WrongEnvironment {
                path,
                file: file.environment().to_owned(),
                given: self.environment().to_owned(),
            });
        }
        if file.tenant() != self.tenant() {
            return Err(MirrorError::WrongTenant {
                path,
                file: file.tenant(),
                given: self.tenant(),
            });
        }
        Ok(())
    }
}
