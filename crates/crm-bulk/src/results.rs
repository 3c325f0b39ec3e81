//! The input returned with what became of each row.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::LazyLock,
};

use crm_mirror::columns;
use crm_models::Timestamp;
use rusqlite::{Row, types::ValueRef};

use crate::{
    error::BulkError,
    input::{InputFormat, Marks, OUTCOME_COLUMNS, write_cells, write_head, write_members},
    set::{ChangeId, State},
    store::{
        ChangeSet,
        file::{STORED_AS, read_owner, read_state, read_time},
    },
    undone::{Restored, UndoneBy, UndoneChanges},
};

/// The rows to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ResultRows {
    /// All rows.
    #[default]
    All,
    /// Only the rows that are not done, were not already as wanted and were not dropped: once
    /// corrected, they can be fed in again.
    Failed,
}

impl ResultRows {
    /// Whether something in this state is not among them.
    pub(crate) fn leaves_out(self, state: State) -> bool {
        self == Self::Failed && matches!(state, State::Done | State::Already | State::Dropped)
    }
}

columns! {
    /// The columns of what became of a change, and of whose it is.
    struct OutcomeColumns {
        id, state, message, field_errors, trace_id, at,
        owner_kind, owner_id, contact, name, town, value_then, stored_as,
    }
}

/// What these are in the view of outcomes.
static COLUMNS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "id, state, message, field_errors, trace_id, at, owner_kind, owner_id,
    coalesce(created_id, contact_id) AS contact, coalesce(value, wanted_value) AS value_then,
    (SELECT name FROM owners o WHERE o.kind = owner_kind AND o.id = owner_id) AS name,
    (SELECT t.town FROM owners o JOIN towns t ON t.id = o.town
     WHERE o.kind = owner_kind AND o.id = owner_id) AS town, {} AS stored_as",
        *STORED_AS
    )
});

/// The outcome of a row of an opt-out that asks for nothing.
const LEFT_ALONE: &str = "left-alone";

/// How many columns say whose contact it is.
const WHOSE: usize = 6;

/// What became of a row: of all its changes together.
#[derive(Debug, Default)]
struct RowOutcome {
    changes: u64,
    /// How many changes are in which state.
    states: BTreeMap<State, u64>,
    messages: Vec<String>,
    field_errors: Vec<String>,
    trace_ids: Vec<String>,
    /// How values were stored, where not as they were sent.
    stored_as: Vec<String>,
    time: Option<Timestamp>,
    /// The sets that have undone some of them, and how many they have.
    undone_by: Vec<String>,
    undone: u64,
    /// The ids of contacts that were created again since, and the values that came back otherwise.
    restored: [Vec<String>; 2],
    /// Whether it is a row of an opt-out that asks for nothing, as one that says opted in.
    is_left_alone: bool,
    /// Whose contacts they are, one text for all: a row may be about many.
    whose: [String; WHOSE],
}

/// The states from the one that a reader must see first to the one that needs no attention.
const BY_WEIGHT: [State; 11] = [
    State::Failed,
    State::Unknown,
    State::Held,
    State::Conflict,
    State::Drifted,
    State::NotFound,
    State::InFlight,
    State::Planned,
    State::Dropped,
    State::Done,
    State::Already,
];

