//! The file of the ledger, and how a record gets to its end.

use std::path::Path;

use crm_bulk::system_user;
use crm_mirror::{
    MirrorError, Site, clock,
    database::{Database, Format, NewDatabase},
    keys::Keys,
};
use crm_values::PhoneReader;
use rusqlite::{Transaction, named_params};
use serde::Serialize;

use crate::{
    error::ConsentError,
    fault::Fault,
    hash::{Keyed, Sha, random},
    policy::Policy,
    record::{Chained, Kind, Personal, PolicyFacts, Reason, Record, RecordColumns, commitment},
};

const FORMAT: Format = Format {
    noun: "consent ledger",
    // CRMC
    application_id: 0x4352_4D43,
    oldest: 1,
    migrations: &[include_str!("schema.sql")],
    convert: |_, _| Ok(()),
    keeps_journal: |_| false,
};

/// The wishes of people to be left alone, or to be written to again: one SQLite file to which records
/// are only added. Each has the hash of the one before in its own, so that none can be changed, taken
/// out or moved without being noticed by [`check`](Self::check).
///
/// A record is on the disk before it is reported. Several processes may add at once: they queue.
#[derive(Debug)]
pub struct Ledger {
    pub(crate) database: Database,
    pub(crate) keyed: Keyed,
    pub(crate) reader: PhoneReader,
}

/// How long a ledger is, and the hash of its last record: what a seal is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Head {
    /// How many records there are.
    pub count: u64,
    /// The hash of the last one; of an empty ledger zeros.
    pub hash: Sha,
}

impl Ledger {
    /// Opens a ledger.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::File`] where there is none, and for one of another account, and
    /// [`ConsentError::DigestKey`] where its key does not find what is in it.
    pub fn open(path: impl AsRef<Path>, site: &Site) -> Result<Self, ConsentError> {
        let path = path.as_ref();
        let database = Database::open(path, &FORMAT)?;
        site.admit(&database.site()?, path)?;
        if database.may_be_written()? {
            database.make_durable()?;
        }
        let key = database.meta("digest_key")?.and_then(|key| key.parse::<Sha>().ok());
        let foreign = || MirrorError::Foreign { path: path.to_owned(), noun: FORMAT.noun };
        let Sha(key) = key.ok_or_else(foreign)?;
        let ledger = Self { database, keyed: Keyed::with(&key), reader: PhoneReader::default() };
        ledger.admit_digest_key()?;
        Ok(ledger)
    }

    /// Opens a ledger, or begins one.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::File`] for one of another account and one that cannot be created.
    pub fn open_or_create(path: impl AsRef<Path>, site: &Site) -> Result<Self, ConsentError> {
        let path = path.as_ref();
        if !path.exists() {
            match Self::create(path, site) {
                // By another process meanwhile.
                Err(ConsentError::File(MirrorError::Exists { .. })) => {}
                created => created?,
            }
        }
        Self::open(path, site)
    }

    fn create(path: &Path, site: &Site) -> Result<(), ConsentError> {
        let new = NewDatabase::create(path, &FORMAT)?;
        let database = new.database();
        database.set_site(site)?;
        database.set_meta("digest_key", &random().map_err(ConsentError::random)?.to_string())?;
        set_head(database, Head { count: 0, hash: Sha::NONE })?;
        database.make_durable()?;
        Ok(new.finish()?)
    }

    /// Sets how telephone numbers are read. By default those without a country code are of the United
    /// States.
    #[must_use]
    pub fn numbers(mut self, reader: PhoneReader) -> Self {
        self.reader = reader;
        self
    }

