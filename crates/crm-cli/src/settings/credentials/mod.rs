//! Credentials that a profile does not contain itself: the place that it names for them, and the
//! JSON in which they come from there.

mod command;
mod keychain;

use std::{
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use crm_models::TenantId;
use serde::{Deserialize, Serialize};
use tokio::{sync::oneshot, time::timeout};

use self::command::CommandError;
pub(crate) use self::keychain::{Keychain, KeychainError, account};
use super::profile::{Profile, Secret};
use crate::files;

/// A person may have to unlock something first.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// What came from elsewhere. A member that is left out is looked up in the environment.
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Credentials {
    /// The version of this JSON; there is only one so far.
    #[serde(default, rename = "version", skip_serializing)]
    _version: Version,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_id: Option<Secret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_secret: Option<Secret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) app_key: Option<Secret>,
}

#[derive(Default, Deserialize)]
#[serde(try_from = "u32")]
struct Version;

impl TryFrom<u32> for Version {
    type Error = &'static str;

    fn try_from(number: u32) -> Result<Self, Self::Error> {
        match number {
            1 => Ok(Self),
            _ => Err("only version 1 is known"),
        }
    }
}

/// An account as a file of JSON tells it: credentials, and what `crm sandbox serve` prints beside
/// them in names of its own.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AccountFile {
    #[serde(default, rename = "version")]
    _version: Version,
    #[serde(alias = "client_id")]
    client_id: Option<Secret>,
    #[serde(alias = "client_secret")]
    client_secret: Option<Secret>,
    #[serde(alias = "app_key")]
    app_key: Option<Secret>,
    /// The tenant.
    pub(crate) tenant: Option<TenantId>,
    /// The API's host, together with that of the token endpoint.
    #[serde(alias = "api_url")]
    pub(crate) api_url: Option<String>,
    /// The host of the token endpoint.
    #[serde(alias = "auth_url")]
    pub(crate) auth_url: Option<String>,
}

impl AccountFile {
    /// Reads the JSON.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, CredentialsError> {
        serde_json::from_slice(json).map_err(CredentialsError::unreadable)
    }

    /// The credentials alone.
    pub(crate) fn credentials(self) -> Credentials {
        let Self { client_id, client_secret, app_key, .. } = self;
        Credentials { client_id, client_secret, app_key, ..Credentials::default() }
    }
}

impl CredentialsError {
    fn unreadable(error: serde_json::Error) -> Self {
        Self::Unreadable { line: error.line(), column: error.column() }
    }
}

/// Why a profile's credentials are not available. No message shows one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    #[error(transparent)]
    Command(#[from] CommandError),

    #[error(transparent)]
    Keychain(#[from] KeychainError),

    #[error("the system's keychain did not answer within {} seconds", TIME_LIMIT.as_secs())]
    KeychainTimedOut,

    #[error(
        "{} can be changed by others, so no command that it names is started; run: chmod go-w {0}",
        path.display()
    )]
    OpenToOthers { path: PathBuf },

    /// With the position alone: the text around it may be a secret.
    #[error(
        "they are not JSON like {{\"clientId\": \"…\", \"clientSecret\": \"…\", \"appKey\": \"…\"}}: line \
         {line}, column {column}"
    )]
    Unreadable { line: usize, column: usize },
}

impl Credentials {
    /// Reads the JSON.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, CredentialsError> {
        serde_json::from_slice(json).map_err(CredentialsError::unreadable)
    }

    /// Moves client secret and app key into the keychain; the client id, which is not secret, stays.
    pub(crate) fn move_into(
        &mut self,
        keychain: &Keychain,
        account: &str,
    ) -> Result<(), KeychainError> {
        let secrets = Self {
            client_secret: self.client_secret.take(),
            app_key: self.app_key.take(),
            ..Self::default()
        };
        let json = serde_json::to_vec(&secrets).unwrap_or_default();
        keychain.set(account, &json)
    }

    /// Adds to a profile what it lacks.
    pub(crate) fn fill(self, profile: &mut Profile) {
        let missing = |key: &mut Option<Secret>, given| *key = key.take().or(given);
        missing(&mut profile.client_id, self.client_id);
        missing(&mut profile.client_secret, self.client_secret);
        missing(&mut profile.app_key, self.app_key);
    }
}

