//! Controlling and stopping a running sandbox.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use tokio::sync::oneshot;

use crate::{
    app::{App, Tenant},
    clock::Clock,
    connection::Connection,
    error::SandboxError,
    faults::{FaultPlan, FaultRule},
    log::LogEntry,
    settings::Setting,
    store::{
        contacts::{self, Customer, Location, Owner, StoredContact},
        methods::StoredMethod,
        people::StoredPerson,
        record::Record,
        select::Select,
    },
};

/// A running sandbox: the API as a server on a loopback port.
///
/// The server has a thread of its own, so it answers even while the caller's runtime is busy.
/// Dropping the sandbox stops it without waiting; a database in memory is then lost.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use crm_sandbox::Sandbox;
///
/// let sandbox = Sandbox::start().await?;
/// let connection = sandbox.connection();
/// assert!(connection.api_url.starts_with("http://127.0.0.1:"));
/// # Ok::<(), crm_sandbox::SandboxError>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct Sandbox {
    pub(crate) app: Arc<App>,
    /// Dropping it stops the server.
    pub(crate) stop: oneshot::Sender<()>,
    /// Closed once the server's thread is done.
    pub(crate) stopped: oneshot::Receiver<()>,
}

impl Sandbox {
    /// Returns where the sandbox answers and with which credentials.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.app.connection
    }

    /// Returns the sandbox's clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.app.clock
    }

    /// Returns the requests that the sandbox answered, oldest first; bounded by the setting
    /// `log-size`.
    #[must_use]
    pub fn log(&self) -> Vec<LogEntry> {
        self.app.log.all()
    }

    /// Empties the log.
    pub fn clear_log(&self) {
        self.app.log.clear();
    }

    /// Changes a setting; the next request sees it.
    ///
    /// # Errors
    ///
    /// Returns [`SandboxError::Setting`] when there is no such setting or value.
    pub fn set(&self, name: &str, value: &str) -> Result<(), SandboxError> {
        self.app.set(name, value)
    }

    /// Returns the table of settings with their current values.
    #[must_use]
    pub fn settings(&self) -> Vec<Setting> {
        self.app.settings().table()
    }

    /// Makes every access token invalid; the next calls are answered 401.
    pub fn revoke_tokens(&self) {
        self.app.tokens.revoke_all();
    }

    /// Starts a plan of faults in place of the current one.
    ///
    /// # Panics
    ///
    /// Panics when the plan asks for an operation that the API does not have or for a rate that is
    /// not from 0 to 1: a test must not pass because its fault never came.
    #[track_caller]
    pub fn inject(&self, plan: FaultPlan) {
        if let Err(invalid) = self.app.faults.replace(plan) {
            panic!("{invalid}");
        }
    }

    /// Returns how many faults of each kind have been injected since the start.
    #[must_use]
    pub fn faults_injected(&self) -> BTreeMap<&'static str, u64> {
        self.app.faults.injected()
    }

    /// Returns the rules of the current plan whose faults have not all been injected yet: a test
    /// that ends with any of them has not met what it was written for.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// use crm_sandbox::{Fault, FaultPlan, FaultRule, Sandbox};
    ///
    /// let lost = FaultRule::new(Fault::LostAnswer).operation("Locations_UpdateContact");
    /// let sandbox = Sandbox::builder()
    ///     .faults(FaultPlan::new().rule(lost.clone()))
    ///     .start()
    ///     .await?;
    /// // … run the client, which never updates a contact …
    /// assert_eq!(sandbox.unmet_faults(), [lost]);
    /// # Ok::<(), crm_sandbox::SandboxError>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn unmet_faults(&self) -> Vec<FaultRule> {
        self.app.faults.unmet()
    }

    /// Returns the contacts of all locations of the first tenant, deleted ones included, ordered by
    /// location and id.
    ///
    /// # Errors
    ///
    /// Returns [`SandboxError::Database`] when the database cannot be read.
    pub fn location_contacts(&self) -> Result<Vec<StoredContact>, SandboxError> {
        self.contacts::<Location>()
    }

    /// Returns the contacts of all customers of the first tenant, like
    /// [`location_contacts`](Self::location_contacts).
    ///
    /// # Errors
    ///
    /// Returns [`SandboxError::Database`] when the database cannot be read.
    pub fn customer_contacts(&self) -> Result<Vec<StoredContact>, SandboxError> {
        self.contacts::<Customer>()
    }

    /// Returns the people of the first tenant, archived ones included, ordered by id.
    ///
    /// # Errors
    ///
    /// Returns [`SandboxError::Database`] when the database cannot be read.
    pub fn people(&self) -> Result<Vec<StoredPerson>, SandboxError> {
        self.stored(StoredPerson::select())
    }

    /// Returns the contact methods of all people of the first tenant, ordered by person and id.
    ///
    /// # Errors
    ///
    /// Returns [`SandboxError::Database`] when the database cannot be read.
    pub fn contact_methods(&self) -> Result<Vec<StoredMethod>, SandboxError> {
        self.stored(StoredMethod::select().order(&["person_id", "id"]))
    }

    /// Writes a copy of the first tenant's database to a new file, for use with any SQLite tool.
    /// The tables are described at the top of the crate.
    ///
    /// # Errors
    ///
    /// Returns [`SandboxError::Exists`] when the file exists, and [`SandboxError::Database`] when
    /// it cannot be written.
    pub fn copy_database(&self, to: impl AsRef<Path>) -> Result<(), SandboxError> {
        self.first_tenant().store.copy_to(to.as_ref())
    }

    /// Stops the server and waits until its port is free and its files are
    /// closed.
    pub async fn stop(self) {
        let Self { app, stop, stopped } = self;
        drop(stop);
        // Nothing is ever sent: the channel closes when the thread is done.
        let _ = stopped.await;
        drop(app);
    }

    fn contacts<O: Owner>(&self) -> Result<Vec<StoredContact>, SandboxError> {
        self.stored(contacts::select::<O>().order(&["owner_id", "id"]))
    }

    fn stored<T>(&self, select: Select<T>) -> Result<Vec<T>, SandboxError> {
        self.first_tenant().store.inspect(|db| select.first(db, u32::MAX))
    }

    pub(crate) fn first_tenant(&self) -> &Tenant {
        &self.app.tenants[&self.app.connection.tenant]
    }
}
