//! The changes of a set, one after another.

use std::vec;

use crm_mirror::OwnerId;
use crm_models::PersonId;
use rusqlite::{params, types::Value};

use super::{
    cautions::{has_caution, is_stored_otherwise},
    change_set::ChangeSet,
    codes,
    columns::{CHANGES, STATE},
    seal::SealedChange,
};
use crate::{
    error::BulkError,
    set::{Change, ChangeId, Image, Outcome, State},
};

/// A selection of the changes to look at.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Selection {
    states: Vec<State>,
    verdicts: Vec<State>,
    actions: Vec<String>,
    numbers: Vec<i64>,
    owner: Option<(i64, Value)>,
    text: Option<Text>,
    row: Option<u64>,
    limit: Option<u32>,
    has: Vec<String>,
    follows_repeats: bool,
}

impl Selection {
    /// Selects every change.
    pub fn all() -> Self {
        Self::default()
    }

    /// Selects the changes in one of these states, or all changes if no state is given.
    pub fn states(states: impl IntoIterator<Item = State>) -> Self {
        Self { states: states.into_iter().collect(), ..Self::default() }
    }

    /// Selects only the changes that this row of the input asks for.
    pub fn row(mut self, row: u64) -> Self {
        self.row = Some(row);
        self
    }

    /// Selects only changes that the plan gave one of these states.
    pub fn verdicts(mut self, verdicts: impl IntoIterator<Item = State>) -> Self {
        self.verdicts.extend(verdicts);
        self
    }

    /// Selects only changes with one of these actions, for example `delete`: see
    /// [`Action::name`](crate::Action::name).
    pub fn actions<A: Into<String>>(mut self, actions: impl IntoIterator<Item = A>) -> Self {
        self.actions.extend(actions.into_iter().map(Into::into));
        self
    }

    /// Selects only the changes with these [numbers](crate::ChangeId).
    pub fn numbers(mut self, numbers: impl IntoIterator<Item = i64>) -> Self {
        self.numbers.extend(numbers);
        self
    }

    /// Selects only changes to contacts of this owner.
    pub fn owner(mut self, owner: OwnerId) -> Self {
        self.owner = Some((codes::owner_kind(owner.kind()), Value::Integer(owner.get())));
        self
    }

    /// Selects only changes to the contact methods of this person.
    pub fn person(mut self, person: PersonId) -> Self {
        self.owner = Some((codes::OF_PERSON, Value::Text(person.to_string())));
        self
    }

    /// Selects only changes that have this text in the owner's name or town, or in the number,
    /// address or memo as it was or is to become, whatever the case. Of a telephone number the
    /// digits count, at least four of them.
    pub fn text(mut self, text: &str) -> Self {
        self.text = Some(Text::new(text));
        self
    }

    /// Selects only changes that have a [caution](Change::caution), whether they still wait to be sent
    /// or not.
    pub fn cautioned(mut self) -> Self {
        self.has.push(has_caution());
        self
    }

    /// Selects only changes that are done and whose value the service [stored](Change::stored)
    /// otherwise than it was sent.
    pub fn stored_otherwise(mut self) -> Self {
        self.has.push(is_stored_otherwise());
        self
    }

    /// Takes a change that repeats that of an earlier row to be in the state of that one. Otherwise it
    /// is one of which the record is so [already](State::Already). See
    /// [`ChangeSet::with_outcome`].
    pub fn following_repeats(mut self) -> Self {
        self.follows_repeats = true;
        self
    }

    /// Selects at most this many changes.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }
}

/// A text to look for.
#[derive(Debug, Clone)]
struct Text {
    /// In lower case.
    words: String,
    /// The digits, if it may be a part of a telephone number.
    digits: Option<String>,
}

/// How many digits say something about a telephone number.
const DIGITS: usize = 4;

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

impl Text {
    fn new(text: &str) -> Self {
        let is_number = !text.chars().any(char::is_alphabetic);
        let digits = Some(digits(text)).filter(|digits| is_number && digits.len() >= DIGITS);
        Self { words: text.to_lowercase(), digits }
    }

