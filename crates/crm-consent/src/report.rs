//! What came into the ledger in a period, for an auditor.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use rusqlite::Row;
use serde::Serialize;

use crate::{
    error::ConsentError,
    hash::Sha,
    ledger::{Head, Ledger},
    policies::PolicyUsed,
    proof::{Act, ShownKey},
    record::{ImportFacts, WishFacts},
    seal::Seal,
    sealing::Sealed,
    standing::{Heard, heard},
    wish::Wish,
};

/// The days of a report, the first and the last one included, in the policy's zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Days {
    /// The first day.
    pub from: String,
    /// The last day.
    pub to: String,
    #[serde(skip)]
    begins: Timestamp,
    #[serde(skip)]
    ends: Timestamp,
}

impl Days {
    /// Returns whether a moment, written as RFC 3339, lies in it.
    #[must_use]
    pub fn has(&self, at: &str) -> bool {
        at.parse::<Timestamp>().is_ok_and(|at| self.begins <= at && at < self.ends)
    }
}

/// What came into the ledger in a period, returned by [`Ledger::report`].
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Report {
    /// Which days it is about.
    #[serde(flatten)]
    pub period: Days,
    /// The wishes that are new, by where they came from.
    pub sources: Vec<Source>,
    /// How many of these wishes were received on other days, or nobody knows when.
    pub received_on_other_days: u64,
    /// How many wishes were received on these days and came in on others: they are not counted.
    pub taken_in_on_other_days: u64,
    /// The lists that came in.
    pub imports: Vec<ImportTold>,
    /// What was said of records: that they were taken back, that marketing was turned on against
    /// them, and the like.
    pub acts: Vec<Act>,
    /// The policies that held: the one from before the period, and those that were set in it.
    pub policies: Vec<PolicyUsed>,
    /// The seals that were made.
    pub seals: Vec<SealTold>,
    /// The keys that signed in the period or came to sign in it, also those to which no key before has
    /// handed over.
    pub keys: Vec<ShownKey>,
    /// The end of the chain.
    pub head: Head,
}

/// A seal that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SealTold {
    /// Its record.
    pub record: u64,
    /// When it was made.
    pub at: String,
    /// By which user of the system.
    pub by: String,
    /// The end of the chain that it is over.
    pub head: Head,
    /// When an authority says that it saw it.
    pub stamped: Option<String>,
    /// The SHA-256 of the public key that signed it.
    pub key: Sha,
}

/// Where wishes came from, and how many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Source {
    /// The tool that wrote the lists, `another list`, or the place where single wishes were said.
    pub source: String,
    /// How many wish to be left alone.
    pub out: u64,
    /// How many wish to be written to.
    #[serde(rename = "in")]
    pub into: u64,
    /// How many of these are recorded and not honoured, since they lack their time or their words.
    pub not_honoured: u64,
}

/// A list that came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ImportTold {
    /// Its record.
    pub record: u64,
    /// When it came in.
    pub at: String,
    /// By which user of the system.
    pub by: String,
    /// The name of the file.
    pub file: String,
    /// The SHA-256 of the file.
    pub sha256: String,
    /// The tool that wrote it, if it is known by its header.
    pub tool: Option<String>,
    /// How many rows it has.
    pub rows: u64,
    /// How many of them could not be read.
    pub unreadable: u64,
    /// How many new wishes to be left alone came with it.
    pub out: u64,
    /// How many new wishes to be written to.
    #[serde(rename = "in")]
    pub into: u64,
    /// How many wishes that other lists had brought before.
    pub again: u64,
    /// The record by which it was taken back, also after the period.
    pub retracted_by: Option<u64>,
}

/// How many new wishes of one kind came in, and how.
struct Counted {
    import: Option<u64>,
    place: Option<String>,
    wish: Wish,
    honoured: bool,
    count: u64,
}

impl Ledger {
    /// Returns the days from one to another, or to today, both included and written like `2026-11-23`,
    /// as the policy's zone has them.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::Moment`] for a text that is no day, and where the last is before the
    /// first.
    pub fn days(&self, from: &str, to: Option<&str>) -> Result<Days, ConsentError> {
        let policy = self.policy()?;
        let wrong = |text: &str, reason| ConsentError::Moment { text: text.to_owned(), reason };
        let day = |text: &str| {
            let day = text.trim().parse::<Date>();
            day.map_err(|_| wrong(text, "is not a day; write it like 2026-11-23"))
        };
        let today = || policy.zone().to_datetime(Timestamp::now()).date();
        let (first, last) = (day(from)?, to.map_or_else(|| Ok(today()), day)?);
        let wrong = |day: Date, reason| wrong(&day.to_string(), reason);
        if last < first {
            return Err(wrong(last, "is before the first day"));
        }
        let begins = |day: Date| {
            let moment = policy.zone().to_timestamp(day.at(0, 0, 0, 0));
            moment.map_err(|_| wrong(day, "is beyond the calendar"))
        };
        let after = last.tomorrow().map_err(|_| wrong(last, "is beyond the calendar"))?;
        Ok(Days {
            from: first.to_string(),
            to: last.to_string(),
            begins: begins(first)?,
            ends: begins(after)?,
        })
    }

