//! An account, from the environment's variables or from the connection that a sandbox prints.

use std::env;

use serde::Serialize;
use serde_json::Value;

use crate::{
    credentials::Credentials,
    environment::{Environment, InvalidEnvironment},
};

/// Where the API is called, as which application, and for which tenant.
///
/// ```no_run
/// # #[cfg(feature = "reqwest")]
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use crm_transport::Account;
///
/// let account = Account::from_env()?;
/// let transport = crm_transport::standard(&account.environment, account.credentials)?;
/// # let _ = transport;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Account {
    /// The hosts.
    pub environment: Environment,
    /// The application.
    pub credentials: Credentials,
    /// The tenant.
    pub tenant: i64,
}

/// The error of an account that is not given in full. It never shows a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAccount {
    /// Some of it is not given, or blank.
    #[error("not given: {}", names.join(", "))]
    Missing {
        /// The variables, or the members of the connection.
        names: Vec<String>,
    },
    /// A part of it is not what it must be.
    #[error("{name} {reason}")]
    Unusable {
        /// The variable, or the member of the connection.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Credentials must not be sent to the hosts.
    #[error(transparent)]
    Environment(#[from] InvalidEnvironment),
}

impl Account {
    /// Reads the variables that the command `crm` reads as well: `CRM_TENANT`; `CRM_ENVIRONMENT`,
    /// which is `production` or `integration`, or both `CRM_API_URL` and `CRM_AUTH_URL`;
    /// `CRM_CLIENT_ID`, `CRM_CLIENT_SECRET` and `CRM_APP_KEY`. With `CRM_ALLOW_HTTP=1` the URLs may
    /// be those of [`Environment::custom_allowing_http`].
    ///
    /// # Errors
    ///
    /// Returns [`InvalidAccount`], which names everything that is missing at once.
    pub fn from_env() -> Result<Self, InvalidAccount> {
        VARIABLES.account()
    }

    /// Reads the connection of a sandbox: what `crm sandbox serve` prints, parsed as any JSON, or
    /// `crm_sandbox::Sandbox::connection`.
    ///
    /// ```
    /// use crm_transport::Account;
    ///
    /// let line = r#"{"api_url":"http://127.0.0.1:8080","auth_url":"http://127.0.0.1:8080",
    ///     "tenant":1001,"client_id":"cid.sandbox","client_secret":"cs1.sandbox",
    ///     "app_key":"ak1.sandbox"}"#;
    /// let account = Account::of(&serde_json::from_str::<serde_json::Value>(line)?)?;
    /// assert_eq!(account.tenant, 1001);
    /// assert_eq!(account.environment.api_url(), "http://127.0.0.1:8080");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`InvalidAccount`] when the value lacks one of these members.
    pub fn of(connection: &impl Serialize) -> Result<Self, InvalidAccount> {
        let members = serde_json::to_value(connection).unwrap_or_default();
        let find = |member: &str| match members.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Ok(Some(other.to_string())),
        };
        Given { name: str::to_owned, find }.account()
    }
}

impl Credentials {
    /// Reads `CRM_CLIENT_ID`, `CRM_CLIENT_SECRET` and `CRM_APP_KEY`.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidAccount`], which names all that are missing.
    pub fn from_env() -> Result<Self, InvalidAccount> {
        VARIABLES.credentials()
    }
}

/// The parts of an account, by name.
struct Given<F> {
    /// What a part is called in errors.
    name: fn(&str) -> String,
    find: F,
}

type Found = Result<Option<String>, &'static str>;

