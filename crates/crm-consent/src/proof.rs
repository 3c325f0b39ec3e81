//! What the ledger can show of one number or address.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, prelude::BASE64_STANDARD};
use crm_mirror::keys::Keys;
use rusqlite::{Params, Row};
use serde::Serialize;
use serde_json::Value;

use crate::{
    error::ConsentError,
    hash::Sha,
    ledger::{Head, Ledger},
    policies::PolicyUsed,
    record::{AgainFacts, Chained, ImportFacts, RecordColumns, committed},
    sealing::{KnownKey, Sealed},
    standing::Heard,
    wish::{Scope, Wish},
};

/// What the ledger can show of one number or address, returned by [`Ledger::proof`].
///
/// [`Debug`] output contains it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Proof {
    /// The value as it was read: digits with their country code, or an address in lower case.
    pub key: String,
    /// The keyed digest by which its records are found, those too whose value was removed.
    pub digest: Sha,
    /// What counts for marketing.
    pub marketing: Ruling,
    /// What counts for all kinds of messages.
    pub all_kinds: Ruling,
    /// All wishes of the value, as they came into the ledger.
    pub wishes: Vec<Proved>,
    /// Wishes to be left alone of numbers that may be the same.
    pub may_be: Vec<Heard>,
    /// What else the ledger says of these wishes and of the lists with which they came: that they
    /// were taken back, that marketing was turned on against them, that their value was removed.
    pub acts: Vec<Act>,
    /// All policies, as they came to hold; the last one holds.
    pub policies: Vec<PolicyUsed>,
    /// The records themselves, by which a stranger can check all of the above.
    pub records: Vec<Written>,
    /// All keys that the ledger had, as they came to sign.
    pub keys: Vec<ShownKey>,
    /// The first seal over all of its wishes, if there is one, which shows by when they were there, and
    /// the last seal.
    pub seals: Vec<ShownSeal>,
    /// The records that have a say here and that no seal is over yet: of wishes and the lists with which
    /// they came, of what was said of these since, of policies and keys.
    pub unsealed: Vec<u64>,
    /// The end of the chain: how many records there are, and the hash of the last one.
    pub head: Head,
}

/// A key that signs the ledger, or did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ShownKey {
    /// Its record.
    pub record: u64,
    /// Since when it signs.
    pub since: String,
    /// Who has it sign, as the system knows.
    pub by: String,
    /// The SHA-256 of the public key, by which a seal names it.
    pub fingerprint: Sha,
    /// The public key in PEM.
    pub public_key: String,
    /// Whether the key before signed that it hands over to this one; none for the first one.
    pub handed_over: Option<bool>,
    /// Why the key before did not, as somebody said.
    pub lost: Option<String>,
}

impl ShownKey {
    pub(crate) fn of(known: &KnownKey) -> Self {
        let KnownKey { record, since, by, key, handed_over, lost } = known;
        Self {
            record: *record,
            since: since.clone(),
            by: by.clone(),
            fingerprint: key.fingerprint(),
            public_key: key.to_pem(),
            handed_over: *handed_over,
            lost: lost.clone(),
        }
    }
}

/// A seal with all that a stranger needs to check it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ShownSeal {
    /// Its record.
    pub record: u64,
    /// The end of the chain that it is over.
    pub head: Head,
    /// When it was signed, by the clock of the machine.
    pub at: String,
    /// By which user of the system.
    pub by: String,
    /// The SHA-256 of the public key that signed it.
    pub key: Sha,
    /// The text that is signed.
    pub signed: String,
    /// The signature in Base64.
    pub signature: String,
    /// The public key in PEM; none where the ledger does not know it.
    pub public_key: Option<String>,
    /// When an authority saw it.
    pub stamp: Option<ShownStamp>,
}

/// A time stamp of a seal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShownStamp {
    /// When the authority says that it saw the seal, in UTC.
    pub time: String,
    /// Where it was asked.
    pub authority: String,
    /// All that it answered in Base64, as `openssl ts -verify` reads it.
    pub answer: String,
}