    fn is_in(&self, set: &ChangeSet, change: &Change) -> Result<bool, BulkError> {
        let has = |text: &str| text.to_lowercase().contains(&self.words);
        let is_number = |value: &str| {
            self.digits.as_ref().is_some_and(|known| digits(value).contains(known.as_str()))
        };
        let contact = change.before.as_ref().and_then(Image::as_contact);
        if change.value().is_some_and(|value| has(value) || is_number(value))
            || contact.and_then(|contact| contact.memo.as_deref()).is_some_and(has)
        {
            return Ok(true);
        }
        let members = change.members();
        let after = members.iter().filter(|member| ["value", "memo"].contains(&&*member.field));
        let mut after = after.filter_map(|member| member.after.as_deref());
        if after.any(|text| has(text) || is_number(text)) {
            return Ok(true);
        }
        let named = set.named(&change.target)?;
        Ok(named.is_some_and(|named| has(named.name()) || has(named.town())))
    }
}

/// How far a change is, or the one that it repeats.
const STATE_OF_FIRST: &str = "CASE WHEN repeats IS NULL THEN coalesce(state, verdict) ELSE (
        SELECT coalesce(p.state, o.verdict) FROM planned o LEFT JOIN progress p ON p.change = o.id
        WHERE o.id = planned.repeats) END";

/// How many changes are kept in memory.
const PAGE: u64 = 500;

/// An iterator over the selected changes of a set, returned by [`ChangeSet::changes`]. It ends
/// after an error.
#[derive(Debug)]
#[must_use = "changes are read when they are asked for"]
pub struct Changes<'a> {
    set: &'a ChangeSet,
    selection: Selection,
    /// How many more may be read.
    left: u64,
    /// The last one that was read.
    last: i64,
    page: vec::IntoIter<Result<Change, BulkError>>,
    ended: bool,
}

impl ChangeSet {
    /// Returns the selected changes, in the order of the input. Only a few are in memory at a time,
    /// however many there are; while another process applies the set, each change is as it was when
    /// it was read.
    ///
    /// ```no_run
    /// use crm_bulk::{BulkError, ChangeSet, Selection, State};
    ///
    /// let set = ChangeSet::open("opt-outs.crm")?;
    /// for change in set.changes(&Selection::states([State::Failed, State::Unknown])) {
    ///     let change = change?;
    ///     println!("{}: {:?}", change.target, change.outcome.message);
    ///     if change.outcome.http_status == Some(403) {
    ///         println!("a scope is missing");
    ///         break;
    ///     }
    /// }
    /// # Ok::<(), BulkError>(())
    /// ```
    pub fn changes(&self, selection: &Selection) -> Changes<'_> {
        Changes {
            set: self,
            selection: selection.clone(),
            left: selection.limit.map_or(u64::MAX, u64::from),
            last: i64::MIN,
            page: Vec::new().into_iter(),
            ended: false,
        }
    }
}

impl ChangeSet {
    /// Returns a change with what became of the one that it repeats, and the number of that; one that
    /// repeats none is as it was.
    ///
    /// # Errors
    ///
    /// A failure to read, or [`BulkError::Altered`].
    pub fn with_outcome(&self, change: Change) -> Result<(Change, Option<ChangeId>), BulkError> {
        let may_repeat = change.outcome.state == State::Already;
        let repeats = if may_repeat { self.repeats(change.id)? } else { None };
        let Some(id) = repeats else {
            return Ok((change, None));
        };
        let mut first = self.changes(&Selection::all().numbers([id.0]));
        let Some(first) = first.next().transpose()? else {
            return Ok((change, None));
        };
        let Change { target, before, after, outcome, .. } = first;
        let messages = change.outcome.message.into_iter().chain(outcome.message);
        let message = Some(messages.collect::<Vec<_>>().join("; "));
        let outcome = Outcome { message, ..outcome };
        Ok((Change { target, before, after, outcome, ..change }, Some(id)))
    }
}

