//! Jobs that the engine has no more.

use crate::{
    engine::{Engine as _, Graphile},
    error::FleetError,
    server::Server,
    tenants::Tenants,
};

impl Server {
    /// Has workers go on with these tenants. One that is paused together with all is paused as long as
    /// either lasts. Returns whether there was a pause.
    ///
    /// # Errors
    ///
    /// [`FleetError::Server`].
    pub async fn resume(&self, tenants: Tenants) -> Result<bool, FleetError> {
        let was_paused = self.end_pause(tenants).await?;
        self.wake(&self.engine()?).await?;
        Ok(was_paused)
    }

    /// Gives all that is to be done its job in the engine again where it has none: it was let go while
    /// its tenant was paused, or whoever submitted it was cut off in the middle.
    pub(crate) async fn wake(&self, engine: &Graphile) -> Result<(), FleetError> {
        let mut jobs = self.jobs_of_sets().await?;
        jobs.extend(self.jobs_at_desks().await?);
        engine.add_missing(jobs).await
    }
}