/// Which wish counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Ruling {
    /// The wish; none where nobody has said anything that counts.
    pub wish: Option<Wish>,
    /// The record that decides.
    pub decided_by: Option<u64>,
}

/// A wish, and where it came from.
///
/// [`Debug`] output contains a number or an address.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Proved {
    /// The wish.
    #[serde(flatten)]
    pub heard: Heard,
    /// The lists with which it came; none for a wish that was taken alone.
    pub came: Vec<Came>,
}

/// A list with which a wish came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Came {
    /// The record of the import.
    pub import: u64,
    /// The line of the list.
    pub row: Option<u64>,
    /// The name of the file.
    pub file: String,
    /// The SHA-256 of the file.
    pub sha256: String,
    /// The tool that wrote it, if it is known by its header.
    pub tool: Option<String>,
    /// When it came into the ledger.
    pub imported_at: String,
    /// Who brought it into the ledger, as the system knows.
    pub imported_by: String,
    /// The record by which the import was taken back.
    pub retracted_by: Option<u64>,
}

/// What the ledger says of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Act {
    /// The record that says it.
    pub record: u64,
    /// What it is: `retraction`, `override` and the like.
    pub kind: String,
    /// When it was written.
    pub at: String,
    /// By which user of the system.
    pub by: String,
    /// The record of which it says it.
    pub of: Option<u64>,
    /// The reason that was given.
    pub reason: Option<String>,
    /// Of an override, which contact or contact method was turned on.
    pub target: Option<String>,
}

/// A record with what its hash is over, so that anybody who has `sha256sum` can make the hash.
///
/// [`Debug`] output may contain a number or an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Written {
    /// Its number.
    pub number: u64,
    /// What it is.
    pub kind: String,
    /// The SHA-256 of [`over`](Self::over).
    pub hash: Sha,
    /// The text that the hash is over: the hash of the record before, and the fields of this one.
    pub over: String,
    /// The SHA-256 of [`personal`](Self::personal), which is one of the fields.
    pub commitment: Option<Sha>,
    /// The text that the commitment is over: a salt, and what is personal. None where it was
    /// removed, or is not shown.
    pub personal: Option<String>,
}

impl Written {
    fn of(chained: Chained) -> Self {
        let Chained { number, previous, hash, record } = chained;
        let personal = record.salt.zip(record.personal.as_deref());
        Self {
            number: number.unsigned_abs(),
            hash,
            over: record.fields(previous).into_text(),
            personal: personal.map(|(salt, personal)| committed(salt, personal).into_text()),
            commitment: record.commitment,
            kind: record.kind,
        }
    }
}

