//! The settings of a connection. What is given for one command takes precedence over what was set
//! earlier: an option over a profile that `--profile` names, and that over the environment; a
//! profile that is in use without being named comes last.

mod config;
mod credentials;
mod error;
mod file;
mod folders;
mod host;
mod network;
mod profile;
mod variables;

use std::{env, path::PathBuf};

use clap::ValueEnum;
pub(crate) use config::Config;
pub(crate) use credentials::{AccountFile, CredentialsError, Keychain, KeychainError, account};
use crm_models::TenantId;
use crm_sandbox::Connection;
pub(crate) use error::SettingsError;
pub(crate) use file::Profiles;
pub(crate) use folders::desks;
pub(crate) use host::Host;
pub(crate) use profile::{Profile, Secret};

use self::{
    error::PLACES,
    network::Network,
    variables::{Variables, switch},
};
use crate::globals::{Globals, Vendor};

/// Everything that a connection needs.
pub(crate) struct Settings {
    pub(crate) host: Host,
    /// Whether a host that is not this machine may be spoken to without TLS.
    pub(crate) allow_http: bool,
    pub(crate) tenant: TenantId,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) app_key: String,
    pub(crate) enterprise_hub: bool,
    pub(crate) read_only: bool,
    pub(crate) require_approval: bool,
    pub(crate) legacy_preferences: bool,
    pub(crate) network: Network,
    /// Where access tokens are kept for the next command, if they are.
    pub(crate) token_folder: Option<PathBuf>,
    /// The profile that took part, if one did.
    pub(crate) profile: Option<String>,
    /// The desk that it names.
    pub(crate) desk: Option<PathBuf>,
}

/// Which account is meant, and where what belongs to it is kept: all that takes no credentials.
pub(crate) struct Target {
    pub(crate) host: Host,
    pub(crate) allow_http: bool,
    pub(crate) tenant: TenantId,
    pub(crate) read_only: bool,
    /// Whether the profile has sets applied only once they are approved.
    pub(crate) require_approval: bool,
    /// The desk that the profile names.
    pub(crate) desk: Option<PathBuf>,
    /// How a host is reached that is not the service's.
    pub(crate) network: Network,
    /// Where the key is that signs the consent ledger.
    pub(crate) seal_key: Option<String>,
    /// Who stamps its seals.
    pub(crate) time_authority: Option<String>,
}

impl Target {
    /// The target of this process: its options, its environment, the user's profile.
    pub(crate) fn load(globals: &Globals) -> Result<Self, SettingsError> {
        let variables = Variables(&|name| env::var_os(name));
        let mut profile = profile(globals)?;
        let network = Network::of(globals, &mut profile);
        let below = Below { variables: &variables, named: globals.profile() };
        let (tenant, host) = below.account(globals, &profile)?;
        let given = [tenant.is_some(), host.is_some(), true, true, true];
        let (Some(tenant), Some(host)) = (tenant, host) else {
            return Err(missing(given, globals));
        };
        Ok(Self {
            host,
            allow_http: allow_http(&variables)?,
            tenant,
            read_only: read_only(globals, &variables, profile.read_only)?,
            require_approval: profile.require_approval.unwrap_or(false),
            desk: profile.desk,
            network,
            seal_key: profile.seal_key,
            time_authority: profile.time_authority,
        })
    }
}

impl Settings {
    /// Settings of this process: its options, its environment, the user's profile.
    pub(crate) async fn load(globals: &Globals) -> Result<Self, SettingsError> {
        let variables = Variables(&|name| env::var_os(name));
        let name = named_profile(globals, &variables)?;
        let path = folders::configuration();
        let mut profile = file::find(path.as_deref(), name.as_deref())?;
        if let Some(path) = path
            && needs_credentials(globals, &variables, &profile)?
        {
            let name = profile.name.clone().unwrap_or_default();
            let completed = credentials::complete(profile, &path).await;
            profile = completed.map_err(|source| SettingsError::Credentials {
                act: "get",
                profile: name,
                source,
            })?;
        }
        Self::resolve(globals, &variables, profile)
    }

