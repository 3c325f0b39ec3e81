//! Configuring and starting a sandbox.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    thread,
};

use tokio::{net::TcpListener, sync::oneshot};

use crate::{
    app::App,
    connection::Connection,
    error::SandboxError,
    faults::{FaultPlan, Faults},
    sandbox::Sandbox,
    seed::Seed,
    server,
    settings::{SettingError, Settings},
};

/// Configures a sandbox before it starts.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use crm_sandbox::{Sandbox, Seed};
///
/// let sandbox = Sandbox::builder()
///     .seed(Seed::Count(1000))
///     .set("rate-limit", "0")?
///     .start()
///     .await?;
/// assert_eq!(sandbox.location_contacts()?.len(), 1000);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct SandboxBuilder {
    listen: SocketAddr,
    allow_remote: bool,
    data: Option<PathBuf>,
    seed: Seed,
    sql: String,
    settings: Settings,
    faults: FaultPlan,
    /// The credentials; the URLs are known once the port is.
    connection: Connection,
    more_tenants: Vec<i64>,
}

impl Default for SandboxBuilder {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            allow_remote: false,
            data: None,
            seed: Seed::default(),
            sql: String::new(),
            settings: Settings::default(),
            faults: FaultPlan::default(),
            connection: Connection {
                api_url: String::new(),
                auth_url: String::new(),
                tenant: 1001,
                client_id: "cid.sandbox".to_owned(),
                client_secret: "cs1.sandbox".to_owned(),
                app_key: "ak1.sandbox".to_owned(),
            },
            more_tenants: Vec::new(),
        }
    }
}

impl Sandbox {
    /// Starts a sandbox with the demo data, in memory, on a free port.
    ///
    /// # Errors
    ///
    /// Returns [`SandboxError`] when no port or no thread is available.
    pub async fn start() -> Result<Self, SandboxError> {
        Self::builder().start().await
    }

    /// Returns a builder to configure a sandbox before it starts.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }
}

impl SandboxBuilder {
    /// Sets the address to listen on, which must be a loopback address unless
    /// [`allow_remote`](Self::allow_remote) says otherwise: the credentials are public. Port 0 picks
    /// a free one. Default: `127.0.0.1:0`.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Allows an address that other machines can reach, for a sandbox in a container. Whoever
    /// reaches it can read and change the data, and with the setting `admin` the sandbox itself,
    /// also through a web page in their browser: let it hold nothing but data for tests, in a
    /// network of its own.
    pub fn allow_remote(mut self) -> Self {
        self.allow_remote = true;
        self
    }

    /// Keeps the data in this SQLite file, which is created if it is missing. Further tenants have
    /// files beside it, with their id before the extension.
    pub fn data(mut self, path: impl Into<PathBuf>) -> Self {
        self.data = Some(path.into());
        self
    }

    /// Sets the data of a new database. Default: [`Seed::Demo`].
    pub fn seed(mut self, seed: Seed) -> Self {
        self.seed = seed;
        self
    }

    /// Adds your own data: SQL that fills each new database after the seed. The tables are
    /// described at the top of the crate. The SQL must not begin or end a transaction: it is kept
    /// together with the seed, all or nothing.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// use crm_sandbox::{Sandbox, Seed};
    ///
    /// let sandbox = Sandbox::builder()
    ///     .seed(Seed::Empty)
    ///     .sql(
    ///         "INSERT INTO customers (id, name) VALUES (77, 'Harbor Bakery');
    ///          INSERT INTO locations (id, customer_id, name) VALUES (78, 77, 'Pier 4');
    ///          INSERT INTO location_contacts (owner_id, id, type, value, created_on, modified_on)
    ///          VALUES (78, 1, 'Email', 'ada@harborbakery.example',
    ///                  '2026-05-27T16:04:11.0000000Z', '2026-05-27T16:04:11.0000000Z');",
    ///     )
    ///     .start()
    ///     .await?;
    /// assert_eq!(sandbox.location_contacts()?[0].owner_id, 78);
    /// # Ok::<(), crm_sandbox::SandboxError>(()) }).unwrap();
    /// ```
    pub fn sql(mut self, sql: impl Into<String>) -> Self {
        self.sql = sql.into();
        self
    }

