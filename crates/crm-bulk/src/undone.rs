//! What other sets have undone of a set: in numbers, and change by change.

use std::{
    collections::{BTreeMap, HashMap},
    fmt, mem,
    ops::ControlFlow,
    path::PathBuf,
};

use crm_mirror::{OwnerId, columns};
use crm_models::{ContactId, Timestamp};
use rusqlite::{Row, params, types::Value};
use serde::Serialize;

use crate::{
    error::BulkError,
    set::{ChangeId, ReverseSet, State, Target},
    store::{
        ChangeSet,
        file::{
            CHANGES, CREATE, DELETE, STATE, STORED_AS, owner_code, owner_column, read_owner,
            read_state, read_target, read_time, state_code,
        },
    },
};

/// Where a reverse keeps which run of its set was the last one when it was planned.
pub(crate) const UNDO_OF_EPOCH: &str = "undo_of_epoch";

/// What has been undone of a set, returned by [`ChangeSet::undone`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Undone {
    /// The sets that have undone something, in the order in which they were named.
    pub by: Vec<UndoneBy>,
    /// The number of changes that are done and have not been undone.
    pub standing: u64,
}

/// What one set has undone of another.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UndoneBy {
    /// The file of the set that is the reverse.
    pub set: PathBuf,
    /// When it did so last.
    pub at: Option<Timestamp>,
    /// The number of changes that it has undone and no set before it had.
    pub changes: u64,
    /// How many of these were deletions, whose contacts it has created again: each has another id.
    pub created_again: u64,
    /// How many of these have their number or address back only in another form: the service stored
    /// it otherwise than it was before.
    pub stored_otherwise: u64,
}

/// How a record is not letter by letter what it was before a change that has been undone, returned by
/// [`UndoneChanges::restored`].
///
/// [`Debug`] and [`Display`](fmt::Display) output contains a number or an address.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Restored {
    /// The id of the contact that was created again in place of one that was deleted.
    #[serde(rename = "restoredContactId", skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactId>,
    /// What the service stored in place of the number or address that was there before.
    #[serde(rename = "restoredValue", skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl Restored {
    /// The id and the value, for the cells of a row.
    pub(crate) fn cells(restored: Option<&Self>) -> [Option<String>; 2] {
        let contact = restored.and_then(|it| it.contact).map(|id| id.to_string());
        [contact, restored.and_then(|it| it.value.clone())]
    }

    /// Whether it is again what it was.
    fn is_as_before(&self) -> bool {
        self.contact.is_none() && self.value.is_none()
    }
}

impl fmt::Display for Restored {
    /// In words: `created again as contact 3204`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let contact = self.contact.map(|id| format!("created again as contact {id}"));
        let value = self.value.as_ref().map(|it| format!("stored as {it}, not as it was before"));
        let words: Vec<_> = contact.into_iter().chain(value).collect();
        f.write_str(&words.join(", "))
    }
}

impl UndoneBy {
    /// Says for people of how many of them the records are not what they were before, one line each:
    /// `3 of these created again, with another id`.
    #[must_use]
    pub fn otherwise(&self) -> Vec<String> {
        let told = [
            (self.created_again, "created again, with another id"),
            (self.stored_otherwise, "stored otherwise than it was before"),
        ];
        let told = told.into_iter().filter(|(many, _)| *many > 0);
        told.map(|(many, how)| format!("{many} of these {how}")).collect()
    }

