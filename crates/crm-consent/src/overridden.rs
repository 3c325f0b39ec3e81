//! What was done against a wish, since somebody said so.

use std::{collections::HashMap, fmt};

use rusqlite::Params;
use serde::{Deserialize, Serialize};

use crate::{
    error::ConsentError,
    ledger::Ledger,
    record::{Kind, Personal},
};

/// For which record somebody turned marketing on against a wish.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OverrideFacts {
    pub(crate) target: String,
}

/// Marketing that somebody had turned on against a wish. It is a decision about one change and no wish:
/// what it turned on is due again.
///
/// [`Debug`] output contains the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Overridden {
    /// The record that says so.
    pub record: u64,
    /// The record of the wish.
    pub against: u64,
    /// Which contact or contact method was turned on.
    pub target: String,
    /// When.
    pub at: String,
    /// By which user of the system.
    pub by: String,
    /// Why; none where that was removed.
    pub reason: Option<String>,
}

impl fmt::Display for Overridden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { record, against, at, by, reason, .. } = self;
        let day = at.get(..10).unwrap_or(at);
        write!(f, "turned on against wish {against} on {day} by {by} (record {record})")?;
        match reason {
            Some(reason) => write!(f, ", because: {reason}"),
            None => f.write_str(", the reason was removed"),
        }
    }
}

impl Ledger {
    /// What was turned on against the wishes that a condition finds, as it came into the ledger.
    pub(crate) fn overridden(
        &self,
        which: &str,
        values: impl Params,
    ) -> Result<Vec<Overridden>, ConsentError> {
        let kind = <&str>::from(Kind::Override);
        let sql = format!(
            "SELECT number, at, by, subject, facts, personal FROM records
             WHERE kind = '{kind}' AND {which} ORDER BY number"
        );
        let rows = self.database.rows(&sql, values, |row| {
            let (facts, personal): (String, Option<String>) =
                (row.get("facts")?, row.get("personal")?);
            let overridden = Overridden {
                record: row.get("number")?,
                against: row.get::<_, Option<u64>>("subject")?.unwrap_or_default(),
                target: String::new(),
                at: row.get("at")?,
                by: row.get("by")?,
                reason: None,
            };
            Ok((overridden, facts, personal))
        })?;
        let complete = |(overridden, facts, personal): (Overridden, String, Option<String>)| {
            let record = overridden.record;
            let OverrideFacts { target } = self.facts(record, &facts)?;
            let personal =
                personal.map(|json| self.facts::<Personal>(record, &json)).transpose()?;
            let reason = personal.and_then(|personal| personal.reason);
            Ok(Overridden { target, reason, ..overridden })
        };
        rows.into_iter().map(complete).collect()
    }

    /// The last time that each contact or contact method was turned on against a wish, by its name.
    pub(crate) fn overridden_targets(&self) -> Result<HashMap<String, Overridden>, ConsentError> {
        let all = self.overridden("true", [])?;
        Ok(all.into_iter().map(|overridden| (overridden.target.clone(), overridden)).collect())
    }
}
