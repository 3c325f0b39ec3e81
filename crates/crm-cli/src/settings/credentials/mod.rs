//! Credentials that a profile does not hold itself: where it says that they are, and the JSON in
//! which they come from there.

mod command;

use std::path::{Path, PathBuf};

use serde::Deserialize;

use self::command::{CommandError, TIME_LIMIT};
use super::profile::{Profile, Secret};
use crate::files;

/// What came from elsewhere. A member that is left out is looked for in the environment.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Credentials {
    /// The form of this JSON; there is one so far.
    #[serde(default, rename = "version")]
    _version: Version,
    pub(super) client_id: Option<Secret>,
    pub(super) client_secret: Option<Secret>,
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

/// Why a profile's credentials cannot be had. No message shows one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    #[error(transparent)]
    Command(#[from] CommandError),

    #[error(
        "{} can be changed by others, so no command that it names is started; run: chmod go-w {0}",
        path.display()
    )]
    OpenToOthers { path: PathBuf },

    /// With the place alone: the text around it may be a secret.
    #[error(
        "they are not JSON like {{\"clientId\": \"…\", \"clientSecret\": \"…\", \"appKey\": \"…\"}}: line \
         {line}, column {column}"
    )]
    Unreadable { line: usize, column: usize },
}

impl Credentials {
    /// Reads the JSON.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, CredentialsError> {
        serde_json::from_slice(json).map_err(|error| CredentialsError::Unreadable {
            line: error.line(),
            column: error.column(),
        })
    }
}

/// Gets what a profile of the file at `path` lacks from where it says that it is.
pub(super) async fn complete(
    mut profile: Profile,
    path: &Path,
) -> Result<Profile, CredentialsError> {
    let Some(words) = &profile.credential_command else {
        return Ok(profile);
    };
    // Whoever may change the file would choose what is started.
    if let Some(open) = files::open_to_others(path) {
        return Err(CredentialsError::OpenToOthers {
            path: open.to_owned(),
        });
    }
    let name = profile.name.as_deref().unwrap_or_default();
    let given = Credentials::parse(&command::run(words, name, TIME_LIMIT).await?)?;
    profile.client_id = profile.client_id.or(given.client_id);
    profile.client_secret = profile.client_secret.or(given.client_secret);
    profile.app_key = profile.app_key.or(given.app_key);
    Ok(profile)
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
            let Err(error) = Credentials::parse(json.as_bytes()) else {
                panic!("{json} was accepted");
            };
            let told = format!("{error} {error:?}");
            assert!(told.contains("line"), "{told}");
            assert!(!told.contains("s3cr3t") && !told.contains("8471"), "{told}");
        }
    }

    #[test]
    fn members_may_be_left_out() {
        let given = Credentials::parse(br#"{"version": 1, "appKey": "a"}"#).unwrap();
        assert!(given.app_key.is_some_and(|Secret(text)| text == "a"));
        assert!(given.client_id.is_none());
    }
}
