//! What a list as a whole says of each number and address in it.

use jiff::civil::DateTime;
use rusqlite::params;

use crate::{
    error::BulkError,
    input::{Entry, Moment, Wish},
    store::file::Draft,
};

/// What all rows together say of each number and address. Only where they disagree it is other than
/// what a row says, so that is what is kept, in a temporary table of the set in the making.
pub(super) struct Wishes<'a> {
    draft: &'a Draft,
    /// The meaning of a row without a status: what the command says.
    unsaid: Wish,
    are_disputed: bool,
}

const TABLE: &str = "CREATE TEMP TABLE said (key TEXT NOT NULL, wish TEXT NOT NULL, at TEXT)";
/// The latest date wins, or out where a date is missing. Moments are written so that later ones are
/// greater.
const DISPUTED: &str = "CREATE TEMP TABLE disputed (key TEXT PRIMARY KEY, last TEXT) WITHOUT ROWID;
    INSERT INTO disputed
        SELECT key, iif(count(at) = count(*) AND max(iif(wish = 'in', at, NULL))
                                               > max(iif(wish = 'out', at, NULL)), 'in', 'out')
        FROM said GROUP BY key HAVING min(wish) <> max(wish) ORDER BY key;
    DROP TABLE said";

/// What to do with a value of a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The value is searched for.
    Wanted,
    /// The value is left alone, for this reason.
    Left(&'static str),
    /// The row says the opposite of the command.
    Opposite,
}

impl<'a> Wishes<'a> {
    /// Of a list whose rows mean `unsaid` where they have no status.
    pub(super) fn new(draft: &'a Draft, unsaid: Wish) -> Result<Self, BulkError> {
        draft.batch(TABLE)?;
        Ok(Self { draft, unsaid, are_disputed: false })
    }

    /// Takes note of what a row says.
    pub(super) fn add(&self, entry: &Entry) -> Result<(), BulkError> {
        for value in &entry.values {
            // For a day without a time it is not known which came first: out takes precedence over
            // in.
            let (wish, at) = match meant(value.wish, self.unsaid) {
                Wish::Out => ("out", value.received.map(Moment::latest)),
                Wish::In => ("in", value.received.map(Moment::earliest)),
                Wish::Neither | Wish::Unsaid => continue,
            };
            let at = at.as_ref().map(DateTime::to_string);
            let sql = "INSERT INTO said (key, wish, at) VALUES (?, ?, ?)";
            self.draft.execute(sql, params![value.keys.key, wish, at])?;
        }
        Ok(())
    }

    /// Finds out where rows disagree, once all are added.
    pub(super) fn compare(&mut self) -> Result<(), BulkError> {
        self.draft.batch(DISPUTED)?;
        let any = self.draft.database().value("SELECT 1 FROM disputed LIMIT 1", [])?;
        self.are_disputed = any == Some(1);
        Ok(())
    }

    /// What the list says in the end of a key of which a row says `row`.
    fn last(&self, key: &str, row: Wish) -> Result<Wish, BulkError> {
        if !self.are_disputed {
            return Ok(row);
        }
        let sql = "SELECT last FROM disputed WHERE key = ?";
        let last: Option<String> = self.draft.database().value(sql, [key])?;
        Ok(match last.as_deref() {
            Some("in") => Wish::In,
            Some(_) => Wish::Out,
            None => row,
        })
    }

    /// Decides what to do with a value with this key whose row says `wish`.
    pub(super) fn judge(&self, key: &str, wish: Wish) -> Result<Verdict, BulkError> {
        let row = meant(wish, self.unsaid);
        if row == Wish::Neither {
            return Ok(Verdict::Left("says neither opted out nor opted in"));
        }
        let last = self.last(key, row)?;
        Ok(match (row, last == self.unsaid) {
            (row, true) if row == last => Verdict::Wanted,
            (Wish::In, true) => Verdict::Left("another row says opted out"),
            (_, true) => Verdict::Left("a later row says opted in"),
            (Wish::In, false) if last == Wish::Out => {
                Verdict::Left("another row says opted out, which takes precedence")
            }
            (Wish::In, false) => Verdict::Left("says opted in, so it is not opted out"),
            (_, false) if last == Wish::In => Verdict::Left("a later row says opted in"),
            (_, false) => Verdict::Opposite,
        })
    }
}

