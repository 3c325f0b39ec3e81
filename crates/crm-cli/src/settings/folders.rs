//! Where this user's files are.

use std::{env, path::PathBuf};

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

/// Where the desks of accounts are whose profile names none: where CRM_DESKS says, else in the user's
/// data; nowhere where the user has no home.
pub(crate) fn desks() -> Option<PathBuf> {
    if let Some(named) = env::var_os("CRM_DESKS").filter(|named| !named.is_empty()) {
        return Some(named.into());
    }
    let folders = choose_base_strategy().ok()?;
    Some(folders.data_dir().join("crm").join("desks"))
}