impl RowOutcome {
    fn add(
        &mut self,
        at: &OutcomeColumns,
        row: &Row<'_>,
        undone: &UndoneChanges,
    ) -> rusqlite::Result<()> {
        let state = read_state(row, at.state)?;
        self.changes += 1;
        *self.states.entry(state).or_default() += 1;
        let mut keep = |list: fn(&mut Self) -> &mut Vec<String>, text: Option<String>| {
            let list = list(self);
            if let Some(text) = text.filter(|text| !list.contains(text)) {
                list.push(text);
            }
        };
        keep(|outcome| &mut outcome.messages, row.get(at.message)?);
        keep(|outcome| &mut outcome.field_errors, row.get(at.field_errors)?);
        keep(|outcome| &mut outcome.trace_ids, row.get(at.trace_id)?);
        keep(|outcome| &mut outcome.stored_as, row.get(at.stored_as)?);
        let id = ChangeId(row.get(at.id)?);
        let undone_by = undone.by(id).map(UndoneBy::name);
        let is_undone = undone_by.is_some();
        keep(|outcome| &mut outcome.undone_by, undone_by);
        let [contact, value] = Restored::cells(undone.restored(id));
        keep(|outcome| &mut outcome.restored[0], contact);
        keep(|outcome| &mut outcome.restored[1], value);
        self.undone += u64::from(is_undone);
        self.time = self.time.max(read_time(row.get_ref(at.at)?));
        let kind = read_owner(row.get(at.owner_kind)?).unwrap_or_default();
        let id = |column: usize| -> rusqlite::Result<String> {
            Ok(match row.get_ref(column)? {
                ValueRef::Integer(id) => id.to_string(),
                other => other.as_str_or_null()?.unwrap_or_default().to_owned(),
            })
        };
        let text = |column: usize| -> rusqlite::Result<String> {
            Ok(row.get::<_, Option<String>>(column)?.unwrap_or_default())
        };
        let whose = [
            kind.to_owned(),
            id(at.owner_id)?,
            id(at.contact)?,
            text(at.name)?,
            text(at.town)?,
            text(at.value_then)?,
        ];
        for (all, one) in self.whose.iter_mut().zip(whose) {
            if self.changes > 1 {
                all.push_str("; ");
            }
            all.push_str(&one);
        }
        Ok(())
    }

    /// The state that matters most.
    fn state(&self) -> Option<State> {
        BY_WEIGHT.into_iter().find(|state| self.states.contains_key(state))
    }

    /// How many of several changes are in which state: what matters most first.
    fn counts(&self) -> String {
        let of = |state| Some((state, *self.states.get(&state)?));
        let mut counts = BY_WEIGHT.into_iter().filter_map(of);
        let first = counts.next().map(|(state, count)| {
            format!("{count} of {} contacts {}", self.changes, state.in_words())
        });
        let others = counts.map(|(state, count)| format!("{count} {}", state.in_words()));
        first.into_iter().chain(others).collect::<Vec<_>>().join(", ")
    }

    /// The texts of the added columns.
    fn cells(mut self) -> [String; OUTCOME_COLUMNS.len()] {
        let state = self.state().unwrap_or(State::NotFound);
        if self.changes > 1 {
            let summary = self.counts();
            let undone = match self.undone {
                0 => String::new(),
                undone => format!(", {undone} undone since"),
            };
            self.messages.insert(0, summary + &undone);
        }
        let [kind, owner, contact, name, town, value] = self.whose;
        let [again, back] = self.restored.map(|all| all.join("; "));
        [
            if self.is_left_alone { LEFT_ALONE.to_owned() } else { state.to_string() },
            self.messages.join("; "),
            self.field_errors.join(" "),
            self.trace_ids.join(" "),
            self.time.map(|time| time.to_string()).unwrap_or_default(),
            kind,
            owner,
            contact,
            name,
            town,
            value,
            self.undone_by.join("; "),
            self.stored_as.join("; "),
            again,
            back,
        ]
    }
}

impl ChangeSet {
    /// How the input's cells were told apart; sets of older versions do not say how quoted.
    fn marks(&self) -> Result<Marks, BulkError> {
        let usual = Marks::default();
        let mark = |name, usual| {
            let text = self.database.meta(name)?;
            Ok::<_, BulkError>(text.and_then(|text| text.bytes().next()).unwrap_or(usual))
        };
        Ok(Marks {
            delimiter: mark("delimiter", usual.delimiter)?,
            quote: mark("quote", usual.quote)?,
            bom: self.database.meta("bom")?.is_some(),
            guard: false,
        })
    }

