//! Where the key is that signs a ledger.

use std::{convert::Infallible, fmt, fs, io::Write, path::PathBuf, str::FromStr};

use clap::Args;
use crm_consent::{ConsentError, Ledger, PublicKey, SealingKey, Sha};

use crate::{
    error::CliError,
    files,
    settings::{Keychain, KeychainError, SettingsError, Target},
};

/// The word for the system's keychain.
const KEYCHAIN: &str = "keychain";

/// Where a private key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyPlace {
    Keychain,
    File(PathBuf),
}

impl FromStr for KeyPlace {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == KEYCHAIN { Self::Keychain } else { Self::File(text.into()) })
    }
}

impl fmt::Display for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keychain => f.write_str("the keychain"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Where the key is that signs the ledger.
#[derive(Debug, Args)]
pub(super) struct KeyArgs {
    /// The file of the key that signs the ledger, or `keychain`; without it the one that `seal_key` in
    /// the profile names
    #[arg(long, value_name = "FILE|keychain")]
    key: Option<KeyPlace>,
}

impl KeyArgs {
    /// Reads the key, which has to be the one that signs the ledger.
    pub(super) fn read(&self, ledger: &Ledger, target: &Target) -> Result<SealingKey, CliError> {
        let keys = ledger.signing_keys()?;
        let signs = &keys.last().ok_or(ConsentError::NoKey)?.key;
        let of_profile = || target.seal_key.as_ref()?.parse().ok();
        let place = self.key.clone().or_else(of_profile).ok_or_else(|| {
            CliError::Usage(
                "nothing says where the key is that signs the ledger: give --key FILE or --key \
                 keychain, or `seal_key` in the profile"
                    .to_owned(),
            )
        })?;
        place.read(signs)
    }
}

impl KeyPlace {
    /// Reads a key; in the keychain it is found by its public key.
    fn read(&self, public: &PublicKey) -> Result<SealingKey, CliError> {
        let key = match self {
            Self::File(path) => {
                if files::others_may_read(path) {
                    return Err(CliError::Usage(format!(
                        "{} can be read by others, who could sign with it: run: chmod 600 {0}, and \
                         give the ledger another key if somebody may have it",
                        path.display()
                    )));
                }
                fs::read_to_string(path).map_err(CliError::unread(path))?
            }
            Self::Keychain => {
                let entry = entry(public.fingerprint());
                let read = Keychain::of_system().and_then(|keychain| keychain.get(&entry));
                String::from_utf8_lossy(&read.map_err(in_keychain("read"))?).into_owned()
            }
        };
        self.parse_key(&key)
    }

    fn parse_key(&self, pem: &str) -> Result<SealingKey, CliError> {
        let key = SealingKey::from_pem(pem);
        key.map_err(|error| CliError::Usage(format!("{self} has no key to sign with: {error}")))
    }

    /// The key of a file that is there; else a new one, which is kept in this place.
    pub(super) fn read_or_make(&self) -> Result<SealingKey, CliError> {
        if let Self::File(path) = self
            && path.exists()
        {
            let pem = fs::read_to_string(path).map_err(CliError::unread(path))?;
            let key = self.parse_key(&pem)?;
            return self.read(&key.public());
        }
        let key = SealingKey::generate()?;
        let pem = key.to_pem();
        match self {
            Self::File(path) => {
                let mut options = files::private();
                let file = options.create_new(true).write(true).open(path);
                let written = file.and_then(|mut file| {
                    file.write_all(pem.as_bytes())?;
                    file.sync_all()
                });
                written.map_err(CliError::unwritten(path))?;
            }
            Self::Keychain => {
                let entry = entry(key.public().fingerprint());
                let kept =
                    Keychain::of_system().and_then(|keychain| keychain.set(&entry, pem.as_bytes()));
                kept.map_err(in_keychain("keep"))?;
            }
        }
        Ok(key)
    }
}

/// The name of a key's entry in the keychain. Each key has one of its own, so that none is lost when
/// it hands over.
fn entry(fingerprint: Sha) -> String {
    format!("consent ledger, key {fingerprint}")
}

fn in_keychain(act: &'static str) -> impl Fn(KeychainError) -> SettingsError {
    move |source| SettingsError::SealKey { act, source }
}