impl Ledger {
    /// Returns what the ledger can show of a number or an address, however it is written: who said
    /// what, when and in which words, where that came from, what counts, what was done to it since,
    /// and the records with all that their hashes are over.
    ///
    /// ```
    /// use crm_consent::{Ledger, Said, Wish};
    /// # use crm_mirror::Site;
    /// # use crm_models::TenantId;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let site = Site::new(TenantId::new(1_001)?, "https://api.servicetitan.io");
    /// # let mut ledger = Ledger::open_or_create(folder.path().join("ledger.db"), &site)?;
    /// ledger.add(&Said::new("(818) 555-0142", Wish::Out).words("STOP"))?;
    ///
    /// let proof = ledger.proof("+1 818 555 0142")?;
    /// assert_eq!(proof.wishes[0].heard.words.as_deref(), Some("STOP"));
    /// assert_eq!(proof.records[0].hash, proof.head.hash);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::Value`] for what is neither an address nor a number with its area code.
    pub fn proof(&self, value: &str) -> Result<Proof, ConsentError> {
        // In one state of the file, whatever is added meanwhile.
        let _still = self.database.check(self.database.connection.unchecked_transaction())?;
        let marketing = self.status(value, Scope::Marketing)?;
        let all_kinds = self.status(value, Scope::All)?;
        let Keys { key, .. } = self.keys(value);
        let digest = self.digest(&key);

        let mut wishes = Vec::new();
        let mut numbers = BTreeSet::new();
        for heard in marketing.heard {
            numbers.insert(heard.record);
            let (came, again) = self.came(&heard)?;
            numbers.extend(came.iter().map(|came| came.import).chain(again));
            wishes.push(Proved { heard, came });
        }
        let acts = self.acts(|act, of, redacted| {
            let is_of = |record: &u64| numbers.contains(record);
            of == Some(digest) || act.of.as_ref().is_some_and(is_of) || redacted.iter().any(is_of)
        })?;
        numbers.extend(acts.iter().map(|act| act.record));
        let policies = self.policies()?.used();
        numbers.extend(policies.iter().filter_map(|policy| policy.record));
        let wishes_end = wishes.last().map(|wish| wish.heard.record);
        let keys = self.signing_keys()?;
        let seals = self.shown_seals(wishes_end, &keys)?;
        let sealed = seals.last().map_or(0, |seal| seal.head.count);
        let decide = numbers.iter().copied().chain(keys.iter().map(|key| key.record));
        let unsealed: BTreeSet<_> = decide.filter(|record| *record > sealed).collect();
        let ruling = |wish, decided_by| Ruling { wish, decided_by };
        Ok(Proof {
            digest,
            marketing: ruling(marketing.wish, marketing.decided_by),
            all_kinds: ruling(all_kinds.wish, all_kinds.decided_by),
            wishes,
            may_be: marketing.may_be,
            acts,
            policies,
            keys: keys.iter().map(ShownKey::of).collect(),
            seals,
            unsealed: unsealed.into_iter().collect(),
            records: self.written(&numbers)?,
            head: self.head()?,
            key,
        })
    }

    /// Hands each record from one on to `each`, without what is personal: with these a stranger can
    /// follow the chain from there to its end.
    ///
    /// # Errors
    ///
    /// That of `each`, or a failure to read.
    pub fn for_each_from<E: From<ConsentError>>(
        &self,
        first: u64,
        mut each: impl FnMut(Written) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_chained("number >= ? ORDER BY number", [first], |chained| {
            each(Written { personal: None, ..Written::of(chained) })
        })
    }

    /// The lists with which a wish came, and the records that say that it came again.
    fn came(&self, heard: &Heard) -> Result<(Vec<Came>, Vec<u64>), ConsentError> {
        let mut came = Vec::new();
        let mut records = Vec::new();
        if let Some(import) = heard.import {
            came.push(self.import_with(import, heard.row)?);
        }
        let sql = "SELECT number, facts FROM records WHERE kind = 'again' AND subject = ?
                   ORDER BY number";
        let again = self.database.rows(sql, [heard.record], |row| {
            Ok((row.get::<_, u64>("number")?, row.get::<_, String>("facts")?))
        })?;
        for (number, facts) in again {
            let AgainFacts { import, row } = self.facts(number, &facts)?;
            came.push(self.import_with(import, Some(row))?);
            records.push(number);
        }
        Ok((came, records))
    }

    fn import_with(&self, import: u64, row: Option<u64>) -> Result<Came, ConsentError> {
        let sql = "SELECT at, by, facts FROM records WHERE number = ? AND kind = 'import'";
        let found = self.database.row(sql, [import], |row| {
            Ok((row.get::<_, String>("at")?, row.get("by")?, row.get::<_, String>("facts")?))
        })?;
        let unreadable =
            || ConsentError::Unreadable { path: self.path().to_owned(), record: import };
        let (imported_at, imported_by, facts) = found.ok_or_else(unreadable)?;
        let ImportFacts { file, sha256, tool, .. } = self.facts(import, &facts)?;
        let retracted_by = self.retraction(import)?;
        Ok(Came { import, row, file, sha256, tool, imported_at, imported_by, retracted_by })
    }

