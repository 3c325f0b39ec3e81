//! `crm profile`: the accounts that this user works with.

use std::path::{self, Path, PathBuf};

use clap::{Args, Subcommand};
use crm_models::TenantId;
use serde::Serialize;

use super::file_arg;
use crate::{
    error::CliError,
    globals::Globals,
    output::{Output, note, records},
    settings::{
        AccountFile, Config, CredentialsError, Host, Keychain, Profile, Profiles, Secret,
        SettingsError, account, profile_in_use,
    },
    status::Status,
};

/// What can be done with the profiles of the configuration file.
#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// List the profiles, without their secrets
    List,

    /// Show one profile, without its secrets
    ///
    /// `requireApproval` is about change sets: single writes are not held. `readOnly` refuses both.
    Show {
        /// The profile; without it the one in use
        name: Option<String>,
    },

    /// Use this profile wherever none is named
    Use {
        /// The profile
        name: String,
    },

    /// Add a profile for the given --tenant and --environment (or --api-url and --auth-url), or for
    /// the sandbox whose connection --credentials names
    Add(Add),

    /// Remove a profile, with its secrets in the file and in the system's keychain
    Remove {
        /// The profile
        name: String,
    },
}

/// A new profile. --read-only and --legacy-preferences are kept in it.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Its name
    #[arg(value_parser = name)]
    name: String,

    /// Keep the credentials of this JSON file in it: {"clientId": …, "clientSecret": …, "appKey": …},
    /// or all of what `crm sandbox serve` prints; - is stdin
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,

    /// Keep client secret and app key in the system's keychain, not in the configuration file
    #[arg(long, requires = "credentials")]
    keychain: bool,

    /// Run this program for the credentials each time; its arguments follow
    #[arg(
        long,
        value_name = "WORD",
        num_args = 1..,
        allow_hyphen_values = true,
        conflicts_with = "credentials"
    )]
    credential_command: Option<Vec<String>>,

    /// One client id and secret serve many tenants
    #[arg(long)]
    enterprise_hub: bool,

    /// Keep mirror, change sets and recorded updates in this folder
    #[arg(long, value_name = "FOLDER")]
    desk: Option<PathBuf>,

    /// The form of the addresses of records in the vendor's application, for `crm find --open`:
    /// https://…/{kind}/{id}
    #[arg(long, value_name = "URL")]
    app: Option<String>,

    /// The file of the key that signs the consent ledger, or `keychain`
    #[arg(long, value_name = "FILE|keychain")]
    seal_key: Option<String>,

    /// Have this authority stamp the seals of the consent ledger (RFC 3161)
    #[arg(long, value_name = "URL")]
    time_authority: Option<String>,

    /// Keep the access token for the next command
    #[arg(long)]
    token_cache: bool,

    /// Apply change sets only once they are approved, as with `crm apply --require-approval`. Single
    /// writes are not held
    #[arg(long)]
    require_approval: bool,
}

fn name(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if text.is_empty() || !text.chars().all(is_plain) {
        return Err("use letters, digits, `-`, `_` and `.`".to_owned());
    }
    Ok(text.to_owned())
}

/// A profile without its secrets: where each comes from.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    name: &'a str,
    in_use: bool,
    tenant: Option<i64>,
    /// The environment, or the API's URL.
    host: Option<String>,
    auth_url: Option<&'a str>,
    client_id: &'static str,
    client_secret: &'static str,
    app_key: &'static str,
    rate: Option<u32>,
    ca_file: Option<String>,
    /// Whether there is one: its URL may hold a password.
    proxy: bool,
    /// The program alone: an argument may be a secret.
    credential_command: Option<&'a str>,
    read_only: bool,
    /// Of change sets: single writes are not held.
    require_approval: bool,
    legacy_preferences: bool,
    enterprise_hub: bool,
    token_cache: bool,
    desk: Option<String>,
    app: Option<&'a str>,
    seal_key: Option<&'a str>,
    time_authority: Option<&'a str>,
}

records! {
    Shown<'_> {
        "name", "inUse", "tenant", "host", "authUrl", "clientId", "clientSecret", "appKey", "rate",
        "caFile", "proxy", "credentialCommand", "readOnly", "requireApproval", "legacyPreferences",
        "enterpriseHub", "tokenCache", "desk", "app", "sealKey", "timeAuthority";
        table: "name" => "NAME", "inUse" => "IN USE", "tenant" => "TENANT", "host" => "HOST",
        "readOnly" => "READ-ONLY", "clientSecret" => "SECRET FROM",
    }
}

