//! Where the credentials of a tenant come from.

use std::{env, io, process::ExitStatus, process::Stdio, str::FromStr, time::Duration};

use crm_transport::Credentials;
use serde::Deserialize;
use tokio::{fs, process::Command, time::timeout};

/// What stands for the tenant's number in a path or a command.
const TENANT: &str = "{tenant}";
/// How long a command may take.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Where credentials come from. They are asked for each time a set is begun or goes on, so that new
/// ones count without a restart.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Source {
    /// Variables that have the tenant's number at their end.
    Environment,
    /// A file of JSON.
    File(String),
    /// The JSON that a program writes; it is started without a shell.
    Command(Vec<String>),
}

/// The text is no source.
#[derive(Debug, thiserror::Error)]
#[error(
    "it is `env`, `file:PATH` or `command:PROGRAM ARGUMENTS`, where {TENANT} stands for the tenant"
)]
pub(crate) struct NoSource;

impl FromStr for Source {
    type Err = NoSource;

    fn from_str(text: &str) -> Result<Self, NoSource> {
        match text.split_once(':') {
            None if text == "env" => Ok(Self::Environment),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.to_owned())),
            Some(("command", words)) if !words.trim().is_empty() => {
                Ok(Self::Command(words.split_whitespace().map(str::to_owned).collect()))
            }
            _ => Err(NoSource),
        }
    }
}

impl TryFrom<String> for Source {
    type Error = NoSource;

    fn try_from(text: String) -> Result<Self, NoSource> {
        text.parse()
    }
}

/// Why there are no credentials. No message shows what was read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    #[error("{0} is not set in the worker's environment")]
    NotSet(String),

    #[error("{path} cannot be read: {source}")]
    Read { path: String, source: io::Error },

    #[error("`{program}` cannot be started: {source}")]
    Start { program: String, source: io::Error },

    #[error("`{program}` ended with {status}; run it by hand to see why")]
    Failed { program: String, status: ExitStatus },

    #[error("`{program}` did not end within {} seconds", TIME_LIMIT.as_secs())]
    TimedOut { program: String },

    /// With the position alone: the text around it may be a secret.
    #[error(
        "{from} gave no JSON like {{\"clientId\": \"…\", \"clientSecret\": \"…\", \"appKey\": \"…\"}}: line \
         {line}, column {column}"
    )]
    Unreadable { from: String, line: usize, column: usize },
}

impl CredentialsError {
    /// Whether it may be otherwise later without anybody doing something about it.
    pub(crate) fn passes(&self) -> bool {
        match self {
            Self::Failed { .. } | Self::TimedOut { .. } => true,
            Self::NotSet(_) | Self::Read { .. } | Self::Start { .. } | Self::Unreadable { .. } => {
                false
            }
        }
    }
}

/// The credentials of a tenant, as the JSON has them that `crm` takes from a profile's command. No
/// `Debug`: they are secrets.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Given {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) app_key: String,
}

impl From<Given> for Credentials {
    fn from(Given { client_id, client_secret, app_key }: Given) -> Self {
        Self::new(client_id, client_secret, app_key)
    }
}

impl Source {
    /// Gets the credentials of a tenant.
    pub(crate) async fn credentials(&self, tenant: i64) -> Result<Given, CredentialsError> {
        match self {
            Self::Environment => from_environment(tenant, |name| env::var(name).ok()),
            Self::File(path) => from_file(path.replace(TENANT, &tenant.to_string())).await,
            Self::Command(words) => from_command(words, tenant, TIME_LIMIT).await,
        }
    }
}

