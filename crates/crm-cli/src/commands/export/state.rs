//! The file that says how far an export has come.

use std::{
    fmt, fs,
    io::{self, Write},
    path::Path,
};

use crm_bulk::AtomicWriter;
use crm_models::{ContinuationToken, TenantId};
use serde::{Deserialize, Serialize};

use crate::error::CliError;

/// How far an export has come, and which export it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct State {
    feed: String,
    host: String,
    tenant: TenantId,
    /// Everything before it is written; none before the first batch.
    pub(super) token: Option<ContinuationToken>,
    /// The file that it is written to, where it is one.
    pub(super) out: Option<Mark>,
    /// Whether a run is at work, or was killed at work: then what stands behind the mark is a
    /// batch without its token.
    #[serde(default)]
    pub(super) open: bool,
    /// How the records in the file are written; none in the state of an earlier version.
    #[serde(default)]
    pub(super) form: Option<Form>,
}

/// How records are written: a file holds one form only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Form {
    pub(super) format: String,
    /// None are all.
    pub(super) fields: Option<Vec<String>>,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.fields.as_ref().map(|fields| fields.join(","));
        let fields = fields.as_deref().unwrap_or("all");
        write!(f, "{} with fields {fields}", self.format)
    }
}

/// A file, and how much of it is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) file: String,
    pub(super) bytes: u64,
}

impl State {
    pub(super) fn new(feed: &str, host: &str, tenant: TenantId, form: Form) -> Self {
        Self {
            feed: feed.to_owned(),
            host: host.to_owned(),
            tenant,
            token: None,
            out: None,
            open: false,
            form: Some(form),
        }
    }

    /// The state in a file; none where there is no file yet.
    pub(super) fn load(path: &Path) -> Result<Option<Self>, CliError> {
        match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| {
                CliError::Usage(format!(
                    "{} is not the state of an export: see line {}, column {}",
                    path.display(),
                    error.line(),
                    error.column()
                ))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(CliError::unread(path)(error)),
        }
    }

    /// Refuses a token of another feed, tenant or environment.
    pub(super) fn check_belongs_to(&self, wanted: &Self) -> Result<(), CliError> {
        let pairs = [
            ("feed", self.feed.clone(), wanted.feed.clone()),
            ("host", self.host.clone(), wanted.host.clone()),
            ("tenant", self.tenant.to_string(), wanted.tenant.to_string()),
        ];
        match pairs.into_iter().find(|(_, has, wants)| has != wants) {
            None => Ok(()),
            Some((what, has, wants)) => Err(CliError::Usage(format!(
                "the state file belongs to another export: its {what} is {has}, not {wants}"
            ))),
        }
    }

    /// Refuses to mix two forms in one file.
    pub(super) fn check_form(&self, wanted: &Self) -> Result<(), CliError> {
        match (&self.form, &wanted.form) {
            (Some(has), Some(wants)) if has != wants => Err(CliError::Usage(format!(
                "the export was written as {has}, not as {wants}: give the same --output and \
                 --fields, or another --state and another file"
            ))),
            _ => Ok(()),
        }
    }

    /// Replaces the file as a whole: whenever the machine stops, either the old or the new
    /// state is there.
    pub(super) fn save(&self, path: &Path) -> Result<(), CliError> {
        let replace = || {
            let mut file = AtomicWriter::create(path)?;
            serde_json::to_writer_pretty(&mut file, self)?;
            writeln!(file)?;
            file.finish()
        };
        replace().map_err(CliError::unwritten(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(feed: &str, host: &str, tenant: i64) -> State {
        let form = Form { format: "ndjson".to_owned(), fields: None };
        State::new(feed, host, TenantId::new(tenant).unwrap(), form)
    }

    #[test]
    fn a_state_is_read_as_it_was_saved_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        assert_eq!(State::load(&path).unwrap(), None);
        let mut state = state("location-contacts", "sandbox", 1);
        for token in ["first", "second"] {
            state.token = Some(ContinuationToken::new(token));
            state.save(&path).unwrap();
            assert_eq!(State::load(&path).unwrap().as_ref(), Some(&state));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_state_of_another_export_is_refused() {
        let mine = state("location-contacts", "production", 1);
        assert!(mine.check_belongs_to(&mine).is_ok());
        for (other, named) in [
            (state("customer-contacts", "production", 1), "feed"),
            (state("location-contacts", "integration", 1), "host"),
            (state("location-contacts", "production", 2), "tenant"),
        ] {
            let refusal = mine.check_belongs_to(&other).unwrap_err().to_string();
            assert!(refusal.contains(named), "{refusal}");
        }
    }

    #[test]
    fn a_state_of_an_earlier_version_goes_on_in_any_form_and_cuts_nothing() {
        let text = r#"{"feed": "location-contacts", "host": "production", "tenant": 1,
            "token": "t", "out": {"file": "/contacts", "bytes": 7}}"#;
        let earlier: State = serde_json::from_str(text).unwrap();
        assert!(!earlier.open);
        let wanted = state("location-contacts", "production", 1);
        assert!(earlier.check_form(&wanted).is_ok());
    }
}
