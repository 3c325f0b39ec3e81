//! The configuration file: named profiles in `crm/config.toml` of the user's configuration
//! folder (`$XDG_CONFIG_HOME` or `~/.config`; `%APPDATA%` on Windows).
//!
//! ```toml
//! default_profile = "test"
//!
//! [profiles.test]
//! tenant = 1001
//! environment = "integration"
//! client_id = "…"
//! client_secret = "…"
//! app_key = "…"
//! read_only = true
//! ```

use std::{collections::BTreeMap, fs, io, path::Path};

use serde::Deserialize;

use super::{error::SettingsError, folders::configuration, profile::Profile};
use crate::{files, output::note};

/// All that the file holds.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profiles {
    /// The profile in use where none is named.
    default_profile: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

/// The profile in use where the file names none; it need not exist.
const DEFAULT: &str = "default";

impl Profiles {
    /// Reads the file of this user; without one, or without a home, there are none.
    pub(crate) fn read() -> Result<Self, SettingsError> {
        configuration().map_or_else(|| Ok(Self::default()), |path| load(&path))
    }

    /// The name of the profile in use where none is named.
    pub(crate) fn default_name(&self) -> &str {
        self.default_profile.as_deref().unwrap_or(DEFAULT)
    }

    /// Whether there is a profile of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.profiles.contains_key(name)
    }

    /// All profiles, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Profile)> {
        let all = self.profiles.iter();
        all.map(|(name, profile)| (name.as_str(), profile))
    }

    /// One profile. Without a name it is the one in use: `default` need not exist.
    fn take(mut self, path: &Path, name: Option<&str>) -> Result<Profile, SettingsError> {
        let chosen = name.unwrap_or(self.default_name()).to_owned();
        let must_exist = name.is_some() || self.default_profile.is_some();
        match self.profiles.remove(&chosen) {
            Some(profile) => Ok(Profile { name: Some(chosen), ..profile }),
            None if must_exist => Err(SettingsError::NoProfile {
                name: chosen,
                path: path.to_owned(),
                known: self.profiles.into_keys().collect(),
            }),
            None => Ok(Profile::default()),
        }
    }
}

/// The profile of that name in the file, if there is a place for one: without a home there is
/// none, and only a name that was given must be found.
pub(super) fn find(path: Option<&Path>, name: Option<&str>) -> Result<Profile, SettingsError> {
    let path = match (path, name) {
        (Some(path), _) => path,
        (None, Some(name)) => return Err(SettingsError::NoHome(name.to_owned())),
        (None, None) => return Ok(Profile::default()),
    };
    let profile = load(path)?.take(path, name)?;
    let folder = files::folder(path);
    if let Some(open) = files::open_to_others(path).or(files::open_to_others(folder)) {
        note(format!(
            "warning: {} can be changed by others, and with it the settings in {}; run: chmod go-w {0}",
            open.display(),
            path.display()
        ));
    }
    if (profile.client_secret.is_some() || profile.app_key.is_some())
        && files::others_may_read(path)
    {
        note(format!(
            "warning: {} holds secrets and is readable by others; run: chmod 600 {0}",
            path.display()
        ));
    }
    Ok(profile)
}

fn load(path: &Path) -> Result<Profiles, SettingsError> {
    parse(path, &text(path)?)
}

/// The text of the file; empty where there is none.
pub(super) fn text(path: &Path) -> Result<String, SettingsError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => {
            Err(SettingsError::File { path: path.to_owned(), reason: source.to_string() })
        }
    }
}

/// Keeps the parser's message and line, not the line's text: it may hold a secret.
pub(super) fn parse(path: &Path, text: &str) -> Result<Profiles, SettingsError> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = 1 + text[..start].matches('\n').count();
        SettingsError::File {
            path: path.to_owned(),
            reason: format!("line {line}: {}", error.message()),
        }
    })
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
        let find = |name| find(Some(&path), name);
        assert!(find(None).is_ok(), "the default need not exist");
        let east = "[profiles.east]\ntenant = 7\n";
        fs::write(&path, east).unwrap();
        let error = find(Some("west")).err().unwrap();
        assert!(error.to_string().contains("east"), "{error}");
        assert_eq!(find(Some("east")).unwrap().tenant.unwrap().get(), 7);

        assert_eq!(find(None).unwrap().name, None);
        fs::write(&path, format!("default_profile = 'east'\n{east}")).unwrap();
        assert_eq!(find(None).unwrap().name.as_deref(), Some("east"));
        fs::write(&path, format!("default_profile = 'west'\n{east}")).unwrap();
        assert!(find(None).is_err(), "the file names it");
    }
}
