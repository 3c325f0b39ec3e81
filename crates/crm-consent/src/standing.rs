//! What somebody wishes by all that is in the ledger.

use std::collections::{BTreeMap, HashSet};

use crm_mirror::keys::{Keys, is_unreadable, local_digits, local_key};
use crm_values::InvalidValue;
use jiff::Timestamp;
use rusqlite::{Params, Row};
use serde::Serialize;

use crate::{
    error::ConsentError,
    hash::{Keyed, Sha},
    ledger::Ledger,
    overridden::Overridden,
    policies::Policies,
    record::{AgainFacts, Personal, WishFacts},
    wish::{Scope, Wish},
};

/// What is wished of a number or an address.
///
/// [`Debug`] output contains it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Standing {
    /// The last wish; none where nobody has said anything that counts.
    pub wish: Option<Wish>,
    /// The record that decides.
    pub decided_by: Option<u64>,
    /// All wishes of the value, also those that do not count, as they came into the ledger.
    pub heard: Vec<Heard>,
    /// Wishes to be left alone of numbers that may be the same: one of the two lacks its area code, or
    /// can be read in two ways. Only a person can say whether it is.
    pub may_be: Vec<Heard>,
    /// What was turned on against these wishes, since somebody said so. No wish is changed by it.
    pub overridden: Vec<Overridden>,
}

impl Standing {
    /// Returns whether no wish stands against a message, neither of the value nor of one that may be
    /// the same.
    #[must_use]
    pub fn may(&self) -> bool {
        self.wish != Some(Wish::Out) && self.may_be.is_empty()
    }
}

/// A wish in the ledger.
///
/// [`Debug`] output contains a number or an address.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Heard {
    /// The record.
    pub record: u64,
    /// What was wished.
    pub wish: Wish,
    /// For what.
    pub scope: Scope,
    /// The value as it was given; none where the record does not have it.
    pub value: Option<String>,
    /// The value as it was read.
    pub key: Option<String>,
    /// The words or the keyword.
    pub words: Option<String>,
    /// When it was received, as it was written; none where nobody knows.
    pub received: Option<String>,
    /// The first moment at which it can have been received, and the last one: the same where the time
    /// is known, the whole day where only that is. In UTC.
    pub received_between: Option<[String; 2]>,
    /// Where it was said.
    pub place: Option<String>,
    /// Who took it.
    pub taken_by: Option<String>,
    /// The import with which it came, and the line of the list.
    pub import: Option<u64>,
    /// The line of the list.
    pub row: Option<u64>,
    /// When it came into the ledger.
    pub recorded_at: String,
    /// Who brought it into the ledger, as the system knows.
    pub recorded_by: String,
    /// Whether it counts. A wish to be written to does only with its time and its words.
    pub honoured: bool,
    /// Whether all that it came with was taken back.
    pub retracted: bool,
    /// When what it stands by came into the ledger: not what was taken back.
    #[serde(skip)]
    stands_since: String,
    #[serde(skip)]
    pub(crate) facts: WishFacts,
    /// The value's digest, and that of its other reading.
    #[serde(skip)]
    pub(crate) digest: Sha,
    #[serde(skip)]
    pub(crate) otherwise: Option<Sha>,
}

impl Heard {
    /// Which wish it is, without what is personal.
    pub(crate) fn told(&self) -> String {
        let what = match self.wish {
            Wish::Out => "to be left alone",
            Wish::In => "to be written to",
        };
        let received = self.received.as_deref().unwrap_or("nobody knows when");
        let day = self.recorded_at.get(..10).unwrap_or(&self.recorded_at);
        let (record, by) = (self.record, &self.recorded_by);
        format!(
            "record {record} of the consent ledger ({what}, received {received}, taken in {day} by {by})"
        )
    }

    fn counts(&self) -> bool {
        self.honoured && !self.retracted
    }

    /// The last moment at which it can have been received: whoever brought it into the ledger had it
    /// by then.
    pub(crate) fn latest(&self) -> Timestamp {
        let recorded = || self.stands_since.parse().unwrap_or(Timestamp::MAX);
        self.facts.period.map_or_else(recorded, |period| period.latest)
    }

    /// The first one.
    pub(crate) fn earliest(&self) -> Timestamp {
        self.facts.period.map_or(Timestamp::MIN, |period| period.earliest)
    }