const VARIABLES: Given<fn(&str) -> Found> = Given {
    name: variable,
    find: |part| match env::var(variable(part)) {
        Ok(text) => Ok(Some(text)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err("is not UTF-8"),
    },
};

fn variable(part: &str) -> String {
    format!("CRM_{}", part.to_ascii_uppercase())
}

const CREDENTIALS: [&str; 3] = ["client_id", "client_secret", "app_key"];

impl<F: Fn(&str) -> Found> Given<F> {
    fn account(&self) -> Result<Account, InvalidAccount> {
        let urls = ["api_url", "auth_url"];
        let is_custom = self.text(urls[0])?.is_some() || self.text(urls[1])?.is_some();
        let hosts: &[&str] = if is_custom { &urls } else { &["environment"] };
        self.must_hold(&[&["tenant"], hosts, &CREDENTIALS].concat())?;
        Ok(Account {
            environment: self.environment(is_custom)?,
            credentials: self.credentials()?,
            tenant: match self.needed("tenant")?.trim().parse() {
                Ok(tenant) => tenant,
                Err(_) => return self.unusable("tenant", "is not a whole number"),
            },
        })
    }

    fn environment(&self, is_custom: bool) -> Result<Environment, InvalidAccount> {
        let name = self.text("environment")?;
        let name = name.map(|name| name.trim().to_ascii_lowercase());
        match name.as_deref() {
            Some(_) if is_custom => {
                self.unusable("environment", "is given beside the URLs of other hosts: give one")
            }
            Some("production") => Ok(Environment::production()),
            Some("integration") => Ok(Environment::integration()),
            Some(_) => self.unusable("environment", "is neither production nor integration"),
            None => {
                let (api, auth) = (self.needed("api_url")?, self.needed("auth_url")?);
                Ok(if self.is_on("allow_http")? {
                    Environment::custom_allowing_http(&api, &auth)?
                } else {
                    Environment::custom(&api, &auth)?
                })
            }
        }
    }

    fn credentials(&self) -> Result<Credentials, InvalidAccount> {
        self.must_hold(&CREDENTIALS)?;
        let [client_id, client_secret, app_key] = CREDENTIALS.map(|part| self.needed(part));
        Ok(Credentials::new(client_id?, client_secret?, app_key?))
    }

    /// Refuses what lacks some of these parts, and names all of them.
    fn must_hold(&self, parts: &[&str]) -> Result<(), InvalidAccount> {
        let mut names = Vec::new();
        for part in parts {
            if self.text(part)?.is_none() {
                names.push((self.name)(part));
            }
        }
        if names.is_empty() { Ok(()) } else { Err(InvalidAccount::Missing { names }) }
    }

    fn needed(&self, part: &str) -> Result<String, InvalidAccount> {
        let missing = || InvalidAccount::Missing { names: vec![(self.name)(part)] };
        self.text(part)?.ok_or_else(missing)
    }

    fn is_on(&self, part: &str) -> Result<bool, InvalidAccount> {
        let text = self.text(part)?.map(|text| text.trim().to_ascii_lowercase());
        match text.as_deref() {
            None | Some("0" | "false" | "off" | "no") => Ok(false),
            Some("1" | "true" | "on" | "yes") => Ok(true),
            Some(_) => self.unusable(part, "is neither 1 nor 0"),
        }
    }

    /// A part, unless it is not given or blank.
    fn text(&self, part: &str) -> Result<Option<String>, InvalidAccount> {
        match (self.find)(part) {
            Ok(text) => Ok(text.filter(|text| !text.trim().is_empty())),
            Err(reason) => self.unusable(part, reason),
        }
    }

    fn unusable<T>(&self, part: &str, reason: &'static str) -> Result<T, InvalidAccount> {
        Err(InvalidAccount::Unusable { name: (self.name)(part), reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(variables: &[(&str, &str)]) -> Result<Account, String> {
        let find = |part: &str| {
            let name = variable(part);
            let given = variables.iter().find(|(known, _)| *known == name);
            Ok(given.map(|(_, value)| (*value).to_owned()))
        };
        Given { name: variable, find }.account().map_err(|error| error.to_string())
    }

    const OTHERS: [(&str, &str); 4] = [
        ("CRM_TENANT", " 1001 "),
        ("CRM_CLIENT_ID", "cid"),
        ("CRM_CLIENT_SECRET", "s3cret"),
        ("CRM_APP_KEY", "ak1"),
    ];

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        assert_eq!(
            account(&[("CRM_APP_KEY", " ")]).unwrap_err(),
            "not given: CRM_TENANT, CRM_ENVIRONMENT, CRM_CLIENT_ID, CRM_CLIENT_SECRET, CRM_APP_KEY"
        );
        let half = [&OTHERS[..], &[("CRM_API_URL", "https://api.site.example")]].concat();
        assert_eq!(account(&half).unwrap_err(), "not given: CRM_AUTH_URL");
    }

    #[test]
    fn the_hosts_are_an_environment_or_two_urls() {
        let of = |more: &[(&str, &str)]| account(&[&OTHERS[..], more].concat());
        let integration = of(&[("CRM_ENVIRONMENT", "Integration")]).unwrap();
        assert_eq!((integration.environment.name(), integration.tenant), ("integration", 1001));
        let wrong = of(&[("CRM_ENVIRONMENT", "test")]).unwrap_err();
        assert_eq!(wrong, "CRM_ENVIRONMENT is neither production nor integration");

        let urls =
            [("CRM_API_URL", "http://sandbox:8080"), ("CRM_AUTH_URL", "http://sandbox:8080")];
        let both = [&urls[..], &[("CRM_ENVIRONMENT", "production")]].concat();
        assert!(of(&both).unwrap_err().starts_with("CRM_ENVIRONMENT is given beside"));
        assert!(of(&urls).unwrap_err().contains("https://"));
        let allowed = of(&[&urls[..], &[("CRM_ALLOW_HTTP", "1")]].concat()).unwrap();
        assert_eq!(allowed.environment.api_url(), "http://sandbox:8080");
        assert!(of(&[&urls[..], &[("CRM_ALLOW_HTTP", "0")]].concat()).is_err());
        assert!(of(&[&urls[..], &[("CRM_ALLOW_HTTP", "ja")]].concat()).is_err());
    }

    #[test]
    fn no_error_shows_a_value() {
        let json = serde_json::json!({
            "client_id": "cid-s3cret", "client_secret": 536_870_909, "app_key": "ak1-s3cret",
            "tenant": "tenant-s3cret", "environment": "production",
        });
        let error = Account::of(&json).unwrap_err();
        assert_eq!(error.to_string(), "tenant is not a whole number");
        assert!(!format!("{error:?}").contains("s3cret"));
        let account = account(&[&OTHERS[..], &[("CRM_ENVIRONMENT", "production")]].concat());
        assert!(!format!("{account:?}").contains("s3cret"));
    }
}