    /// What records say of others: those that are wanted, by themselves, by the digest of their value
    /// and by the records that they redact.
    pub(crate) fn acts(
        &self,
        is_wanted: impl Fn(&Act, Option<Sha>, &[u64]) -> bool,
    ) -> Result<Vec<Act>, ConsentError> {
        let sql = "SELECT number, kind, at, by, subject, digest, facts, personal FROM records
                   WHERE kind NOT IN ('wish', 'again', 'import', 'policy', 'key', 'seal', 'stamp')
                   ORDER BY number";
        let mut acts = Vec::new();
        self.each_row(
            sql,
            [],
            |row| {
                let act = Act {
                    record: row.get("number")?,
                    kind: row.get("kind")?,
                    at: row.get("at")?,
                    by: row.get("by")?,
                    of: row.get("subject")?,
                    reason: None,
                    target: None,
                };
                let texts = [row.get("facts")?, row.get("personal")?];
                Ok((act, row.get("digest")?, texts))
            },
            |(act, digest, [facts, personal]): (Act, _, [Option<String>; 2])| {
                let read = |json: Option<String>| {
                    let json = json.unwrap_or_else(|| "{}".to_owned());
                    self.facts::<BTreeMap<String, Value>>(act.record, &json)
                };
                let (facts, personal) = (read(facts)?, read(personal)?);
                // A redaction is of many records.
                let redacted = facts.get("records").and_then(Value::as_array).into_iter().flatten();
                let redacted: Vec<_> = redacted.filter_map(Value::as_u64).collect();
                if is_wanted(&act, digest, &redacted) {
                    let text = |all: &BTreeMap<String, Value>, name| {
                        all.get(name)?.as_str().map(str::to_owned)
                    };
                    let (reason, target) = (text(&personal, "reason"), text(&facts, "target"));
                    acts.push(Act { reason, target, ..act });
                }
                Ok::<_, ConsentError>(())
            },
        )?;
        Ok(acts)
    }

    /// The first seal over all records up to one, and the last seal.
    fn shown_seals(
        &self,
        up_to: Option<u64>,
        keys: &[KnownKey],
    ) -> Result<Vec<ShownSeal>, ConsentError> {
        let first = up_to.map(|record| self.first_seal_over(record)).transpose()?.flatten();
        let mut seals: Vec<_> = first.into_iter().chain(self.last_seal()?).collect();
        seals.dedup_by_key(|sealed| sealed.record);
        let shown = seals.into_iter().map(|Sealed { record, seal, stamp, .. }| {
            let key = keys.iter().find(|known| known.key.fingerprint() == seal.key);
            ShownSeal {
                record,
                head: seal.head,
                key: seal.key,
                signed: seal.signed(),
                signature: seal.signature(),
                public_key: key.map(|known| known.key.to_pem()),
                stamp: stamp.map(|stamp| ShownStamp {
                    time: stamp.time,
                    authority: stamp.authority,
                    answer: BASE64_STANDARD.encode(stamp.answer),
                }),
                at: seal.at,
                by: seal.by,
            }
        });
        Ok(shown.collect())
    }

    fn written(&self, numbers: &BTreeSet<u64>) -> Result<Vec<Written>, ConsentError> {
        let mut written = Vec::new();
        for number in numbers {
            self.each_chained("number = ?", [number], |chained| {
                written.push(Written::of(chained));
                Ok::<_, ConsentError>(())
            })?;
        }
        Ok(written)
    }

    fn each_chained<E: From<ConsentError>>(
        &self,
        which: &str,
        values: impl Params,
        each: impl FnMut(Chained) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = format!("SELECT {} FROM records WHERE {which}", RecordColumns::NAMES);
        let columns = const { RecordColumns::in_order(0) };
        self.each_row(&sql, values, |row| Chained::read(row, &columns), each)
    }

    /// Reads one row after another, without keeping them.
    pub(crate) fn each_row<R, E: From<ConsentError>>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<R>,
        mut each: impl FnMut(R) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error| E::from(ConsentError::from(self.database.failed(error)));
        let mut statement = self.database.connection.prepare(sql).map_err(failed)?;
        let mut rows = statement.query(values).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            each(read(row).map_err(failed)?)?;
        }
        Ok(())
    }
}