impl<'a> Shown<'a> {
    fn of(name: &'a str, profile: &'a Profile, in_use: &str) -> Result<Self, CliError> {
        let host = Host::given(
            "the profile",
            profile.environment,
            profile.api_url.clone(),
            profile.auth_url.clone(),
        )?;
        let command = profile.credential_command.as_ref();
        let elsewhere = if command.is_some() { "command" } else { "environment" };
        let in_keychain = profile.keychain == Some(true);
        let secret_elsewhere = if in_keychain { "keychain" } else { elsewhere };
        let from = |is_here: bool, elsewhere| if is_here { "file" } else { elsewhere };
        Ok(Self {
            name,
            in_use: name == in_use,
            tenant: profile.tenant.map(|tenant| tenant.get()),
            host: host.map(|host| host.to_string()),
            auth_url: profile.auth_url.as_deref(),
            client_id: from(profile.client_id.is_some(), elsewhere),
            client_secret: from(profile.client_secret.is_some(), secret_elsewhere),
            app_key: from(profile.app_key.is_some(), secret_elsewhere),
            rate: profile.rate.map(|rate| rate.get()),
            ca_file: profile.ca_file.as_ref().map(|file| file.display().to_string()),
            proxy: profile.proxy.is_some(),
            credential_command: command.and_then(|words| Some(words.first()?.as_str())),
            read_only: profile.read_only.unwrap_or(false),
            require_approval: profile.require_approval.unwrap_or(false),
            legacy_preferences: profile.legacy_preferences.unwrap_or(false),
            enterprise_hub: profile.enterprise_hub.unwrap_or(false),
            token_cache: profile.token_cache.unwrap_or(false),
            desk: profile.desk.as_ref().map(|desk| desk.display().to_string()),
            app: profile.app.as_deref(),
            seal_key: profile.seal_key.as_deref(),
            time_authority: profile.time_authority.as_deref(),
        })
    }
}

impl ProfileCommand {
    pub(crate) fn run(self, globals: &Globals, output: &Output) -> Result<Status, CliError> {
        match self {
            Self::List => {
                let mut records = output.records::<Shown<'_>>()?;
                let profiles = Profiles::read()?;
                let in_use = profile_in_use(globals, &profiles)?;
                records.if_none("there are no profiles yet: add one with `crm profile add`");
                for (name, profile) in profiles.all() {
                    records.push(&Shown::of(name, profile, &in_use)?)?;
                }
                records.finish()?;
            }
            Self::Show { name } => {
                let records = output.records::<Shown<'_>>()?;
                let profiles = Profiles::read()?;
                let in_use = profile_in_use(globals, &profiles)?;
                let name = name.unwrap_or_else(|| in_use.clone());
                let found = profiles.all().find(|(known, _)| *known == name);
                let (name, profile) = found.ok_or_else(|| unknown(&name, &profiles))?;
                records.one(&Shown::of(name, profile, &in_use)?)?;
            }
            Self::Use { name } => {
                let mut config = existing(&name)?;
                config.use_by_default(&name);
                config.save()?;
                output.done("in use", &format!("profile {name}"))?;
            }
            Self::Add(add) => add.run(globals, output)?,
            Self::Remove { name } => {
                let mut config = existing(&name)?;
                forget_secrets(&name)?;
                config.remove(&name);
                config.save()?;
                output.done("removed", &format!("profile {name}"))?;
            }
        }
        Ok(Status::Done)
    }
}

/// The file, if it has this profile.
fn existing(name: &str) -> Result<Config, CliError> {
    let config = Config::open()?;
    if !config.has(name) {
        return Err(unknown(name, &Profiles::read()?));
    }
    Ok(config)
}

/// Removes what the keychain holds for this profile.
fn forget_secrets(name: &str) -> Result<(), CliError> {
    let profiles = Profiles::read()?;
    let found = profiles.all().find(|(known, _)| *known == name);
    match found {
        Some((_, profile)) if profile.keychain == Some(true) => {
            let removed = Keychain::of_system()
                .and_then(|keychain| keychain.remove(&account(name, profile.tenant)));
            removed.map_err(|error| in_keychain("remove", name, error.into()))
        }
        _ => Ok(()),
    }
}

fn in_keychain(act: &'static str, profile: &str, source: CredentialsError) -> CliError {
    SettingsError::Credentials { act, profile: profile.to_owned(), source }.into()
}

fn unknown(name: &str, profiles: &Profiles) -> CliError {
    let known = profiles.all().map(|(name, _)| name.to_owned()).collect();
    SettingsError::no_profile(name, known).into()
}