    /// From when its time counts: as early as it can have been received, so that nothing is late
    /// that is said to be in time; when it came into the ledger, where nobody knows.
    pub(crate) fn begins(&self) -> Timestamp {
        let recorded = || self.stands_since.parse().unwrap_or(Timestamp::MIN);
        self.facts.period.map_or_else(recorded, |period| period.earliest)
    }

    /// Whether a wish to be written to is later than one to be left alone, which counts where that
    /// cannot be told.
    fn is_after(&self, out: &Self) -> bool {
        let (of_out, of_in) = (out.latest(), self.earliest());
        // At the same moment, known to be the same, what came into the ledger later is later.
        let is_exact = of_out == out.earliest() && of_in == self.latest();
        of_in > of_out || (of_in == of_out && is_exact && self.record > out.record)
    }

    fn min_by_begin<'a>(&'a self, other: &'a Self) -> &'a Self {
        std::cmp::min_by_key(self, other, |heard| (heard.begins(), heard.record))
    }

    /// Whether it speaks of messages of these kinds.
    fn speaks_of(&self, scope: Scope, policies: &Policies) -> bool {
        match (scope, self.scope) {
            (_, Scope::All) | (Scope::Marketing, Scope::Marketing) => true,
            // From that day on one wish to be left alone counts for all kinds. A policy that comes
            // later takes nothing away from it.
            (Scope::All, Scope::Marketing) => {
                let by = [policies.at(self.begins()), policies.today()].into_iter();
                let mut by = by.map(|held| &held.policy);
                self.wish == Wish::Out
                    && by.any(|policy| policy.day(self.latest()) >= policy.all_kinds_from())
            }
        }
    }
}

impl Ledger {
    /// Returns what is wished of a number or an address, however it is written.
    ///
    /// The last wish that was received decides. Where two cannot be told apart, since one was received
    /// on a day without a time, or nobody knows when, the wish to be left alone does.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::Value`] for what is neither an address nor a number with its area code.
    pub fn status(&self, value: &str, scope: Scope) -> Result<Standing, ConsentError> {
        let keys = Keys::listed(value, self.reader)?;
        if local_digits(&keys.key).is_some() {
            return Err(InvalidValue::NoAreaCode.into());
        }
        let policies = self.policies()?;
        let heard = self.of_key(&keys.key)?;
        let decides = last(&heard, scope, &policies);
        let (wish, decided_by) = (decides.map(|last| last.wish), decides.map(|last| last.record));

        let mut near = self.heard("otherwise = ?", [self.digest(&keys.key).0])?;
        let others = keys.otherwise.into_iter().filter(|key| !is_unreadable(key));
        // A number without its area code may be this one.
        let local = (!keys.key.contains('@'))
            .then(|| keys.key.len().checked_sub(LOCAL_DIGITS))
            .flatten()
            .map(|at| local_key(&keys.key[at..]));
        for key in others.chain(local) {
            near.extend(self.of_key(&key)?);
        }
        let may_be = by_value(near).into_values().filter_map(|heard| {
            let last = last(&heard, scope, &policies)?;
            (last.wish == Wish::Out).then(|| last.clone())
        });
        let overridden = self.overridden("digest = ?", [self.digest(&keys.key).0])?;
        Ok(Standing { wish, decided_by, may_be: may_be.collect(), heard, overridden })
    }

    /// Returns the deciding wish of each value that is out, or of each that is in, in the order of the
    /// ledger.
    ///
    /// # Errors
    ///
    /// Returns errors for a file that cannot be read.
    pub fn standing(&self, wish: Wish, scope: Scope) -> Result<Vec<Heard>, ConsentError> {
        let (policies, mut decided) = (self.policies()?, Vec::new());
        self.each_value(|heard| {
            let last = last(heard, scope, &policies).filter(|last| last.wish == wish);
            decided.extend(last.cloned());
        })?;
        decided.sort_by_key(|heard| heard.record);
        Ok(decided)
    }

