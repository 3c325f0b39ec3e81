//! How a ledger is signed, with which key, and whether what was signed holds.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use crm_mirror::Site;
use rusqlite::Row;
use serde::Serialize;

use crate::{
    error::ConsentError,
    hash::Sha,
    key::{PublicKey, SealingKey},
    ledger::{Adding, Ledger},
    record::{KeyFacts, Kind, SealFacts, StampFacts},
    seal::Seal,
};

/// A seal that is kept in the ledger as well.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sealed {
    /// Its record.
    pub record: u64,
    /// The seal.
    pub seal: Seal,
    /// Whether it was made just now; if not, nothing has come in since.
    pub is_new: bool,
    /// The first time stamp of it.
    pub stamp: Option<Stamped>,
}

/// When an authority saw a seal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stamped {
    /// The record.
    pub record: u64,
    /// When it says that it saw the seal, in UTC.
    pub time: String,
    /// Where it was asked.
    pub authority: String,
    /// All that it answered, as `openssl ts -verify` reads it.
    #[serde(skip)]
    pub answer: Vec<u8>,
}

/// A key that signs a ledger, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownKey {
    /// Its record.
    pub record: u64,
    /// Since when it signs.
    pub since: String,
    /// Who has it sign, as the system knows.
    pub by: String,
    /// The key.
    pub key: PublicKey,
    /// Whether the key before handed over to it, which is signed in its record; none for the first one.
    pub handed_over: Option<bool>,
    /// Why no key before handed over to it, if there was one.
    pub lost: Option<String>,
}

/// Why a seal that is kept elsewhere says nothing about a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealFault {
    /// It is of another account's ledger.
    OtherLedger(Site),
    /// No key is known that has this fingerprint.
    UnknownKey(Sha),
    /// The key that was given has this fingerprint and is not the one that it names.
    OtherKey(Sha),
    /// Its signature is not of this text by this key.
    Forged,
}

impl fmt::Display for SealFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherLedger(site) => write!(
                f,
                "the seal is of another ledger: that of tenant {} on {}",
                site.tenant(),
                site.environment()
            ),
            Self::UnknownKey(key) => write!(
                f,
                "the seal is of key {key}, which this ledger does not know: either it is of \
                 another ledger, or this one was written anew; or give the public key"
            ),
            Self::OtherKey(given) => {
                write!(f, "the seal is of another key than the one that was given, {given}")
            }
            Self::Forged => write!(f, "the seal was altered: its signature is not of its text"),
        }
    }
}

impl Ledger {
    /// Signs all that is in the ledger. The seal is a record too. Where nothing has come in since the
    /// last seal, that one is returned.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::NoKey`] for a ledger without a key, [`ConsentError::WrongKey`] for
    /// another one than its last, and [`ConsentError::Altered`] for a ledger that is not what was
    /// written.
    pub fn seal(&mut self, key: &SealingKey) -> Result<Sealed, ConsentError> {
        self.refuse_altered()?;
        let site = self.database.site()?;
        self.adding(|adding| {
            adding.ledger.admit_key(key)?;
            if let Some(sealed) = adding.ledger.last_seal()?
                && !adding.ledger.has_more_than_seals_after(sealed.record)?
            {
                return Ok(sealed);
            }
            let seal = adding.sign(key, None, site);
            let facts = SealFacts { seal: seal.to_string() };
            let record = adding.add(Kind::Seal, None, &facts)?;
            Ok(Sealed { record, seal, is_new: true, stamp: None })
        })
    }

    /// Returns the last seal, if there is one.
    ///
    /// # Errors
    ///
    /// Returns errors for a file that cannot be read.
    pub fn last_seal(&self) -> Result<Option<Sealed>, ConsentError> {
        self.sealed("1 ORDER BY number DESC", [])
    }

    /// Returns the first seal that is over a record, if there is one: it shows by when the record was
    /// there.
    ///
    /// # Errors
    ///
    /// Returns errors for a file that cannot be read.
    pub fn first_seal_over(&self, record: u64) -> Result<Option<Sealed>, ConsentError> {
        self.sealed("number > ? ORDER BY number", [record])
    }

    fn sealed(
        &self,
        which: &str,
        values: impl rusqlite::Params,
    ) -> Result<Option<Sealed>, ConsentError> {
        let sql =
            format!("SELECT number, facts FROM records WHERE kind = 'seal' AND {which} LIMIT 1");
        let Some((record, facts)) = self.database.row(&sql, values, numbered)? else {
            return Ok(None);
        };
        let SealFacts { seal } = self.facts(record, &facts)?;
        let seal = seal.parse().map_err(|_| self.unreadable(record))?;
        Ok(Some(Sealed { record, seal, is_new: false, stamp: self.stamp_of(record)? }))
    }

    fn stamp_of(&self, seal: u64) -> Result<Option<Stamped>, ConsentError> {
        let sql = "SELECT number, facts FROM records WHERE kind = 'stamp' AND subject = ?
                   ORDER BY number LIMIT 1";
        let Some((record, facts)) = self.database.row(sql, [seal], numbered)? else {
            return Ok(None);
        };
        let StampFacts { time, authority, answer } = self.facts(record, &facts)?;
        let answer = BASE64_STANDARD.decode(answer).map_err(|_| self.unreadable(record))?;
        Ok(Some(Stamped { record, time, authority, answer }))
    }

    fn has_more_than_seals_after(&self, record: u64) -> Result<bool, ConsentError> {
        let sql = "SELECT 1 FROM records WHERE number > ? AND kind <> 'stamp' LIMIT 1";
        Ok(self.database.value::<i64>(sql, [record])?.is_some())
    }

