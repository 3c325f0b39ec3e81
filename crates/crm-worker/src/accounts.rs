//! The service of a tenant: the transport of its host, with the tenant's credentials and the limit.

use std::sync::Arc;

use async_trait::async_trait;
use crm_contacts::ContactsService;
use crm_fleet::{Accounts, AnyService, NoAccount, Site, Variables};
use crm_transport::{
    Auth, Credentials, Environment, Fallback, RateLimit, ReqwestTransport, RetryPolicy,
    SharedLimit, Transport, TransportError, TransportExt,
};

use crate::{
    credentials::{Given, Source},
    settings::Settings,
};

/// The name under which workers share the limit.
const APPLICATION: &str = "crm-worker";

/// The tenants of one host.
#[derive(Clone)]
pub(crate) struct Tenants {
    environment: Environment,
    wire: ReqwestTransport,
    source: Source,
    is_hub: bool,
    limit: Pace,
}

/// Who keeps to how many calls a second of a tenant.
#[derive(Clone)]
enum Pace {
    /// This worker.
    Own(RateLimit),
    /// All workers that name the same Redis.
    Shared(SharedLimit),
}

impl Tenants {
    pub(crate) fn new(settings: &Settings) -> Result<Self, TransportError> {
        let calls = settings.calls_per_second;
        let limit = match &settings.redis {
            None => Pace::Own(RateLimit::per_second(calls)),
            Some(url) => {
                // Without the server each worker keeps to half: a tenant's sets have one worker.
                let local = Fallback::LocalShare(RateLimit::per_second(calls / 2));
                let shared = SharedLimit::new(url, APPLICATION)?;
                Pace::Shared(shared.per_second(calls).fallback(local))
            }
        };
        Ok(Self {
            environment: settings.environment.clone(),
            wire: ReqwestTransport::new(&settings.environment)?,
            source: settings.credentials.clone(),
            is_hub: settings.is_hub,
            limit,
        })
    }

    /// The credentials of a tenant, if this worker serves its host.
    async fn credentials(&self, site: &Site) -> Result<Given, NoAccount> {
        let ours = self.environment.api_url();
        if site.environment() != ours {
            let reason =
                format!("a worker for {ours} has no credentials for {}", site.environment());
            return Err(NoAccount { reason, passes: true });
        }
        self.source.credentials(site.tenant().get()).await.map_err(|error| {
            let passes = error.passes();
            NoAccount { reason: format!("no credentials: {error}"), passes }
        })
    }

    fn transport(&self, auth: Auth) -> Arc<dyn Transport> {
        let wire = self.wire.clone().with_tracing();
        match self.limit.clone() {
            Pace::Own(limit) => finish(wire.with_rate_limit(limit), auth),
            Pace::Shared(limit) => finish(wire.with_rate_limit(limit), auth),
        }
    }
}

fn finish(limited: impl Transport + 'static, auth: Auth) -> Arc<dyn Transport> {
    Arc::new(limited.with_auth(auth).with_retry(RetryPolicy::default()))
}

impl std::fmt::Debug for Tenants {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tenants").field(&self.environment.api_url()).finish()
    }
}

#[async_trait]
impl Accounts for Tenants {
    async fn service(&self, site: &Site) -> Result<AnyService, NoAccount> {
        let tenant = site.tenant();
        let credentials = Credentials::from(self.credentials(site).await?);
        let credentials =
            if self.is_hub { credentials.for_tenant(tenant.get()) } else { credentials };
        let endpoint = self.wire.for_auth(&self.environment);
        let endpoint = endpoint
            .map_err(|error| NoAccount { reason: error.to_string(), passes: false })?
            .with_tracing();
        Ok(ContactsService::new(self.transport(Auth::new(endpoint, credentials)), tenant))
    }
}

#[async_trait]
impl Variables for Tenants {
    async fn variables(&self, site: &Site) -> Result<Vec<(&'static str, String)>, NoAccount> {
        let Given { client_id, client_secret, app_key } = self.credentials(site).await?;
        Ok(vec![
            ("CRM_AUTH_URL", self.environment.auth_url().to_owned()),
            ("CRM_CLIENT_ID", client_id),
            ("CRM_CLIENT_SECRET", client_secret),
            ("CRM_APP_KEY", app_key),
            ("CRM_ENTERPRISE_HUB", u8::from(self.is_hub).to_string()),
        ])
    }
}
