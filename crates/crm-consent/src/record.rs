//! A record of the ledger, and what its hash is over.

use crm_mirror::{columns, keys::Keys};
use rusqlite::{
    Row,
    types::{FromSql, FromSqlError, FromSqlResult, ValueRef},
};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::{
    hash::{Fields, Sha},
    wish::{Period, Scope, Wish},
};

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub(crate) enum Kind {
    /// Somebody's wish.
    Wish,
    /// A wish that was there already came in again with another import.
    Again,
    /// A list whose wishes follow.
    Import,
    /// An import or a wish is taken back.
    Retraction,
    /// The rules from here on.
    Policy,
    /// Marketing was turned on against a wish.
    Override,
    /// The key that signs from here on.
    Key,
    /// All records before it, signed.
    Seal,
    /// When an authority saw a seal.
    Stamp,
    /// Personal data was removed.
    Redaction,
}

/// A record without its place in the chain.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) kind: String,
    pub(crate) at: String,
    pub(crate) by: String,
    pub(crate) subject: Option<u64>,
    pub(crate) digest: Option<Sha>,
    pub(crate) otherwise: Option<Sha>,
    pub(crate) facts: String,
    pub(crate) commitment: Option<Sha>,
    pub(crate) salt: Option<Sha>,
    pub(crate) personal: Option<String>,
}

impl Record {
    /// The hash of the record after the one with this hash.
    pub(crate) fn hash(&self, previous: Sha) -> Sha {
        self.fields(previous).sha()
    }

    /// What the hash is over.
    pub(crate) fn fields(&self, previous: Sha) -> Fields {
        Fields::of("crm-consent record 1")
            .and(previous.to_string())
            .and(&self.kind)
            .and(&self.at)
            .and(&self.by)
            .maybe(self.subject.map(|subject| subject.to_string()))
            .maybe(self.digest.map(|digest| digest.to_string()))
            .maybe(self.otherwise.map(|digest| digest.to_string()))
            .and(&self.facts)
            .maybe(self.commitment.map(|commitment| commitment.to_string()))
    }

    /// Whether what can be removed is what was written, or gone.
    pub(crate) fn keeps_commitment(&self) -> bool {
        match (&self.salt, &self.personal) {
            (Some(salt), Some(personal)) => self.commitment == Some(commitment(*salt, personal)),
            (None, None) => true,
            _ => false,
        }
    }

    /// Whether what can be removed is gone.
    pub(crate) fn is_emptied(&self) -> bool {
        self.commitment.is_some() && self.personal.is_none()
    }
}

/// What stands for personal data: without the salt nobody can tell by trying whose they are.
pub(crate) fn commitment(salt: Sha, personal: &str) -> Sha {
    committed(salt, personal).sha()
}

/// What a commitment is over.
pub(crate) fn committed(salt: Sha, personal: &str) -> Fields {
    Fields::of("crm-consent personal 1").and(salt.to_string()).and(personal)
}

/// A record in its place.
#[derive(Debug)]
pub(crate) struct Chained {
    pub(crate) number: i64,
    pub(crate) previous: Sha,
    pub(crate) hash: Sha,
    pub(crate) record: Record,
}

columns! {
    pub(crate) struct RecordColumns {
        number, previous, hash, kind, at, by, subject, digest, otherwise, facts, commitment, salt,
        personal,
    }
}

impl Chained {
    pub(crate) fn read(row: &Row<'_>, columns: &RecordColumns) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(columns.number)?,
            previous: row.get(columns.previous)?,
            hash: row.get(columns.hash)?,
            record: Record {
                kind: row.get(columns.kind)?,
                at: row.get(columns.at)?,
                by: row.get(columns.by)?,
                subject: row.get(columns.subject)?,
                digest: row.get(columns.digest)?,
                otherwise: row.get(columns.otherwise)?,
                facts: row.get(columns.facts)?,
                commitment: row.get(columns.commitment)?,
                salt: row.get(columns.salt)?,
                personal: row.get(columns.personal)?,
            },
        })
    }
}

impl FromSql for Sha {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = value.as_blob()?;
        bytes.try_into().map(Self).map_err(|_| FromSqlError::InvalidType)
    }
}

