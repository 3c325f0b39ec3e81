//! One connection for one command: settings, transport, service.

use std::{path::Path, rc::Rc, sync::Arc};

use crm_bulk::{ReverseSet, Site};
use crm_contacts::ContactsService;
use crm_models::TenantId;
use crm_sandbox::{Sandbox, Seed};
use crm_transport::{
    Auth, Credentials, Environment, Limits, RetryPolicy, TokenCache, Transport, TransportExt,
};
use crm_values::Region;
use http::Uri;

use crate::{
    desk::{Desk, DeskError, Notes, Past, Recorder, Whereabouts},
    error::CliError,
    globals::{Globals, Siblings, Vendor},
    output::{Output, option},
    settings::{Host, Settings, SettingsError, Target, desks},
    waiting::Waiting,
    write_guard::{Slot, WriteGuard, WritePolicy},
};

/// The service as commands use it: every write passes the guard.
pub(crate) type Service = ContactsService<Guarded>;
/// Its transport.
pub(crate) type Guarded = WriteGuard<Arc<dyn Transport>>;

/// What a command that talks to the API works with.
pub(crate) struct Session<'a> {
    pub(crate) service: Service,
    pub(crate) auth: Auth,
    pub(crate) output: &'a Output,
    /// The environment or the API's URL, for messages and the state of exports.
    pub(crate) host: String,
    /// The API's URL; `sandbox` for one inside this process, whose port differs each time.
    api_url: String,
    /// None for a sandbox, which is gone when the command ends.
    desk: Option<Whereabouts>,
    /// Whether the profile has sets applied only once they are approved.
    requires_approval: bool,
    /// What it has in common with the runs for other profiles.
    pub(crate) siblings: Option<Rc<Siblings>>,
    /// Serves until the session ends.
    _sandbox: Option<Sandbox>,
}

impl<'a> Session<'a> {
    /// Connects to the account that the options, the environment and the profile name. A write that
    /// may not be sent is put into the slot; with `is_recorded` each one is recorded in the desk.
    pub(crate) async fn open(
        globals: &Globals,
        output: &'a Output,
        slot: Arc<Slot>,
        is_recorded: bool,
    ) -> Result<Self, CliError> {
        let (settings, sandbox) = if globals.sandbox {
            let sandbox = Sandbox::builder().seed(globals.sandbox_seed).start().await?;
            (Settings::of_sandbox(globals, sandbox.connection())?, Some(sandbox))
        } else {
            (Settings::load(globals).await?, None)
        };
        let environment = environment(&settings.host, settings.allow_http)?;
        let wire =
            settings.network.wire(&environment, Limits::default()).map_err(SettingsError::from)?;
        let endpoint = wire.for_auth(&environment)?;
        let endpoint = Waiting::new(endpoint, format!("the token endpoint of {}", settings.host));
        let endpoint = endpoint.with_tracing();
        let auth = match &settings.token_folder {
            Some(folder) => {
                let cache = TokenCache::at(folder, &environment);
                Auth::cached(endpoint, credentials(&settings), cache)
            }
            None => Auth::new(endpoint, credentials(&settings)),
        };
        let transport = Waiting::new(wire, settings.host.to_string())
            .with_tracing()
            .with_rate_limit(settings.network.limit())
            .with_auth(auth.clone())
            .with_retry(RetryPolicy::default());
        let transport: Arc<dyn Transport> = Arc::new(transport);
        let target = target(globals, &settings, &environment);
        let policy = policy(globals, &settings, &environment);
        let site = Site::new(settings.tenant, environment.api_url());
        let place = || Whereabouts::new(site.clone(), settings.desk.clone(), desks());
        if is_recorded && !globals.sandbox && !globals.no_record {
            slot.record_with(Recorder::new(place(), globals.command.clone()));
        }
        let desk = (!globals.sandbox).then(place);
        let guard = WriteGuard::new(transport, policy, target, !globals.yes, slot);
        let mut service = ContactsService::new(guard, settings.tenant);
        if settings.legacy_preferences {
            service = service.with_legacy_preferences();
        }
        let (host, api_url) = if globals.sandbox {
            ("sandbox".to_owned(), "sandbox".to_owned())
        } else {
            (settings.host.to_string(), environment.api_url().to_owned())
        };
        Ok(Self {
            service,
            auth,
            output,
            host,
            api_url,
            desk,
            requires_approval: settings.require_approval,
            siblings: globals.siblings.clone(),
            _sandbox: sandbox,
        })
    }

