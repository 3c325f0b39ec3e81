//! The network between this machine and the service.

use std::{fs, io, path::PathBuf};

use crm_transport::{
    Environment, Limits, RateLimit, ReqwestTransport, TransportError, VENDOR_CALLS_PER_SECOND,
};
use reqwest::{Certificate, Proxy};

use super::profile::{Profile, Secret};
use crate::globals::Globals;

/// What takes the place of a URL where no proxy is to be used.
const NO_PROXY: &str = "none";

/// How fast calls leave, and through what. What is not given is the environment's affair.
pub(crate) struct Network {
    calls_per_second: u32,
    /// Certificates of authorities that are trusted besides the system's.
    ca_file: Option<PathBuf>,
    /// May hold a password.
    proxy: Option<String>,
}

/// Why the network cannot be used as it is described.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetworkError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },

    #[error("{} holds no certificate in PEM form", .0.display())]
    NoCertificate(PathBuf),

    #[error("the proxy is not a URL such as http://proxy.example:3128, nor `{NO_PROXY}`")]
    Proxy,

    #[error(transparent)]
    Tls(#[from] TransportError),
}

impl Network {
    pub(super) fn of(globals: &Globals, profile: &mut Profile) -> Self {
        let rate = globals.rate.or(profile.rate);
        let ca_file = profile.ca_file.take();
        let proxy = profile.proxy.take().map(|Secret(url)| url);
        Self {
            calls_per_second: rate.map_or(VENDOR_CALLS_PER_SECOND, |rate| rate.get()),
            ca_file: globals.ca_file.clone().or(ca_file),
            proxy: globals.proxy.clone().or(proxy),
        }
    }

    /// The limit on calls of each tenant.
    pub(crate) fn limit(&self) -> RateLimit {
        RateLimit::per_second(self.calls_per_second)
    }

    /// The transport to a host.
    pub(crate) fn wire(
        &self,
        environment: &Environment,
        limits: Limits,
    ) -> Result<ReqwestTransport, NetworkError> {
        let roots = self.roots()?;
        let proxy = self.proxy.as_deref().filter(|proxy| *proxy != NO_PROXY);
        let proxy = proxy.map(Proxy::all).transpose().map_err(|_| NetworkError::Proxy)?;
        let is_direct = self.proxy.is_some() && proxy.is_none();
        let wire = ReqwestTransport::with_client(environment, limits, |client| {
            let client = client.tls_certs_merge(roots);
            match proxy {
                Some(proxy) => client.proxy(proxy),
                None if is_direct => client.no_proxy(),
                None => client,
            }
        });
        Ok(wire?)
    }

    fn roots(&self) -> Result<Vec<Certificate>, NetworkError> {
        let Some(path) = &self.ca_file else {
            return Ok(Vec::new());
        };
        let pem =
            fs::read(path).map_err(|source| NetworkError::Read { path: path.clone(), source })?;
        let roots = Certificate::from_pem_bundle(&pem).unwrap_or_default();
        if roots.is_empty() {
            return Err(NetworkError::NoCertificate(path.clone()));
        }
        Ok(roots)
    }
}