/// The app key is that of the application: one may do for all tenants.
fn from_environment(
    tenant: i64,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Given, CredentialsError> {
    let of_tenant = |name: &str| {
        let name = format!("{name}_{tenant}");
        let value = variable(&name).filter(|value| !value.trim().is_empty());
        value.ok_or(CredentialsError::NotSet(name))
    };
    let app_key = of_tenant("CRM_APP_KEY");
    Ok(Given {
        app_key: app_key.or_else(|missing| variable("CRM_APP_KEY").ok_or(missing))?,
        client_id: of_tenant("CRM_CLIENT_ID")?,
        client_secret: of_tenant("CRM_CLIENT_SECRET")?,
    })
}

async fn from_file(path: String) -> Result<Given, CredentialsError> {
    match fs::read(&path).await {
        Ok(json) => parse(&json, path),
        Err(source) => Err(CredentialsError::Read { path, source }),
    }
}

/// What the program writes to stderr is left to itself: a line of it among those of the log could
/// contain anything.
async fn from_command(
    words: &[String],
    tenant: i64,
    limit: Duration,
) -> Result<Given, CredentialsError> {
    let mut words = words.iter().map(|word| word.replace(TENANT, &tenant.to_string()));
    let program = words.next().unwrap_or_default();
    let run = Command::new(&program)
        .args(words)
        .env("CRM_TENANT", tenant.to_string())
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    match timeout(limit, run).await {
        Err(_) => Err(CredentialsError::TimedOut { program }),
        Ok(Err(source)) => Err(CredentialsError::Start { program, source }),
        Ok(Ok(ended)) if ended.status.success() => parse(&ended.stdout, format!("`{program}`")),
        Ok(Ok(ended)) => Err(CredentialsError::Failed { program, status: ended.status }),
    }
}

fn parse(json: &[u8], from: String) -> Result<Given, CredentialsError> {
    match serde_json::from_slice(json) {
        Ok(given) => Ok(given),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            Err(CredentialsError::Unreadable { from, line, column })
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    const JSON: &str = r#"{"clientId": "a", "clientSecret": "s3cr3t", "appKey": "c"}"#;

    #[test]
    fn a_source_is_read_from_a_text() {
        let command = ["vault", "read", "crm/{tenant}"].map(str::to_owned).to_vec();
        for (text, source) in [
            ("env", Source::Environment),
            ("file:/run/{tenant}.json", Source::File("/run/{tenant}.json".to_owned())),
            ("command:vault read  crm/{tenant}", Source::Command(command)),
        ] {
            assert_eq!(text.parse::<Source>().unwrap(), source);
        }
        for text in ["", "vault", "file:", "command: ", "http://vault"] {
            assert!(text.parse::<Source>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_variable_has_the_tenants_number_and_only_the_app_key_may_be_that_of_all() {
        let read = |set: &'static [&'static str]| {
            let variable = |name: &str| set.contains(&name).then(|| "value".to_owned());
            from_environment(7, variable)
        };
        assert!(read(&["CRM_CLIENT_ID_7", "CRM_CLIENT_SECRET_7", "CRM_APP_KEY"]).is_ok());
        assert!(read(&["CRM_CLIENT_ID_7", "CRM_CLIENT_SECRET_7", "CRM_APP_KEY_7"]).is_ok());
        let other = read(&["CRM_CLIENT_ID_7", "CRM_CLIENT_SECRET", "CRM_APP_KEY"]).err().unwrap();
        assert!(other.to_string().contains("CRM_CLIENT_SECRET_7 is not set"), "{other}");
        assert!(!other.passes());
    }

    #[tokio::test]
    async fn a_file_has_the_tenants_number_in_its_path() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("7.json"), JSON).unwrap();
        let source = Source::File(format!("{}/{TENANT}.json", folder.path().display()));
        assert!(source.credentials(7).await.is_ok());
        let missing = source.credentials(8).await.err().unwrap();
        assert!(missing.to_string().contains("8.json cannot be read"), "{missing}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_command_answers_within_its_time() {
        let shell = async |script: &str, limit| {
            let words = ["sh", "-c", script, "sh", TENANT].map(str::to_owned);
            from_command(&words, 7, limit).await
        };
        let answers = format!("test $1 = 7 && test $CRM_TENANT = 7 && echo '{JSON}'");
        assert!(shell(&answers, TIME_LIMIT).await.is_ok());
        let sealed = shell("echo s3cr3t >&2; exit 3", TIME_LIMIT).await.err().unwrap();
        assert!(sealed.passes() && sealed.to_string().contains("exit status: 3"), "{sealed}");
        let slow = shell("exec sleep 60", Duration::from_millis(50)).await.err().unwrap();
        assert!(matches!(slow, CredentialsError::TimedOut { .. }), "{slow}");
    }

    #[test]
    fn what_is_not_the_json_of_credentials_is_refused_without_being_shown() {
        for json in ["", "s3cr3t", r#"{"clientSecret": "s3cr3t"}"#, &JSON.replace("appKey", "key")]
        {
            let refused = parse(json.as_bytes(), "it".to_owned()).err().unwrap();
            let told = format!("{refused} {refused:?}");
            assert!(told.contains("line") && !told.contains("s3cr3t"), "{told}");
        }
    }
}
