//! The URL of a server: where it is, and how it is spoken to.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Pool, PoolBuilder, RecyclingMethod,
};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::{
    AsyncMessage, Client, Config, Connection, NoTls, Socket,
    config::{Host, SslMode},
};

use super::tls::{Tls, Trust};
use crate::error::FleetError;

/// What each connection is set to. A claim that a crash of the server could take back would be sent
/// twice; and a process that is stopped within a transaction keeps its locks until the server ends it.
const SETTINGS: &str = "SET idle_in_transaction_session_timeout = '5s';
    SELECT set_config('synchronous_commit', 'on', false)
        WHERE current_setting('synchronous_commit') = 'off'";

/// Where a server is, and how it is spoken to.
#[derive(Clone)]
pub(crate) struct Address {
    /// With the password.
    pub(crate) config: Config,
    tls: Option<Tls>,
}

/// What the server says on a connection.
pub(crate) type Messages = BoxStream<'static, Result<AsyncMessage, tokio_postgres::Error>>;

/// What a URL says about TLS, as users of libpq say it.
#[derive(Default)]
struct Asked<'u> {
    mode: Option<&'u str>,
    authorities: Option<PathBuf>,
}

impl Address {
    /// Reads a URL. Its errors do not repeat it: it contains a password.
    ///
    /// A connection to another machine is encrypted, and its certificate has to be for that host, unless
    /// the URL says otherwise.
    pub(super) fn read(url: &str) -> Result<Self, FleetError> {
        let (url, asked) = take_tls(url);
        let mut config = Config::from_str(&url).map_err(|_| {
            refused("cannot be read: it looks like `postgres://user:password@host/database`")
        })?;
        if config.get_hosts().is_empty() {
            return Err(refused("names no host"));
        }
        let trust = trust(&config, asked.mode)?;
        // A socket of this machine has no TLS.
        let trust = trust.filter(|_| !config.get_hosts().iter().all(is_socket));
        let Some(trust) = trust else {
            config.ssl_mode(SslMode::Disable);
            return Ok(Self { config, tls: None });
        };
        let authorities = asked.authorities.as_deref();
        if authorities.is_some_and(Path::is_relative) {
            return Err(refused("names a file with sslrootcert, but not with its whole path"));
        }
        let trust = match (trust, authorities) {
            // As libpq does it.
            (Trust::Anyone, Some(_)) => Trust::Authority,
            (Trust::Authority, None) => {
                return Err(refused(
                    "has sslmode=verify-ca, which needs `sslrootcert=FILE`; without a file use verify-full",
                ));
            }
            (trust, _) => trust,
        };
        let tls = Tls::new(trust, authorities).map_err(|error| refused(&error.to_string()))?;
        config.ssl_mode(SslMode::Require);
        Ok(Self { config, tls: Some(tls) })
    }

    #[cfg(test)]
    fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Makes a connection of which the messages are read; it is worked on as they are.
    pub(crate) async fn listen(&self) -> Result<(Client, Messages), tokio_postgres::Error> {
        match &self.tls {
            Some(tls) => self.config.connect(tls.clone()).await.map(with_messages),
            None => self.config.connect(NoTls).await.map(with_messages),
        }
    }

    /// Connections, so many at most.
    pub(crate) fn pool(&self, connections: usize) -> PoolBuilder {
        let set = Hook::async_fn(|client, _| {
            Box::pin(
                async move { client.batch_execute(SETTINGS).await.map_err(HookError::Backend) },
            )
        });
        Pool::builder(self.manager()).max_size(connections).post_create(set)
    }

    fn manager(&self) -> Manager {
        let (config, recycling_method) = (self.config.clone(), RecyclingMethod::Fast);
        let how = ManagerConfig { recycling_method };
        match &self.tls {
            Some(tls) => Manager::from_config(config, tls.clone(), how),
            None => Manager::from_config(config, NoTls, how),
        }
    }
}

fn with_messages<S>((client, mut connection): (Client, Connection<Socket, S>)) -> (Client, Messages)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    (client, stream::poll_fn(move |context| connection.poll_message(context)).boxed())
}

fn refused(reason: &str) -> FleetError {
    FleetError::Url { reason: reason.to_owned() }
}

