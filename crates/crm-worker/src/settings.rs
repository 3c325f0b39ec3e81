//! What a worker is told: by options, by the environment, and by a file that names them likewise.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    num::{NonZeroU32, NonZeroUsize},
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use clap::{Args, Parser, ValueEnum};
use crm_transport::{Environment, InvalidEnvironment, VENDOR_CALLS_PER_SECOND};
use serde::Deserialize;

use crate::credentials::Source;

/// The port of health and metrics.
const PORT: u16 = 9464;
/// How long what is in flight may take after a request to end.
const GRACE: u64 = 60;

/// Carry out the change sets that were submitted to a PostgreSQL server
///
/// Any number of workers share one server: each set is carried out by one of them at a time, and goes on
/// with another one when its worker dies. SIGTERM ends a worker once what is in flight is finished.
#[derive(Parser)]
#[command(name = "crm-worker", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// A file of TOML that has settings under the names of the options; options and environment go
    /// before it
    #[arg(long, value_name = "FILE", env = "CRM_WORKER_CONFIG")]
    config: Option<PathBuf>,

    #[command(flatten)]
    given: Given,
}

// What may be told in each of the three places. (As documentation it would be the program's.)
#[derive(Default, Args, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
struct Given {
    /// The PostgreSQL server, as postgres://user@host/database; a password goes into the environment
    /// or the file, since others see the command line
    #[arg(long, value_name = "URL", env = "CRM_FLEET_URL", hide_env_values = true)]
    server: Option<String>,

    /// Where a tenant's credentials come from: `env`, `file:PATH` or `command:PROGRAM ARGUMENTS`, where
    /// {tenant} stands for the tenant [default: env]
    #[arg(long, value_name = "SOURCE", env = "CRM_WORKER_CREDENTIALS")]
    credentials: Option<Source>,

    /// The vendor's environment whose tenants this worker serves [default: production]
    #[arg(long, env = "CRM_WORKER_ENVIRONMENT")]
    environment: Option<Vendor>,

    /// The API's host, if it is not the vendor's; together with that of the token endpoint
    #[arg(long, value_name = "URL", env = "CRM_WORKER_API_URL")]
    api_url: Option<String>,

    /// The host of the token endpoint
    #[arg(long, value_name = "URL", env = "CRM_WORKER_AUTH_URL")]
    auth_url: Option<String>,

    /// The tenants belong to an Enterprise Hub: each token is asked for with the tenant's number
    #[arg(long, env = "CRM_WORKER_ENTERPRISE_HUB")]
    enterprise_hub: bool,

    /// Of how many tenants a set is carried out at once [default: 8]
    #[arg(long, value_name = "N", env = "CRM_WORKER_TENANTS")]
    tenants: Option<NonZeroUsize>,

    /// How many calls a second a tenant gets [default: 60, the vendor's limit]
    #[arg(long, value_name = "N", env = "CRM_WORKER_CALLS_PER_SECOND")]
    calls_per_second: Option<NonZeroU32>,

    /// The Redis over which workers share that limit, as redis://host or, over TLS, rediss://host; without
    /// it each keeps to it by itself
    #[arg(long, value_name = "URL", env = "CRM_WORKER_REDIS", hide_env_values = true)]
    redis: Option<String>,

    /// Where health and metrics are served [default: 127.0.0.1:9464]
    #[arg(long, value_name = "ADDRESS", env = "CRM_WORKER_LISTEN")]
    listen: Option<SocketAddr>,

    /// How many seconds what is in flight may take once the worker is told to end [default: 60]
    #[arg(long, value_name = "SECONDS", env = "CRM_WORKER_GRACE")]
    grace: Option<u64>,

    /// A home volume that is mounted here, and where; jobs that need the desk of a tenant whose home it
    /// is are done here, by `crm`. Several are told one by one, or with commas between
    #[arg(long, value_name = "NAME=PATH", env = "CRM_WORKER_HOME", value_delimiter = ',')]
    home: Vec<Home>,

    /// The program `crm`, with the feature `fleet` [default: crm, as PATH finds it]
    #[arg(long, value_name = "PROGRAM", env = "CRM_WORKER_CRM")]
    crm: Option<PathBuf>,

    /// Log each request too
    #[arg(long, env = "CRM_WORKER_VERBOSE")]
    verbose: bool,
}

/// A home volume that is mounted here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Home {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

/// The text names no volume.
#[derive(Debug, thiserror::Error)]
#[error("it is NAME=PATH, the name of a volume and the whole path where it is mounted")]
pub(crate) struct NoHome;

impl FromStr for Home {
    type Err = NoHome;

    fn from_str(text: &str) -> Result<Self, NoHome> {
        let (name, path) = text.split_once('=').ok_or(NoHome)?;
        let path = Path::new(path);
        if name.is_empty() || !path.is_absolute() {
            return Err(NoHome);
        }
        Ok(Self { name: name.to_owned(), path: path.to_owned() })
    }
}

impl TryFrom<String> for Home {
    type Error = NoHome;

    fn try_from(text: String) -> Result<Self, NoHome> {
        text.parse()
    }
}

#[derive(Clone, Copy, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Vendor {
    /// The live service
    Production,
    /// The vendor's test environment
    Integration,
}

