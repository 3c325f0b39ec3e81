//! What can be wrong with settings, reported without showing a secret.

use std::{io, path::PathBuf};

use super::{
    credentials::{CredentialsError, KeychainError},
    folders::configuration,
    network::NetworkError,
};

/// Why there are no usable settings. No message shows a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// Settings that are given nowhere, and the profile that `--profile` names; without one, the
    /// profiles that could be named.
    #[error("these settings are missing: {}", names.join(", "))]
    Missing { names: Vec<&'static str>, named: Option<String>, known: Vec<String> },

    #[error(
        "{variable} in the environment contradicts profile `{profile}`, which --profile names: unset \
         {variable}, or give the option"
    )]
    Contradiction { variable: &'static str, profile: String },

    #[error(
        "{0} in the environment would be used for several accounts: put it into the profile, or set \
         enterprise_hub there if all of them have the same"
    )]
    ForSeveral(&'static str),

    #[error("{name} is not usable: {reason}")]
    Variable { name: &'static str, reason: String },

    #[error("{} is not usable: {reason}", path.display())]
    File { path: PathBuf, reason: String },

    #[error(transparent)]
    Network(#[from] NetworkError),

    #[error("there is no profile `{name}` in {}; {}", path.display(), there(known))]
    NoProfile { name: String, path: PathBuf, known: Vec<String> },

    #[error("there is no folder to keep profiles in: set HOME or XDG_CONFIG_HOME")]
    NowhereToSave,

    #[error("cannot write {}", path.display())]
    Save { path: PathBuf, source: io::Error },

    #[error(
        "profile `{0}` cannot be read: no home folder is known; set HOME or XDG_CONFIG_HOME, or \
         give no profile"
    )]
    NoHome(String),

    #[error("cannot {act} the credentials of profile `{profile}`")]
    Credentials {
        /// What was to be done with them: get, store or remove.
        act: &'static str,
        profile: String,
        source: CredentialsError,
    },

    #[error("cannot {act} the key that signs the consent ledger")]
    SealKey {
        /// What was to be done with it: read or keep.
        act: &'static str,
        source: KeychainError,
    },

    #[error("{0} gives only one of API URL and auth URL: give both, or an environment instead")]
    HalfHost(&'static str),

    #[error("{0} gives both an environment and URLs: give only one of the two")]
    TwoHosts(&'static str),
}

/// Lists the profiles that there are.
fn there(known: &[String]) -> String {
    match known {
        [] => "there are none yet: add one with `crm profile add`".to_owned(),
        known => format!("it has {}", known.join(", ")),
    }
}

impl SettingsError {
    /// There is no profile of this name in the user's file.
    pub(crate) fn no_profile(name: &str, known: Vec<String>) -> Self {
        match configuration() {
            Some(path) => Self::NoProfile { name: name.to_owned(), path, known },
            None => Self::NoHome(name.to_owned()),
        }
    }

    /// Where each missing setting can be given, one line each.
    pub(crate) fn details(&self) -> Vec<String> {
        let Self::Missing { names: missing, named, known } = self else {
            return Vec::new();
        };
        let places = PLACES.into_iter().filter(|(name, ..)| missing.contains(name));
        let mut lines: Vec<_> = places
            .map(|(name, option, variable, key)| {
                format!("{name:<13}  {option:<29}  {variable:<17}  {key}")
            })
            .collect();
        lines.insert(0, format!("{:<13}  {:<29}  {:<17}  profile", "", "option", "environment"));
        if let Some(name) = named {
            lines.push(format!(
                "with --profile {name}, tenant and environment are not taken from the environment: they \
                 may be another account's"
            ));
        }
        if let Some(path) = configuration() {
            lines.push(format!("the profiles are in {}", path.display()));
        }
        if let Some(first) = known.first() {
            lines.push(format!(
                "no profile is in use; there {} {}: name one with --profile, or `crm profile use \
                 {first}` for all commands",
                if known.len() == 1 { "is" } else { "are" },
                known.join(", ")
            ));
        }
        lines.push(
            "to begin: `crm demo` shows a whole job without an account, --sandbox tries any command \
             so, and `crm profile add --help` says how an account is set up"
                .to_owned(),
        );
        lines
    }
}

/// A setting, and the three places where it can be given.
pub(super) const PLACES: [(&str, &str, &str, &str); 5] = [
    ("tenant", "--tenant", "CRM_TENANT", "tenant"),
    ("environment", "--environment", "CRM_ENVIRONMENT", "environment"),
    ("client id", NO_OPTION, "CRM_CLIENT_ID", "client_id"),
    ("client secret", NO_OPTION, "CRM_CLIENT_SECRET", "client_secret"),
    ("app key", NO_OPTION, "CRM_APP_KEY", "app_key"),
];

const NO_OPTION: &str = "(not on the command line)";