/// Takes out of a URL what the client does not know.
fn take_tls(url: &str) -> (String, Asked<'_>) {
    let mut asked = Asked::default();
    let Some((place, query)) = url.split_once('?') else {
        return (url.to_owned(), asked);
    };
    let mut others = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", mode)) => asked.mode = Some(mode),
            // What the system trusts is what is trusted otherwise.
            Some(("sslrootcert", "system")) => {}
            Some(("sslrootcert", path)) => {
                let path = percent_decode_str(path).decode_utf8_lossy().into_owned();
                asked.authorities = Some(path.into());
            }
            _ => others.push(pair),
        }
    }
    let before = if others.is_empty() { "" } else { "?" };
    (format!("{place}{before}{}", others.join("&")), asked)
}

/// Who is trusted; `None` if nothing is encrypted.
fn trust(config: &Config, mode: Option<&str>) -> Result<Option<Trust>, FleetError> {
    // What is not a URL is read by the client alone.
    let told = match config.get_ssl_mode() {
        SslMode::Disable => "disable",
        SslMode::Require => "require",
        _ => "prefer",
    };
    match mode.unwrap_or(told) {
        "disable" => Ok(None),
        // Somebody in between would decide whether a password is sent in the clear.
        "allow" | "prefer" => Ok((!is_here(config)).then_some(Trust::Host)),
        "require" => Ok(Some(Trust::Anyone)),
        "verify-ca" => Ok(Some(Trust::Authority)),
        "verify-full" => Ok(Some(Trust::Host)),
        _ => Err(refused(
            "has an sslmode that is none of disable, require, verify-ca and verify-full",
        )),
    }
}

fn is_socket(host: &Host) -> bool {
    #[cfg(unix)]
    let is_socket = matches!(host, Host::Unix(_));
    #[cfg(not(unix))]
    let is_socket = false;
    is_socket
}

/// Whether the server is on this machine.
fn is_here(config: &Config) -> bool {
    let is_here = |host: &Host| match host {
        Host::Tcp(name) => ["localhost", "127.0.0.1", "::1"].contains(&name.as_str()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    config.get_hosts().iter().all(is_here) && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(url: &str) -> String {
        Address::read(url).err().expect(url).to_string()
    }

    #[test]
    fn what_leaves_the_machine_is_encrypted_unless_it_is_said_otherwise() {
        for url in [
            "postgres://crm@db.example/fleet",
            "postgres://crm@db.example/fleet?sslmode=prefer&connect_timeout=3",
            "postgres://crm@localhost/fleet?sslmode=require",
            "postgres://crm@db.example/fleet?sslmode=verify-full&sslrootcert=system",
            "host=localhost,db.example user=crm",
            "host=localhost hostaddr=192.0.2.7 user=crm",
        ] {
            let address = Address::read(url).expect(url);
            assert!(address.is_encrypted(), "{url}");
            assert_eq!(address.config.get_ssl_mode(), SslMode::Require, "{url}");
        }
        for url in [
            "postgres://crm@localhost/fleet",
            "postgres://crm@[::1]:5433/fleet",
            "postgres://crm@/fleet?host=/run/postgresql",
            "postgres://crm@/fleet?host=/run/postgresql&sslmode=require",
            "postgres://crm@db.example/fleet?sslmode=disable",
            "host=db.example user=crm sslmode=disable",
        ] {
            assert!(!Address::read(url).expect(url).is_encrypted(), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_without_the_password() {
        for (url, why) in [
            ("postgres://crm:hunter2@localhost:port", "cannot be read"),
            ("postgres://crm:hunter2@db.example/fleet?sslmode=on", "none of disable"),
            ("postgres://crm:hunter2@db.example/fleet?sslmode=verify-ca", "needs `sslrootcert"),
            ("postgres://crm:hunter2@db.example/fleet?sslrootcert=ca.pem", "whole path"),
            ("postgres://crm:hunter2@db.example/fleet?sslrootcert=/no/such.pem", "cannot be read"),
        ] {
            let told = reason(url);
            assert!(told.contains(why) && !told.contains("hunter2"), "{url}: {told}");
        }
    }
}
