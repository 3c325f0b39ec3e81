//! The PostgreSQL server of a fleet.

mod address;
mod schema;
mod tls;

use std::{error::Error, fmt, sync::Arc, time::Duration};

use crm_mirror::Site;
use deadpool_postgres::{Object, Pool, Runtime};
use tokio_postgres::{Config, Row, config::Host, types::ToSql};

pub(crate) use self::address::Address;
use crate::error::{FleetError, of_postgres, reason};

/// How many connections a process has at most; a worker has one more for jobs, and one that listens.
const CONNECTIONS: usize = 3;
/// How long it may take to get one.
const PATIENCE: Duration = Duration::from_secs(10);

/// The PostgreSQL server on which the sets of a fleet are kept, in a schema `crm` of one database.
/// Clones share at most three connections.
///
/// A connection to another machine is encrypted, and the server's certificate has to be for that host and
/// of an authority that the system trusts. `sslmode` and `sslrootcert` in the URL say otherwise, as with
/// libpq: `require`, `verify-ca`, `verify-full`, or `disable` in a network that encrypts by itself.
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
    address: Address,
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
        let mut address = Address::read(url)?;
        let config = &mut address.config;
        let name = name(config);
        // A connection that is cut without a word is given up soon.
        let (often, soon) = (Duration::from_secs(3), Duration::from_secs(15));
        config.application_name("crm").connect_timeout(PATIENCE).tcp_user_timeout(soon);
        config.keepalives_idle(often).keepalives_interval(often).keepalives_retries(4);
        let pool = address
            .pool(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .recycle_timeout(Some(PATIENCE))
            .build()
            .map_err(|error| FleetError::Server {
                server: name.clone(),
                reason: error.to_string(),
            })?;
        let server = Self { pool, address, url: url.into(), name };
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
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// How another program connects to it; with the password.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn unreachable(&self, reason: String) -> FleetError {
        FleetError::Server { server: self.name.clone(), reason }
    }

    /// Reads the rows of an answer, each as one of a list.
    pub(crate) async fn list<T>(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
        read: impl Fn(&Row) -> Result<T, Box<dyn Error>>,
    ) -> Result<Vec<T>, FleetError> {
        let client = self.client().await?;
        let rows = self.check(client.query(sql, values).await)?;
        let read = |row| read(row).map_err(|error| self.unreachable(error.to_string()));
        rows.iter().map(read).collect()
    }

    /// Deletes what a table of ours has of a tenant; returns whether it had anything.
    pub(crate) async fn forget(&self, table: &str, site: &Site) -> Result<bool, FleetError> {
        let client = self.client().await?;
        let sql = format!("DELETE FROM crm.{table} WHERE tenant = $1 AND environment = $2");
        let (tenant, environment) = (site.tenant().get(), site.environment());
        let values: [&(dyn ToSql + Sync); 2] = [&tenant, &environment];
        Ok(self.check(client.execute(&sql, &values).await)? == 1)
    }

    /// Names the server in a failure.
    pub(crate) fn check<R>(
        &self,
        result: Result<R, tokio_postgres::Error>,
    ) -> Result<R, FleetError> {
        result.map_err(|error| self.unreachable(of_postgres(&error)))
    }
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
    fn a_server_is_named_without_its_password() {
        let named = |url: &str| name(&Address::read(url).expect("a URL").config);
        assert_eq!(named("postgres://crm:hunter2@localhost/fleet"), "localhost/fleet");
        assert_eq!(named("postgres://crm:hunter2@localhost:5433"), "localhost:5433/crm");
    }
}
