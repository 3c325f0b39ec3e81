//! What a set has to say, one entry after another: a row of the input with all its changes, or a
//! change that no row asks for.

use crm_models::Timestamp;
use jiff::civil::Date;
use rusqlite::Row;

use super::{
    deadline::{Deadline, Due},
    received::Received,
    words,
};
use crate::{
    clock,
    error::BulkError,
    input::{InputFormat, cells},
    set::{Change, ChangeId, Named, Outcome, State},
    store::{ChangeSet, Selection, file::ChangeColumns},
    undone::{Restored, UndoneBy, UndoneChanges},
    verify::KeptFinding,
};

pub(super) struct Entry {
    pub(super) row: Option<InputRow>,
    /// The day by which it is to be done: of its places, the earliest.
    pub(super) due: Option<Due>,
    /// Whether one of them missed its day.
    pub(super) late: Option<Late>,
    pub(super) found: Vec<Place>,
}

/// How a wish missed its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Late {
    /// It was done, only on this day, by so many days too late.
    Done(Date, u32),
    /// The day is over by so many days, and it is not done.
    Overdue(u32),
}

impl Late {
    pub(super) fn days(self) -> u32 {
        match self {
            Self::Done(_, days) | Self::Overdue(days) => days,
        }
    }
}

/// A row of the input.
pub(super) struct InputRow {
    pub(super) number: u64,
    /// The line on which it starts.
    pub(super) line: u64,
    /// The cells with their headers; the whole row where it could not be taken apart.
    pub(super) cells: Vec<(String, String)>,
    /// When its wish came in.
    pub(super) received: Option<Date>,
    /// What became of a row that asks for no change.
    pub(super) state: Option<State>,
    pub(super) message: Option<String>,
    /// Whether the message names records about which a person has to decide.
    pub(super) look_at: bool,
}

/// A change, whose record it is about, which set has undone it, and what reading back found to be no
/// longer so.
pub(super) struct Place {
    pub(super) change: Change,
    /// The change of an earlier row that it repeats, and whose outcome it has.
    pub(super) repeats: Option<ChangeId>,
    pub(super) named: Option<Named>,
    pub(super) undone_by: Option<String>,
    /// How its record is there again, where it is not what it was.
    pub(super) restored: Option<Restored>,
    pub(super) finding: Option<KeptFinding>,
    /// When its record was last read back.
    pub(super) verified_at: Option<Timestamp>,
    /// What somebody knows of it besides.
    pub(super) remark: Option<String>,
    /// The days by which it is to be done, the earliest first, and whether it missed each. There are several
    /// where messages of several kinds have wishes of their own.
    pub(super) days: Vec<(Due, Option<Late>)>,
}

/// What somebody knows of a change that the set does not.
type Remark<'a> = dyn Fn(&Change) -> Option<String> + 'a;

/// What somebody knows of single changes, if anybody does.
#[derive(Default)]
pub(super) struct Remarks<'a>(pub(super) Option<Box<Remark<'a>>>);

impl std::fmt::Debug for Remarks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remarks").finish_non_exhaustive()
    }
}

/// What is known of the changes of a set besides.
pub(super) struct Places<'a> {
    set: &'a ChangeSet,
    undone: &'a UndoneChanges,
    remarks: &'a Remarks<'a>,
    /// When the set was last read back.
    verified_at: Option<Timestamp>,
    has_repeats: bool,
}

impl<'a> Places<'a> {
    pub(super) fn of(
        set: &'a ChangeSet,
        (undone, remarks): (&'a UndoneChanges, &'a Remarks<'a>),
    ) -> Result<Self, BulkError> {
        let verified_at = set.verification()?.map(|verification| verification.at);
        Ok(Self { set, undone, remarks, verified_at, has_repeats: set.totals()?.repeats() > 0 })
    }

    pub(super) fn place(&self, change: Change) -> Result<Place, BulkError> {
        let set = self.set;
        let named = set.named(&change.target)?;
        let undone_by = self.undone.by(change.id).map(UndoneBy::name);
        let restored = self.undone.restored(change.id).cloned();
        let finding = if self.verified_at.is_some() { set.finding(change.id)? } else { None };
        let Outcome { state, at, .. } = change.outcome;
        // What is no longer so was found; the rest of what was done by then still was.
        let lasts = state == State::Done && undone_by.is_none();
        let still_so = self.verified_at.filter(|read| lasts && at <= Some(*read));
        let verified_at = finding.as_ref().map(|finding| finding.at).or(still_so);
        let repeats = if self.has_repeats { set.repeats(change.id)? } else { None };
        let remark = self.remarks.0.as_ref().and_then(|remark| remark(&change));
        Ok(Place {
            change,
            repeats,
            named,
            undone_by,
            restored,
            finding,
            verified_at,
            remark,
            days: Vec::new(),
        })
    }
}

impl Place {
    /// Whether it has been undone, if it was done.
    pub(super) fn is_undone(&self) -> Option<bool> {
        let is_undone = self.undone_by.is_some();
        (is_undone || self.change.outcome.state == State::Done).then_some(is_undone)
    }