    pub(crate) fn tenant(&self) -> TenantId {
        self.service.tenant()
    }

    /// Whether sets are applied only once they are approved.
    pub(crate) fn requires_approval(&self) -> bool {
        self.requires_approval
    }

    /// The account, for files that belong to it.
    pub(crate) fn site(&self) -> Site {
        Site::new(self.tenant(), &self.api_url)
    }

    /// The account's desk, which is begun if need be; to a user of the sandbox, which has none, the
    /// option is named that does without.
    pub(crate) fn desk(&self, instead: &'static str) -> Result<&Desk, DeskError> {
        self.place(instead)?.desk()
    }

    /// Where the account's desk is; a user of the sandbox is told as by [`desk`](Self::desk).
    pub(crate) fn place(&self, instead: &'static str) -> Result<&Whereabouts, DeskError> {
        self.desk.as_ref().ok_or(DeskError::Sandbox(instead))
    }

    /// The country of telephone numbers without a country code: the desk's.
    pub(crate) fn region(&self) -> Result<Region, DeskError> {
        self.desk.as_ref().map_or(Ok(Region::default()), Whereabouts::region)
    }

    /// Whether there is a place for a desk.
    pub(crate) fn has_desk(&self) -> bool {
        self.desk.is_some()
    }

    /// The account's desk, if it has been begun.
    pub(crate) fn existing_desk(&self) -> Result<Option<&Desk>, DeskError> {
        self.desk.as_ref().map_or(Ok(None), Whereabouts::existing)
    }

    /// Reports once which account is meant. A write reports it itself.
    pub(crate) fn tell_target(&self) {
        self.service.transport().tell_target();
    }
}

/// Which account is meant, without its credentials.
pub(crate) fn site(globals: &Globals) -> Result<Site, CliError> {
    let target = Target::load(globals)?;
    let environment = environment(&target.host, target.allow_http)?;
    Ok(Site::new(target.tenant, environment.api_url()))
}

/// Where the desk of the account is that options, environment and profile name, without its
/// credentials.
pub(crate) fn desk(globals: &Globals, instead: &'static str) -> Result<Whereabouts, CliError> {
    Ok(target_with_desk(globals, instead)?.1)
}

/// The account that options, environment and profile name, and where its desk is.
pub(crate) fn target_with_desk(
    globals: &Globals,
    instead: &'static str,
) -> Result<(Target, Whereabouts), CliError> {
    if globals.sandbox {
        return Err(DeskError::Sandbox(instead).into());
    }
    let target = Target::load(globals)?;
    let environment = environment(&target.host, target.allow_http)?;
    let site = Site::new(target.tenant, environment.api_url());
    let place = Whereabouts::new(site, target.desk.clone(), desks());
    Ok((target, place))
}

/// The sets that reverse this one, as far as the account has a desk that knows. They change what is
/// told of a set, so that none is known where the desk cannot be read is no reason to tell nothing.
pub(crate) fn reverses(globals: &Globals, set: &Path) -> Vec<ReverseSet> {
    let reverses = |desk: &Desk| desk.reverses(set);
    with_desk(globals, reverses).unwrap_or_default()
}

/// What happened to the records of this set through something else, as far as the account has a desk
/// that knows.
pub(crate) fn past(globals: &Globals, set: &Path) -> Option<(Past, Notes)> {
    with_desk(globals, |desk| desk.past(set))
}

