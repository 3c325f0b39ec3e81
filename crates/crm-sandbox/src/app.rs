//! What all requests share.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use crate::{
    clock::Clock, connection::Connection, error::SandboxError, faults::Faults, lock::lock,
    log::Log, rate_limit::RateLimiter, seed::Seed, settings::Settings, store::Store, time_text,
    tokens::Tokens,
};

/// The state behind one sandbox, which all its requests share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) connection: Connection,
    /// Whether other machines may control the sandbox as well.
    pub(crate) allow_remote: bool,
    pub(crate) clock: Clock,
    pub(crate) log: Log,
    pub(crate) tokens: Tokens,
    pub(crate) faults: Faults,
    pub(crate) tenants: BTreeMap<i64, Tenant>,
    settings: Mutex<Arc<Settings>>,
}

/// One tenant: its data and its share of the rate limit.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) store: Store,
    limiter: Mutex<RateLimiter>,
}

impl App {
    pub(crate) fn open(
        connection: Connection,
        more_tenants: &[i64],
        data: Option<&Path>,
        seed: Seed,
        sql: &str,
        settings: Settings,
        faults: Faults,
    ) -> Result<Self, SandboxError> {
        let mut tenants = BTreeMap::new();
        let mut latest = 0;
        let first = (connection.tenant, data.map(Path::to_owned));
        let others = more_tenants.iter().map(|id| (*id, data.map(|path| beside(path, *id))));
        for (id, file) in std::iter::once(first).chain(others) {
            let (store, is_new) = Store::open(file.as_deref())?;
            if is_new {
                store.create(|db| seed.fill(db, &settings), sql)?;
            }
            // The clock may have been ahead when the file was written: what changes now is later
            // all the same, since feeds and filters go by the time of the last change.
            let stored = store.latest_change()?;
            let stored = stored.as_deref().and_then(time_text::to_ticks);
            latest = latest.max(stored.unwrap_or(0));
            tenants.insert(id, Tenant { store, limiter: Mutex::default() });
        }
        Ok(Self {
            connection,
            allow_remote: false,
            clock: Clock::real(latest),
            log: Log::default(),
            tokens: Tokens::default(),
            faults,
            tenants,
            settings: Mutex::new(Arc::new(settings)),
        })
    }

    /// Returns the settings as they are now. A request holds them to its end, even if they change.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&lock(&self.settings))
    }

    pub(crate) fn set(&self, name: &str, value: &str) -> Result<(), SandboxError> {
        let mut settings = lock(&self.settings);
        Ok(Arc::make_mut(&mut settings).set(name, value)?)
    }
}

impl Tenant {
    /// Accepts a request at this time, or says for how many seconds to wait.
    pub(crate) fn accept(&self, limit: u32, now: i64) -> Result<(), u32> {
        lock(&self.limiter).accept(limit, now)
    }
}

/// Returns the file of a further tenant, which has the tenant's id before its extension.
fn beside(path: &Path, tenant: i64) -> PathBuf {
    let extension = path.extension().map(|e| format!(".{}", e.to_string_lossy()));
    path.with_extension(format!("{tenant}{}", extension.unwrap_or_default()))
}