    /// What to look at before it is sent.
    pub(super) fn caution(&self) -> Option<&str> {
        let is_open = self.change.outcome.state == State::Planned;
        self.change.caution.as_deref().filter(|_| is_open)
    }

    /// The first day by which something of it is to be done.
    pub(super) fn due(&self) -> Option<&Due> {
        self.days.first().map(|(due, _)| due)
    }

    /// How it missed its days, by the most.
    pub(super) fn late(&self) -> Option<Late> {
        self.days.iter().filter_map(|(_, late)| *late).max()
    }

    /// With the days by which it is to be done.
    fn with_days(self, received: Option<Date>, deadline: &Deadline<'_>, now: Timestamp) -> Self {
        let done = self.done();
        let dues = deadline.of(received, Some(&self.change), done.unwrap_or(now));
        let may_be_late = !matches!(self.change.outcome.state, State::Already | State::Dropped);
        let late = |days| match done.and_then(words::day) {
            Some(day) => Late::Done(day, days),
            None => Late::Overdue(days),
        };
        let days = dues.into_iter().map(|due| {
            let days_late = Some(due.days_late).filter(|days| may_be_late && *days > 0);
            (due, days_late.map(late))
        });
        Self { days: days.collect(), ..self }
    }

    /// When it was done, unless it was found not to be so: it counts as not done then.
    fn done(&self) -> Option<Timestamp> {
        let Outcome { state, at, .. } = &self.change.outcome;
        let lasts = self.finding.as_ref().is_none_or(KeptFinding::is_gone);
        at.filter(|_| *state == State::Done && lasts)
    }

    fn needs_attention(&self) -> bool {
        self.late().is_some()
            || self.change.outcome.state.needs_attention()
            || self.caution().is_some()
            || self.remark.is_some()
            || self.finding.is_some()
    }
}

impl Entry {
    pub(super) fn needs_attention(&self) -> bool {
        let row = self.row.as_ref().is_some_and(|row| match row.state {
            Some(State::Already) => false,
            // That a list has more than the tenant is no news, and said by the number of such rows.
            Some(State::NotFound) => row.look_at,
            Some(_) => true,
            None => row.message.is_some(),
        });
        row || self.late.is_some() || self.found.iter().any(Place::needs_attention)
    }

    /// Puts the places to look at before the others.
    fn in_order(mut self) -> Self {
        self.found.sort_by_key(|place| !place.needs_attention());
        self
    }
}

/// Hands each entry of a set to `each`, in the order of the input.
pub(super) fn for_each(
    set: &ChangeSet,
    known: (&UndoneChanges, &Remarks<'_>),
    deadline: &Deadline<'_>,
    mut each: impl FnMut(Entry) -> Result<(), BulkError>,
) -> Result<(), BulkError> {
    let places = Places::of(set, known)?;
    if set.count("SELECT EXISTS (SELECT 1 FROM rows)")? == 0 {
        return set.changes(&Selection::all()).try_for_each(|change| {
            let found = vec![places.place(change?)?];
            each(Entry { row: None, due: None, late: None, found })
        });
    }
    let (format, header) = (set.format()?, set.header()?);
    let (received, now) = (Received::of(set)?, clock::now());
    let add = |found: &mut Vec<Change>, at: &ChangeColumns, row: &Row<'_>| {
        found.push(at.read(row)?);
        Ok(())
    };
    set.each_row(ChangeColumns::NAMES, ChangeColumns::of, add, |row, found: Vec<Change>| {
        let cells = read_cells(format, &header, row.data);
        let row = InputRow {
            number: row.row,
            line: row.line,
            received: received.date(&cells),
            cells,
            state: row.state,
            message: row.message,
            look_at: row.look_at,
        };
        let found = found.into_iter().map(|change| {
            Ok::<_, BulkError>(places.place(change)?.with_days(row.received, deadline, now))
        });
        let found = found.collect::<Result<Vec<_>, _>>()?;
        let due = match &found[..] {
            [] => deadline.of(row.received, None, now).into_iter().next(),
            _ => found.iter().filter_map(Place::due).min_by_key(|due| due.day).cloned(),
        };
        let late = found.iter().filter_map(Place::late).max();
        each(Entry { row: Some(row), due, late, found }.in_order())
    })
}

fn read_cells(format: InputFormat, header: &[String], data: String) -> Vec<(String, String)> {
    let cells = cells(format, header, &data);
    if cells.is_empty() { vec![("row".to_owned(), data)] } else { cells }
}
