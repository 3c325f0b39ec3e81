//! How personal data is removed, so that chain and wish stay.

use std::collections::BTreeSet;

use crm_mirror::keys::Keys;
use crm_values::digits;
use rusqlite::Params;

use crate::{
    error::ConsentError,
    hash::Sha,
    ledger::{Adding, Ledger},
    record::{Kind, Personal, RedactionFacts},
};

/// Whose personal data is removed.
///
/// [`Debug`] output contains a number or an address.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Redact<'a> {
    /// Those of a number or an address, however it is written.
    Value(&'a str),
    /// Those of the value of this record; of a record of no value, its reason.
    Record(u64),
}

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redacted {
    /// The record that says so; none where nothing was there to be removed.
    pub by: Option<u64>,
    /// Whether it is that of a number or an address. Else only a reason was there to be removed.
    pub of_value: bool,
    /// The records whose personal data is gone.
    pub records: Vec<u64>,
    /// Records of numbers that may be the same, since one of the two can be read in two ways or lacks
    /// its area code. They were left as they are.
    pub may_be: Vec<u64>,
}

impl Ledger {
    /// Removes number or address, words, names and reasons from all records of a value, with what they
    /// are salted with, and adds a record that says of which. Nothing of it is left in the file or in
    /// its journal. The keyed digest stays: the wish is honoured as before, and an import knows it.
    ///
    /// Where the data was removed already, the file is only cleaned again.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::Value`] for what is neither a number nor an address,
    /// [`ConsentError::NoRecord`] for a record that is not there,
    /// [`ConsentError::ReasonHasValue`] for a reason that would keep the value, and
    /// [`ConsentError::StillRead`] where another process keeps what was removed in the journal:
    /// repeated, it cleans up.
    pub fn redact(&mut self, what: Redact<'_>, reason: &str) -> Result<Redacted, ConsentError> {
        self.database.check(self.database.connection.pragma_update(None, "secure_delete", true))?;
        let keys = match what {
            Redact::Value(value) => Some(Keys::listed(value, self.reader)?),
            Redact::Record(_) => None,
        };
        let given = match what {
            Redact::Value(value) => Some(value.to_owned()),
            Redact::Record(record) => self.value_of(record)?,
        };
        if given.is_some_and(|given| has_value(reason, &self.keys(&given))) {
            return Err(ConsentError::ReasonHasValue);
        }
        let redacted = self.adding(|adding| match (what, keys) {
            (Redact::Record(record), _) => adding.redact_record(record, reason),
            (Redact::Value(_), Some(Keys { key, otherwise })) => {
                let mut redacted = adding.redact_value(adding.ledger.digest(&key), reason)?;
                if let Some(otherwise) = otherwise {
                    let other = adding.ledger.digest(&otherwise);
                    redacted.may_be.extend(adding.ledger.kept("digest = ?", [other.0])?);
                }
                Ok(redacted)
            }
            (Redact::Value(_), None) => unreachable!("its keys were read"),
        })?;
        self.clean_up()?;
        Ok(redacted)
    }

    /// Returns the number or address of a record as it was given; none where the record is of none, or
    /// where it was removed.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::NoRecord`] for a record that is not there.
    pub fn value_of(&self, record: u64) -> Result<Option<String>, ConsentError> {
        let sql = "SELECT personal FROM records WHERE number = ?";
        let found = self.database.value::<Option<String>>(sql, [record])?;
        let personal = found.ok_or(ConsentError::NoRecord(record))?;
        let personal = personal.and_then(|json| serde_json::from_str::<Personal>(&json).ok());
        Ok(personal.map(|personal| personal.given))
    }

    /// The records that a condition finds and that have personal data.
    fn kept(&self, which: &str, values: impl Params) -> Result<Vec<u64>, ConsentError> {
        let sql = format!(
            "SELECT number FROM records WHERE personal IS NOT NULL AND {which} ORDER BY number"
        );
        Ok(self.database.rows(&sql, values, |row| row.get("number"))?)
    }

    /// Writes the file anew, without what was removed from it, and empties its journal.
    fn clean_up(&self) -> Result<(), ConsentError> {
        let done = self.database.connection.execute_batch("VACUUM");
        self.database.check(done)?;
        if !self.database.empty_journal()? {
            return Err(ConsentError::StillRead { path: self.path().to_owned() });
        }
        Ok(())
    }
}

/// Whether a text has an address or a number in it, however that is written.
fn has_value(text: &str, keys: &Keys) -> bool {
    if !keys.is_number() {
        return text.to_lowercase().contains(&keys.key);
    }
    // Without its country code and area code it can still be told whose it is.
    let all = digits(&keys.key);
    let last = &all[all.len().saturating_sub(7)..];
    !last.is_empty() && digits(text).contains(last)
}

impl Adding<'_> {
    fn redact_record(&mut self, record: u64, reason: &str) -> Result<Redacted, ConsentError> {
        let sql = "SELECT digest FROM records WHERE number = ?";
        let digest = self.ledger.database.value::<Option<Sha>>(sql, [record])?;
        match digest.ok_or(ConsentError::NoRecord(record))? {
            Some(digest) => self.redact_value(digest, reason),
            None => {
                let records = self.ledger.kept("number = ?", [record])?;
                let redacted = self.redact(records, Vec::new(), reason)?;
                Ok(Redacted { of_value: false, ..redacted })
            }
        }
    }

    fn redact_value(&mut self, digest: Sha, reason: &str) -> Result<Redacted, ConsentError> {
        let ledger = self.ledger;
        let mut records: BTreeSet<_> = ledger.kept("digest = ?", [digest.0])?.into_iter().collect();
        // Why a wish was taken back may name whose it is.
        records.extend(ledger.kept(
            "kind = 'retraction' AND subject IN (SELECT number FROM records WHERE digest = ?)",
            [digest.0],
        )?);
        let may_be = ledger.kept("otherwise = ?1 AND digest <> ?1", [digest.0])?;
        self.redact(records.into_iter().collect(), may_be, reason)
    }

    fn redact(
        &mut self,
        records: Vec<u64>,
        may_be: Vec<u64>,
        reason: &str,
    ) -> Result<Redacted, ConsentError> {
        let sql = "UPDATE records SET salt = NULL, personal = NULL WHERE number = ?";
        for record in &records {
            self.ledger.database.execute(sql, [record])?;
        }
        if records.is_empty() {
            return Ok(Redacted { by: None, of_value: true, records, may_be });
        }
        let facts = RedactionFacts { records };
        let by = self.add_with_reason(Kind::Redaction, None, &facts, reason)?;
        Ok(Redacted { by: Some(by), of_value: true, records: facts.records, may_be })
    }
}
