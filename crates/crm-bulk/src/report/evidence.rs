//! Everything that a page has room for or not, as CSV.

use std::io::{self, Write};

use crm_contacts::Difference;
use crm_models::Timestamp;
use serde::{Serialize, Serializer as _};

use super::{
    deadline::{Due, LastDay},
    entry::{Entry, InputRow, Late, Place},
    hashed::Hashed,
    left_out::LeftOut,
    past::PastEvent,
};
use crate::{
    set::{Action, Change, ChangeId, Image, Named, State},
    spreadsheet::guarded,
    undone::Restored,
};

/// The columns. A row of the input has a line for each place where it was found, or a single one. A line
/// that `repeats` another is about a contact of an earlier row, with the outcome of that: without these
/// each contact has one line. Messages of several kinds that have wishes of their own have last days of their
/// own: then the contact has a line for each, whose `dueFor` says for which it is, and all but the first
/// repeat it. The last three are for what happened to a record through something else
/// than the set: a line that has one `through` is no change of the set.
const COLUMNS: [&str; 42] = [
    "row",
    "line",
    "entry",
    "received",
    "due",
    "late",
    "daysLate",
    "dueFor",
    "dueBecause",
    "rowMessage",
    "change",
    "repeats",
    "ownerKind",
    "ownerId",
    "contactId",
    "ownerName",
    "ownerTown",
    "type",
    "value",
    "action",
    "sameAs",
    "why",
    "caution",
    "before",
    "after",
    "state",
    "message",
    "storedAs",
    "storedReading",
    "remark",
    "fieldErrors",
    "traceId",
    "at",
    "verifiedAt",
    "noLongerSo",
    "undone",
    "undoneBy",
    "restoredContactId",
    "restoredValue",
    "since",
    "by",
    "through",
];

/// The state of a line about a record of the service that could not be read.
const UNREADABLE: &str = "unreadable";

/// That of one that is not in the set although it should be so.
const LEFT_OUT: &str = "cannot-be-set";

const OVERDUE: &str = "overdue";

/// Writes the CSV file, and finds its SHA-256.
pub(super) struct Evidence<W: Write> {
    csv: csv::Writer<Hashed<W>>,
    lines: u64,
}

/// What a page says of the file beside it.
pub(super) struct Beside<'a> {
    pub(super) name: &'a str,
    pub(super) lines: u64,
    /// In hexadecimal digits.
    pub(super) sha256: String,
}

impl<W: Write> Evidence<W> {
    pub(super) fn begin(out: W) -> io::Result<Self> {
        let mut csv = csv::Writer::from_writer(Hashed::new(out));
        csv.write_record(COLUMNS)?;
        Ok(Self { csv, lines: 0 })
    }

    pub(super) fn add(&mut self, entry: &Entry) -> io::Result<()> {
        let row = entry.row.as_ref();
        if entry.found.is_empty() {
            let state = row.and_then(|row| row.state).unwrap_or(State::NotFound);
            let day = (entry.due.as_ref(), entry.late);
            return self.line((row, day), None, state.as_str(), None);
        }
        entry.found.iter().try_for_each(|place| {
            let outcome = &place.change.outcome;
            let (state, message) = (outcome.state.as_str(), outcome.message.as_deref());
            let mut days = place.days.iter().map(|(due, late)| (Some(due), *late));
            let first = days.next().unwrap_or_default();
            self.line((row, first), Some((place, place.repeats)), state, message)?;
            let repeats = place.repeats.or(Some(place.change.id));
            days.try_for_each(|day| self.line((row, day), Some((place, repeats)), state, message))
        })
    }

    /// Adds a record of the service that could not be read.
    pub(super) fn add_unreadable(&mut self, record: &str) -> io::Result<()> {
        self.line((None, (None, None)), None, UNREADABLE, Some(record))
    }