    /// Writes the rows of the input unchanged, all columns in order, with the outcome of each row
    /// in five more columns: `crm_outcome`, `crm_message`, `crm_field_errors`, `crm_trace_id`,
    /// `crm_time`; and whose contact it is in six: `crm_owner_kind`, `crm_owner_id`,
    /// `crm_contact_id`, `crm_owner_name`, `crm_owner_town`, `crm_value`. A row that is about several
    /// contacts has all of them there, in one order, with semicolons between. `crm_undone_by` names the
    /// sets that have undone something of it, of those that [`reversed_by`](Self::reversed_by) named, and
    /// `crm_stored_as` what the service [stored](crate::Change::stored) in place of the value that was sent;
    /// `crm_restored_contact_id` and `crm_restored_value` say how a record is [back](crate::Restored) where
    /// undoing could not make it the same again. Returns how many rows were written. A row that repeats another has the outcome
    /// of that one; a row that was left out because it is wrong is `failed`, and one of an opt-out that
    /// asks for nothing, as it says opted in, is `left-alone`; the message says why.
    ///
    /// A set without an input, such as one of clean-ups, has the rows of
    /// [`results_by_contact`](Self::results_by_contact).
    ///
    /// Rows are processed one at a time, however many there are. The added columns are dropped when
    /// the rows are fed in again. Cells are written back unchanged: a spreadsheet program may take
    /// one that begins with `=` for a formula, unless the rows are written with
    /// [`results_for_spreadsheets`](Self::results_for_spreadsheets).
    ///
    /// # Errors
    ///
    /// [`BulkError::Altered`] if the set is not what was planned, or a failure to read the set or
    /// to write.
    pub fn results(&self, which: ResultRows, out: impl Write) -> Result<u64, BulkError> {
        if !self.has_rows()? {
            return self.results_by_contact(which, out);
        }
        let marks = self.marks()?;
        self.write_results(which, marks, out)
    }

    /// Whether the set has an input: clean-ups and an undo have none.
    fn has_rows(&self) -> Result<bool, BulkError> {
        Ok(self.count("SELECT EXISTS (SELECT 1 FROM rows)")? > 0)
    }

    /// Writes [`results`](Self::results) as CSV for spreadsheet programs: with a byte order mark,
    /// by which they recognize UTF-8, and an apostrophe before what they would execute or change,
    /// as [`guarded_number`](crate::guarded_number) puts it. Fed in again, the rows are the same.
    ///
    /// # Errors
    ///
    /// The same errors as `results`, and [`BulkError::Input`] if the rows are NDJSON.
    pub fn results_for_spreadsheets(
        &self,
        which: ResultRows,
        out: impl Write,
    ) -> Result<u64, BulkError> {
        if self.format()? == InputFormat::Ndjson {
            return Err(BulkError::Input {
                name: self.path().display().to_string(),
                reason: "its rows are NDJSON, which no spreadsheet program opens".to_owned(),
            });
        }
        if !self.has_rows()? {
            return self.results_by_contact_for_spreadsheets(which, out);
        }
        let marks = Marks { bom: true, guard: true, ..self.marks()? };
        self.write_results(which, marks, out)
    }

    fn write_results(
        &self,
        which: ResultRows,
        marks: Marks,
        mut out: impl Write,
    ) -> Result<u64, BulkError> {
        self.known_digest()?;
        let (format, header) = (self.format()?, self.header()?);
        let unwritten = |e: io::Error| BulkError::file(self.path(), "written as rows", e);
        let names = header.iter().map(String::as_str).chain(OUTCOME_COLUMNS);
        write_head(&mut out, format, marks, names).map_err(unwritten)?;
        let mut written = 0;
        let undone = self.undone_changes()?;
        let add = |outcome: &mut RowOutcome, at: &OutcomeColumns, row: &Row<'_>| {
            outcome.add(at, row, &undone)
        };
        self.each_row(&COLUMNS, OutcomeColumns::of, add, |row, mut outcome| {
            if outcome.states.is_empty() {
                outcome.is_left_alone = row.state == Some(State::Already);
                outcome.states.extend(row.state.map(|state| (state, 0)));
            }
            outcome.messages.extend(row.message);
            if outcome.state().is_some_and(|state| which.leaves_out(state)) {
                return Ok(());
            }
            let (data, cells) = (&row.data, outcome.cells());
            let wrote = match format {
                InputFormat::Csv => write_cells(&mut out, marks, header.len(), data, &cells),
                InputFormat::Ndjson => write_members(&mut out, data, &OUTCOME_COLUMNS, &cells),
            };
            wrote.map_err(unwritten)?;
            written += 1;
            Ok(())
        })?;
        out.flush().map_err(unwritten)?;
        Ok(written)
    }
}
