//! The PostgreSQL server of a fleet.

mod schema;

use std::{fmt, net::IpAddr, str::FromStr, sync::Arc, time::Duration};

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
};
use tokio_postgres::{Config, NoTls, config::Host, config::SslMode};

use crate::error::{FleetError, of_postgres, reason};

/// How many connections a process has at most; a worker has one more for jobs, and one that listens.
const CONNECTIONS: usize = 3;
/// How long it may take to get one.
const PATIENCE: Duration = Duration::from_secs(10);

/// What each connection is set to. A claim that a crash of the server could take back would be sent
/// twice; and a process that is stopped within a transaction keeps its locks until the server ends it.
const SETTINGS: &str = "SET idle_in_transaction_session_timeout = '5s';
    SELECT set_config('synchronous_commit', 'on', false)
        WHERE current_setting('synchronous_commit') = 'off'";

/// The PostgreSQL server on which the sets of a fleet are kept, in a schema `crm` of one database.
/// Clones share at most three connections.
///
/// A connection is not encrypted. A server on another machine is therefore refused, unless the URL
/// says `sslmode=disable`: then the network has to be one that encrypts.
///
/// ```no_run
/// use crm_fleet::{FleetError, Server};
///
/// # async fn example() -> Result<(), FleetError> {
/// let server = Server::connect("postgres://crm@localhost/fleet").await?;
/// for set in server.sets().await? {
///     println!("{}: {} open", set.name, set.open);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Server {
    pool: Pool,
    config: Config,
    url: Arc<str>,
    name: String,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.name).finish()
    }
}

impl Server {
    /// Connects to the server with this URL, and brings its tables to the current version.
    ///
    /// # Errors
    ///
    /// [`FleetError::Url`], [`FleetError::Server`], [`FleetError::Newer`].
    pub async fn connect(url: &str) -> Result<Self, FleetError> {
        let mut config = config(url)?;
        let name = name(&config);
        // A connection that is cut without a word is given up soon.
        let (often, soon) = (Duration::from_secs(3), Duration::from_secs(15));
        config.application_name("crm").connect_timeout(PATIENCE).tcp_user_timeout(soon);
        config.keepalives_idle(often).keepalives_interval(often).keepalives_retries(4);
        let manager = Manager::from_config(
            config.clone(),
            NoTls,
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .recycle_timeout(Some(PATIENCE))
            .post_create(Hook::async_fn(|client, _| {
                Box::pin(
                    async move { client.batch_execute(SETTINGS).await.map_err(HookError::Backend) },
                )
            }))
            .build()
            .map_err(|error| FleetError::Server {
                server: name.clone(),
                reason: error.to_string(),
            })?;
        let server = Self { pool, config, url: url.into(), name };
        schema::migrate(&mut server.client().await?, &server.name).await?;
        Ok(server)
    }

    /// Returns the server's name for people: host, port and database.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) async fn client(&self) -> Result<Object, FleetError> {
        self.pool.get().await.map_err(|error| self.unreachable(reason(&error)))
    }

    /// How it is connected to; with the password.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// How another program connects to it; with the password.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn unreachable(&self, reason: String) -> FleetError {
        FleetError::Server { server: self.name.clone(), reason }
    }

    /// Names the server in a failure.
    pub(crate) fn check<R>(
        &self,
        result: Result<R, tokio_postgres::Error>,
    ) -> Result<R, FleetError> {
        result.map_err(|error| self.unreachable(of_postgres(&error)))
    }
}

/// Reads a URL. Its errors do not repeat it: it contains a password.
fn config(url: &str) -> Result<Config, FleetError> {
    let refused = |reason: &str| FleetError::Url { reason: reason.to_owned() };
    let config = Config::from_str(url).map_err(|_| {
        refused("cannot be read: it looks like `postgres://user:password@host/database`")
    })?;
    if config.get_hosts().is_empty() {
        return Err(refused("names no host"));
    }
    let is_here = |host: &Host| match host {
        #[cfg(unix)]
        Host::Unix(_) => true,
        Host::Tcp(name) => ["localhost", "127.0.0.1", "::1"].contains(&name.as_str()),
    };
    let is_plain = config.get_ssl_mode() == SslMode::Disable;
    let are_here = config.get_hosts().iter().all(is_here)
        && config.get_hostaddrs().iter().all(IpAddr::is_loopback);
    if !is_plain && !are_here {
        return Err(refused(
            "leads to another machine, and the connection is not encrypted: through a network that \
             encrypts, add `?sslmode=disable`",
        ));
    }
    Ok(config)
}

fn name(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        #[cfg(unix)]
        Some(Host::Unix(path)) => path.display().to_string(),
        None => String::new(),
    };
    let port = config.get_ports().first().filter(|port| **port != 5432);
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    let database = config.get_dbname().or(config.get_user()).unwrap_or("postgres");
    format!("{host}{port}/{database}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_machine_unencrypted_has_to_be_said() {
        let refused = |url: &str| config(url).expect_err(url).to_string();
        for url in [
            "postgres://crm@db.example/fleet",
            "host=localhost,db.example user=crm",
            "host=localhost hostaddr=192.0.2.7 user=crm",
        ] {
            assert!(refused(url).contains("sslmode=disable"), "{url}");
        }
        for url in [
            "postgres://crm@localhost/fleet",
            "postgres://crm@[::1]:5433/fleet",
            "postgres://crm@/fleet?host=/run/postgresql",
            "postgres://crm@db.example/fleet?sslmode=disable",
        ] {
            assert!(config(url).is_ok(), "{url}");
        }
        assert!(refused("postgres://crm:hunter2@localhost:port").contains("cannot be read"));
        assert!(!refused("postgres://crm:hunter2@db.example/fleet").contains("hunter2"));
    }

    #[test]
    fn a_server_is_named_without_its_password() {
        let named = |url: &str| name(&config(url).expect("a URL"));
        assert_eq!(named("postgres://crm:hunter2@localhost/fleet"), "localhost/fleet");
        assert_eq!(named("postgres://crm:hunter2@localhost:5433"), "localhost:5433/crm");
    }
}
