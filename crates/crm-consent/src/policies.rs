//! Which policy was in force when.

use jiff::Timestamp;
use serde::Serialize;

use crate::{error::ConsentError, ledger::Ledger, policy::Policy, record::PolicyFacts};

/// All policies of a ledger, as they came to hold.
#[derive(Debug)]
pub(crate) struct Policies {
    /// What holds before any is set.
    default: Held,
    set: Vec<Held>,
}

/// A policy, and since when it holds.
#[derive(Debug)]
pub(crate) struct Held {
    /// Its record; none for the default.
    pub(crate) record: Option<u64>,
    since: Timestamp,
    at: Option<String>,
    by: Option<String>,
    pub(crate) policy: Policy,
}

impl Policies {
    /// The one that is in force today.
    pub(crate) fn today(&self) -> &Held {
        self.set.last().unwrap_or(&self.default)
    }

    /// The one that was in force at a moment: of those that had been set by then, the last.
    pub(crate) fn at(&self, moment: Timestamp) -> &Held {
        self.set.iter().rev().find(|held| held.since <= moment).unwrap_or(&self.default)
    }

    /// All of them, the default first.
    pub(crate) fn used(&self) -> Vec<PolicyUsed> {
        std::iter::once(&self.default).chain(&self.set).map(PolicyUsed::of).collect()
    }
}

impl Ledger {
    /// All policies, read once for many wishes.
    pub(crate) fn policies(&self) -> Result<Policies, ConsentError> {
        let sql = "SELECT number, at, by, facts FROM records WHERE kind = 'policy' ORDER BY number";
        let rows = self.database.rows(sql, [], |row| {
            let (at, by): (String, String) = (row.get("at")?, row.get("by")?);
            Ok((row.get::<_, u64>("number")?, at, by, row.get::<_, String>("facts")?))
        })?;
        let set = rows.into_iter().map(|(number, at, by, facts)| {
            let PolicyFacts { text, .. } = self.facts(number, &facts)?;
            Ok::<_, ConsentError>(Held {
                record: Some(number),
                // What has no moment held before all that has one.
                since: at.parse().unwrap_or(Timestamp::MIN),
                at: Some(at),
                by: Some(by),
                policy: Policy::read(&text)?,
            })
        });
        let policy = Policy::default();
        let default = Held { record: None, since: Timestamp::MIN, at: None, by: None, policy };
        Ok(Policies { default, set: set.collect::<Result<_, _>>()? })
    }
}

/// A policy by which wishes were counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PolicyUsed {
    /// Its record; none for the default.
    pub record: Option<u64>,
    /// From when on it held; none for the default.
    pub at: Option<String>,
    /// Who set it; none for the default.
    pub by: Option<String>,
    /// What it is called.
    pub name: String,
    /// The day as of which it says what the law is.
    pub as_of: String,
    /// What it rests on.
    pub sources: Vec<String>,
    /// How many business days a wish may take.
    pub business_days: u16,
    /// In which zone days begin.
    pub time_zone: String,
    /// The day from which a wish counts for all kinds of messages.
    pub all_kinds_from: String,
    /// The SHA-256 of its text.
    pub sha256: String,
    /// Its text, holidays included.
    pub text: String,
}

impl PolicyUsed {
    fn of(held: &Held) -> Self {
        let Held { record, at, by, policy, .. } = held;
        Self {
            record: *record,
            at: at.clone(),
            by: by.clone(),
            name: policy.name().to_owned(),
            as_of: policy.as_of().to_string(),
            sources: policy.sources().to_vec(),
            business_days: policy.business_days(),
            time_zone: policy.time_zone().to_owned(),
            all_kinds_from: policy.all_kinds_from().to_string(),
            sha256: policy.sha256().to_string(),
            text: policy.text().to_owned(),
        }
    }
}