    /// Returns whose numbers and addresses somebody ever wished to be left alone, whatever was wished
    /// since.
    ///
    /// # Errors
    ///
    /// Returns errors for a file that cannot be read.
    pub fn ever_out(&self) -> Result<EverOut, ConsentError> {
        let sql = "SELECT DISTINCT digest FROM records
             WHERE kind = 'wish' AND json_extract(facts, '$.wish') = 'out' AND digest IS NOT NULL";
        let digests = self.database.rows(sql, [], |row| row.get("digest"))?;
        Ok(EverOut { keyed: self.keyed.clone(), digests: digests.into_iter().collect() })
    }

    /// Hands the wishes of one value after another to `each`, in the order in which they came.
    pub(crate) fn each_value(&self, mut each: impl FnMut(&[Heard])) -> Result<(), ConsentError> {
        let sql = heard("digest IS NOT NULL ORDER BY digest, number");
        let database = &self.database;
        let mut query = database.check(database.connection.prepare(&sql))?;
        let mut rows = database.check(query.query([]))?;
        let mut of_value: Vec<Heard> = Vec::new();
        while let Some(row) = database.check(rows.next())? {
            let next = self.read(database.check(Self::raw(row))?)?;
            if of_value.first().is_some_and(|first| first.digest != next.digest) {
                each(&of_value);
                of_value.clear();
            }
            of_value.push(next);
        }
        if !of_value.is_empty() {
            each(&of_value);
        }
        Ok(())
    }

    /// The wishes of the value with this key, in the order in which they came.
    pub(crate) fn of_key(&self, key: &str) -> Result<Vec<Heard>, ConsentError> {
        self.heard("digest = ?", [self.digest(key).0])
    }

    /// The wishes that a condition finds, in the order in which they came.
    pub(crate) fn heard(
        &self,
        which: &str,
        values: impl Params,
    ) -> Result<Vec<Heard>, ConsentError> {
        let sql = heard(&format!("{which} ORDER BY number"));
        let rows = self.database.rows(&sql, values, Self::raw)?;
        rows.into_iter().map(|raw| self.read(raw)).collect()
    }

    pub(crate) fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
        Ok(Raw {
            number: row.get("number")?,
            at: row.get("at")?,
            by: row.get("by")?,
            import: row.get("subject")?,
            digest: row.get("digest")?,
            otherwise: row.get("otherwise")?,
            facts: row.get("facts")?,
            personal: row.get("personal")?,
            retracted: row.get("retracted")?,
        })
    }

    pub(crate) fn read(&self, raw: Raw) -> Result<Heard, ConsentError> {
        let facts: WishFacts = self.facts(raw.number, &raw.facts)?;
        let personal = raw.personal.as_deref();
        let personal = personal.map(|json| self.facts::<Personal>(raw.number, json)).transpose()?;
        let again = if raw.retracted { self.came_again(raw.number)? } else { None };
        let retracted = raw.retracted && again.is_none();
        let (mut value, mut key, mut words, mut place, mut taken_by) = Default::default();
        if let Some(personal) = personal {
            (value, key) = (Some(personal.given), Some(personal.key));
            (words, place, taken_by) = (personal.words, personal.place, personal.taken_by);
        }
        Ok(Heard {
            record: raw.number,
            wish: facts.wish,
            scope: facts.scope,
            value,
            key,
            words,
            received: facts.received.clone(),
            received_between: facts
                .period
                .map(|period| [period.earliest.to_string(), period.latest.to_string()]),
            place,
            taken_by,
            import: raw.import,
            row: facts.row,
            stands_since: again.unwrap_or_else(|| raw.at.clone()),
            recorded_at: raw.at,
            recorded_by: raw.by,
            honoured: facts.honoured,
            retracted,
            facts,
            digest: raw.digest,
            otherwise: raw.otherwise,
        })
    }

    /// When a wish came in with another import too, the first that was not taken back.
    fn came_again(&self, wish: u64) -> Result<Option<String>, ConsentError> {
        let sql = "SELECT number, at, facts FROM records WHERE kind = 'again' AND subject = ?
                   ORDER BY number";
        let again = self.database.rows(sql, [wish], |row| {
            let (at, facts): (String, String) = (row.get("at")?, row.get("facts")?);
            Ok((row.get::<_, u64>("number")?, at, facts))
        })?;
        for (number, at, facts) in again {
            let AgainFacts { import, .. } = self.facts(number, &facts)?;
            if self.retraction(import)?.is_none() {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// The record by which one was taken back.
    pub(crate) fn retraction(&self, record: u64) -> Result<Option<u64>, ConsentError> {
        let sql = "SELECT number FROM records WHERE kind = 'retraction' AND subject = ?";
        Ok(self.database.value(sql, [record])?)
    }
}

/// The numbers and addresses that were ever out, returned by [`Ledger::ever_out`].
#[derive(Debug)]
pub struct EverOut {
    keyed: Keyed,
    digests: HashSet<Sha>,
}

impl EverOut {
    /// Returns whether the number or address with this [key](crm_mirror::keys::Keys::key) was.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        !self.digests.is_empty() && self.digests.contains(&self.keyed.digest(key))
    }
}

/// How many digits a local number has.
pub(crate) const LOCAL_DIGITS: usize = 7;

/// The query for wishes, with a condition and an order.
pub(crate) fn heard(which: &str) -> String {
    format!(
        "SELECT number, at, by, subject, digest, otherwise, facts, personal,
             EXISTS (SELECT 1 FROM records retraction WHERE retraction.kind = 'retraction'
                 AND retraction.subject IN (records.number, records.subject)) AS retracted
         FROM records WHERE kind = 'wish' AND {which}"
    )
}

/// A wish as its record has it.
pub(crate) struct Raw {
    number: u64,
    pub(crate) at: String,
    by: String,
    import: Option<u64>,
    digest: Sha,
    otherwise: Option<Sha>,
    facts: String,
    personal: Option<String>,
    retracted: bool,
}

fn by_value(heard: Vec<Heard>) -> BTreeMap<[u8; 32], Vec<Heard>> {
    let mut by_value: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for heard in heard {
        by_value.entry(heard.digest.0).or_default().push(heard);
    }
    by_value
}

/// The wish that decides among those of one value.
pub(crate) fn last<'a>(heard: &'a [Heard], scope: Scope, policies: &Policies) -> Option<&'a Heard> {
    let (outs, ins) = counted(heard, scope, policies);
    let out = outs.into_iter().max_by_key(|heard| (heard.latest(), heard.record));
    let into = ins.into_iter().max_by_key(|heard| (heard.earliest(), heard.record));
    match (out, into) {
        (Some(out), Some(into)) if into.is_after(out) => Some(into),
        (out, into) => out.or(into),
    }
}

