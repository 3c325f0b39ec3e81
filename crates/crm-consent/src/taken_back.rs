//! What was taken back, and for whom.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    error::ConsentError,
    hash::Sha,
    ledger::Ledger,
    policies::Policies,
    record::{ImportFacts, Reason},
    standing::{Heard, last},
    wish::{Scope, Wish},
};

/// An import that was taken back, or a wish that came alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Retraction {
    /// The record that says so.
    pub record: u64,
    /// When it was written.
    pub at: String,
    /// By which user of the system.
    pub by: String,
    /// The reason that was given; none where it was removed.
    pub reason: Option<String>,
    /// What was taken back.
    pub of: u64,
    /// The name of the file, of an import.
    pub file: Option<String>,
}

/// All that was taken back of a ledger, returned by [`Ledger::retractions`].
#[derive(Debug)]
pub struct Retractions<'l> {
    ledger: &'l Ledger,
    policies: Policies,
    all: Vec<Retraction>,
    /// Those that took wishes of the value back, the last one last, with what was wished.
    by_digest: HashMap<Sha, Vec<(usize, Wish)>>,
}

impl Ledger {
    /// Returns what was taken back, to tell of what a set did whether anybody asks for it any longer.
    ///
    /// # Errors
    ///
    /// Returns errors for a file that cannot be read.
    pub fn retractions(&self) -> Result<Retractions<'_>, ConsentError> {
        let sql = "SELECT retraction.number, retraction.at, retraction.by, retraction.subject,
                 retraction.personal, import.facts
             FROM records retraction
             LEFT JOIN records import ON import.number = retraction.subject AND import.kind = 'import'
             WHERE retraction.kind = 'retraction' ORDER BY retraction.number";
        let rows = self.database.rows(sql, [], |row| {
            let retraction = Retraction {
                record: row.get(0)?,
                at: row.get(1)?,
                by: row.get(2)?,
                of: row.get(3)?,
                reason: None,
                file: None,
            };
            Ok((retraction, row.get::<_, Option<String>>(4)?, row.get::<_, Option<String>>(5)?))
        })?;
        let (mut all, mut by_digest) = (Vec::new(), HashMap::<_, Vec<_>>::new());
        for (retraction, personal, facts) in rows {
            let reason = personal.map(|json| self.facts::<Reason>(retraction.record, &json));
            let facts = facts.map(|json| self.facts::<ImportFacts>(retraction.of, &json));
            for heard in self.came_by(retraction.of)? {
                by_digest.entry(heard.digest).or_default().push((all.len(), heard.wish));
            }
            all.push(Retraction {
                reason: reason.transpose()?.map(|it| it.reason),
                file: facts.transpose()?.map(|it| it.file),
                ..retraction
            });
        }
        Ok(Retractions { ledger: self, policies: self.policies()?, all, by_digest })
    }

    /// The wishes that came by a record: one that came alone, or those of an import, also those that had
    /// been there before.
    fn came_by(&self, record: u64) -> Result<Vec<Heard>, ConsentError> {
        let which = "(number = ?1 OR subject = ?1 OR number IN (SELECT subject FROM records
             WHERE kind = 'again' AND json_extract(facts, '$.import') = ?1))";
        self.heard(which, [record])
    }
}

impl Retractions<'_> {
    /// Returns whether nothing was taken back.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Returns all that took a wish of a number or an address back, the earliest first, also where
    /// another wish has been heard since.
    pub fn each_of(&self, value: &str) -> impl Iterator<Item = &Retraction> {
        let key = self.ledger.keys(value).key;
        let of_value = self.by_digest.get(&self.ledger.digest(&key)).into_iter().flatten();
        let mut places: Vec<_> = of_value.map(|(place, _)| *place).collect();
        places.dedup();
        places.into_iter().filter_map(|place| self.all.get(place))
    }

    /// Returns what took the wish of a number or an address back, if it is not out by another one.
    ///
    /// # Errors
    ///
    /// Returns errors for a file that cannot be read.
    pub fn of(&self, value: &str) -> Result<Option<&Retraction>, ConsentError> {
        self.found(value, None)
    }

    /// Returns the same for what was done at a number or an address at a moment in ISO 8601: none if no
    /// wish to be left alone was in the ledger yet, since it was done for something else.
    ///
    /// # Errors
    ///
    /// Returns errors for a file that cannot be read.
    pub fn of_done(&self, value: &str, at: &str) -> Result<Option<&Retraction>, ConsentError> {
        at.parse().map_or(Ok(None), |at| self.found(value, Some(at)))
    }

    fn found(
        &self,
        value: &str,
        done: Option<Timestamp>,
    ) -> Result<Option<&Retraction>, ConsentError> {
        let key = self.ledger.keys(value).key;
        let mut of_value = self.by_digest.get(&self.ledger.digest(&key)).into_iter().flatten();
        let Some((place, _)) = of_value.rfind(|(_, wish)| *wish == Wish::Out) else {
            return Ok(None);
        };
        let heard = self.ledger.of_key(&key)?;
        let was_there = |heard: &Heard, done: Timestamp| {
            let recorded = heard.recorded_at.parse::<Timestamp>();
            heard.wish == Wish::Out && recorded.is_ok_and(|recorded| recorded <= done)
        };
        if done.is_some_and(|done| !heard.iter().any(|heard| was_there(heard, done))) {
            return Ok(None);
        }
        let last = last(&heard, Scope::Marketing, &self.policies);
        let is_out = last.is_some_and(|last| last.wish == Wish::Out);
        Ok(self.all.get(*place).filter(|_| !is_out))
    }
}
