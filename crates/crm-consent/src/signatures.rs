//! Keys and seals of a ledger, followed from record to record.

use crm_mirror::Site;
use serde::Serialize;

use crate::{
    hash::Sha,
    key::PublicKey,
    ledger::Head,
    record::{KeyFacts, Record, SealFacts},
    seal::Seal,
};

/// A key to which the one before did not hand over, since it is said to be lost: anybody who can write
/// the file could have had it sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnsignedKey {
    /// The record from which on it signs.
    pub record: u64,
    /// The SHA-256 of the public key.
    pub fingerprint: Sha,
    /// Why the one before did not sign that, as somebody said.
    pub reason: String,
}

/// Keys and seals, followed from the first record on.
#[derive(Debug)]
pub(crate) struct Signatures {
    site: Site,
    key: Option<PublicKey>,
    /// How many records the last seal is over.
    pub(crate) sealed: u64,
    /// Keys to which no key before has handed over.
    pub(crate) unsigned: Vec<UnsignedKey>,
}

impl Signatures {
    pub(crate) fn of(site: Site) -> Self {
        Self { site, key: None, sealed: 0, unsigned: Vec::new() }
    }

    /// Whether a record is signed that has to be, where the records before it are these.
    pub(crate) fn admit(&mut self, before: Head, record: &Record) -> bool {
        match record.kind.as_str() {
            "seal" => self.admit_seal(before, record),
            "key" => self.admit_key(before, record),
            _ => true,
        }
    }

    fn admit_seal(&mut self, before: Head, record: &Record) -> bool {
        let facts = serde_json::from_str::<SealFacts>(&record.facts);
        let is_signed = facts.is_ok_and(|facts| self.is_signed(&facts.seal, None, before));
        if is_signed {
            self.sealed = before.count;
        }
        is_signed
    }

    fn admit_key(&mut self, before: Head, record: &Record) -> bool {
        let facts = serde_json::from_str::<KeyFacts>(&record.facts).ok();
        let key = facts.as_ref().and_then(|facts| PublicKey::from_pem(&facts.key).ok());
        let (Some(facts), Some(key)) = (facts, key) else {
            return false;
        };
        let fingerprint = key.fingerprint();
        match (&self.key, facts.seal, facts.lost) {
            (None, None, _) => {}
            (Some(_), None, Some(reason)) => {
                self.unsigned.push(UnsignedKey { record: before.count + 1, fingerprint, reason });
            }
            (Some(_), Some(seal), _) if self.is_signed(&seal, Some(fingerprint), before) => {
                self.sealed = before.count;
            }
            _ => return false,
        }
        self.key = Some(key);
        true
    }

    /// Whether a text is the seal of the key that signs here over all before.
    fn is_signed(&self, seal: &str, next: Option<Sha>, before: Head) -> bool {
        let seal = seal.parse::<Seal>().ok();
        self.key.as_ref().zip(seal).is_some_and(|(key, seal)| {
            seal.site == self.site
                && seal.head == before
                && seal.next == next
                && seal.is_signed_by(key)
        })
    }
}
