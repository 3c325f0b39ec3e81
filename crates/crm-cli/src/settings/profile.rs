//! The configuration file: named profiles in `crm/config.toml` of the user's configuration
//! folder (`$XDG_CONFIG_HOME` or `~/.config`; `%APPDATA%` on Windows).
//!
//! ```toml
//! [profiles.default]
//! tenant = 1001
//! environment = "integration"
//! client_id = "…"
//! client_secret = "…"
//! app_key = "…"
//! read_only = true
//! ```

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use crm_models::TenantId;
use etcetera::{BaseStrategy, choose_base_strategy};
use serde::{Deserialize, Deserializer, de::Error};

use super::SettingsError;
use crate::{cli::Vendor, files, output::note};

/// One profile; whatever it leaves out comes from elsewhere.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    /// Its name in the file; none for settings without a profile.
    #[serde(skip)]
    pub(super) name: Option<String>,
    pub(super) tenant: Option<TenantId>,
    pub(super) environment: Option<Vendor>,
    pub(super) api_url: Option<String>,
    pub(super) auth_url: Option<String>,
    pub(super) client_id: Option<Secret>,
    pub(super) client_secret: Option<Secret>,
    pub(super) app_key: Option<Secret>,
    /// A program and its arguments that give the credentials which are not here.
    pub(super) credential_command: Option<Vec<String>>,
    pub(super) read_only: Option<bool>,
    pub(super) legacy_preferences: Option<bool>,
    /// One id and secret for a group of tenants: the token request names the tenant.
    pub(super) enterprise_hub: Option<bool>,
    /// Access tokens are kept for the next command.
    pub(super) token_cache: Option<bool>,
}

/// A text that no message shows, not even the one that says that it is no text.
pub(super) struct Secret(pub(super) String);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => Ok(Self(text)),
            _ => Err(D::Error::custom("a credential must be text in quotes")),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

/// The profile that is taken when none is named.
pub(super) const DEFAULT: &str = "default";

/// Where the file is; none where the user has no home.
pub(super) fn path() -> Option<PathBuf> {
    let folders = choose_base_strategy().ok()?;
    Some(folders.config_dir().join("crm").join("config.toml"))
}

/// Where access tokens are kept for the next command; nowhere where the user has no home.
pub(super) fn token_folder() -> Option<PathBuf> {
    let folders = choose_base_strategy().ok()?;
    Some(folders.cache_dir().join("crm"))
}

/// The profile of that name in the file, if there is a place for one: without a home there is
/// none, and only a name that was given must be found.
pub(super) fn find(path: Option<&Path>, name: Option<&str>) -> Result<Profile, SettingsError> {
    match (path, name) {
        (Some(path), name) => load(path, name),
        (None, Some(name)) => Err(SettingsError::NoHome(name.to_owned())),
        (None, None) => Ok(Profile::default()),
    }
}

/// Reads one profile. Without a name it is `default`, which need not exist.
fn load(path: &Path, name: Option<&str>) -> Result<Profile, SettingsError> {
    let folder = files::folder(path);
    if let Some(open) = files::open_to_others(path).or(files::open_to_others(folder)) {
        note(format!(
            "warning: {} can be changed by others, and with it the settings in {}; run: chmod go-w {0}",
            open.display(),
            path.display()
        ));
    }
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(source) => {
            return Err(SettingsError::File {
                path: path.to_owned(),
                reason: source.to_string(),
            });
        }
    };
    let mut file = parse(path, &text)?;
    let chosen = name.unwrap_or(DEFAULT);
    let profile = match (file.profiles.remove(chosen), name) {
        (Some(profile), _) => Profile {
            name: Some(chosen.to_owned()),
            ..profile
        },
        (None, None) => Profile::default(),
        (None, Some(name)) => {
            return Err(SettingsError::NoProfile {
                name: name.to_owned(),
                path: path.to_owned(),
                known: file.profiles.into_keys().collect(),
            });
        }
    };
    if (profile.client_secret.is_some() || profile.app_key.is_some()) && others_may_read(path) {
        note(format!(
            "warning: {} holds secrets and is readable by others; run: chmod 600 {0}",
            path.display()
        ));
    }
    Ok(profile)
}

/// Keeps the parser's message and line, not the line's text: it may hold a secret.
fn parse(path: &Path, text: &str) -> Result<File, SettingsError> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = 1 + text[..start].matches('\n').count();
        SettingsError::File {
            path: path.to_owned(),
            reason: format!("line {line}: {}", error.message()),
        }
    })
}

#[cfg(unix)]
fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn others_may_read(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        match parse(Path::new("config.toml"), text) {
            Ok(_) => panic!("it was accepted"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn an_unknown_key_is_named() {
        let message = refusal("[profiles.default]\nclient_secrt = \"s3cr3t\"\n");
        assert!(message.contains("client_secrt"), "{message}");
        assert!(message.contains("line 2"), "{message}");
        assert!(!message.contains("s3cr3t"), "{message}");
    }

    #[test]
    fn a_secret_of_another_type_is_not_shown() {
        for secret in ["471147114711", "[\"471147114711\"]", "471147114711.5"] {
            let message = refusal(&format!("[profiles.p]\nclient_secret = {secret}\n"));
            assert!(message.contains("text in quotes"), "{message}");
            assert!(!message.contains("4711"), "{message}");
        }
        let message = refusal("[profiles.p]\nclient_secret = s3cr3t\n");
        assert!(!message.contains("s3cr3t"), "{message}");
    }

    #[test]
    fn a_profile_that_is_asked_for_must_exist() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        assert!(load(&path, None).is_ok(), "the default need not exist");
        fs::write(&path, "[profiles.east]\ntenant = 7\n").unwrap();
        let Err(error) = load(&path, Some("west")) else {
            panic!("there is no such profile");
        };
        assert!(error.to_string().contains("east"), "{error}");
        assert_eq!(load(&path, Some("east")).unwrap().tenant.unwrap().get(), 7);
    }
}
