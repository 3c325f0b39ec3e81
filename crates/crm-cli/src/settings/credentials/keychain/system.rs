//! The keychain through the crate `keyring`.

use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error};

/// The name under which the entries of this program are listed.
const SERVICE: &str = "crm-cli";

/// Why the keychain did not do what it was asked for. No message shows a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeychainError {
    #[error("the system's keychain cannot be reached: {advice}", advice = ADVICE)]
    Unavailable { source: Told },

    #[error("the system's keychain is locked or denied access: unlock it, then repeat the command")]
    Locked { source: Told },

    #[error(
        "the system's keychain has no entry `{account}` of `{SERVICE}`: put it there again, with `crm \
         profile add … --keychain` or `crm consent key --new keychain`"
    )]
    Missing { account: String },

    #[error(
        "the system's keychain has more than one entry `{account}` of `{SERVICE}`: delete all but one \
         with the system's own tool"
    )]
    Ambiguous { account: String },

    #[error("the system's keychain failed")]
    Failed { source: Told },
}

#[cfg(all(unix, not(target_os = "macos")))]
const ADVICE: &str = "it needs a desktop session in which a Secret Service runs (GNOME Keyring, \
                      KWallet or KeePassXC); without one, use --credential-command or the \
                      environment";
#[cfg(not(all(unix, not(target_os = "macos"))))]
const ADVICE: &str = "without one, use --credential-command or the environment";

/// What the keychain reported. The library's own errors may carry the bytes of a secret, which
/// their `Debug` shows.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Told(String);

impl Told {
    fn of(error: &Error) -> Self {
        Self(match error {
            Error::PlatformFailure(source) | Error::NoStorageAccess(source) => source.to_string(),
            Error::BadEncoding(_) | Error::BadDataFormat(..) => {
                "the entry is in a form that cannot be read".to_owned()
            }
            other => other.to_string(),
        })
    }
}

impl KeychainError {
    fn of(error: &Error, account: &str) -> Self {
        let source = Told::of(error);
        match error {
            Error::NoEntry => Self::Missing { account: account.to_owned() },
            Error::Ambiguous(_) => Self::Ambiguous { account: account.to_owned() },
            Error::NoStorageAccess(_) => Self::Locked { source },
            Error::NoDefaultStore => Self::Unavailable { source },
            _ => Self::Failed { source },
        }
    }
}

/// A keychain: the system's, or one in memory in tests.
pub(crate) struct Keychain(Arc<CredentialStore>);

impl Keychain {
    /// The keychain of the system this runs on.
    pub(crate) fn of_system() -> Result<Self, KeychainError> {
        let unavailable = |error: &Error| KeychainError::Unavailable { source: Told::of(error) };
        keyring::Entry::store_status().as_ref().map_err(unavailable)?;
        let store = keyring_core::get_default_store();
        store.map(Self).ok_or_else(|| unavailable(&Error::NoDefaultStore))
    }

    /// What the entry holds.
    pub(crate) fn get(&self, account: &str) -> Result<Vec<u8>, KeychainError> {
        self.on(account, Entry::get_secret)
    }

    /// Writes the entry, or replaces what it holds.
    pub(crate) fn set(&self, account: &str, json: &[u8]) -> Result<(), KeychainError> {
        self.on(account, |entry| entry.set_secret(json))
    }

    /// Removes the entry; one that does not exist counts as removed.
    pub(crate) fn remove(&self, account: &str) -> Result<(), KeychainError> {
        match self.on(account, Entry::delete_credential) {
            Err(KeychainError::Missing { .. }) => Ok(()),
            other => other,
        }
    }

    fn on<V>(
        &self,
        account: &str,
        act: impl FnOnce(&Entry) -> Result<V, Error>,
    ) -> Result<V, KeychainError> {
        let entry = Entry::new_in_store(&self.0, SERVICE, account);
        let done = entry.and_then(|entry| act(&entry));
        done.map_err(|error| KeychainError::of(&error, account))
    }
}

#[cfg(test)]
mod tests {
    use keyring_core::mock;

    use super::*;

    fn keychain() -> Keychain {
        Keychain(mock::Store::new().unwrap())
    }

    /// Makes the next act on the entry fail.
    fn fails(keychain: &Keychain, error: Error) {
        let entry = Entry::new_in_store(&keychain.0, SERVICE, "live@5").unwrap();
        let mock: &mock::Cred = entry.as_any().downcast_ref().unwrap();
        mock.set_error(error);
    }

    #[test]
    fn an_entry_is_written_read_replaced_and_removed() {
        let keychain = keychain();
        keychain.set("live@5", b"one").unwrap();
        keychain.set("live@6", b"other").unwrap();
        keychain.set("live@5", b"two").unwrap();
        assert_eq!(keychain.get("live@5").unwrap(), b"two");
        keychain.remove("live@5").unwrap();
        keychain.remove("live@5").unwrap();
        let missing = keychain.get("live@5").unwrap_err();
        assert!(matches!(missing, KeychainError::Missing { .. }), "{missing}");
        assert!(missing.to_string().contains("`live@5`"), "{missing}");
        assert_eq!(keychain.get("live@6").unwrap(), b"other");
    }

    #[test]
    fn each_fault_says_what_to_do_and_none_shows_a_secret() {
        let keychain = keychain();
        keychain.set("live@5", b"s3cr3t").unwrap();
        let source = || "the daemon says no".into();
        for (error, told) in [
            (Error::NoStorageAccess(source()), "unlock it"),
            (Error::NoDefaultStore, "--credential-command"),
            (Error::Ambiguous(Vec::new()), "delete all but one"),
            (Error::PlatformFailure(source()), "failed"),
            (Error::BadEncoding(b"s3cr3t".to_vec()), "failed"),
            (Error::BadDataFormat(b"s3cr3t".to_vec(), "s3cr3t".into()), "failed"),
        ] {
            fails(&keychain, error);
            let error = keychain.get("live@5").unwrap_err();
            assert!(error.to_string().contains(told), "{error}");
            let source = std::error::Error::source(&error);
            let shown = format!("{error} {error:?} {source:?}");
            // As text, and as the numbers of its bytes.
            assert!(!shown.contains("s3cr3t") && !shown.contains("115, 51"), "{shown}");
        }
    }
}