/// Gets what a profile of the file at `path` lacks from the place that the profile names.
pub(super) async fn complete(
    mut profile: Profile,
    path: &Path,
) -> Result<Profile, CredentialsError> {
    let name = profile.name.clone().unwrap_or_default();
    if profile.keychain == Some(true) {
        let account = account(&name, profile.tenant);
        in_keychain(move || Keychain::of_system()?.get(&account))
            .await
            .and_then(|json| Credentials::parse(&json))?
            .fill(&mut profile);
    }
    let Some(words) = &profile.credential_command else {
        return Ok(profile);
    };
    // Whoever may change the file could choose what is started.
    if let Some(open) = files::open_to_others(path) {
        return Err(CredentialsError::OpenToOthers { path: open.to_owned() });
    }
    let given = command::run(words, &name, TIME_LIMIT).await?;
    Credentials::parse(&given)?.fill(&mut profile);
    Ok(profile)
}

/// Asks the keychain on a thread of its own, for which a command that ends does not wait: a
/// dialogue that asks a person to unlock it blocks.
async fn in_keychain<V: Send + 'static>(
    ask: impl FnOnce() -> Result<V, KeychainError> + Send + 'static,
) -> Result<V, CredentialsError> {
    let (answer, answered) = oneshot::channel();
    thread::spawn(move || answer.send(ask()));
    match timeout(TIME_LIMIT, answered).await {
        Ok(Ok(answer)) => Ok(answer?),
        // The thread ended without an answer, or has not ended.
        Ok(Err(_)) | Err(_) => Err(CredentialsError::KeychainTimedOut),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_the_json_of_credentials_is_refused_without_being_shown() {
        for json in [
            "",
            "s3cr3t",
            "[\"s3cr3t\"]",
            r#"{"clientSecret": 8471}"#,
            r#"{"clientSecret": "s3cr3t", "appkey": "s3cr3t"}"#,
            r#"{"version": 2, "clientSecret": "s3cr3t"}"#,
            r#"{"version": "s3cr3t"}"#,
            r#"{"clientSecret": "s3cr3t"} trailing"#,
        ] {
            let refused = [
                Credentials::parse(json.as_bytes()).err(),
                AccountFile::parse(json.as_bytes()).err(),
            ];
            for error in refused {
                let error = error.unwrap_or_else(|| panic!("{json} was accepted"));
                let told = format!("{error} {error:?}");
                assert!(told.contains("line"), "{told}");
                assert!(!told.contains("s3cr3t") && !told.contains("8471"), "{told}");
            }
        }
    }

    #[test]
    fn what_a_sandbox_prints_is_an_account_and_no_answer_of_a_command_for_credentials() {
        let json = br#"{"api_url": "http://127.0.0.1:1", "auth_url": "http://127.0.0.1:1",
            "tenant": 7, "client_id": "a", "client_secret": "b", "app_key": "c"}"#;
        let account = AccountFile::parse(json).unwrap();
        assert_eq!(account.tenant.map(TenantId::get), Some(7));
        assert_eq!(account.api_url.as_deref(), Some("http://127.0.0.1:1"));
        let credentials = account.credentials();
        assert!(credentials.client_secret.is_some_and(|Secret(text)| text == "b"));
        // Such a command is trusted with the credentials, and chooses no host for them.
        assert!(Credentials::parse(json).is_err());
    }

    #[test]
    fn members_may_be_left_out() {
        let given = Credentials::parse(br#"{"version": 1, "appKey": "a"}"#).unwrap();
        assert!(given.app_key.is_some_and(|Secret(text)| text == "a"));
        assert!(given.client_id.is_none());
    }
}
