//! The settings of a connection: from options, then the environment, then the profile.

mod error;
mod profile;
mod variables;

use std::{env, fmt, path::PathBuf};

use clap::ValueEnum;
use crm_models::TenantId;
use crm_sandbox::Connection;

use self::{
    error::PLACES,
    profile::{Profile, Secret},
    variables::{Variables, switch},
};
use crate::cli::{Globals, Vendor};

pub(crate) use error::SettingsError;

/// Everything that a connection needs.
pub(crate) struct Settings {
    pub(crate) host: Host,
    pub(crate) tenant: TenantId,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) app_key: String,
    pub(crate) enterprise_hub: bool,
    pub(crate) read_only: bool,
    pub(crate) legacy_preferences: bool,
    /// Where access tokens are kept for the next command, if they are.
    pub(crate) token_folder: Option<PathBuf>,
}

/// Which servers: always API and token endpoint together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Vendor(Vendor),
    Custom { api_url: String, auth_url: String },
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vendor(Vendor::Production) => f.write_str("production"),
            Self::Vendor(Vendor::Integration) => f.write_str("integration"),
            Self::Custom { api_url, .. } => f.write_str(api_url),
        }
    }
}

impl Settings {
    /// Settings of this process: its options, its environment, the user's profile.
    pub(crate) fn load(globals: &Globals) -> Result<Self, SettingsError> {
        let variables = Variables(&|name| env::var_os(name));
        let name = globals.profile.clone();
        let name = name.map_or_else(|| variables.text("CRM_PROFILE"), |name| Ok(Some(name)))?;
        let profile = profile::find(profile::path().as_deref(), name.as_deref())?;
        Self::resolve(globals, &variables, profile)
    }

    /// Settings of a sandbox: its own credentials, and the options that make sense there.
    pub(crate) fn of_sandbox(
        globals: &Globals,
        sandbox: &Connection,
    ) -> Result<Self, SettingsError> {
        let variables = Variables(&|name| env::var_os(name));
        let tenant = globals
            .tenant
            .map_or_else(|| TenantId::new(sandbox.tenant), Ok);
        Ok(Self {
            host: Host::Custom {
                api_url: sandbox.api_url.clone(),
                auth_url: sandbox.auth_url.clone(),
            },
            tenant: tenant.map_err(|error| SettingsError::Variable {
                name: "the sandbox's tenant",
                reason: error.to_string(),
            })?,
            client_id: sandbox.client_id.clone(),
            client_secret: sandbox.client_secret.clone(),
            app_key: sandbox.app_key.clone(),
            enterprise_hub: false,
            read_only: read_only(globals, &variables)?.unwrap_or(false),
            legacy_preferences: globals.legacy_preferences,
            token_folder: None,
        })
    }

    fn resolve(
        globals: &Globals,
        variables: &Variables,
        profile: Profile,
    ) -> Result<Self, SettingsError> {
        let secret = |name, secret: Option<Secret>| {
            let given = variables.text(name)?;
            Ok(given.or(secret.map(|Secret(text)| text)))
        };
        let tenant = match globals.tenant {
            Some(tenant) => Some(tenant),
            None => variables.parsed("CRM_TENANT", |text| text.parse::<TenantId>())?,
        }
        .or(profile.tenant);
        let host = match host_of_options(globals) {
            Some(host) => Some(host),
            None => match host_of_variables(variables)? {
                Some(host) => Some(host),
                None => host(
                    "the profile",
                    profile.environment,
                    profile.api_url,
                    profile.auth_url,
                )?,
            },
        };
        let read_only = read_only(globals, variables)?;
        let token_cache = variables.parsed("CRM_TOKEN_CACHE", switch)?;
        let token_cache = token_cache.or(profile.token_cache).unwrap_or(false);
        let client_id = secret("CRM_CLIENT_ID", profile.client_id)?;
        let client_secret = secret("CRM_CLIENT_SECRET", profile.client_secret)?;
        let app_key = secret("CRM_APP_KEY", profile.app_key)?;

        match (tenant, host, client_id, client_secret, app_key) {
            (Some(tenant), Some(host), Some(client_id), Some(client_secret), Some(app_key)) => {
                Ok(Self {
                    host,
                    tenant,
                    client_id,
                    client_secret,
                    app_key,
                    enterprise_hub: profile.enterprise_hub.unwrap_or(false),
                    read_only: read_only.or(profile.read_only).unwrap_or(false),
                    legacy_preferences: globals.legacy_preferences
                        || profile.legacy_preferences.unwrap_or(false),
                    token_folder: token_cache.then(profile::token_folder).flatten(),
                })
            }
            (tenant, host, client_id, client_secret, app_key) => {
                let given = [
                    tenant.is_some(),
                    host.is_some(),
                    client_id.is_some(),
                    client_secret.is_some(),
                    app_key.is_some(),
                ];
                let missing = PLACES.iter().zip(given).filter(|(_, given)| !given);
                Err(SettingsError::Missing(
                    missing.map(|(place, _)| place.0).collect(),
                ))
            }
        }
    }
}

fn read_only(globals: &Globals, variables: &Variables) -> Result<Option<bool>, SettingsError> {
    match globals.read_only {
        true => Ok(Some(true)),
        false => variables.parsed("CRM_READ_ONLY", switch),
    }
}

fn host_of_options(globals: &Globals) -> Option<Host> {
    match (&globals.api_url, &globals.auth_url) {
        (Some(api_url), Some(auth_url)) => Some(Host::Custom {
            api_url: api_url.clone(),
            auth_url: auth_url.clone(),
        }),
        _ => globals.environment.map(Host::Vendor),
    }
}

