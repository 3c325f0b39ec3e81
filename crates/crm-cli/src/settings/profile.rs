//! One account in the configuration file.

use std::{num::NonZeroU32, path::PathBuf};

use crm_models::TenantId;
use serde::{Deserialize, Deserializer, Serialize, de::Error};

use crate::globals::Vendor;

/// One profile; whatever it leaves out comes from elsewhere.
#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// Its name in the file; none for settings without a profile.
    #[serde(skip)]
    pub(crate) name: Option<String>,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) environment: Option<Vendor>,
    pub(crate) api_url: Option<String>,
    pub(crate) auth_url: Option<String>,
    pub(crate) client_id: Option<Secret>,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) app_key: Option<Secret>,
    /// A program and its arguments that give the credentials which are not here.
    pub(crate) credential_command: Option<Vec<String>>,
    /// Client secret and app key are in the keychain of the system.
    pub(crate) keychain: Option<bool>,
    pub(crate) rate: Option<NonZeroU32>,
    pub(crate) ca_file: Option<PathBuf>,
    /// The URL may hold a password.
    pub(crate) proxy: Option<Secret>,
    pub(crate) read_only: Option<bool>,
    /// Sets are applied only once they are approved. Single writes are not held: nothing of them is
    /// there to be looked at before.
    pub(crate) require_approval: Option<bool>,
    pub(crate) legacy_preferences: Option<bool>,
    /// One id and secret for a group of tenants: the token request names the tenant.
    pub(crate) enterprise_hub: Option<bool>,
    /// Access tokens are kept for the next command.
    pub(crate) token_cache: Option<bool>,
    /// The form of the addresses of records in the vendor's application, with `{kind}` and `{id}`.
    pub(crate) app: Option<String>,
    /// The folder with the mirror, the change sets and the recorded updates of the account.
    pub(crate) desk: Option<PathBuf>,
    /// The file of the key that signs the consent ledger, or `keychain`.
    pub(crate) seal_key: Option<String>,
    /// Where its seals get their time stamps.
    pub(crate) time_authority: Option<String>,
}

/// A text that no message shows, not even the one that says that it is not text.
#[derive(Serialize)]
pub(crate) struct Secret(pub(super) String);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => Ok(Self(text)),
            _ => Err(D::Error::custom("a credential must be text in quotes")),
        }
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}