/// What a worker works with. It has no `Debug`: the URLs may have passwords.
pub(crate) struct Settings {
    pub(crate) server: String,
    pub(crate) credentials: Source,
    pub(crate) environment: Environment,
    pub(crate) is_hub: bool,
    pub(crate) tenants: NonZeroUsize,
    pub(crate) calls_per_second: u32,
    pub(crate) redis: Option<String>,
    pub(crate) listen: SocketAddr,
    pub(crate) grace: Duration,
    pub(crate) homes: Vec<Home>,
    pub(crate) crm: PathBuf,
    pub(crate) is_verbose: bool,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("{}: cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },

    /// With the position alone: the line may have a password.
    #[error("{}: line {line}: {reason}", path.display())]
    Unreadable { path: PathBuf, line: usize, reason: String },

    #[error("name the server: --server postgres://user@host/database, or CRM_FLEET_URL")]
    NoServer,

    #[error("--api-url and --auth-url are given together, and without --environment")]
    TwoHosts,

    #[error(transparent)]
    Environment(#[from] InvalidEnvironment),
}

impl Cli {
    /// Puts together what was told.
    pub(crate) fn settings(self) -> Result<Settings, SettingsError> {
        let file = self.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let given = self.given;
        // A host that is told in one place is not mixed with one that is told in another.
        let tells_host = |given: &Given| {
            given.environment.is_some() || given.api_url.is_some() || given.auth_url.is_some()
        };
        let host = if tells_host(&given) { &given } else { &file };
        let environment = match (host.environment, &host.api_url, &host.auth_url) {
            (None | Some(Vendor::Production), None, None) => Environment::production(),
            (Some(Vendor::Integration), None, None) => Environment::integration(),
            (None, Some(api_url), Some(auth_url)) => Environment::custom(api_url, auth_url)?,
            _ => return Err(SettingsError::TwoHosts),
        };
        let calls = given.calls_per_second.or(file.calls_per_second);
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
        let eight = NonZeroUsize::MIN.saturating_add(7);
        Ok(Settings {
            server: given.server.or(file.server).ok_or(SettingsError::NoServer)?,
            credentials: given.credentials.or(file.credentials).unwrap_or(Source::Environment),
            environment,
            is_hub: given.enterprise_hub || file.enterprise_hub,
            tenants: given.tenants.or(file.tenants).unwrap_or(eight),
            calls_per_second: calls.map_or(VENDOR_CALLS_PER_SECOND, NonZeroU32::get),
            redis: given.redis.or(file.redis),
            listen: given.listen.or(file.listen).unwrap_or(local),
            grace: Duration::from_secs(given.grace.or(file.grace).unwrap_or(GRACE)),
            homes: if given.home.is_empty() { file.home } else { given.home },
            crm: given.crm.or(file.crm).unwrap_or_else(|| PathBuf::from("crm")),
            is_verbose: given.verbose || file.verbose,
        })
    }
}

fn read(path: &Path) -> Result<Given, SettingsError> {
    let path = path.to_owned();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(SettingsError::Read { path, source }),
    };
    toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        SettingsError::Unreadable { path, line, reason: error.message().to_owned() }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn settings(options: &str, file: &str) -> Result<Settings, SettingsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("worker.toml");
        fs::write(&path, file).unwrap();
        let words = ["crm-worker", "--config", path.to_str().unwrap()];
        Cli::parse_from(words.into_iter().chain(options.split_whitespace())).settings()
    }

    fn refused(options: &str, file: &str) -> String {
        settings(options, file).err().expect(file).to_string()
    }

    #[test]
    fn an_option_goes_before_the_file_and_that_before_what_is_usual() {
        let file = "server = \"postgres://crm@localhost/fleet\"\ntenants = 3\n\
            calls-per-second = 30\nenvironment = \"integration\"\ncredentials = \"file:/run/x\"";
        let told = settings("--tenants 5", file).unwrap();
        assert_eq!((told.tenants.get(), told.calls_per_second), (5, 30));
        assert_eq!(told.environment.name(), "integration");
        assert_eq!(told.credentials, Source::File("/run/x".to_owned()));
        assert!(told.listen.ip().is_loopback());
        let homes = "home = [\"main=/srv/desks\", \"west=/mnt/west\"]";
        let homes = settings("", &format!("{file}\n{homes}")).unwrap().homes;
        assert_eq!(homes[1], Home { name: "west".to_owned(), path: "/mnt/west".into() });
        let homes = settings("--home main=/srv/desks,west=/mnt/west", file).unwrap().homes;
        assert_eq!(homes.len(), 2);
        let custom = "--api-url https://api.example --auth-url https://auth.example";
        assert_eq!(settings(custom, file).unwrap().environment.name(), "custom");
    }

    #[test]
    fn what_is_missing_or_unknown_is_told_without_a_password() {
        assert!(refused("", "").contains("CRM_FLEET_URL"));
        let server = "server = \"postgres://crm:hunter2@localhost/fleet\"";
        assert!(refused("--api-url https://api.example", server).contains("--auth-url"));
        let typo = refused("", &format!("tenant = 3\n{server}"));
        assert!(typo.contains("line 1: unknown field `tenant`"), "{typo}");
        let relative = refused("", &format!("home = [\"main=desks\"]\n{server}"));
        assert!(relative.contains("line 1: it is NAME=PATH"), "{relative}");
        let broken = refused("", &format!("{server} 3"));
        assert!(broken.contains("line 1") && !broken.contains("hunter2"), "{broken}");
    }
}