    pub(super) fn finish(self, name: &str) -> io::Result<Beside<'_>> {
        let Self { csv, lines } = self;
        let hashed = csv.into_inner().map_err(csv::IntoInnerError::into_error)?;
        let (_, sha256) = hashed.finish()?;
        Ok(Beside { name, lines, sha256 })
    }

    fn line(
        &mut self,
        (row, (due, late)): (Option<&InputRow>, (Option<&Due>, Option<Late>)),
        place: Option<(&Place, Option<ChangeId>)>,
        state: &str,
        message: Option<&str>,
    ) -> io::Result<()> {
        let (place, repeats) = place.unzip();
        let change = place.map(|place| &place.change);
        let outcome = change.map(|change| &change.outcome);
        let target = change.map(|change| &change.target);
        let named = place.and_then(|place| place.named.as_ref());
        let finding = place.and_then(|place| place.finding.as_ref());
        let verified_at = place.and_then(|place| place.verified_at);
        let stored = change.and_then(Change::stored);
        let received = row.and_then(|row| row.received);
        let (before, after) = change.map(difference).transpose()?.unwrap_or_default();
        let [again, back] = Restored::cells(place.and_then(|place| place.restored.as_ref()));
        let text = |text: Option<&String>| text.cloned();
        let cells: [Option<String>; COLUMNS.len()] = [
            row.map(|row| row.number.to_string()),
            row.map(|row| row.line.to_string()),
            row.map(|row| object(row.cells.iter().map(|(name, cell)| (name, cell)))).transpose()?,
            received.map(|day| day.to_string()),
            due.map(|due| due.day.to_string()),
            late.map(|late| match late {
                Late::Done(day, _) => format!("done {day}"),
                Late::Overdue(_) => OVERDUE.to_owned(),
            }),
            late.map(|late| late.days().to_string()),
            text(due.and_then(|due| due.of.as_ref())),
            text(due.and_then(|due| due.why.as_ref())),
            text(row.and_then(|row| row.message.as_ref())),
            change.map(|change| change.id.to_string()),
            repeats.flatten().map(|repeats| repeats.to_string()),
            target.map(|target| target.kind().to_owned()),
            target.map(|target| target.owner_text()),
            target.and_then(|target| target.contact_text()),
            named.map(|named| named.name().to_owned()),
            named.map(|named| named.town().to_owned()),
            change.and_then(Change::contact_type).map(|kind| kind.as_str().to_owned()),
            change.and_then(Change::value).map(str::to_owned),
            change.map(|change| change.action.name().to_owned()),
            change.and_then(|change| Some(change.action.stand_in()?.contact.to_string())),
            text(change.and_then(|change| change.why.as_ref())),
            text(change.and_then(|change| change.caution.as_ref())),
            before,
            after,
            Some(state.to_owned()),
            message.map(str::to_owned),
            stored.map(|stored| stored.value.to_owned()),
            stored.map(|stored| stored.reading().to_owned()),
            text(place.and_then(|place| place.remark.as_ref())),
            text(outcome.and_then(|outcome| outcome.field_errors.as_ref())),
            text(outcome.and_then(|outcome| outcome.trace_id.as_ref())),
            outcome.and_then(|outcome| outcome.at).map(|at| at.to_string()),
            verified_at.map(|at| at.to_string()),
            verified_at.map(|_| finding.map_or("no".to_owned(), |it| it.difference.clone())),
            place.and_then(Place::is_undone).map(yes_no),
            text(place.and_then(|place| place.undone_by.as_ref())),
            again,
            back,
            None,
            None,
            None,
        ];
        self.write(&cells)
    }

    /// Adds a record that should be as the set makes others, and is not in it.
    pub(super) fn add_left_out(&mut self, left: &LeftOut) -> io::Result<()> {
        let LeftOut { record, value, why, last } = left;
        let LastDay { day, days_late, of, why: because } = last;
        let is_late = *days_late > 0;
        let cells = COLUMNS.map(|column| match column {
            "due" => Some(day.clone()),
            "late" => is_late.then(|| OVERDUE.to_owned()),
            "daysLate" => is_late.then(|| days_late.to_string()),
            "dueFor" => of.clone(),
            "dueBecause" => because.clone(),
            "ownerKind" => Some(record.kind().to_owned()),
            "ownerId" => Some(record.owner_text()),
            "contactId" => record.contact_text(),
            "value" => Some(value.clone()),
            "state" => Some(LEFT_OUT.to_owned()),
            "message" => Some(why.clone()),
            _ => None,
        });
        self.write(&cells)
    }

    /// Adds what else happened to a record.
    pub(super) fn add_past(&mut self, event: &PastEvent, named: Option<&Named>) -> io::Result<()> {
        let PastEvent { record, members, .. } = event;
        let [before, after] = sides(members)?;
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let cells = COLUMNS.map(|column| match column {
            "ownerKind" => text(record.kind()),
            "ownerId" => Some(record.owner_text()),
            "contactId" => record.contact_text(),
            "ownerName" => named.map(|named| named.name().to_owned()),
            "ownerTown" => named.map(|named| named.town().to_owned()),
            "action" => text(&event.action),
            "before" => before.clone(),
            "after" => after.clone(),
            "state" => text(&event.state),
            "traceId" => event.trace_id.clone(),
            "at" => time(event.at),
            "undone" => event.undone.map(yes_no),
            "since" => time(event.since),
            "by" => event.by.clone(),
            "through" => text(&event.through),
            _ => None,
        });
        self.write(&cells)
    }

    fn write(&mut self, cells: &[Option<String>; COLUMNS.len()]) -> io::Result<()> {
        self.lines += 1;
        for cell in cells {
            let cell = guarded(cell.as_deref().unwrap_or_default());
            self.csv.write_field(cell.as_bytes())?;
        }
        // Ends the line.
        Ok(self.csv.write_record(None::<&[u8]>)?)
    }
}

fn yes_no(truth: bool) -> String {
    if truth { "yes" } else { "no" }.to_owned()
}

/// The members that a change makes different, as they were and as they are to be; a contact that is
/// deleted as it was. Each is a JSON object, or nothing.
fn difference(change: &Change) -> io::Result<(Option<String>, Option<String>)> {
    if let Action::Delete(_) = change.action {
        let whole = change.before.as_ref().map(serde_json::to_string::<Image>);
        return Ok((whole.transpose()?, None));
    }
    let [before, after] = sides(&change.members())?;
    Ok((before, after))
}

/// These members as they were, and as they became.
fn sides(members: &[Difference]) -> io::Result<[Option<String>; 2]> {
    let known = |side: fn(&Difference) -> Option<&String>| {
        let members = members.iter().filter_map(|member| Some((&member.field, side(member)?)));
        let mut members = members.peekable();
        members.peek().is_some().then_some(()).map(|()| object(members)).transpose()
    };
    Ok([known(|member| member.before.as_ref())?, known(|member| member.after.as_ref())?])
}

/// A JSON object of these texts, in their order.
fn object(members: impl Iterator<Item = (impl Serialize, impl Serialize)>) -> io::Result<String> {
    let mut json = Vec::new();
    serde_json::Serializer::new(&mut json).collect_map(members)?;
    String::from_utf8(json).map_err(io::Error::other)
}
