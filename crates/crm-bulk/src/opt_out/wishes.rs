//! What a list as a whole says of each number and address in it.

use std::collections::HashMap;

use jiff::civil::DateTime;

use crate::input::{Entry, Moment, Wish};

/// What all rows together say of each number and address.
pub(super) struct Wishes {
    by_key: HashMap<String, Said>,
    /// The meaning of a row without a status: what the command says.
    unsaid: Wish,
}

#[derive(Default)]
struct Said {
    /// The latest date on which they say out; `None` within where no row has a date.
    out: Option<Option<DateTime>>,
    into: Option<Option<DateTime>>,
    has_undated: bool,
}

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

impl Wishes {
    /// Looks at all entries of a list whose rows mean `unsaid` where they have no status.
    pub(super) fn of(entries: &[Entry], unsaid: Wish) -> Self {
        let mut by_key = HashMap::<String, Said>::new();
        for entry in entries {
            for value in entry.values.iter().flatten() {
                let said = by_key.entry(value.keys.key.clone()).or_default();
                // For a day without a time it is not known which came first: out takes precedence
                // over in.
                let (latest, at) = match meant(value.wish, unsaid) {
                    Wish::Out => (&mut said.out, entry.received.map(Moment::latest)),
                    Wish::In => (&mut said.into, entry.received.map(Moment::earliest)),
                    Wish::Neither | Wish::Unsaid => continue,
                };
                *latest = Some((*latest).flatten().max(at));
                said.has_undated |= entry.received.is_none();
            }
        }
        Self { by_key, unsaid }
    }

    /// What the list says in the end: the latest date wins, or out where a date is missing.
    fn last(&self, key: &str) -> Wish {
        let Some(said) = self.by_key.get(key) else {
            return Wish::Neither;
        };
        match (said.out, said.into) {
            (Some(_), None) => Wish::Out,
            (None, Some(_)) => Wish::In,
            (Some(out), Some(into)) if !said.has_undated && into > out => Wish::In,
            (Some(_), Some(_)) => Wish::Out,
            (None, None) => Wish::Neither,
        }
    }

    /// Decides what to do with a value with this key whose row says `wish`.
    pub(super) fn judge(&self, key: &str, wish: Wish) -> Verdict {
        let (row, last) = (meant(wish, self.unsaid), self.last(key));
        match (row, last == self.unsaid) {
            (Wish::Neither, _) => Verdict::Left("says neither opted out nor opted in"),
            (row, true) if row == last => Verdict::Wanted,
            (Wish::In, true) => Verdict::Left("another row says opted out"),
            (_, true) => Verdict::Left("a later row says opted in"),
            (Wish::In, false) if last == Wish::Out => {
                Verdict::Left("another row says opted out, which takes precedence")
            }
            (Wish::In, false) => Verdict::Left("says opted in, so it is not opted out"),
            (_, false) if last == Wish::In => Verdict::Left("a later row says opted in"),
            (_, false) => Verdict::Opposite,
        }
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
    use crate::input::{DateOrder, Value, read_date};

    fn moment(text: &str) -> Option<Moment> {
        let day = read_date(text, DateOrder::Mdy, crate::clock::today()).unwrap();
        Some(Moment::new(day, text))
    }

    fn entry(wish: Wish, received: Option<Moment>) -> Entry {
        let keys = Keys::listed("8185550142", PhoneReader::default()).unwrap();
        Entry {
            line: 1,
            data: String::new(),
            values: Ok(vec![Value { column: "phone".to_owned(), keys, wish }]),
            received,
        }
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
            let wishes = Wishes::of(&entries, Wish::Out);
            assert_eq!(wishes.last("18185550142"), last, "{rows:?}");
        }
    }

    #[test]
    fn no_row_is_turned_round() {
        let said = |wish| [entry(wish, None)];
        let judge = |command, wish| Wishes::of(&said(wish), command).judge("18185550142", wish);
        assert_eq!(judge(Wish::Out, Wish::Out), Verdict::Wanted);
        assert_eq!(judge(Wish::Out, Wish::Unsaid), Verdict::Wanted);
        assert!(matches!(judge(Wish::Out, Wish::In), Verdict::Left(_)));
        assert!(matches!(judge(Wish::Out, Wish::Neither), Verdict::Left(_)));
        assert_eq!(judge(Wish::In, Wish::In), Verdict::Wanted);
        assert_eq!(judge(Wish::In, Wish::Out), Verdict::Opposite);
        assert!(matches!(judge(Wish::In, Wish::Neither), Verdict::Left(_)));
    }
}
