//! Whether the ledger is what was written.

use std::fmt;

use rusqlite::ErrorCode;

use crate::{
    error::ConsentError,
    hash::Sha,
    ledger::{Head, Ledger},
    record::{Chained, Personal, Record, RecordColumns},
};

/// What a check of the whole ledger found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked {
    /// How many records were found to be what was written, from the first one on.
    pub sound: u64,
    /// The hash of the last of them.
    pub hash: Sha,
    /// What is wrong with the first record that is not.
    pub fault: Option<Fault>,
}

/// The first record that is not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Something in it is not what was written.
    Altered(u64),
    /// It was taken out.
    Removed(u64),
    /// Another one stands in its place.
    Reordered(u64),
    /// It and all that follow were cut off.
    CutOff(u64),
    /// It stands behind the end that was written down.
    Added(u64),
    /// All records are sound, but the index by which they are found is not.
    Index,
}

impl Fault {
    /// Returns the record, or none where it is no single one.
    #[must_use]
    pub fn record(&self) -> Option<u64> {
        match *self {
            Self::Altered(record)
            | Self::Removed(record)
            | Self::Reordered(record)
            | Self::CutOff(record)
            | Self::Added(record) => Some(record),
            Self::Index => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Altered(record) => write!(f, "record {record} was altered"),
            Self::Removed(record) => write!(f, "record {record} was removed"),
            Self::Reordered(record) => {
                write!(f, "record {record} was moved: another one stands in its place")
            }
            Self::CutOff(record) => {
                write!(f, "record {record} and all that followed were cut off")
            }
            Self::Added(record) => {
                write!(f, "record {record} was added behind the end that was written down")
            }
            Self::Index => write!(f, "the index by which records are found is damaged"),
        }
    }
}

impl Ledger {
    /// Looks at every record, whether it is what was written and stands where it was written. With
    /// `against`, a head that was kept elsewhere, a cut is seen even where the ledger's own note of
    /// its end was changed as well.
    ///
    /// # Errors
    ///
    /// Returns errors for a file that cannot be read. What is wrong with the records is no error.
    pub fn check(&self, against: Option<&Head>) -> Result<Checked, ConsentError> {
        let mut checked = Checked { sound: 0, hash: Sha::NONE, fault: None };
        // In one state of the file, whatever is added meanwhile.
        let transaction = self.database.check(self.database.connection.unchecked_transaction())?;
        let mut differs = false;
        match self.walk(&mut checked, |sound| {
            differs |=
                against.is_some_and(|seal| seal.count == sound.count && seal.hash != sound.hash);
        }) {
            Ok(()) => {}
            // The place where the reading ended is the place of the damage.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                checked.fault = Some(Fault::Altered(checked.sound + 1));
            }
            Err(error) => return Err(self.database.failed(error).into()),
        }
        let sealed = against.filter(|seal| seal.count > checked.sound).map(|_| checked.sound + 1);
        checked.fault = match (checked.fault, sealed) {
            // All of it was written anew.
            (None, _) if differs => Some(Fault::Altered(1)),
            (None, Some(next)) => Some(Fault::CutOff(next)),
            (fault, _) => fault.or_else(|| self.at_the_end(&checked)),
        };
        if checked.fault.is_none() && !self.has_sound_indexes()? {
            checked.fault = Some(Fault::Index);
        }
        drop(transaction);
        Ok(checked)
    }

    /// Goes from the first record on, up to one that is not what was written.
    fn walk(&self, checked: &mut Checked, mut sound: impl FnMut(Head)) -> rusqlite::Result<()> {
        let sql = format!("SELECT {} FROM records ORDER BY number", RecordColumns::NAMES);
        let mut statement = self.database.connection.prepare(&sql)?;
        let columns = RecordColumns::of(&statement)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let place = checked.sound + 1;
            // What is not even of its type was altered as well.
            checked.fault = match Chained::read(row, &columns) {
                Ok(read) => self.fault(&read, checked.hash, place)?,
                Err(_) => Some(Fault::Altered(place)),
            };
            if checked.fault.is_some() {
                break;
            }
            let hash = row.get(columns.hash)?;
            (checked.sound, checked.hash) = (place, hash);
            sound(Head { count: place, hash });
        }
        Ok(())
    }

    /// What is wrong with the record that stands at this place, after the one with this hash.
    fn fault(&self, read: &Chained, before: Sha, place: u64) -> rusqlite::Result<Option<Fault>> {
        let Chained { number, previous, hash, record } = read;
        if record.hash(*previous) != *hash || !record.keeps_commitment() || !self.finds(record) {
            // Of one that is not in its place, that is the one that stands there.
            return Ok(Some(Fault::Altered(u64::try_from(*number).unwrap_or(place))));
        }
        if *previous == before {
            let is_here = u64::try_from(*number) == Ok(place);
            return Ok((!is_here).then_some(Fault::Altered(place)));
        }
        let sql = "SELECT 1 FROM records WHERE previous = ? LIMIT 1";
        let mut statement = self.database.connection.prepare(sql)?;
        let is_elsewhere = statement.exists([before.0])?;
        Ok(Some(if is_elsewhere { Fault::Reordered(place) } else { Fault::Removed(place) }))
    }

    /// Whether a value is found by what it is: it is not, if the key of the digests was changed.
    fn finds(&self, record: &Record) -> bool {
        let Some(personal) = &record.personal else {
            return true;
        };
        let personal = serde_json::from_str::<Personal>(personal);
        personal.is_ok_and(|Personal { key, otherwise, .. }| {
            record.digest == Some(self.digest(&key))
                && record.otherwise == otherwise.map(|key| self.digest(&key))
        })
    }

    /// Whether the records end where the ledger has noted that they do.
    fn at_the_end(&self, checked: &Checked) -> Option<Fault> {
        let Ok(noted) = self.head() else {
            return Some(Fault::CutOff(checked.sound + 1));
        };
        if noted.count > checked.sound {
            Some(Fault::CutOff(checked.sound + 1))
        } else if noted.count < checked.sound {
            Some(Fault::Added(noted.count + 1))
        } else {
            (noted.hash != checked.hash).then_some(Fault::Altered(checked.sound.max(1)))
        }
    }

    /// Whether each record is found by the indexes: without, a wish could be there and not be seen.
    fn has_sound_indexes(&self) -> Result<bool, ConsentError> {
        let sql = "PRAGMA integrity_check(1)";
        let said: Option<String> = self.database.value(sql, [])?;
        Ok(said.as_deref() == Some("ok"))
    }
}