    /// Returns what came into the ledger in a period. It takes no more memory for more wishes;
    /// [`for_each_wish`](Self::for_each_wish) has them one by one.
    ///
    /// ```
    /// use crm_consent::{Ledger, Said, Wish};
    /// # use crm_mirror::Site;
    /// # use crm_models::TenantId;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let site = Site::new(TenantId::new(1_001)?, "https://api.servicetitan.io");
    /// # let mut ledger = Ledger::open_or_create(folder.path().join("ledger.db"), &site)?;
    /// ledger.add(&Said::new("(818) 555-0142", Wish::Out).place("telephone"))?;
    ///
    /// let report = ledger.report(&ledger.days("2026-01-01", None)?)?;
    /// assert_eq!((report.sources[0].source.as_str(), report.sources[0].out), ("telephone", 1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns errors for a file that cannot be read.
    pub fn report(&self, period: &Days) -> Result<Report, ConsentError> {
        // In one state of the file, whatever is added meanwhile.
        let _still = self.database.check(self.database.connection.unchecked_transaction())?;
        let counted = self.counted(period)?;
        let again = self.again_by_import(period)?;
        let mut tools = BTreeMap::new();
        let mut imports = Vec::new();
        self.imports(|told| {
            tools.insert(told.record, told.tool.clone());
            if period.has(&told.at) {
                imports.push(told);
            }
        })?;
        for told in &mut imports {
            let of_it = || counted.iter().filter(|it| it.import == Some(told.record));
            let sum = |wish| of_it().filter(|it| it.wish == wish).map(|it| it.count).sum();
            (told.out, told.into) = (sum(Wish::Out), sum(Wish::In));
            told.again = again.get(&told.record).copied().unwrap_or_default();
            told.retracted_by = self.retraction(told.record)?;
        }
        let acts = self.acts(|act, _, _| period.has(&act.at))?;
        let seals = self.seals_of(period)?;
        let mut keys: Vec<_> = self.signing_keys()?.iter().map(ShownKey::of).collect();
        keys.retain(|key| {
            let signs = |seal: &SealTold| seal.key == key.fingerprint;
            period.has(&key.since) || seals.iter().any(signs)
        });
        let [received_on_other_days, taken_in_on_other_days] =
            self.received_and_taken_in(period)?;
        Ok(Report {
            sources: sources(&counted, &tools),
            received_on_other_days,
            taken_in_on_other_days,
            imports,
            acts,
            policies: self.policies_of(period)?,
            seals,
            keys,
            head: self.head()?,
            period: period.clone(),
        })
    }

    /// Hands each wish that came into the ledger in a period to `each`, in its order.
    ///
    /// # Errors
    ///
    /// That of `each`, or a failure to read.
    pub fn for_each_wish<E: From<ConsentError>>(
        &self,
        period: &Days,
        mut each: impl FnMut(Heard) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_row(&heard("true ORDER BY number"), [], Self::raw, |raw| {
            if period.has(&raw.at) { each(self.read(raw)?) } else { Ok(()) }
        })
    }

