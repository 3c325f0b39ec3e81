//! The numbers and addresses of a list, and which of them matches a value of the tenant.

use std::cell::Cell;

use crm_mirror::keys::{Keys, is_unreadable, local_digits, local_key};
use crm_values::Traces;
use rusqlite::{Params, params};

use crate::{error::BulkError, store::file::Draft};

/// The place of a number or an address in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(pub(super) i64);

/// Everything that a list names, indexed by the keys it is compared by.
///
/// It is in a temporary table of the set in the making: a list may name millions, and what is in
/// memory must not grow with it. The indexes are made when all is there, since keys that come in any
/// order are sorted then rather than put in one by one.
pub(super) struct Listed<'a> {
    draft: &'a Draft,
    pub(super) is_empty: bool,
    pub(super) has_numbers: bool,
    has_local: bool,
    has_otherwise: bool,
    is_indexed_by_ending: Cell<bool>,
}

const TABLE: &str = "CREATE TEMP TABLE listed (
    place     INTEGER PRIMARY KEY,
    of_row    INTEGER NOT NULL,
    of_column TEXT NOT NULL,
    key       TEXT NOT NULL,
    otherwise TEXT
)";
const INDEXES: &str = "CREATE INDEX temp.listed_by_key ON listed (key);
    CREATE INDEX temp.listed_otherwise ON listed (otherwise) WHERE otherwise IS NOT NULL";
/// Few values of a tenant are compared by the last digits, and mostly none.
const BY_ENDING: &str = "CREATE INDEX temp.listed_by_ending ON listed (substr(key, -7))";

/// How a value of the tenant is related to the list.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The value is this number or address.
    Same(Vec<Place>),
    /// The value may be one of these, and only a person can decide: one side is incomplete, cannot
    /// be read, or can be read in two ways.
    LookAt(Vec<Place>),
    /// The value is not in the list.
    None,
}

/// How many digits a local number has.
const LOCAL_DIGITS: usize = 7;

impl<'a> Listed<'a> {
    pub(super) fn new(draft: &'a Draft) -> Result<Self, BulkError> {
        draft.batch(TABLE)?;
        Ok(Self {
            draft,
            is_empty: true,
            has_numbers: false,
            has_local: false,
            has_otherwise: false,
            is_indexed_by_ending: Cell::new(false),
        })
    }

    /// Adds a number or an address of a row. Rows come in their order.
    pub(super) fn add(&mut self, row: u64, column: &str, keys: &Keys) -> Result<(), BulkError> {
        self.is_empty = false;
        self.has_numbers |= keys.is_number();
        self.has_local |= local_digits(&keys.key).is_some();
        self.has_otherwise |= keys.otherwise.is_some();
        let sql = "INSERT INTO listed (of_row, of_column, key, otherwise) VALUES (?, ?, ?, ?)";
        self.draft.execute(sql, params![row, column, keys.key, keys.otherwise])
    }

    /// Prepares for [`find`](Self::find), when all are there.
    pub(super) fn index(&self) -> Result<(), BulkError> {
        self.draft.batch(INDEXES)
    }

    /// Looks up a value of the tenant in the list.
    pub(super) fn find(&self, keys: &Keys) -> Result<Found, BulkError> {
        let same = self.with_key(&keys.key)?;
        if !same.is_empty() {
            return Ok(Found::Same(same));
        }
        let mut near = Vec::new();
        if let Some(digits) = local_digits(&keys.key) {
            near.extend(self.whole(digits)?.into_iter().map(|(place, _)| place));
        } else if !is_unreadable(&keys.key) {
            if self.has_otherwise {
                let sql = "SELECT place FROM listed WHERE otherwise = ?";
                near.extend(self.places(sql, [&keys.key])?);
            }
            if let Some(digits) = last_digits(&keys.key) {
                near.extend(self.local(digits)?);
            }
        }
        let texts = [Some(&keys.key), keys.otherwise.as_ref()].into_iter().flatten();
        for text in texts.filter(|text| is_unreadable(text)) {
            near.extend(self.traced(&Traces::of(text))?);
        }
        if let Some(key) = keys.otherwise.as_ref().filter(|key| !is_unreadable(key)) {
            near.extend(self.with_key(key)?);
        }
        near.sort_unstable();
        near.dedup();
        Ok(if near.is_empty() { Found::None } else { Found::LookAt(near) })
    }

    /// What may be named in a text.
    fn traced(&self, traces: &Traces) -> Result<Vec<Place>, BulkError> {
        let mut near = Vec::new();
        for name in traces.candidates() {
            if name.contains('@') {
                near.extend(self.with_key(name)?);
                continue;
            }
            near.extend(self.local(name)?);
            // Every longer candidate ends in one of these.
            if name.len() == LOCAL_DIGITS {
                let whole = self.whole(name)?.into_iter();
                let meant = whole.filter(|(_, key)| traces.speaks_of(key));
                near.extend(meant.map(|(place, _)| place));
            }
        }
        Ok(near)
    }