    /// Returns the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.database.path()
    }

    /// Returns how long the ledger is and the hash of its last record, as it was written.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::Broken`] where it is not what was written.
    pub fn head(&self) -> Result<Head, ConsentError> {
        let meta = |name| self.database.meta(name);
        let count = meta("head_count")?.and_then(|count| count.parse().ok());
        let hash = meta("head_hash")?.and_then(|hash| hash.parse().ok());
        match (count, hash) {
            (Some(count), Some(hash)) => Ok(Head { count, hash }),
            _ => Err(self.broken()),
        }
    }

    /// Returns the policy that holds: the last that was set, else the default.
    ///
    /// # Errors
    ///
    /// Returns errors for a file that cannot be read.
    pub fn policy(&self) -> Result<Policy, ConsentError> {
        let sql = "SELECT number, facts FROM records WHERE kind = 'policy'
                   ORDER BY number DESC LIMIT 1";
        let last = self.database.row(sql, [], |row| {
            Ok((row.get::<_, u64>("number")?, row.get::<_, String>("facts")?))
        })?;
        let Some((number, facts)) = last else {
            return Ok(Policy::default());
        };
        let facts: PolicyFacts = self.facts(number, &facts)?;
        Policy::read(&facts.text)
    }

    /// Has another policy hold from now on, and returns the number of the record.
    ///
    /// # Errors
    ///
    /// Returns errors for a file that cannot be written.
    pub fn set_policy(&mut self, policy: &Policy) -> Result<u64, ConsentError> {
        let facts =
            PolicyFacts { sha256: policy.sha256().to_string(), text: policy.text().to_owned() };
        self.adding(|adding| adding.add(Kind::Policy, None, &facts))
    }

    /// Adds records, all of them or none, and has them on the disk. Another process that adds is
    /// waited for.
    pub(crate) fn adding<R>(
        &self,
        add: impl FnOnce(&mut Adding<'_>) -> Result<R, ConsentError>,
    ) -> Result<R, ConsentError> {
        let transaction = self.database.begin_to_write()?;
        let head = self.head()?;
        let mut adding =
            Adding { ledger: self, head, at: clock::now().to_string(), by: system_user() };
        adding.refuse_broken()?;
        let added = add(&mut adding)?;
        if adding.head != head {
            set_head(&self.database, adding.head)?;
        }
        self.commit(transaction)?;
        Ok(added)
    }

    fn commit(&self, transaction: Transaction<'_>) -> Result<(), ConsentError> {
        Ok(self.database.check(transaction.commit())?)
    }

    /// What a value is compared by.
    pub(crate) fn keys(&self, value: &str) -> Keys {
        Keys::of(value, self.reader)
    }

    /// By what a value with this key is found.
    pub(crate) fn digest(&self, key: &str) -> Sha {
        self.keyed.digest(key)
    }

    /// Refuses a key of the digests by which the first and the last wish would not be found.
    fn admit_digest_key(&self) -> Result<(), ConsentError> {
        let columns = const { RecordColumns::in_order(0) };
        for order in ["ASC", "DESC"] {
            let sql = format!(
                "SELECT {} FROM records WHERE kind = 'wish' AND personal IS NOT NULL
                 ORDER BY number {order} LIMIT 1",
                RecordColumns::NAMES
            );
            let read = self.database.row(&sql, [], |row| Ok(Chained::read(row, &columns).ok()));
            // What cannot be read or is altered itself is for a check to name.
            let Ok(Some(Some(Chained { number, previous, hash, record }))) = read else {
                continue;
            };
            let is_sound = record.hash(previous) == hash && record.keeps_commitment();
            if is_sound && !self.finds(&record) {
                let (path, record) = (self.path().to_owned(), number.unsigned_abs());
                return Err(ConsentError::DigestKey { path, record });
            }
        }
        Ok(())
    }

    /// Whether a value is found by what it is: it is not, if the key of the digests was changed.
    pub(crate) fn finds(&self, record: &Record) -> bool {
        let (Some(_), Some(personal)) = (&record.digest, &record.personal) else {
            return true;
        };
        let personal = serde_json::from_str::<Personal>(personal);
        personal.is_ok_and(|Personal { key, otherwise, .. }| {
            record.digest == Some(self.digest(&key))
                && record.otherwise == otherwise.map(|key| self.digest(&key))
        })
    }

    /// What a record says in its JSON.
    pub(crate) fn facts<'de, F: serde::Deserialize<'de>>(
        &self,
        record: u64,
        json: &'de str,
    ) -> Result<F, ConsentError> {
        let path = || self.path().to_owned();
        serde_json::from_str(json).map_err(|_| ConsentError::Unreadable { path: path(), record })
    }

    fn broken(&self) -> ConsentError {
        ConsentError::Broken { path: self.path().to_owned() }
    }
}