    /// How many wishes were taken in in a period and received on other days, and the other way round.
    fn received_and_taken_in(&self, period: &Days) -> Result<[u64; 2], ConsentError> {
        let mut counted = [0, 0];
        let sql = "SELECT number, at, facts FROM records WHERE kind = 'wish'";
        let read = |row: &Row<'_>| {
            let (at, facts): (String, String) = (row.get("at")?, row.get("facts")?);
            Ok((row.get::<_, u64>("number")?, at, facts))
        };
        self.each_row(sql, [], read, |(number, at, facts)| {
            let received = self.facts::<WishFacts>(number, &facts)?.period;
            let is_in = received
                .is_some_and(|it| period.begins <= it.earliest && it.earliest < period.ends);
            match (period.has(&at), is_in) {
                (true, false) => counted[0] += 1,
                (false, true) => counted[1] += 1,
                _ => {}
            }
            Ok::<_, ConsentError>(())
        })?;
        Ok(counted)
    }

    fn seals_of(&self, period: &Days) -> Result<Vec<SealTold>, ConsentError> {
        let mut seals = Vec::new();
        let mut next = self.first_seal_over(0)?;
        while let Some(Sealed { record, seal, stamp, .. }) = next {
            if period.has(&seal.at) {
                let stamped = stamp.map(|stamp| stamp.time);
                let Seal { at, by, head, key, .. } = seal;
                seals.push(SealTold { record, at, by, head, stamped, key });
            }
            next = self.first_seal_over(record)?;
        }
        Ok(seals)
    }

    fn counted(&self, period: &Days) -> Result<Vec<Counted>, ConsentError> {
        let sql = "SELECT subject, iif(subject IS NULL, json_extract(personal, '$.place'), NULL) AS place,
                 json_extract(facts, '$.wish') AS wish, json_extract(facts, '$.honoured') AS honoured,
                 count(*) AS count
             FROM records WHERE kind = 'wish'
                 AND unixepoch(at, 'subsec') >= ?1 AND unixepoch(at, 'subsec') < ?2
             GROUP BY 1, 2, 3, 4";
        let rows = self.database.rows(sql, bounds(period), |row: &Row<'_>| {
            let wish: String = row.get("wish")?;
            let (import, place) = (row.get("subject")?, row.get("place")?);
            Ok((wish, import, place, row.get("honoured")?, row.get("count")?))
        })?;
        let read = |(wish, import, place, honoured, count): (String, _, _, _, _)| {
            Some(Counted { import, place, wish: wish.parse().ok()?, honoured, count })
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// How many wishes came again with each import of a period.
    fn again_by_import(&self, period: &Days) -> Result<BTreeMap<u64, u64>, ConsentError> {
        let sql = "SELECT json_extract(facts, '$.import') AS import, count(*) AS count
             FROM records WHERE kind = 'again'
                 AND unixepoch(at, 'subsec') >= ?1 AND unixepoch(at, 'subsec') < ?2
             GROUP BY 1";
        let rows = self.database.rows(sql, bounds(period), |row: &Row<'_>| {
            Ok((row.get("import")?, row.get("count")?))
        })?;
        Ok(rows.into_iter().collect())
    }

    /// Hands each import to `each`, without what came with it.
    fn imports(&self, mut each: impl FnMut(ImportTold)) -> Result<(), ConsentError> {
        let sql = "SELECT number, at, by, facts FROM records WHERE kind = 'import' ORDER BY number";
        let rows = self.database.rows(sql, [], |row| {
            let (at, by): (String, String) = (row.get("at")?, row.get("by")?);
            Ok((row.get::<_, u64>("number")?, at, by, row.get::<_, String>("facts")?))
        })?;
        for (record, at, by, facts) in rows {
            let ImportFacts { file, sha256, tool, rows, unreadable, .. } =
                self.facts(record, &facts)?;
            let told = ImportTold {
                record,
                at,
                by,
                file,
                sha256,
                tool,
                rows,
                unreadable,
                out: 0,
                into: 0,
                again: 0,
                retracted_by: None,
            };
            each(told);
        }
        Ok(())
    }

    /// The policy that held when a period began, and those that were set in it.
    fn policies_of(&self, period: &Days) -> Result<Vec<PolicyUsed>, ConsentError> {
        let mut policies = self.policies()?.used();
        let set_at = |policy: &PolicyUsed| policy.at.as_ref().and_then(|at| at.parse().ok());
        policies.retain(|policy| set_at(policy).is_none_or(|at: Timestamp| at < period.ends));
        let before = policies
            .iter()
            .rposition(|policy| set_at(policy).is_none_or(|at: Timestamp| at < period.begins));
        Ok(policies.split_off(before.unwrap_or_default()))
    }
}

/// Its two ends in seconds.
fn bounds(period: &Days) -> [f64; 2] {
    [period.begins, period.ends].map(|at| at.as_millisecond() as f64 / 1_000.0)
}

/// The wishes by where they came from, in the order of their names.
fn sources(counted: &[Counted], tools: &BTreeMap<u64, Option<String>>) -> Vec<Source> {
    let mut sources: BTreeMap<String, Source> = BTreeMap::new();
    for Counted { import, place, wish, honoured, count } in counted {
        let name = match import {
            Some(import) => {
                let tool = tools.get(import).cloned().flatten();
                tool.unwrap_or_else(|| "a list of no known tool".to_owned())
            }
            None => place.clone().unwrap_or_else(|| "said by itself".to_owned()),
        };
        let source = sources.entry(name).or_insert_with_key(|name| Source {
            source: name.clone(),
            out: 0,
            into: 0,
            not_honoured: 0,
        });
        match wish {
            Wish::Out => source.out += count,
            Wish::In => source.into += count,
        }
        if !honoured {
            source.not_honoured += count;
        }
    }
    sources.into_values().collect()
}