    /// Keeps the time stamp of a seal, and returns its record.
    ///
    /// # Errors
    ///
    /// Returns errors for a file that cannot be written.
    pub fn keep_stamp(
        &mut self,
        seal: u64,
        authority: &str,
        time: &str,
        answer: &[u8],
    ) -> Result<Stamped, ConsentError> {
        let facts = StampFacts {
            time: time.to_owned(),
            authority: authority.to_owned(),
            answer: BASE64_STANDARD.encode(answer),
        };
        let record = self.adding(|adding| adding.add(Kind::Stamp, Some(seal), &facts))?;
        let StampFacts { time, authority, .. } = facts;
        Ok(Stamped { record, time, authority, answer: answer.to_owned() })
    }

    /// Returns all keys of the ledger; the last is the one that signs.
    ///
    /// # Errors
    ///
    /// Returns errors for a file that cannot be read.
    pub fn signing_keys(&self) -> Result<Vec<KnownKey>, ConsentError> {
        let sql = "SELECT number, at, by, facts FROM records WHERE kind = 'key' ORDER BY number";
        let all = self.database.rows(sql, [], |row| {
            let (record, facts) = numbered(row)?;
            Ok((record, row.get("at")?, row.get("by")?, facts))
        })?;
        let known = all.into_iter().enumerate().map(|(place, (record, since, by, facts))| {
            let KeyFacts { key, lost, seal } = self.facts(record, &facts)?;
            let key = PublicKey::from_pem(&key).map_err(|_| self.unreadable(record))?;
            let handed_over = (place > 0).then_some(seal.is_some());
            Ok(KnownKey { record, since, by, key, handed_over, lost })
        });
        known.collect()
    }

    /// Has a key sign from now on, as the first one of the ledger, and returns its record.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::KeyThere`] for a ledger that has a key.
    pub fn begin_key(&mut self, key: &PublicKey) -> Result<u64, ConsentError> {
        let facts = KeyFacts { key: key.to_pem(), seal: None, lost: None };
        self.adding(|adding| match adding.ledger.signing_keys()?.last() {
            Some(last) => Err(ConsentError::KeyThere { record: last.record }),
            None => adding.add(Kind::Key, None, &facts),
        })
    }

    /// Has another key sign from now on, to which the last one hands over, and returns its record.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::NoKey`] and [`ConsentError::WrongKey`] where the key that hands over is
    /// not the last one of the ledger, and [`ConsentError::Altered`] for a ledger that is not what was
    /// written.
    pub fn hand_over(&mut self, from: &SealingKey, to: &PublicKey) -> Result<u64, ConsentError> {
        self.refuse_altered()?;
        let site = self.database.site()?;
        self.adding(|adding| {
            adding.ledger.admit_key(from)?;
            let seal = adding.sign(from, Some(to.fingerprint()), site);
            let facts = KeyFacts { key: to.to_pem(), seal: Some(seal.to_string()), lost: None };
            adding.add(Kind::Key, None, &facts)
        })
    }

    /// Has another key sign from now on, where the last one is lost, and returns its record. A
    /// [check](Self::check) tells it: anybody who can write the file could have done it.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::NoKey`] for a ledger without a key.
    pub fn replace_lost_key(&mut self, to: &PublicKey, reason: &str) -> Result<u64, ConsentError> {
        let facts = KeyFacts { key: to.to_pem(), seal: None, lost: Some(reason.to_owned()) };
        self.adding(|adding| match adding.ledger.signing_keys()?.last() {
            Some(_) => adding.add(Kind::Key, None, &facts),
            None => Err(ConsentError::NoKey),
        })
    }

    /// Refuses a key that is not the last one of the ledger.
    fn admit_key(&self, key: &SealingKey) -> Result<(), ConsentError> {
        let known = self.signing_keys()?;
        let last = known.last().ok_or(ConsentError::NoKey)?;
        let (given, known) = (key.public().fingerprint(), last.key.fingerprint());
        if given == known { Ok(()) } else { Err(ConsentError::WrongKey { given, known }) }
    }

    /// Returns what is wrong with a seal that was kept elsewhere: nothing, if it is of this ledger and
    /// signed by one of its keys, or by the one that is given. Whether the ledger is what was sealed
    /// says a [check](Self::check) against its head.
    ///
    /// # Errors
    ///
    /// Returns errors for a file that cannot be read.
    pub fn fault_of(
        &self,
        seal: &Seal,
        given: Option<&PublicKey>,
    ) -> Result<Option<SealFault>, ConsentError> {
        if seal.site != self.database.site()? {
            return Ok(Some(SealFault::OtherLedger(seal.site.clone())));
        }
        let key = match given {
            Some(given) if given.fingerprint() != seal.key => {
                return Ok(Some(SealFault::OtherKey(given.fingerprint())));
            }
            Some(given) => given.clone(),
            None => {
                let mut known = self.signing_keys()?.into_iter().map(|known| known.key);
                match known.find(|key| key.fingerprint() == seal.key) {
                    Some(key) => key,
                    None => return Ok(Some(SealFault::UnknownKey(seal.key))),
                }
            }
        };
        Ok((!seal.is_signed_by(&key)).then_some(SealFault::Forged))
    }

    fn unreadable(&self, record: u64) -> ConsentError {
        ConsentError::Unreadable { path: self.path().to_owned(), record }
    }
}

fn numbered(row: &Row<'_>) -> rusqlite::Result<(u64, String)> {
    Ok((row.get("number")?, row.get("facts")?))
}

impl Adding<'_> {
    fn sign(&self, key: &SealingKey, next: Option<Sha>, site: Site) -> Seal {
        Seal::sign(key, next, site, self.head, &self.at, &self.by)
    }
}
