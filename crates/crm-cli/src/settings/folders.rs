//! Where this user's files are.

use std::path::PathBuf;

use etcetera::{BaseStrategy, choose_base_strategy};

/// Where the configuration file is; none where the user has no home.
pub(super) fn configuration() -> Option<PathBuf> {
    let folders = choose_base_strategy().ok()?;
    Some(folders.config_dir().join("crm").join("config.toml"))
}

/// Where access tokens are kept for the next command; nowhere where the user has no home.
pub(super) fn token_folder() -> Option<PathBuf> {
    let folders = choose_base_strategy().ok()?;
    Some(folders.cache_dir().join("crm"))
}

/// Where the desks of accounts are whose profile names none; nowhere where the user has no home.
pub(crate) fn desks() -> Option<PathBuf> {
    let folders = choose_base_strategy().ok()?;
    Some(folders.data_dir().join("crm").join("desks"))
}