/// What is no personal data of a wish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WishFacts {
    pub(crate) wish: Wish,
    pub(crate) scope: Scope,
    /// When it was received, as it was written.
    pub(crate) received: Option<String>,
    pub(crate) period: Option<Period>,
    /// Whether it counts: a wish to be written to only with its time and its words.
    pub(crate) honoured: bool,
    /// The line of the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) row: Option<u64>,
}

impl WishFacts {
    /// Whether another record says the same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.wish, self.scope, self.period, self.honoured)
            == (other.wish, other.scope, other.period, other.honoured)
    }
}

/// The personal data of a wish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Personal {
    /// The number or address as it was given, and as it was read.
    pub(crate) given: String,
    pub(crate) key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) otherwise: Option<String>,
    /// The words, as they were said or written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) words: Option<String>,
    /// Where it was said, and who took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) taken_by: Option<String>,
    /// Why something was done against the wish.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

impl Personal {
    /// A value that nobody has said anything of.
    pub(crate) fn of(given: &str, Keys { key, otherwise }: Keys) -> Self {
        Self {
            given: given.to_owned(),
            key,
            otherwise,
            words: None,
            place: None,
            taken_by: None,
            reason: None,
        }
    }
}

/// A wish that came in again.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct AgainFacts {
    pub(crate) import: u64,
    pub(crate) row: u64,
}

/// A list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImportFacts {
    pub(crate) file: String,
    pub(crate) sha256: String,
    pub(crate) tool: Option<String>,
    pub(crate) scope: Scope,
    /// What its rows mean that do not say it.
    pub(crate) says: Option<Wish>,
    /// The zone of its times that name none.
    pub(crate) time_zone: String,
    pub(crate) rows: u64,
    /// How many rows could not be read.
    pub(crate) unreadable: u64,
}

/// What a record says that is of no value: why it was made. It may name somebody, so it can be
/// removed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Reason {
    pub(crate) reason: String,
}

/// That there is nothing more to say.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct NoFacts {}

/// The rules from here on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PolicyFacts {
    pub(crate) sha256: String,
    pub(crate) text: String,
}

/// A key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeyFacts {
    /// In PEM form.
    pub(crate) key: String,
    /// The seal by which the key before hands over to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seal: Option<String>,
    /// Why there is none, although there was a key before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lost: Option<String>,
}

/// A seal, as it is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SealFacts {
    pub(crate) seal: String,
}

/// A time stamp of a seal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StampFacts {
    pub(crate) time: String,
    pub(crate) authority: String,
    /// What the authority answered, in Base64.
    pub(crate) answer: String,
}

/// What was removed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RedactionFacts {
    /// The records whose personal data are gone.
    pub(crate) records: Vec<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Keyed;

    /// Those of the book, where a shell makes them.
    const COMMITMENT: &str = "5de3572c8d2ccbd5e26fbbde008460b859559cee60f149f0991f1d4077fd46d3";
    const DIGEST: &str = "b653d1ba83d298fc94f9bc9ee4a127d2826978a240c5a76ca283e2ca4692a7ae";
    const HASH: &str = "e10ca51d7150dda4e0e94c1e7811484a413ef5efe5bd08935c885be1f2a172d6";

    #[test]
    fn the_hash_of_a_record_can_be_made_by_hand() {
        let personal = r#"{"given":"(818) 555-0142","key":"18185550142","words":"STOP"}"#;
        let salt = Sha([0x11; 32]);
        let record = Record {
            kind: "wish".to_owned(),
            at: "2026-11-29T12:00:00Z".to_owned(),
            by: "dana".to_owned(),
            subject: None,
            digest: Some(Keyed::with(&[0x22; 32]).digest("18185550142")),
            otherwise: None,
            facts: r#"{"wish":"out","scope":"marketing","received":"2026-11-28"}"#.to_owned(),
            commitment: Some(commitment(salt, personal)),
            salt: Some(salt),
            personal: Some(personal.to_owned()),
        };
        assert!(record.keeps_commitment());
        assert_eq!(record.commitment.unwrap().to_string(), COMMITMENT);
        assert_eq!(record.digest.unwrap().to_string(), DIGEST);
        assert_eq!(record.hash(Sha::NONE).to_string(), HASH);
    }
}