    /// Settings of a sandbox: its own credentials, and the options that make sense there.
    pub(crate) fn of_sandbox(
        globals: &Globals,
        sandbox: &Connection,
    ) -> Result<Self, SettingsError> {
        let variables = Variables(&|name| env::var_os(name));
        let tenant = globals.tenant.map_or_else(|| TenantId::new(sandbox.tenant), Ok);
        Ok(Self {
            host: Host::Custom {
                api_url: sandbox.api_url.clone(),
                auth_url: sandbox.auth_url.clone(),
            },
            allow_http: false,
            tenant: tenant.map_err(|error| SettingsError::Variable {
                name: "the sandbox's tenant",
                reason: error.to_string(),
            })?,
            client_id: sandbox.client_id.clone(),
            client_secret: sandbox.client_secret.clone(),
            app_key: sandbox.app_key.clone(),
            enterprise_hub: false,
            read_only: globals.read_only || is_read_only(&variables)?,
            require_approval: false,
            legacy_preferences: globals.legacy_preferences,
            network: Network::of(globals, &mut Profile::default()),
            token_folder: None,
            profile: None,
            desk: None,
        })
    }

    fn resolve(
        globals: &Globals,
        variables: &Variables,
        mut profile: Profile,
    ) -> Result<Self, SettingsError> {
        let network = Network::of(globals, &mut profile);
        let below = Below { variables, named: globals.profile() };
        let (tenant, host) = below.account(globals, &profile)?;
        // The app key is the application's; what else is left in a shell belongs to one account.
        let is_for_one = globals.siblings.is_some() && !profile.enterprise_hub.unwrap_or(false);
        let secret = |name, key: Option<Secret>| {
            let given = variables.text(name)?;
            if is_for_one && key.is_none() && given.is_some() && name != "CRM_APP_KEY" {
                return Err(SettingsError::ForSeveral(name));
            }
            below.filled(name, given, key.map(|Secret(text)| text))
        };
        let client_id = secret("CRM_CLIENT_ID", profile.client_id)?;
        let client_secret = secret("CRM_CLIENT_SECRET", profile.client_secret)?;
        let app_key = secret("CRM_APP_KEY", profile.app_key)?;
        let token_cache = variables.parsed("CRM_TOKEN_CACHE", switch)?;
        let token_cache = below.filled("CRM_TOKEN_CACHE", token_cache, profile.token_cache)?;
        let enterprise_hub = variables.parsed("CRM_ENTERPRISE_HUB", switch)?;
        let enterprise_hub =
            below.filled("CRM_ENTERPRISE_HUB", enterprise_hub, profile.enterprise_hub)?;
        let read_only = read_only(globals, variables, profile.read_only)?;

        let given = [
            tenant.is_some(),
            host.is_some(),
            client_id.is_some(),
            client_secret.is_some(),
            app_key.is_some(),
        ];
        let (Some(tenant), Some(host), Some(client_id), Some(client_secret), Some(app_key)) =
            (tenant, host, client_id, client_secret, app_key)
        else {
            return Err(missing(given, globals));
        };
        Ok(Self {
            host,
            allow_http: allow_http(variables)?,
            tenant,
            client_id,
            client_secret,
            app_key,
            enterprise_hub: enterprise_hub.unwrap_or(false),
            read_only,
            require_approval: profile.require_approval.unwrap_or(false),
            legacy_preferences: globals.legacy_preferences
                || profile.legacy_preferences.unwrap_or(false),
            network,
            token_folder: token_cache.unwrap_or(false).then(folders::token_folder).flatten(),
            profile: profile.name,
            desk: profile.desk,
        })
    }
}

/// The profile that takes part in this command; one without a name where none does.
pub(crate) fn profile(globals: &Globals) -> Result<Profile, SettingsError> {
    let variables = Variables(&|name| env::var_os(name));
    let name = named_profile(globals, &variables)?;
    file::find(folders::configuration().as_deref(), name.as_deref())
}

/// The name of the profile that options or environment name.
fn named_profile(
    globals: &Globals,
    variables: &Variables,
) -> Result<Option<String>, SettingsError> {
    match globals.profile() {
        Some(name) => Ok(Some(name.to_owned())),
        None => variables.text("CRM_PROFILE"),
    }
}

/// The name of the profile that a command takes, which need not exist.
pub(crate) fn profile_in_use(
    globals: &Globals,
    profiles: &Profiles,
) -> Result<String, SettingsError> {
    let variables = Variables(&|name| env::var_os(name));
    let named = named_profile(globals, &variables)?;
    Ok(named.unwrap_or_else(|| profiles.default_name().to_owned()))
}

