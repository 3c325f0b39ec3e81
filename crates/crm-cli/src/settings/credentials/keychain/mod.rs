//! Credentials in the keychain of the system: Keychain Services on macOS, the Credential Manager on
//! Windows, the Secret Service (GNOME Keyring, KWallet, KeePassXC) elsewhere. One entry for each
//! profile, so that the system asks once; what it holds is the JSON of [`Credentials`].
//!
//! [`Credentials`]: super::Credentials

#[cfg(not(feature = "keychain"))]
mod absent;
#[cfg(feature = "keychain")]
mod system;

#[cfg(not(feature = "keychain"))]
pub(crate) use absent::{Keychain, KeychainError};
use crm_models::TenantId;
#[cfg(feature = "keychain")]
pub(crate) use system::{Keychain, KeychainError};

/// The name of a profile's entry. The tenant is a part of it: profiles of the same name in two
/// configuration folders do not overwrite each other's secrets.
pub(crate) fn account(profile: &str, tenant: Option<TenantId>) -> String {
    match tenant {
        Some(tenant) => format!("{profile}@{tenant}"),
        None => profile.to_owned(),
    }
}