fn host_of_variables(variables: &Variables) -> Result<Option<Host>, SettingsError> {
    host(
        "the environment",
        variables.parsed("CRM_ENVIRONMENT", |text| Vendor::from_str(text, true))?,
        variables.text("CRM_API_URL")?,
        variables.text("CRM_AUTH_URL")?,
    )
}

/// The servers that one place gives: an environment or two URLs, nothing in between.
fn host(
    place: &'static str,
    vendor: Option<Vendor>,
    api_url: Option<String>,
    auth_url: Option<String>,
) -> Result<Option<Host>, SettingsError> {
    match (vendor, api_url, auth_url) {
        (vendor, None, None) => Ok(vendor.map(Host::Vendor)),
        (None, Some(api_url), Some(auth_url)) => Ok(Some(Host::Custom { api_url, auth_url })),
        (Some(_), ..) => Err(SettingsError::TwoHosts(place)),
        (None, ..) => Err(SettingsError::HalfHost(place)),
    }
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
    fn options_win_over_the_environment_and_that_over_the_profile() {
        let profile = format!("{SECRETS}tenant = 3\nenvironment = 'integration'");
        let of = |options: &[&str], variables: &[(&str, &str)]| {
            resolve(options, variables, &profile).unwrap()
        };
        assert_eq!(of(&[], &[]).tenant.get(), 3);
        assert_eq!(of(&[], &[("CRM_TENANT", "2")]).tenant.get(), 2);
        assert_eq!(
            of(&["--tenant", "1"], &[("CRM_TENANT", "2")]).tenant.get(),
            1
        );
        assert_eq!(
            of(&[], &[("CRM_TENANT", "")]).tenant.get(),
            3,
            "empty is not set"
        );
        assert_eq!(of(&[], &[]).host, Host::Vendor(Vendor::Integration));
        let production = of(&["--environment", "production"], &[]);
        assert_eq!(production.host, Host::Vendor(Vendor::Production));
        assert_eq!(of(&[], &[("CRM_CLIENT_ID", "other")]).client_id, "other");
    }

    #[test]
    fn api_and_auth_host_come_from_the_same_place() {
        let profile = format!("{SECRETS}tenant = 3\nenvironment = 'production'");
        let both = [
            ("CRM_API_URL", "http://127.0.0.1:1"),
            ("CRM_AUTH_URL", "http://127.0.0.1:2"),
        ];
        let custom = Host::Custom {
            api_url: both[0].1.to_owned(),
            auth_url: both[1].1.to_owned(),
        };
        assert_eq!(resolve(&[], &both, &profile).unwrap().host, custom);
        let half = resolve(&[], &both[..1], &profile).err().unwrap();
        assert!(matches!(half, SettingsError::HalfHost(_)), "{half}");
        let two = [both[0], both[1], ("CRM_ENVIRONMENT", "integration")];
        let two = resolve(&[], &two, &profile).err().unwrap();
        assert!(matches!(two, SettingsError::TwoHosts(_)), "{two}");
    }

    #[test]
    fn every_missing_setting_is_named_with_its_three_places() {
        let error = resolve(&["--tenant", "1"], &[], "app_key = 'c'")
            .err()
            .unwrap();
        assert_eq!(
            error.to_string(),
            "these settings are missing: environment, client id, client secret"
        );
        let details = error.details().join("\n");
        for place in ["--environment", "CRM_CLIENT_ID", "client_secret"] {
            assert!(details.contains(place), "{details}");
        }
        assert!(!details.contains("CRM_APP_KEY"), "{details}");
    }

    #[test]
    fn every_variable_that_is_read_is_in_the_help() {
        let asked = RefCell::new(vec!["CRM_PROFILE".to_owned(), "NO_COLOR".to_owned()]);
        let record = |name: &str| {
            asked.borrow_mut().push(name.to_owned());
            None
        };
        let globals = Cli::try_parse_from(["crm", "auth", "check"])
            .unwrap()
            .globals;
        let _ = Settings::resolve(&globals, &Variables(&record), Profile::default());
        let help = Cli::command().render_long_help().to_string();
        assert!(asked.borrow().len() > 8, "{asked:?}");
        let told: Vec<_> = help
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        for name in asked.take() {
            assert!(told.contains(&&*name), "{name}: {help}");
        }
    }

    #[test]
    fn a_profile_that_is_named_is_not_passed_over_where_there_is_no_home() {
        assert!(profile::find(None, None).is_ok());
        let error = profile::find(None, Some("live")).err().unwrap();
        assert!(matches!(error, SettingsError::NoHome(_)), "{error}");
        assert!(error.to_string().contains("`live`"), "{error}");
    }

    #[test]
    fn read_only_can_be_set_in_each_place_and_lifted_by_a_higher_one() {
        let profile = format!("{SECRETS}tenant = 3\nenvironment = 'production'\nread_only = true");
        let read_only = |options: &[&str], variables: &[(&str, &str)], profile: &str| {
            resolve(options, variables, profile).unwrap().read_only
        };
        assert!(read_only(&[], &[], &profile));
        assert!(!read_only(&[], &[("CRM_READ_ONLY", "0")], &profile));
        let profile = profile.replace("true", "false");
        assert!(read_only(&[], &[("CRM_READ_ONLY", "1")], &profile));
        assert!(read_only(
            &["--read-only"],
            &[("CRM_READ_ONLY", "0")],
            &profile
        ));
        let error = resolve(&[], &[("CRM_READ_ONLY", "maybe")], &profile)
            .err()
            .unwrap();
        assert!(error.to_string().contains("CRM_READ_ONLY"), "{error}");
    }
}