    /// The name of the set's file.
    pub(crate) fn name(&self) -> String {
        self.set.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

impl Undone {
    /// Returns how many changes have been undone.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.by.iter().map(|it| it.changes).sum()
    }
}

/// Which changes of a set others have undone, returned by [`ChangeSet::undone_changes`].
#[derive(Debug, Clone, Default)]
pub struct UndoneChanges {
    by: Vec<UndoneBy>,
    /// Which of the sets has undone a change, by the number of the change; 0 for none, else its place
    /// and one.
    which: Vec<u16>,
    /// How records are there again that are not what they were, by the number of the change.
    otherwise: BTreeMap<i64, Restored>,
    /// How many of the changes that are done.
    done: u64,
}

impl UndoneChanges {
    /// Returns the set that has undone a change first, as far as the change does not stand again.
    #[must_use]
    pub fn by(&self, change: ChangeId) -> Option<&UndoneBy> {
        let place = *self.which.get(usize::try_from(change.0).ok()?)?;
        self.by.get(usize::from(place).checked_sub(1)?)
    }

    /// Returns how the record of a change that [has been undone](Self::by) differs from what it was
    /// before, where undoing the change could not make it the same again.
    #[must_use]
    pub fn restored(&self, change: ChangeId) -> Option<&Restored> {
        self.otherwise.get(&change.0).filter(|_| self.by(change).is_some())
    }

    /// Whether nothing has been undone.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by.is_empty()
    }

    /// What has been undone, in numbers, of a set of which so many changes are done.
    pub(crate) fn in_numbers(&self, done: u64) -> Undone {
        Undone { by: self.by.clone(), standing: done.saturating_sub(self.done) }
    }

    /// Marks a change for the next set, unless one before has undone it.
    fn mark(&mut self, change: i64, restored: &Restored) -> bool {
        let (Ok(at), Ok(place)) = (usize::try_from(change), u16::try_from(self.by.len() + 1))
        else {
            return false;
        };
        if self.which.len() <= at {
            self.which.resize(at + 1, 0);
        }
        let is_new = self.which[at] == 0;
        if is_new {
            self.which[at] = place;
            if !restored.is_as_before() {
                self.otherwise.insert(change, restored.clone());
            }
        }
        is_new
    }
}

/// A record as both a change and its reverse know it.
#[derive(PartialEq, Eq, Hash)]
enum Record {
    Same(Target),
    /// What was deleted has another id when it is created again.
    Again(OwnerId, String),
}

/// When a record was put back, and how.
struct Reversal {
    at: Option<Timestamp>,
    restored: Restored,
}

/// What put records back: each as many times as that happened.
type Reversals = HashMap<Record, Vec<Reversal>>;

columns! {
    /// What tells whether one change is the reverse of another.
    struct TraceColumns { id, owner_kind, owner_id, contact, action, value, stored, state, at }
}

/// A change, as far as it tells whether it is the reverse of another.
struct Trace {
    id: i64,
    target: Target,
    action: i64,
    /// Of a reverse the value that it wants, of a change the one that was there.
    value: Option<String>,
    /// What the service stored in place of the value that was sent.
    stored: Option<String>,
    state: State,
    at: Option<Timestamp>,
}

impl Trace {
    fn read(row: &Row<'_>, at: &TraceColumns) -> rusqlite::Result<Self> {
        let kind = read_owner(row.get(at.owner_kind)?).unwrap_or_default();
        Ok(Self {
            id: row.get(at.id)?,
            target: read_target(row, kind, at.owner_id, at.contact)?,
            action: row.get(at.action)?,
            value: row.get(at.value)?,
            stored: row.get(at.stored)?,
            state: read_state(row, at.state)?,
            at: read_time(row.get_ref(at.at)?),
        })
    }

    /// How a reverse left the record.
    fn restored(&mut self) -> Restored {
        let contact = match self.target {
            Target::Contact { contact, .. } if self.action == CREATE => contact,
            _ => None,
        };
        Restored { contact, value: mem::take(&mut self.stored) }
    }

    /// The record, where a change with this action leaves another one behind.
    fn record(self, renewing: i64) -> Record {
        match self.target.owner() {
            Some(owner) if self.action == renewing => {
                Record::Again(owner, self.value.unwrap_or_default())
            }
            _ => Record::Same(self.target),
        }
    }
}

/// A place in a set in the order of its owners: an owner, and a change of it.
#[derive(Clone)]
struct Place {
    kind: i64,
    owner: Value,
    change: i64,
}

