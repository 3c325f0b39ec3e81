//! A file is worked on at its own site alone.

use std::path::Path;

use crm_contacts::ContactsService;
use crm_transport::Transport;

use crate::{error::BulkError, set::Site};

impl Site {
    /// Refuses a service of another tenant, for work on the file at `path`.
    pub(crate) fn admit_service<T: Transport>(
        &self,
        service: &ContactsService<T>,
        path: &Path,
    ) -> Result<(), BulkError> {
        Self::new(service.tenant(), self.environment()).admit(self, path)
    }

    /// Refuses a file that was made for another site.
    pub(crate) fn admit(&self, file: &Self, path: &Path) -> Result<(), BulkError> {
        let path = path.to_owned();
        if file.environment() != self.environment() {
            return Err(BulkError::WrongEnvironment {
                path,
                file: file.environment().to_owned(),
                given: self.environment().to_owned(),
            });
        }
        if file.tenant() != self.tenant() {
            return Err(BulkError::WrongTenant { path, file: file.tenant(), given: self.tenant() });
        }
        Ok(())
    }
}
