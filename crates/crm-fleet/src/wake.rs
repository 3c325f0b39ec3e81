//! Jobs that the engine has no more.

use std::collections::BTreeMap;

use tokio_postgres::Row;

use crate::{
    engine::{APPLY, DESK, Engine as _, Graphile, Job, WITHOUT_JOB},
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
        engine.ready().await?;
        self.add_missing(engine, APPLY, self.jobs_of_sets().await?).await?;
        self.add_missing(engine, DESK, self.jobs_at_desks().await?).await
    }

    /// Adds those of these jobs, by the numbers of what they are for, that the engine has not. Together: while
    /// one worker files what is due, the others find that without a job.
    async fn add_missing(
        &self,
        engine: &Graphile,
        of: &str,
        mut jobs: BTreeMap<i64, Job>,
    ) -> Result<(), FleetError> {
        let numbers: Vec<_> = jobs.keys().collect();
        let read = |row: &Row| Ok(row.try_get(0)?);
        let missing: Vec<i64> = self.list(WITHOUT_JOB, &[&numbers, &of], read).await?;
        engine.add_all(missing.iter().filter_map(|number| jobs.remove(number)).collect()).await
    }
}