    /// Changes a setting.
    ///
    /// # Errors
    ///
    /// Returns [`SettingError`] when there is no such setting or value.
    pub fn set(mut self, name: &str, value: &str) -> Result<Self, SettingError> {
        self.settings.set(name, value)?;
        Ok(self)
    }

    /// Sets the faults to inject from the start.
    pub fn faults(mut self, plan: FaultPlan) -> Self {
        self.faults = plan;
        self
    }

    /// Sets the tenant. Default: 1001.
    pub fn tenant(mut self, tenant: i64) -> Self {
        self.connection.tenant = tenant;
        self
    }

    /// Adds further tenants that the same credentials serve, each with its own data and rate limit.
    pub fn more_tenants(mut self, tenants: impl IntoIterator<Item = i64>) -> Self {
        self.more_tenants.extend(tenants);
        self
    }

    /// Sets credentials other than the well-known ones.
    pub fn credentials(
        mut self,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
        app_key: impl Into<String>,
    ) -> Self {
        self.connection.client_id = client_id.into();
        self.connection.client_secret = client_secret.into();
        self.connection.app_key = app_key.into();
        self
    }

    /// Opens the database, listens and serves.
    ///
    /// # Errors
    ///
    /// Returns [`SandboxError`] when the address, the data file or a thread is not available,
    /// [`SandboxError::Sql`] when a statement of [`sql`](Self::sql) fails, and
    /// [`SandboxError::Faults`] when the plan of faults could never do what it says.
    pub async fn start(self) -> Result<Sandbox, SandboxError> {
        let (started, ready) = oneshot::channel();
        let (stop, stopping) = oneshot::channel();
        let (running, stopped) = oneshot::channel();
        thread::Builder::new()
            .name("crm-sandbox".to_owned())
            .spawn(move || {
                self.run(started, stopping);
                // Everything that belongs to the server has been dropped by now.
                drop(running);
            })
            .map_err(SandboxError::Thread)?;
        let app = ready.await.map_err(|_| SandboxError::Stopped)??;
        Ok(Sandbox { app, stop, stopped })
    }

    /// Runs the server's thread from start to end.
    fn run(
        self,
        started: oneshot::Sender<Result<Arc<App>, SandboxError>>,
        stop: oneshot::Receiver<()>,
    ) {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                let _ = started.send(Err(SandboxError::Thread(error)));
                return;
            }
        };
        runtime.block_on(async {
            match self.open().await {
                Ok((listener, app)) => {
                    // If the caller no longer waits, the server is no longer wanted.
                    if started.send(Ok(Arc::clone(&app))).is_ok() {
                        server::serve(listener, app, stop).await;
                    }
                }
                Err(error) => {
                    let _ = started.send(Err(error));
                }
            }
        });
    }

    async fn open(self) -> Result<(TcpListener, Arc<App>), SandboxError> {
        let refused = |source| SandboxError::Listen { address: self.listen.to_string(), source };
        if !self.allow_remote && !self.listen.ip().is_loopback() {
            return Err(SandboxError::NotLoopback { address: self.listen });
        }
        let listener = TcpListener::bind(self.listen).await.map_err(refused)?;
        let address = reachable(listener.local_addr().map_err(refused)?);
        let url = format!("http://{address}");
        let connection = Connection { api_url: url.clone(), auth_url: url, ..self.connection };
        let mut app = App::open(
            connection,
            &self.more_tenants,
            self.data.as_deref(),
            self.seed,
            &self.sql,
            self.settings,
            Faults::new(self.faults)?,
        )?;
        app.allow_remote = self.allow_remote;
        Ok((listener, Arc::new(app)))
    }
}

/// Returns the address under which this machine reaches a server that listens on every address.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}