impl Changes<'_> {
    fn read_on(&mut self) -> Result<(), BulkError> {
        let sql = format!(
            "SELECT {} FROM {CHANGES}
             WHERE id > ?1 AND (?2 IS NULL OR 1 << {} & ?2 <> 0)
               AND (?3 IS NULL OR row = ?3) AND (?5 IS NULL OR 1 << verdict & ?5 <> 0)
               AND (?6 IS NULL OR 1 << action & ?6 <> 0)
               AND {} {}
               AND (?9 IS NULL OR id IN (SELECT value FROM json_each(?9)))
             ORDER BY id LIMIT ?4",
            SealedChange::select(),
            if self.selection.follows_repeats { STATE_OF_FIRST } else { STATE },
            // Said of no owner it would keep SQLite from the index.
            if self.selection.owner.is_some() {
                "owner_kind = ?7 AND owner_id = ?8"
            } else {
                "?7 IS ?8"
            },
            self.selection.has.iter().map(|it| format!("AND {it}")).collect::<Vec<_>>().join(" "),
        );
        let Selection { states, verdicts, actions, numbers, owner, text, row, .. } =
            &self.selection;
        // A text is looked for in what was read.
        let limit = match text {
            Some(_) if self.left > 0 => PAGE,
            _ => self.left.min(PAGE),
        };
        let states_of =
            |states: &[State]| (!states.is_empty()).then(|| codes::set_of(states.iter().copied()));
        let actions = (!actions.is_empty()).then(|| codes::actions(actions));
        let numbers = (!numbers.is_empty()).then(|| format!("{numbers:?}"));
        let (kind, owner) = owner.clone().unzip();
        let database = &self.set.database;
        let mut statement = database.check(database.connection.prepare_cached(&sql))?;
        let selected = params![
            self.last,
            states_of(states),
            row,
            limit,
            states_of(verdicts),
            actions,
            kind,
            owner,
            numbers
        ];
        let rows = database.check(statement.query_map(selected, SealedChange::read_row))?;
        let mut page = Vec::new();
        let (mut failed, mut read) = (false, 0);
        for row in rows {
            // What comes before it is given all the same.
            failed = row.is_err();
            if let Ok(change) = &row {
                self.last = change.id.0;
            }
            read += 1;
            if let (Some(text), Ok(change)) = (text, &row)
                && !text.is_in(self.set, change)?
            {
                continue;
            }
            page.push(database.check(row).map_err(BulkError::from));
            self.left -= 1;
            if failed || self.left == 0 {
                break;
            }
        }
        self.ended = failed || self.left == 0 || read < PAGE;
        self.page = page.into_iter();
        Ok(())
    }
}

impl Iterator for Changes<'_> {
    type Item = Result<Change, BulkError>;

    fn next(&mut self) -> Option<Self::Item> {
        // A page may have nothing of what is looked for.
        while self.page.as_slice().is_empty() && !self.ended {
            if let Err(error) = self.read_on() {
                self.ended = true;
                return Some(Err(error));
            }
        }
        self.page.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        set::Action,
        store::file::test_sets::{add, contact, draft},
    };

    #[test]
    fn each_selected_change_comes_once_and_in_order_however_many_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.crm");
        let draft = draft(&path);
        for (row, id) in (1..=1_500).zip(1..) {
            let state = if id % 3 == 0 { State::Already } else { State::Planned };
            add(&draft, Some(row), contact(5, Some(id)), &Action::Delete(None), state);
        }
        draft.finish().unwrap();
        let set = ChangeSet::open(&path).unwrap();
        let rows = |selection: Selection| -> Vec<u64> {
            let changes = set.changes(&selection);
            changes.map(|change| change.unwrap().row.unwrap()).collect()
        };
        let all: Vec<_> = (1..=1_500).collect();
        assert_eq!(rows(Selection::all()), all);
        let planned: Vec<_> = all.iter().copied().filter(|id| id % 3 != 0).collect();
        assert_eq!(rows(Selection::states([State::Planned])), planned);
        let first = Selection::states([State::Planned]).limit(700);
        assert_eq!(rows(first), planned[..700]);
        assert_eq!(rows(Selection::all().limit(500)), all[..500]);
        assert_eq!(rows(Selection::all().row(1_203)), [1_203]);
    }
}
