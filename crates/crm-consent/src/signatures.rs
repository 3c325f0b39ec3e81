//! Keys and seals of a ledger, followed from record to record.

use crm_mirror::Site;

use crate::{
    hash::Sha,
    key::PublicKey,
    ledger::Head,
    record::{KeyFacts, Record, SealFacts},
    seal::Seal,
};

/// Keys and seals, followed from the first record on.
#[derive(Debug)]
pub(crate) struct Signatures {
    site: Site,
    key: Option<PublicKey>,
    /// How many records the last seal is over.
    pub(crate) sealed: u64,
    /// Keys to which no key before has handed over.
    pub(crate) unsigned: Vec<u64>,
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
        match (&self.key, facts.seal) {
            (None, None) => {}
            (Some(_), None) if facts.lost.is_some() => self.unsigned.push(before.count + 1),
            (Some(_), Some(seal)) if self.is_signed(&seal, Some(key.fingerprint()), before) => {
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