/// What the desk of the account says, if there is one that can be read.
fn with_desk<R>(globals: &Globals, ask: impl FnOnce(&Desk) -> Result<R, DeskError>) -> Option<R> {
    if globals.sandbox {
        return None;
    }
    let place = desk(globals, "its path").ok()?;
    ask(place.existing().ok()??).ok()
}

/// Whether the account's profile has sets applied only once they are approved, as far as this can be
/// told without credentials.
pub(crate) fn requires_approval(globals: &Globals) -> bool {
    !globals.sandbox && Target::load(globals).is_ok_and(|target| target.require_approval)
}

fn environment(host: &Host, allow_http: bool) -> Result<Environment, CliError> {
    let custom = if allow_http { Environment::custom_allowing_http } else { Environment::custom };
    Ok(match host {
        Host::Vendor(Vendor::Production) => Environment::production(),
        Host::Vendor(Vendor::Integration) => Environment::integration(),
        Host::Custom { api_url, auth_url } => {
            custom(api_url, auth_url).map_err(|error| CliError::Usage(error.to_string()))?
        }
    })
}

fn credentials(settings: &Settings) -> Credentials {
    let credentials = Credentials::new(
        settings.client_id.clone(),
        settings.client_secret.clone(),
        settings.app_key.clone(),
    );
    if settings.enterprise_hub {
        return credentials.for_tenant(settings.tenant.get());
    }
    credentials
}

/// Which account is meant, in full: a profile's name alone may mislead.
fn target(globals: &Globals, settings: &Settings, environment: &Environment) -> String {
    if globals.sandbox {
        return format!("sandbox, tenant {}", settings.tenant);
    }
    let profile = match &settings.profile {
        Some(name) => format!("profile {name}"),
        None => "no profile".to_owned(),
    };
    let (tenant, url) = (settings.tenant, environment.api_url());
    match settings.host {
        Host::Vendor(_) => format!("{profile}, tenant {tenant}, {} ({url})", settings.host),
        Host::Custom { .. } => format!("{profile}, tenant {tenant}, {url}"),
    }
}

/// The options that choose the account, as they were given, for a shell. What was not given is in the
/// environment or in the profile in use, where the next command finds it too.
pub(crate) fn account(globals: &Globals) -> String {
    let environment = globals.environment.map(|vendor| Host::Vendor(vendor).to_string());
    let seed = Some(globals.sandbox_seed).filter(|seed| globals.sandbox && *seed != Seed::Demo);
    let given = [
        ("profile", Some(globals.profiles.join(",")).filter(|names| !names.is_empty())),
        ("tenant", globals.tenant.map(|tenant| tenant.to_string())),
        ("environment", environment),
        ("api-url", globals.api_url.clone()),
        ("auth-url", globals.auth_url.clone()),
        ("sandbox-seed", seed.map(|seed| seed.to_string())),
    ];
    let given = given.iter().filter_map(|(name, value)| Some(option(name, value.as_ref()?)));
    let sandbox = if globals.sandbox { " --sandbox" } else { "" };
    format!("{sandbox}{}", given.collect::<String>())
}

fn policy(globals: &Globals, settings: &Settings, environment: &Environment) -> WritePolicy {
    // Neither sends anything: a write can be shown even where none may be sent.
    if globals.dry_run {
        WritePolicy::Show
    } else if settings.read_only {
        WritePolicy::Refuse
    } else if is_production(environment) && !globals.yes {
        WritePolicy::Ask { target: format!("PRODUCTION, tenant {}", settings.tenant) }
    } else {
        WritePolicy::Send
    }
}

/// Whether writes reach real customers, however the URL is written.
fn is_production(environment: &Environment) -> bool {
    host(environment) == host(&Environment::production())
}

/// The API's host; a dot at the end of a name changes nothing.
fn host(environment: &Environment) -> Option<String> {
    let url: Uri = environment.api_url().parse().ok()?;
    Some(url.host()?.trim_end_matches('.').to_ascii_lowercase())
}
