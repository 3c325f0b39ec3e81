//! Changes of the configuration file, which keep its comments and its order.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use crm_bulk::AtomicWriter;
use toml_edit::{DocumentMut, Item, Table, value};

use super::{error::SettingsError, file, folders::configuration, profile::Profile};
use crate::files;

/// The configuration file with changes that are not saved yet.
pub(crate) struct Config {
    path: PathBuf,
    document: DocumentMut,
}

impl Config {
    /// Reads the file of this user; a missing file is empty.
    pub(crate) fn open() -> Result<Self, SettingsError> {
        Self::at(configuration().ok_or(SettingsError::NowhereToSave)?)
    }

    fn at(path: PathBuf) -> Result<Self, SettingsError> {
        let text = file::text(&path)?;
        // Faults are reported in the words of those who read it, without the text around them.
        file::parse(&path, &text)?;
        let document = text.parse().map_err(|_| SettingsError::File {
            path: path.clone(),
            reason: "it is not TOML".to_owned(),
        })?;
        Ok(Self { path, document })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a profile of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        let profiles = self.document.get("profiles");
        profiles.is_some_and(|profiles| profiles.get(name).is_some())
    }

    /// Adds a profile, or replaces the one of this name.
    pub(crate) fn add(&mut self, name: &str, profile: &Profile) -> Result<(), SettingsError> {
        let table = toml_edit::ser::to_document(profile).map_err(|error| SettingsError::Save {
            path: self.path.clone(),
            source: io::Error::other(error),
        })?;
        let profiles = self.document.entry("profiles").or_insert_with(|| {
            let mut profiles = Table::new();
            // Without a header of its own.
            profiles.set_implicit(true);
            Item::Table(profiles)
        });
        profiles[name] = Item::Table(table.as_table().clone());
        Ok(())
    }

    /// Removes a profile, which is then no longer the default one either.
    pub(crate) fn remove(&mut self, name: &str) {
        let profiles = self.document.get_mut("profiles");
        if let Some(profiles) = profiles.and_then(Item::as_table_like_mut) {
            profiles.remove(name);
        }
        let default = self.document.get("default_profile");
        if default.and_then(Item::as_str) == Some(name) {
            self.document.remove("default_profile");
        }
    }

    /// Gives a profile that there is this desk.
    pub(crate) fn set_desk(&mut self, name: &str, desk: &Path) {
        self.document["profiles"][name]["desk"] = value(desk.to_string_lossy().into_owned());
    }

    /// Makes this profile the one in use where none is named.
    pub(crate) fn use_by_default(&mut self, name: &str) {
        self.document["default_profile"] = value(name);
    }

    /// Replaces the file as a whole, for its owner alone. If its path is a link, it remains one.
    pub(crate) fn save(&self) -> Result<(), SettingsError> {
        let text = self.document.to_string();
        file::parse(&self.path, &text)?;
        self.replace(&text)
            .map_err(|source| SettingsError::Save { path: self.path.clone(), source })
    }

    fn replace(&self, text: &str) -> io::Result<()> {
        files::private_folder(files::folder(&self.path))?;
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let mut file = AtomicWriter::create(&path)?;
        file.write_all(text.as_bytes())?;
        file.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::profile::Secret, *};
    use crate::globals::Vendor;

    const TEXT: &str = "# Ours.\n[profiles.east] # the old one\ntenant = 7\n";

    fn config(folder: &tempfile::TempDir, text: &str) -> Config {
        let path = folder.path().join("crm").join("config.toml");
        if !text.is_empty() {
            fs::create_dir_all(files::folder(&path)).unwrap();
            fs::write(&path, text).unwrap();
        }
        Config::at(path).unwrap()
    }

    fn live() -> Profile {
        Profile {
            tenant: Some(crm_models::TenantId::new(2002).unwrap()),
            environment: Some(Vendor::Production),
            read_only: Some(true),
            ..Profile::default()
        }
    }

    #[test]
    fn changes_keep_what_else_the_file_holds() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(&folder, TEXT);
        config.add("live", &live()).unwrap();
        config.use_by_default("live");
        config.save().unwrap();
        let saved = fs::read_to_string(config.path()).unwrap();
        assert!(saved.contains("# Ours.") && saved.contains("# the old one"), "{saved}");
        let found = file::find(Some(config.path()), None).unwrap();
        assert_eq!(found.name.as_deref(), Some("live"));
        assert_eq!(found.read_only, Some(true));

        config.remove("live");
        config.save().unwrap();
        let saved = fs::read_to_string(config.path()).unwrap();
        assert_eq!(saved.trim(), TEXT.trim());
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_and_its_folder_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let mut config = config(&folder, "");
        let profile = Profile { app_key: Some("c".to_owned().into()), ..live() };
        config.add("live", &profile).unwrap();
        config.save().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(config.path()), 0o600);
        assert_eq!(mode(files::folder(config.path())), 0o700);
        let found = file::find(Some(config.path()), Some("live")).unwrap();
        assert!(found.app_key.is_some_and(|Secret(text)| text == "c"));
    }
}