    /// What is compared by this key first of all.
    fn with_key(&self, key: &str) -> Result<Vec<Place>, BulkError> {
        self.places("SELECT place FROM listed WHERE key = ?", [key])
    }

    /// The local numbers with these digits.
    fn local(&self, digits: &str) -> Result<Vec<Place>, BulkError> {
        if self.has_local { self.with_key(&local_key(digits)) } else { Ok(Vec::new()) }
    }

    /// The whole numbers whose last digits are these, which are as many as those of a local number,
    /// and their keys.
    fn whole(&self, digits: &str) -> Result<Vec<(Place, String)>, BulkError> {
        if !self.is_indexed_by_ending.replace(true) {
            self.draft.batch(BY_ENDING)?;
        }
        let sql = "SELECT place, key FROM listed WHERE substr(key, -7) = ?";
        let mut whole = self.draft.database().rows(sql, [digits], |row| {
            Ok((Place(row.get("place")?), row.get::<_, String>("key")?))
        })?;
        whole.retain(|(_, key)| local_digits(key).is_none() && !key.contains('@'));
        Ok(whole)
    }

    fn places(&self, sql: &str, values: impl Params) -> Result<Vec<Place>, BulkError> {
        Ok(self.draft.database().rows(sql, values, |row| row.get("place").map(Place))?)
    }
}

/// The digits of a whole number within its area.
fn last_digits(key: &str) -> Option<&str> {
    if key.contains('@') { None } else { key.get(key.len().checked_sub(LOCAL_DIGITS)?..) }
}

#[cfg(test)]
mod tests {
    use crm_values::PhoneReader;

    use super::*;
    use crate::store::file::test_sets::draft;

    #[derive(Debug, PartialEq, Eq)]
    enum Kind {
        Same,
        LookAt,
        None,
    }

    fn kind(listed: &str, stored: &str) -> Kind {
        let reader = PhoneReader::default();
        let folder = tempfile::tempdir().unwrap();
        let draft = draft(&folder.path().join("set.crm"));
        let mut list = Listed::new(&draft).unwrap();
        list.add(1, "phone", &Keys::listed(listed, reader).unwrap()).unwrap();
        list.index().unwrap();
        match list.find(&Keys::of(stored, reader)).unwrap() {
            Found::Same(_) => Kind::Same,
            Found::LookAt(_) => Kind::LookAt,
            Found::None => Kind::None,
        }
    }

    #[test]
    fn a_value_is_the_listed_one_may_be_it_or_is_another() {
        for (listed, stored, expected) in [
            ("818-555-0142", "+1 (818) 555-0142", Kind::Same),
            ("818-555-0142", "8185550142 x12", Kind::Same),
            ("8185550142,,12", "8185550142", Kind::Same),
            ("+44 (0)20 7946 0958", "442079460958", Kind::Same),
            ("0044 20 7946 0958", "+44 20 7946 0958", Kind::Same),
            ("011 44 20 7946 0958", "+442079460958", Kind::Same),
            ("555-0142", "5550142", Kind::Same),
            ("ada@xn--bcher-kva.example", "Ada@BÜCHER.example", Kind::Same),
            // One side is incomplete or cannot be read.
            ("555-0142", "8185550142", Kind::LookAt),
            ("555-0142", "Unit 4 818-555-0142", Kind::LookAt),
            ("818-555-0142", "555-0142", Kind::LookAt),
            ("818-555-0142", "Unit 4 818-555-0142", Kind::LookAt),
            ("818-555-0142", "818-555-0142 8am-5pm", Kind::LookAt),
            ("818-555-0142", "818-555-0142*12", Kind::LookAt),
            ("818-555-0142", "818555014212", Kind::LookAt),
            ("818-555-0142", "８１８555014212", Kind::LookAt),
            ("ada@site.example", "ada＠site.example", Kind::LookAt),
            ("818-555-0142", "81855501427", Kind::LookAt),
            ("+44 20 7946 0958", "02079460958", Kind::LookAt),
            ("ada@site.example", "ada@si\u{200B}te.example", Kind::LookAt),
            ("ada@site.example", "'ada@site.example", Kind::LookAt),
            ("ada@site.example", "Ada <ada@site.example>", Kind::LookAt),
            // Two readings.
            ("+65 6123 4567", "6561234567", Kind::LookAt),
            ("6561234567", "+65 6123 4567", Kind::LookAt),
            ("6561234567", "656-123-4567", Kind::Same),
            // Others, also where they share seven digits.
            ("818-555-0142", "2135550142", Kind::None),
            ("555-0142", "555-0143", Kind::None),
            ("818-555-0142", "front desk", Kind::None),
            ("ada@site.example", "bada@site.example", Kind::None),
        ] {
            assert_eq!(kind(listed, stored), expected, "{listed}: {stored}");
        }
    }
}
