//! Whether the ledger is what was written.

use std::collections::BTreeSet;

use rusqlite::ErrorCode;

use crate::{
    error::ConsentError,
    fault::Fault,
    hash::Sha,
    ledger::{Head, Ledger},
    record::{Chained, Kind, Record, RecordColumns, RedactionFacts},
    signatures::{Signatures, UnsignedKey},
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
    /// How many of them the last seal of the ledger itself is over.
    pub sealed: u64,
    /// Keys to which the one before did not hand over.
    pub unsigned_keys: Vec<UnsignedKey>,
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
        // In one state of the file, whatever is added meanwhile.
        let transaction = self.database.check(self.database.connection.unchecked_transaction())?;
        let mut walk = Walk {
            ledger: self,
            sound: Head { count: 0, hash: Sha::NONE },
            emptied: BTreeSet::new(),
            signatures: Signatures::of(self.database.site()?),
            against,
            differs: false,
        };
        let walked = match walk.follow() {
            Ok(fault) => fault,
            // The place where the reading ended is the place of the damage.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                Some(Fault::Altered(walk.sound.count + 1))
            }
            Err(error) => return Err(self.database.failed(error).into()),
        };
        let Walk { mut sound, differs, signatures, emptied, .. } = walk;
        let mut fault = match (walked, against) {
            (None, Some(kept)) if differs => Some(Fault::Rewritten(kept.count)),
            (None, Some(kept)) if kept.count > sound.count => Some(Fault::CutOff(sound.count + 1)),
            (walked, _) => walked.or_else(|| self.at_the_end(&sound)),
        };
        // What is gone although no redaction says so, nor one that was cut off may have said so.
        fault = fault.or(emptied.first().copied().map(Fault::Altered));
        if let Some(record) = fault.and_then(|fault| fault.place()).filter(|&n| n <= sound.count) {
            // What is wrong with it was seen only by what comes after it.
            sound = self.head_before(record)?;
        }
        if fault.is_none() && !self.has_sound_indexes()? {
            fault = Some(Fault::Index);
        }
        drop(transaction);
        let Signatures { sealed, unsigned: unsigned_keys, .. } = signatures;
        Ok(Checked { sound: sound.count, hash: sound.hash, fault, sealed, unsigned_keys })
    }

    /// Refuses a ledger that is not what was written.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::Altered`] with what a [`check`](Self::check) finds.
    pub fn refuse_altered(&self) -> Result<(), ConsentError> {
        match self.check(None)?.fault {
            Some(fault) => Err(ConsentError::Altered { path: self.path().to_owned(), fault }),
            None => Ok(()),
        }
    }

    /// The end of the records before one, which were found to be sound.
    fn head_before(&self, record: u64) -> Result<Head, ConsentError> {
        let count = record.saturating_sub(1);
        let hash = self.database.value("SELECT hash FROM records WHERE number = ?", [count])?;
        Ok(Head { count, hash: hash.unwrap_or(Sha::NONE) })
    }

    /// Whether the records end where the ledger has noted that they do.
    fn at_the_end(&self, sound: &Head) -> Option<Fault> {
        let Ok(noted) = self.head() else {
            return Some(Fault::CutOff(sound.count + 1));
        };
        if noted.count > sound.count {
            Some(Fault::CutOff(sound.count + 1))
        } else if noted.count < sound.count {
            Some(Fault::Added(noted.count + 1))
        } else {
            (noted.hash != sound.hash).then_some(Fault::Altered(sound.count.max(1)))
        }
    }

    /// Whether each record is found by the indexes: without, a wish could be there and not be seen.
    fn has_sound_indexes(&self) -> Result<bool, ConsentError> {
        let sql = "PRAGMA integrity_check(1)";
        let said: Option<String> = self.database.value(sql, [])?;
        Ok(said.as_deref() == Some("ok"))
    }
}

/// The way from the first record to the first one that is not what was written.
struct Walk<'a> {
    ledger: &'a Ledger,
    /// The records so far, which are what was written.
    sound: Head,
    /// Those of them whose personal data is gone, which no redaction has told yet.
    emptied: BTreeSet<u64>,
    signatures: Signatures,
    /// What was kept elsewhere, and whether a record is not the one that it names.
    against: Option<&'a Head>,
    differs: bool,
}

impl Walk<'_> {
    fn follow(&mut self) -> rusqlite::Result<Option<Fault>> {
        let ledger = self.ledger;
        let sql = format!("SELECT {} FROM records ORDER BY number", RecordColumns::NAMES);
        let mut statement = ledger.database.connection.prepare(&sql)?;
        let columns = RecordColumns::of(&statement)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            // What is not even of its type was altered as well.
            let Ok(read) = Chained::read(row, &columns) else {
                return Ok(Some(Fault::Altered(self.sound.count + 1)));
            };
            if let Some(fault) = self.fault(&read)? {
                return Ok(Some(fault));
            }
            self.sound = Head { count: self.sound.count + 1, hash: read.hash };
            self.differs |= self
                .against
                .is_some_and(|kept| kept.count == self.sound.count && kept.hash != self.sound.hash);
        }
        Ok(None)
    }

    /// What is wrong with the record that stands in the next place.
    fn fault(&mut self, read: &Chained) -> rusqlite::Result<Option<Fault>> {
        let Chained { number, previous, hash, record } = read;
        let place = self.sound.count + 1;
        let ledger = self.ledger;
        if record.hash(*previous) != *hash || !record.keeps_commitment() || !ledger.finds(record) {
            // Of one that is not in its place, that is the one that stands there.
            return Ok(Some(Fault::Altered(u64::try_from(*number).unwrap_or(place))));
        }
        if *previous != self.sound.hash {
            let sql = "SELECT 1 FROM records WHERE previous = ? LIMIT 1";
            let mut statement = ledger.database.connection.prepare(sql)?;
            let is_elsewhere = statement.exists([self.sound.hash.0])?;
            let reordered = Fault::Reordered(place);
            return Ok(Some(if is_elsewhere { reordered } else { Fault::Removed(place) }));
        }
        if u64::try_from(*number) != Ok(place) {
            return Ok(Some(Fault::Altered(place)));
        }
        if !self.signatures.admit(self.sound, record) {
            return Ok(Some(Fault::Unsigned(place)));
        }
        Ok(self.follow_redaction(place, record))
    }

    /// Notes what is gone and what a redaction tells of that. What it tells has to be gone.
    fn follow_redaction(&mut self, place: u64, record: &Record) -> Option<Fault> {
        if record.is_emptied() {
            self.emptied.insert(place);
        }
        if record.kind != <&str>::from(Kind::Redaction) {
            return None;
        }
        let Ok(RedactionFacts { records }) = serde_json::from_str(&record.facts) else {
            return Some(Fault::Altered(place));
        };
        records.into_iter().find(|told| !self.emptied.remove(told)).map(Fault::Altered)
    }
}