/// Whether a credential is neither in the profile nor, where that is enough, in the environment.
fn needs_credentials(
    globals: &Globals,
    variables: &Variables,
    profile: &Profile,
) -> Result<bool, SettingsError> {
    for (variable, key) in [
        ("CRM_CLIENT_ID", &profile.client_id),
        ("CRM_CLIENT_SECRET", &profile.client_secret),
        ("CRM_APP_KEY", &profile.app_key),
    ] {
        // The values of a named profile are compared with the environment.
        let is_given = globals.profile().is_none() && variables.text(variable)?.is_some();
        if key.is_none() && !is_given {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What ranks below the options: the environment and the profile, in the order that depends on
/// whether `--profile` names it.
struct Below<'a> {
    variables: &'a Variables<'a>,
    /// The profile that the command line names.
    named: Option<&'a str>,
}

impl Below<'_> {
    /// The tenant and the servers, as far as they are given.
    fn account(
        &self,
        globals: &Globals,
        profile: &Profile,
    ) -> Result<(Option<TenantId>, Option<Host>), SettingsError> {
        let tenant = match globals.tenant {
            Some(tenant) => Some(tenant),
            None => {
                let variable =
                    self.variables.parsed("CRM_TENANT", |text| text.parse::<TenantId>())?;
                self.target("CRM_TENANT", variable, profile.tenant)?
            }
        };
        let host = match Host::of_options(globals) {
            Some(host) => Some(host),
            None => self.host(profile)?,
        };
        Ok((tenant, host))
    }

    /// A setting that determines which account's contacts are meant, and where. A variable that is
    /// left in a shell does not complete a named profile: it may belong to another account.
    fn target<V: PartialEq>(
        &self,
        variable: &'static str,
        given: Option<V>,
        key: Option<V>,
    ) -> Result<Option<V>, SettingsError> {
        match (self.named, key) {
            (Some(_), None) => Ok(None),
            (_, key) => self.filled(variable, given, key),
        }
    }

    /// The servers: all that names them comes from one place.
    fn host(&self, profile: &Profile) -> Result<Option<Host>, SettingsError> {
        let environment = |text: &str| Vendor::from_str(text, true);
        let environment = self.variables.parsed("CRM_ENVIRONMENT", environment)?;
        let api_url = self.variables.text("CRM_API_URL")?;
        let auth_url = self.variables.text("CRM_AUTH_URL")?;
        let keyed = Host::given(
            "the profile",
            profile.environment,
            profile.api_url.clone(),
            profile.auth_url.clone(),
        )?;
        match (self.named, &keyed) {
            (None, _) => {
                Ok(Host::given("the environment", environment, api_url, auth_url)?.or(keyed))
            }
            (Some(_), None) => Ok(None),
            (Some(name), Some(_)) => {
                let contradicts = [
                    ("CRM_ENVIRONMENT", differs(environment, profile.environment)),
                    ("CRM_API_URL", differs(api_url.as_ref(), profile.api_url.as_ref())),
                    ("CRM_AUTH_URL", differs(auth_url.as_ref(), profile.auth_url.as_ref())),
                ];
                match contradicts.iter().find(|(_, contradicts)| *contradicts) {
                    Some((variable, _)) => Err(contradiction(variable, name)),
                    None => Ok(keyed),
                }
            }
        }
    }

    /// A setting that the environment may give if a named profile lacks it.
    fn filled<V: PartialEq>(
        &self,
        variable: &'static str,
        given: Option<V>,
        key: Option<V>,
    ) -> Result<Option<V>, SettingsError> {
        match (self.named, given, key) {
            (Some(profile), Some(given), Some(key)) if given != key => {
                Err(contradiction(variable, profile))
            }
            (Some(_), given, key) => Ok(key.or(given)),
            (None, given, key) => Ok(given.or(key)),
        }
    }
}

/// Whether a variable is set to something other than what the profile says.
fn differs<V: PartialEq>(given: Option<V>, key: Option<V>) -> bool {
    given.is_some() && given != key
}

fn contradiction(variable: &'static str, profile: &str) -> SettingsError {
    SettingsError::Contradiction { variable, profile: profile.to_owned() }
}

/// The settings that are given nowhere, of those in [`PLACES`].
fn missing(given: [bool; PLACES.len()], globals: &Globals) -> SettingsError {
    let missing = PLACES.iter().zip(given).filter(|(_, given)| !given);
    let named = globals.profile().map(str::to_owned);
    // What is wrong with the file was told when its profile was looked for.
    let profiles = Profiles::read().unwrap_or_default();
    let is_unused = named.is_none() && !profiles.has(profiles.default_name());
    let known = profiles.all().filter(|_| is_unused).map(|(name, _)| name.to_owned());
    SettingsError::Missing {
        names: missing.map(|(place, _)| place.0).collect(),
        known: known.collect(),
        named,
    }
}

fn allow_http(variables: &Variables) -> Result<bool, SettingsError> {
    Ok(variables.parsed("CRM_ALLOW_HTTP", switch)?.unwrap_or(false))
}

/// The strictest wins, wherever it is given: nothing lifts it for one command.
fn read_only(
    globals: &Globals,
    variables: &Variables<'_>,
    profile: Option<bool>,
) -> Result<bool, SettingsError> {
    Ok(globals.read_only || is_read_only(variables)? || profile.unwrap_or(false))
}

fn is_read_only(variables: &Variables) -> Result<bool, SettingsError> {
    Ok(variables.parsed("CRM_READ_ONLY", switch)?.unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, ffi::OsString};

    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::cli::Cli;

    fn resolve(
        options: &[&str],
        variables: &[(&str, &str)],
        profile: &str,
    ) -> Result<Settings, SettingsError> {
        let words = [&["crm"], options, &["auth", "check"]].concat();
        let globals = Cli::try_parse_from(words).unwrap().globals;
        let given = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let variables = Variables(&given);
        Settings::resolve(&globals, &variables, toml::from_str(profile).unwrap())
    }

    const SECRETS: &str = "client_id = 'a'\nclient_secret = 'b'\napp_key = 'c'\n";

    #[test]
    fn options_win_over_the_environment_and_that_over_a_profile_that_is_not_named() {
        let profile = format!("{SECRETS}tenant = 3\nenvironment = 'integration'");
        let of = |options: &[&str], variables: &[(&str, &str)]| {
            resolve(options, variables, &profile).unwrap()
        };
        assert_eq!(of(&[], &[]).tenant.get(), 3);
        assert_eq!(of(&[], &[("CRM_TENANT", "2")]).tenant.get(), 2);
        assert_eq!(of(&["--tenant", "1"], &[("CRM_TENANT", "2")]).tenant.get(), 1);
        assert_eq!(of(&[], &[("CRM_TENANT", "")]).tenant.get(), 3, "empty is not set");
        assert_eq!(of(&[], &[]).host, Host::Vendor(Vendor::Integration));
        let production = of(&["--environment", "production"], &[]);
        assert_eq!(production.host, Host::Vendor(Vendor::Production));
        assert_eq!(of(&[], &[("CRM_CLIENT_ID", "other")]).client_id, "other");
    }

    #[test]
    fn api_and_auth_host_come_from_the_same_place() {
        let profile = format!("{SECRETS}tenant = 3\nenvironment = 'production'");
        let both = [("CRM_API_URL", "http://127.0.0.1:1"), ("CRM_AUTH_URL", "http://127.0.0.1:2")];
        let custom = Host::Custom { api_url: both[0].1.to_owned(), auth_url: both[1].1.to_owned() };
        assert_eq!(resolve(&[], &both, &profile).unwrap().host, custom);
        let half = resolve(&[], &both[..1], &profile).err().unwrap();
        assert!(matches!(half, SettingsError::HalfHost(_)), "{half}");
        let two = [both[0], both[1], ("CRM_ENVIRONMENT", "integration")];
        let two = resolve(&[], &two, &profile).err().unwrap();
        assert!(matches!(two, SettingsError::TwoHosts(_)), "{two}");
    }

    #[test]
    fn every_variable_that_is_read_is_in_the_help() {
        let asked = RefCell::new(vec!["CRM_PROFILE".to_owned(), "NO_COLOR".to_owned()]);
        let record = |name: &str| {
            asked.borrow_mut().push(name.to_owned());
            None
        };
        let globals = Cli::try_parse_from(["crm", "auth", "check"]).unwrap().globals;
        let _ = Settings::resolve(&globals, &Variables(&record), Profile::default());
        let help = Cli::command().render_long_help().to_string();
        assert!(asked.borrow().len() > 8, "{asked:?}");
        let told: Vec<_> = help.lines().filter_map(|line| line.split_whitespace().next()).collect();
        for name in asked.take() {
            assert!(told.contains(&&*name), "{name}: {help}");
        }
    }

    #[test]
    fn a_profile_that_is_named_is_not_passed_over_where_there_is_no_home() {
        assert!(file::find(None, None).is_ok());
        let error = file::find(None, Some("live")).err().unwrap();
        assert!(matches!(error, SettingsError::NoHome(_)), "{error}");
        assert!(error.to_string().contains("`live`"), "{error}");
    }

    #[test]
    fn the_strictest_read_only_wins_wherever_it_is_said() {
        let read_only = |options: &[&str], variables: &[(&str, &str)], key: &str| {
            let profile =
                format!("{SECRETS}tenant = 3\nenvironment = 'production'\nread_only = {key}");
            resolve(options, variables, &profile).unwrap().read_only
        };
        for options in [&["--profile", "live"][..], &[]] {
            assert!(!read_only(options, &[("CRM_READ_ONLY", "0")], "false"));
            assert!(read_only(options, &[("CRM_READ_ONLY", "0")], "true"));
            assert!(read_only(options, &[("CRM_READ_ONLY", "1")], "false"));
            let options = [options, &["--read-only"]].concat();
            assert!(read_only(&options, &[("CRM_READ_ONLY", "0")], "false"));
        }
        let profile = format!("{SECRETS}tenant = 3\nenvironment = 'production'");
        let error = refusal(&[], &[("CRM_READ_ONLY", "maybe")], &profile);
        assert!(error.contains("CRM_READ_ONLY"), "{error}");
    }

    fn refusal(options: &[&str], variables: &[(&str, &str)], profile: &str) -> String {
        let refused = resolve(options, variables, profile).err();
        refused.unwrap().to_string()
    }

    const LIVE: [&str; 2] = ["--profile", "live"];

    #[test]
    fn a_variable_that_contradicts_a_profile_that_is_named_is_refused_by_name() {
        let vendor = format!(
            "{SECRETS}tenant = 3\nenvironment = 'production'\ntoken_cache = true\nenterprise_hub = true"
        );
        let custom = format!("{SECRETS}tenant = 3\napi_url = 'http://a'\nauth_url = 'http://b'");
        for (variable, other, same, profile) in [
            ("CRM_TENANT", "4", "3", &vendor),
            ("CRM_ENVIRONMENT", "integration", "production", &vendor),
            ("CRM_TOKEN_CACHE", "0", "1", &vendor),
            ("CRM_ENTERPRISE_HUB", "0", "1", &vendor),
            ("CRM_CLIENT_ID", "s3cr3t", "a", &vendor),
            ("CRM_CLIENT_SECRET", "s3cr3t", "b", &vendor),
            ("CRM_APP_KEY", "s3cr3t", "c", &vendor),
            ("CRM_API_URL", "http://c", "http://a", &custom),
            ("CRM_AUTH_URL", "http://c", "http://b", &custom),
        ] {
            let refused = refusal(&LIVE, &[(variable, other)], profile);
            assert!(refused.contains(variable) && refused.contains("`live`"), "{refused}");
            assert!(!refused.contains("s3cr3t"), "{refused}");
            let settings = resolve(&LIVE, &[(variable, same)], profile);
            assert!(settings.is_ok(), "{variable}");
        }
        // What the profile says in other words is also contradicted.
        for (variable, profile) in [("CRM_API_URL", &vendor), ("CRM_AUTH_URL", &vendor)] {
            let refused = refusal(&LIVE, &[(variable, "http://a")], profile);
            assert!(refused.contains(variable), "{refused}");
        }
        let refused = refusal(&LIVE, &[("CRM_ENVIRONMENT", "production")], &custom);
        assert!(refused.contains("CRM_ENVIRONMENT"), "{refused}");
    }

    #[test]
    fn an_option_settles_what_a_variable_and_a_named_profile_contradict_in() {
        let profile = format!("{SECRETS}tenant = 3\nenvironment = 'production'");
        let options = [&LIVE[..], &["--tenant", "5", "--environment", "integration"]].concat();
        let variables = [("CRM_TENANT", "4"), ("CRM_API_URL", "http://a")];
        let settings = resolve(&options, &variables, &profile).unwrap();
        assert_eq!(settings.tenant.get(), 5);
        assert_eq!(settings.host, Host::Vendor(Vendor::Integration));
    }

    #[test]
    fn a_variable_fills_a_secret_that_a_named_profile_lacks_but_never_its_target() {
        let target = "tenant = 3\nenvironment = 'production'";
        let secrets = [("CRM_CLIENT_ID", "a"), ("CRM_CLIENT_SECRET", "b"), ("CRM_APP_KEY", "c")];
        assert_eq!(resolve(&LIVE, &secrets, target).unwrap().app_key, "c");

        let lying_around = [("CRM_TENANT", "4"), ("CRM_ENVIRONMENT", "production")];
        let error = resolve(&LIVE, &lying_around, SECRETS).err().unwrap();
        let missing = "these settings are missing: tenant, environment";
        assert_eq!(error.to_string(), missing);
        let details = error.details().join("\n");
        assert!(details.contains("--profile live"), "{details}");
        assert!(resolve(&[], &lying_around, SECRETS).is_ok());
    }
}