/// A time in which a value was out: from a wish to be left alone to the next one to be written to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run<'a> {
    /// By when the wish has to be honoured counts from the first one, however often it was said again.
    pub(crate) first: &'a Heard,
    /// None where it lasts.
    pub(crate) ended_by: Option<&'a Heard>,
}

/// All times in which a value was out, in their order.
pub(crate) fn runs<'a>(heard: &'a [Heard], scope: Scope, policies: &Policies) -> Vec<Run<'a>> {
    let (mut outs, mut ins) = counted(heard, scope, policies);
    outs.sort_by_key(|out| (out.latest(), out.record));
    ins.sort_by_key(|into| (into.earliest(), into.record));
    let mut runs: Vec<Run<'a>> = Vec::new();
    let record = |heard: Option<&Heard>| heard.map(|heard| heard.record);
    for out in outs {
        let ended_by = ins.iter().find(|into| into.is_after(out)).copied();
        match runs.last_mut().filter(|run| record(run.ended_by) == record(ended_by)) {
            Some(run) => run.first = run.first.min_by_begin(out),
            None => runs.push(Run { first: out, ended_by }),
        }
    }
    runs
}

/// Whether a wish to be left alone ever counted for these messages.
pub(crate) fn is_ever_out(heard: &[Heard], scope: Scope, policies: &Policies) -> bool {
    let mut outs = heard.iter().filter(|heard| heard.wish == Wish::Out && heard.counts());
    outs.any(|heard| heard.speaks_of(scope, policies))
}

/// The wishes that count: to be left alone, and to be written to.
fn counted<'a>(
    heard: &'a [Heard],
    scope: Scope,
    policies: &Policies,
) -> (Vec<&'a Heard>, Vec<&'a Heard>) {
    let counted = heard.iter().filter(|heard| heard.counts() && heard.speaks_of(scope, policies));
    counted.partition(|heard| heard.wish == Wish::Out)
}