impl Add {
    fn run(self, globals: &Globals, output: &Output) -> Result<(), CliError> {
        let mut file = self.credentials.as_deref().map(read).transpose()?;
        let (tenant, host) = target(globals, file.as_mut())?;
        let mut config = Config::open()?;
        if config.has(&self.name) {
            return Err(CliError::Usage(format!(
                "profile `{}` exists already: remove it first, or edit {}",
                self.name,
                config.path().display()
            )));
        }
        let mut credentials = file.map(AccountFile::credentials);
        if let (true, Some(credentials)) = (self.keychain, &mut credentials) {
            let moved = Keychain::of_system().and_then(|keychain| {
                credentials.move_into(&keychain, &account(&self.name, Some(tenant)))
            });
            moved.map_err(|error| in_keychain("store", &self.name, error.into()))?;
        }
        let mut profile = Profile {
            tenant: Some(tenant),
            environment: host.vendor(),
            api_url: host.urls().map(|[api_url, _]| api_url.to_owned()),
            auth_url: host.urls().map(|[_, auth_url]| auth_url.to_owned()),
            credential_command: self.credential_command,
            keychain: self.keychain.then_some(true),
            rate: globals.rate,
            ca_file: absolute(globals.ca_file.as_deref())?,
            proxy: globals.proxy.clone().map(Secret::from),
            read_only: globals.read_only.then_some(true),
            require_approval: self.require_approval.then_some(true),
            legacy_preferences: globals.legacy_preferences.then_some(true),
            enterprise_hub: self.enterprise_hub.then_some(true),
            token_cache: self.token_cache.then_some(true),
            desk: absolute(self.desk.as_deref())?,
            app: self.app,
            seal_key: self.seal_key.map(seal_key).transpose()?,
            time_authority: self.time_authority,
            ..Profile::default()
        };
        if credentials.is_none() && profile.credential_command.is_none() {
            note("it holds no credentials: set CRM_CLIENT_ID, CRM_CLIENT_SECRET and CRM_APP_KEY");
        }
        credentials.unwrap_or_default().fill(&mut profile);
        if let Err(error) = config.add(&self.name, &profile).and_then(|()| config.save()) {
            if self.keychain {
                // Nothing would name the entry; the file's fault is the one to tell.
                let account = account(&self.name, Some(tenant));
                let _ = Keychain::of_system().and_then(|keychain| keychain.remove(&account));
            }
            return Err(error.into());
        }
        note(format!("written to {}", config.path().display()));
        if Profiles::read()?.default_name() != self.name {
            let name = &self.name;
            note(format!(
                "`crm profile use {name}` has all commands use it; until then name it: --profile {name}"
            ));
        }
        Ok(output.done("added", &format!("profile {}", self.name))?)
    }
}

/// The path from everywhere: the profile is used in other folders too.
fn absolute(path: Option<&Path>) -> Result<Option<PathBuf>, CliError> {
    let unread = |path| CliError::unread(path);
    path.map(|path| path::absolute(path).map_err(unread(path))).transpose()
}

/// The key's place as it is from everywhere.
fn seal_key(place: String) -> Result<String, CliError> {
    if place == "keychain" {
        return Ok(place);
    }
    let file = absolute(Some(Path::new(&place)))?;
    Ok(file.map_or(place, |file| file.to_string_lossy().into_owned()))
}

/// The account of a new profile, from the options or the file: one that names another than the other
/// is refused.
fn target(globals: &Globals, file: Option<&mut AccountFile>) -> Result<(TenantId, Host), CliError> {
    let refuse = |why: &str| Err(CliError::Usage(why.to_owned()));
    let (of_file, tenant) = match file {
        Some(file) => {
            let urls = (file.api_url.take(), file.auth_url.take());
            (Host::given("the file of --credentials", None, urls.0, urls.1)?, file.tenant)
        }
        None => (None, None),
    };
    if let (Some(option), Some(of_file)) = (globals.tenant, tenant)
        && option != of_file
    {
        return refuse("--tenant names another tenant than the file of --credentials");
    }
    let option = Host::of_options(globals);
    if option.is_some() && of_file.is_some() && option != of_file {
        return refuse("the options name another host than the file of --credentials");
    }
    match (globals.tenant.or(tenant), option.or(of_file)) {
        (Some(tenant), Some(host)) => Ok((tenant, host)),
        _ => refuse(
            "a profile is for one account: give --tenant, and --environment or --api-url and \
             --auth-url",
        ),
    }
}

/// Reads an account from a file or stdin.
fn read(file: &Path) -> Result<AccountFile, CliError> {
    let json = file_arg::read(file)?;
    AccountFile::parse(&json)
        .map_err(|error| CliError::Usage(format!("{}: {error}", file.display())))
}