fn meant(wish: Wish, unsaid: Wish) -> Wish {
    match wish {
        Wish::Unsaid => unsaid,
        said => said,
    }
}

#[cfg(test)]
mod tests {
    use crm_mirror::keys::Keys;
    use crm_values::PhoneReader;

    use super::*;
    use crate::{
        input::{DateOrder, Value, read_date},
        store::file::test_sets::draft,
    };

    fn moment(text: &str) -> Option<Moment> {
        Some(read_date(text, DateOrder::Mdy, crate::clock::in_utc()).unwrap())
    }

    fn entry(wish: Wish, received: Option<Moment>) -> Entry {
        let keys = Keys::listed("8185550142", PhoneReader::default()).unwrap();
        let (column, given) = ("phone".to_owned(), "8185550142".to_owned());
        let value = Value { column, given, keys, wish, received, note: None };
        Entry { values: vec![value], words: None, place: None, taken_by: None }
    }

    /// What `ask` answers of a list with these entries.
    fn asked<R>(
        entries: &[Entry],
        unsaid: Wish,
        ask: impl FnOnce(&Wishes<'_>) -> Result<R, BulkError>,
    ) -> R {
        let folder = tempfile::tempdir().unwrap();
        let draft = draft(&folder.path().join("set.crm"));
        let mut wishes = Wishes::new(&draft, unsaid).unwrap();
        entries.iter().for_each(|entry| wishes.add(entry).unwrap());
        wishes.compare().unwrap();
        ask(&wishes).unwrap()
    }

    #[test]
    fn the_latest_date_wins_and_out_where_a_date_is_missing() {
        let (january, june) = (moment("2026-01-05"), moment("2026-06-05"));
        let (morning, evening) = (moment("2026-06-05 9:00"), moment("2026-06-05 9:00 PM"));
        for (rows, last) in [
            (vec![(Wish::Out, january), (Wish::In, june)], Wish::In),
            (vec![(Wish::In, january), (Wish::Out, june)], Wish::Out),
            (vec![(Wish::Out, june), (Wish::In, june)], Wish::Out),
            (vec![(Wish::Out, morning), (Wish::In, evening)], Wish::In),
            (vec![(Wish::In, morning), (Wish::Out, evening)], Wish::Out),
            (vec![(Wish::Out, june), (Wish::In, evening)], Wish::Out),
            (vec![(Wish::Out, None), (Wish::In, june)], Wish::Out),
            (vec![(Wish::Out, january), (Wish::In, None)], Wish::Out),
            (vec![(Wish::In, None)], Wish::In),
            (vec![(Wish::Neither, None)], Wish::Neither),
            (vec![(Wish::Unsaid, None)], Wish::Out),
        ] {
            let entries: Vec<_> = rows.iter().map(|(wish, on)| entry(*wish, *on)).collect();
            for (wish, _) in &rows {
                let row = meant(*wish, Wish::Out);
                let said = asked(&entries, Wish::Out, |wishes| wishes.last("18185550142", row));
                assert_eq!(said, last, "{rows:?}");
            }
        }
    }

    #[test]
    fn no_row_is_turned_round() {
        let judge = |command, wish| {
            asked(&[entry(wish, None)], command, |wishes| wishes.judge("18185550142", wish))
        };
        assert_eq!(judge(Wish::Out, Wish::Out), Verdict::Wanted);
        assert_eq!(judge(Wish::Out, Wish::Unsaid), Verdict::Wanted);
        assert!(matches!(judge(Wish::Out, Wish::In), Verdict::Left(_)));
        assert!(matches!(judge(Wish::Out, Wish::Neither), Verdict::Left(_)));
        assert_eq!(judge(Wish::In, Wish::In), Verdict::Wanted);
        assert_eq!(judge(Wish::In, Wish::Out), Verdict::Opposite);
        assert!(matches!(judge(Wish::In, Wish::Neither), Verdict::Left(_)));
    }
}