impl Place {
    const BEGIN: Self = Self { kind: -1, owner: Value::Null, change: i64::MIN };
    const END: Self = Self { kind: i64::MAX, owner: Value::Null, change: i64::MAX };

    /// Behind a change, or before all of an owner.
    fn of(target: &Target, change: i64) -> Self {
        Self { kind: owner_code(target), owner: owner_column(target), change }
    }
}

impl ReverseSet {
    fn open(&self) -> Result<ChangeSet, BulkError> {
        Ok(ChangeSet::open(&self.path)?.reversed_by(self.reverses.iter().cloned()))
    }
}

/// How many changes of a reverse are looked up at a time, and at least all of one owner.
const BLOCK: usize = 10_000;

impl ChangeSet {
    /// Hands the changes of which `condition` holds to `each`, in the order of their owners, from
    /// behind one place to the owner of another, until it answers that it has enough.
    fn traces(
        &self,
        [value, condition]: [&str; 2],
        [from, until]: [&Place; 2],
        mut each: impl FnMut(Trace) -> ControlFlow<()>,
    ) -> Result<(), BulkError> {
        let sql = format!(
            "SELECT id, owner_kind, owner_id, coalesce(created_id, contact_id) AS contact, action,
                 {value} AS value, {} AS stored, {STATE} AS state, at
             FROM {CHANGES}
             WHERE (owner_kind, owner_id, id) > (?1, ?2, ?3) AND (owner_kind, owner_id) <= (?4, ?5)
                 AND repeats IS NULL AND {condition}
             ORDER BY owner_kind, owner_id, id",
            *STORED_AS
        );
        let database = &self.database;
        let mut query = database.check(database.connection.prepare_cached(&sql))?;
        let at = database.check(TraceColumns::of(&query))?;
        let within = params![from.kind, from.owner, from.change, until.kind, until.owner];
        let mut rows = database.check(query.query(within))?;
        while let Some(row) = database.check(rows.next())? {
            if each(database.check(Trace::read(row, &at))?).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// When and how what this set has reversed was reversed, for a block of owners, without what has
    /// been undone of it; and where the next block begins.
    fn reversals(
        &self,
        [from, until]: [&Place; 2],
        undone: &UndoneChanges,
    ) -> Result<(Reversals, Option<Place>), BulkError> {
        let states = [State::Done, State::Already].map(|state| 1_i64 << state_code(state));
        let is_over = format!("1 << {STATE} & {} <> 0", states[0] | states[1]);
        let mut found = Reversals::new();
        let (mut last, mut many, mut is_full) = (None, 0, false);
        self.traces(["wanted_value", &is_over], [from, until], |mut trace| {
            let owner = Place::of(&trace.target, i64::MAX);
            let is_another = last
                .as_ref()
                .is_none_or(|last: &Place| (last.kind, &last.owner) != (owner.kind, &owner.owner));
            is_full = many >= BLOCK && is_another;
            if is_full {
                return ControlFlow::Break(());
            }
            last = Some(owner);
            many += 1;
            let (state, at, action) = (trace.state, trace.at, trace.action);
            let stands = undone.by(ChangeId(trace.id)).is_none();
            // What is there already was created by somebody else, or by a set before.
            if stands && (action != CREATE || state == State::Done) {
                let reversal = Reversal { at, restored: trace.restored() };
                found.entry(trace.record(CREATE)).or_default().push(reversal);
            }
            ControlFlow::Continue(())
        })?;
        Ok((found, last.filter(|_| is_full)))
    }

    /// Marks what a set has undone of this one, as far as that has not been undone in turn. Each change
    /// that reversed a record stands for one that was carried out before.
    fn mark_undone(
        &self,
        set: &ReverseSet,
        [begin, end]: [&Place; 2],
        undone: &mut UndoneChanges,
    ) -> Result<(), BulkError> {
        let reverse = set.open()?;
        let undone_of_it = reverse.undone_between(begin, end)?;
        let mut by = UndoneBy {
            set: set.path.clone(),
            at: None,
            changes: 0,
            created_again: 0,
            stored_otherwise: 0,
        };
        let mut from = begin.clone();
        loop {
            let (mut reversals, next) = reverse.reversals([&from, end], &undone_of_it)?;
            let until = next.as_ref().unwrap_or(end);
            let sent = ["coalesce(found ->> '$.value', value)", "attempts > 0"];
            self.traces(sent, [&from, until], |trace| {
                let (id, state, at) = (trace.id, trace.state, trace.at);
                let times = reversals.get_mut(&trace.record(DELETE));
                let taken = times.and_then(|times| {
                    let after = times.iter().position(|reversed| reversed.at >= at)?;
                    Some(times.swap_remove(after))
                });
                if let Some(Reversal { at, restored }) = taken
                    && undone.mark(id, &restored)
                {
                    by.changes += 1;
                    by.created_again += u64::from(restored.contact.is_some());
                    by.stored_otherwise += u64::from(restored.value.is_some());
                    by.at = by.at.max(at);
                    undone.done += u64::from(state == State::Done);
                }
                ControlFlow::Continue(())
            })?;
            match next {
                Some(next) => from = next,
                None => break,
            }
        }
        if by.changes > 0 {
            undone.by.push(by);
        }
        Ok(())
    }

    fn undone_between(&self, begin: &Place, end: &Place) -> Result<UndoneChanges, BulkError> {
        let mut undone = UndoneChanges::default();
        for set in &self.reverses {
            self.mark_undone(set, [begin, end], &mut undone)?;
        }
        if !undone.is_empty() {
            self.mark_repeats(begin, end, &mut undone)?;
        }
        Ok(undone)
    }

    /// A change that repeats another is undone with that.
    fn mark_repeats(
        &self,
        begin: &Place,
        end: &Place,
        undone: &mut UndoneChanges,
    ) -> Result<(), BulkError> {
        let sql = "SELECT id, repeats FROM planned WHERE repeats IS NOT NULL
             AND (owner_kind, owner_id) >= (?1, ?2) AND (owner_kind, owner_id) <= (?3, ?4)";
        let within = params![begin.kind, begin.owner, end.kind, end.owner];
        let pair = |row: &Row<'_>| Ok((row.get::<_, i64>("id")?, row.get::<_, i64>("repeats")?));
        for (id, repeats) in self.database.rows(sql, within, pair)? {
            let (Ok(at), Ok(first)) = (usize::try_from(id), usize::try_from(repeats)) else {
                continue;
            };
            let place = undone.which.get(first).copied().unwrap_or_default();
            if place > 0 {
                undone.which.resize(undone.which.len().max(at + 1), 0);
                undone.which[at] = place;
                let restored = undone.otherwise.get(&repeats).cloned();
                undone.otherwise.extend(restored.map(|restored| (id, restored)));
            }
        }
        Ok(())
    }

    /// The one set that has done something that still stands, where its totals tell how much of this
    /// one it has undone: nothing was sent of this one since it was planned, it reverses nothing but
    /// what was done, and nothing of it has been undone.
    fn undone_by_one(&self) -> Result<Option<Undone>, BulkError> {
        let done = self.totals()?.in_state(State::Done);
        let (mut by, mut is_told) = (Vec::new(), true);
        for set in &self.reverses {
            let reverse = set.open()?;
            let totals = reverse.totals()?;
            let already = totals.in_state(State::Already) - totals.of(State::Already, "create");
            let undone = reverse.undone()?;
            let changes = undone.standing + already;
            if changes > 0 {
                is_told &= reverse.database.meta(UNDO_OF_EPOCH)? == self.settled_epoch()?;
                is_told &= undone.changes() == 0;
                by.push(UndoneBy {
                    set: set.path.clone(),
                    at: reverse.last_at()?,
                    changes,
                    created_again: totals.of(State::Done, "create"),
                    stored_otherwise: reverse.stored_otherwise()?,
                });
            }
        }
        let standing = || done.checked_sub(by.iter().map(|it| it.changes).sum());
        let Some(standing) = standing().filter(|_| by.is_empty() || is_told && by.len() == 1)
        else {
            return Ok(None);
        };
        Ok(Some(Undone { by, standing }))
    }

    /// Which run was the last one, unless it goes on; `None` before the first.
    pub(crate) fn settled_epoch(&self) -> Result<Option<String>, BulkError> {
        let sql = "SELECT epoch FROM owner WHERE path IS NULL";
        let epoch: Option<i64> = self.database.value(sql, [])?;
        Ok(epoch.map(|epoch| epoch.to_string()))
    }

    fn last_at(&self) -> Result<Option<Timestamp>, BulkError> {
        let sql = "SELECT max(at) AS at FROM progress WHERE state IN (?, ?)";
        let states = [State::Done, State::Already].map(state_code);
        let at = self.database.row(sql, states, |row| Ok(read_time(row.get_ref("at")?)))?;
        Ok(at.flatten())
    }

    /// Names the sets that reverse this one, in the order in which they were planned. A set does not
    /// know them by itself; whoever keeps both does, by [`SetInfo::undo_of`](crate::SetInfo::undo_of).
    /// Then [`undone`](Self::undone) and the [report](Self::report) say what they have undone, and
    /// [`undo`](Self::undo) plans only what still stands. What one of them has undone stands again where
    /// a set that [reverses it in turn](ReverseSet::reversed_by) has undone that.
    #[must_use]
    pub fn reversed_by<S: Into<ReverseSet>>(mut self, sets: impl IntoIterator<Item = S>) -> Self {
        self.reverses = sets.into_iter().map(Into::into).collect();
        self
    }

    /// Counts what the sets have undone that [`reversed_by`](Self::reversed_by) named, and what still
    /// stands. Where one set was planned once this one had ended and has undone it alone, its totals
    /// tell that; otherwise the changes are read.
    ///
    /// # Errors
    ///
    /// A failure to read one of the sets.
    pub fn undone(&self) -> Result<Undone, BulkError> {
        match self.undone_by_one()? {
            Some(undone) => Ok(undone),
            None => Ok(self.undone_changes()?.in_numbers(self.totals()?.in_state(State::Done))),
        }
    }

    /// Finds which changes the sets have undone that [`reversed_by`](Self::reversed_by) named: those
    /// whose record one of them has put back, and which were not carried out again after that. Reads
    /// these sets, some owners at a time, and what this one did to the same owners.
    ///
    /// ```no_run
    /// use crm_bulk::{BulkError, ChangeSet, ReverseSet, Selection, State};
    ///
    /// # fn example() -> Result<(), BulkError> {
    /// let set = ChangeSet::open("june.crm")?.reversed_by([ReverseSet::new("undo-june.crm")]);
    /// let undone = set.undone_changes()?;
    /// for change in set.changes(&Selection::states([State::Done])) {
    ///     let change = change?;
    ///     match undone.by(change.id) {
    ///         Some(by) => println!("{}: undone by {}", change.target, by.set.display()),
    ///         None => println!("{}: stands", change.target),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// A failure to read one of the sets.
    pub fn undone_changes(&self) -> Result<UndoneChanges, BulkError> {
        self.undone_between(&Place::BEGIN, &Place::END)
    }

    /// As [`undone_changes`](Self::undone_changes), of the changes to one owner: the one whose record
    /// this is. They are found by an index.
    ///
    /// # Errors
    ///
    /// The same errors as `undone_changes`.
    pub fn undone_changes_of_owner(&self, record: &Target) -> Result<UndoneChanges, BulkError> {
        self.undone_between(&Place::of(record, i64::MIN), &Place::of(record, i64::MAX))
    }
}
