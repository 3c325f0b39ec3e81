//! A build without the feature `keychain`.

/// Why the keychain cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeychainError {
    #[error(
        "this crm was built without support for the system's keychain; to get it, run: cargo install \
         --path crates/crm-cli --features keychain"
    )]
    NotBuilt,
}

/// The keychain, of which there is none in this build.
pub(crate) enum Keychain {}

impl Keychain {
    /// Reports how to build with the feature.
    pub(crate) fn of_system() -> Result<Self, KeychainError> {
        Err(KeychainError::NotBuilt)
    }

    pub(crate) fn get(&self, _account: &str) -> Result<Vec<u8>, KeychainError> {
        match *self {}
    }

    pub(crate) fn set(&self, _account: &str, _json: &[u8]) -> Result<(), KeychainError> {
        match *self {}
    }

    pub(crate) fn remove(&self, _account: &str) -> Result<(), KeychainError> {
        match *self {}
    }
}