fn set_head(database: &Database, head: Head) -> Result<(), MirrorError> {
    database.set_meta("head_count", &head.count.to_string())?;
    database.set_meta("head_hash", &head.hash.to_string())
}

/// What is kept as JSON is made of texts and numbers, which always can be written.
pub(crate) fn json(of: &impl Serialize) -> String {
    serde_json::to_string(of).unwrap_or_default()
}

/// How many of the last records are looked at before one is added: it takes a millisecond.
const AT_THE_END: u64 = 100;

/// Records that are being added.
pub(crate) struct Adding<'l> {
    pub(crate) ledger: &'l Ledger,
    pub(crate) head: Head,
    pub(crate) at: String,
    pub(crate) by: String,
}

/// Of which value a record is, and what of it can be removed, as JSON.
#[derive(Default)]
struct Personally {
    digest: Option<Sha>,
    otherwise: Option<Sha>,
    personal: Option<String>,
}

impl Adding<'_> {
    /// Adds nothing to an end that is not what was written: it would hide that. The whole ledger is
    /// for a check, which takes longer the longer it is.
    fn refuse_broken(&self) -> Result<(), ConsentError> {
        match self.fault_at_the_end()? {
            None => Ok(()),
            Some(fault) => {
                Err(ConsentError::Altered { path: self.ledger.path().to_owned(), fault })
            }
        }
    }

    /// What is wrong with the last records, from the last one backwards.
    fn fault_at_the_end(&self) -> Result<Option<Fault>, ConsentError> {
        let Head { count, hash: mut expected } = self.head;
        let columns = const { RecordColumns::in_order(0) };
        let sql = format!(
            "SELECT {} FROM records ORDER BY number DESC LIMIT {AT_THE_END}",
            RecordColumns::NAMES
        );
        let last =
            self.ledger.database.rows(&sql, [], |row| Ok(Chained::read(row, &columns).ok()))?;
        let (found, before) = (last.len() as u64, count.saturating_sub(last.len() as u64));
        if found == 0 && count > 0 {
            return Ok(Some(Fault::CutOff(1)));
        }
        for (read, place) in last.into_iter().zip((0..=count).rev()) {
            let Some(Chained { number, previous, hash, record }) = read else {
                return Ok(Some(Fault::Altered(place)));
            };
            match u64::try_from(number) {
                Ok(number) if number > place => return Ok(Some(Fault::Added(place + 1))),
                Ok(number) if number < place && place == count => {
                    return Ok(Some(Fault::CutOff(number + 1)));
                }
                Ok(number) if number == place => {}
                _ => return Ok(Some(Fault::Removed(place))),
            }
            let is_sound = hash == expected
                && record.hash(previous) == hash
                && record.keeps_commitment()
                && self.ledger.finds(&record);
            if !is_sound {
                return Ok(Some(Fault::Altered(place)));
            }
            expected = previous;
        }
        if before > 0 && found < AT_THE_END {
            return Ok(Some(Fault::Removed(before)));
        }
        let is_first = before == 0;
        Ok((is_first && expected != Sha::NONE).then_some(Fault::Altered(1)))
    }

    /// Adds a record that is of no value, and returns its number.
    pub(crate) fn add(
        &mut self,
        kind: Kind,
        subject: Option<u64>,
        facts: &impl Serialize,
    ) -> Result<u64, ConsentError> {
        self.append(kind, subject, facts, Personally::default())
    }

    /// Adds a record that is of no value and has a reason, and returns its number.
    pub(crate) fn add_with_reason(
        &mut self,
        kind: Kind,
        subject: Option<u64>,
        facts: &impl Serialize,
        reason: &str,
    ) -> Result<u64, ConsentError> {
        let personal = json(&Reason { reason: reason.to_owned() });
        let of = Personally { personal: Some(personal), ..Personally::default() };
        self.append(kind, subject, facts, of)
    }

    /// Adds a record of a value, and returns its number.
    pub(crate) fn add_of_value(
        &mut self,
        kind: Kind,
        subject: Option<u64>,
        facts: &impl Serialize,
        personal: &Personal,
    ) -> Result<u64, ConsentError> {
        let otherwise = personal.otherwise.as_deref();
        let of = Personally {
            digest: Some(self.ledger.digest(&personal.key)),
            otherwise: otherwise.map(|key| self.ledger.digest(key)),
            personal: Some(json(personal)),
        };
        self.append(kind, subject, facts, of)
    }

    fn append(
        &mut self,
        kind: Kind,
        subject: Option<u64>,
        facts: &impl Serialize,
        of: Personally,
    ) -> Result<u64, ConsentError> {
        let Personally { digest, otherwise, personal } = of;
        let salt = personal.as_ref().map(|_| random()).transpose().map_err(ConsentError::random)?;
        let record = Record {
            kind: <&str>::from(kind).to_owned(),
            at: self.at.clone(),
            by: self.by.clone(),
            subject,
            digest,
            otherwise,
            facts: json(facts),
            commitment: salt
                .zip(personal.as_ref())
                .map(|(salt, personal)| commitment(salt, personal)),
            salt,
            personal,
        };
        let head = Head { count: self.head.count + 1, hash: record.hash(self.head.hash) };
        self.ledger.database.execute(
            "INSERT INTO records (number, previous, hash, kind, at, by, subject, digest, otherwise,
                 facts, commitment, salt, personal)
             VALUES (:number, :previous, :hash, :kind, :at, :by, :subject, :digest, :otherwise,
                 :facts, :commitment, :salt, :personal)",
            named_params! {
                ":number": head.count, ":previous": self.head.hash.0, ":hash": head.hash.0,
                ":kind": record.kind, ":at": record.at, ":by": record.by,
                ":subject": record.subject, ":digest": record.digest.map(|sha| sha.0),
                ":otherwise": record.otherwise.map(|sha| sha.0), ":facts": record.facts,
                ":commitment": record.commitment.map(|sha| sha.0),
                ":salt": record.salt.map(|sha| sha.0), ":personal": record.personal,
            },
        )?;
        self.head = head;
        Ok(head.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        redact::Redact,
        taking::Said,
        wish::{Scope, Wish},
    };

    /// SQLite says the same as where the disk is full.
    #[test]
    fn a_full_disk_is_told_and_what_was_reported_stays() {
        let folder = tempfile::tempdir().unwrap();
        let site = Site::new(crm_models::TenantId::new(7).unwrap(), "https://api.example.com");
        let mut ledger = Ledger::open_or_create(folder.path().join("ledger.db"), &site).unwrap();
        let said = |n: u32| {
            let words = "no more of these, please".repeat(20);
            Said::new(format!("818-555-{n:04}"), Wish::Out).words(words)
        };
        ledger.add(&said(0)).unwrap();
        let grow_to = |ledger: &Ledger, pages: u32| {
            ledger.database.connection.pragma_update(None, "max_page_count", pages).unwrap();
        };
        let pages = "PRAGMA page_count";
        let pages: u32 = ledger.database.value(pages, []).unwrap().unwrap();
        grow_to(&ledger, pages + 3);
        let (failed, error) =
            (1..500).find_map(|n| Some((n, ledger.add(&said(n)).err()?))).unwrap();
        assert!(error.is_local() && error.to_string().contains("the disk is full"), "{error}");
        assert_eq!(ledger.head().unwrap().count, u64::from(failed));
        let is_there = |ledger: &Ledger, n: u32| {
            let value = format!("818-555-{n:04}");
            !ledger.status(&value, Scope::Marketing).unwrap().may()
        };
        assert!(is_there(&ledger, failed - 1) && !is_there(&ledger, failed));
        assert_eq!(ledger.check(None).unwrap().fault, None);

        // With room again all goes on.
        grow_to(&ledger, 10_000);
        ledger.add(&said(failed)).unwrap();
        ledger.redact(Redact::Value("818-555-0000"), "asked").unwrap();
        assert!(is_there(&ledger, 0) && is_there(&ledger, failed));
        assert_eq!(ledger.check(None).unwrap().fault, None);
    }
}
