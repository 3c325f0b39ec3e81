//! The rows of an input: what is kept of each, and what is wrong with them.

use std::collections::BTreeMap;

use crm_mirror::Snapshot;
use crm_models::{ContactType, Preference};

use super::options::Plan;
use crate::{
    error::{BadCell, BulkError, InvalidRows, problem},
    input::{BadRows, Input, InputFormat, Marks, RowRequest, broken, refuse_to_mend_in, whole},
    set::{Action, State},
    store::file::Draft,
};

impl Plan {
    /// One pass over the rows: keeps each, and hands those that are right to `plan` as long as
    /// there is something to plan.
    pub(super) fn read(
        &self,
        input: Input,
        draft: &Draft,
        mut plan: impl FnMut(RowPlace, RowRequest) -> Result<(), BulkError>,
    ) -> Result<ReadRows, BulkError> {
        let (name, format) = (input.name().to_owned(), input.format());
        let mut others = vec![draft.path()];
        others.extend(input.path());
        others.extend(self.snapshot.as_ref().map(Snapshot::path));
        refuse_to_mend_in(self.mend.as_ref(), &others)?;
        let counted = input.counted();
        let (mut rows, dialect) = input.rows()?;
        let header = rows.header().to_vec();
        describe_input(draft, &name, format, dialect.marks, &header)?;
        let mut read = ReadRows {
            rows: 0,
            bad: BadRows::new(&name, format, dialect.marks, &header, self.mend.as_ref())
                .counted(counted),
            doubts: Vec::new(),
            skip_invalid: self.skip_invalid,
        };
        while let Some(next) = rows.next()? {
            read.rows += 1;
            let row = read.rows;
            let raw = match next {
                Ok(raw) => raw,
                Err(unreadable) => {
                    let (line, data) = (unreadable.line, unreadable.data);
                    let cells = broken(line, &unreadable.reason);
                    if self.skip_invalid {
                        leave_out(draft, row, line, &cells, &data)?;
                    }
                    read.refuse_row(line, cells, &data)?;
                    continue;
                }
            };
            let request = RowRequest::read(raw.line, &raw.cells, &dialect, self.values);
            let request = request.and_then(|request| self.with_all_flags(raw.line, request));
            match request {
                Err(cells) => {
                    if self.skip_invalid {
                        leave_out(draft, row, raw.line, &cells, raw.data)?;
                    }
                    read.refuse_row(raw.line, cells, raw.data)?;
                }
                // Only the check goes on once the plan cannot come to be.
                Ok(request) if !read.bad.is_empty() && !self.skip_invalid => {
                    if !request.doubts.is_empty() {
                        read.refuse_row(raw.line, request.doubts, raw.data)?;
                    }
                }
                Ok(mut request) => {
                    self.clean(&mut request);
                    draft.add_row(row, raw.line, raw.data)?;
                    let cells = std::mem::take(&mut request.doubts);
                    if !cells.is_empty() {
                        let data = raw.data.to_owned();
                        read.doubts.push(Doubt { row, cells, data });
                    }
                    let place = RowPlace { row, line: raw.line };
                    plan(place, request)?;
                }
            }
        }
        let notes = rows.notes().map_err(|reason| BulkError::Input { name, reason })?;
        draft.set_notes(&notes)?;
        read.bad.note(notes);
        // The input is closed before the file to mend is put in place.
        drop(rows);
        if !read.bad.is_empty() {
            read.refuse()?;
        }
        Ok(read)
    }

    /// Refuses a new contact with some flags alone: what the service gives it, nobody knows before
    /// it is there, and then it is too late to refuse.
    fn with_all_flags(&self, line: u64, request: RowRequest) -> Result<RowRequest, Vec<BadCell>> {
        match &request.action {
            Action::Create(wanted) if wanted.names_some_flags() && self.unknown_flags.is_none() => {
                let named = wanted.change.get_preferences();
                let others = Preference::SETTABLE.into_iter().filter(|it| named.get(*it).is_none());
                let others: Vec<_> = others.map(Preference::column).collect();
                let why = format!(
                    "a new contact needs all flags or none; name {} too, or say what they become: \
                     `--unknown-flags off`, or `on`, which turns on marketing too unless it is named",
                    others.join(", ")
                );
                Err(whole(line, why))
            }
            _ => Ok(request),
        }
    }

    fn clean(&self, request: &mut RowRequest) {
        let (Action::Update(wanted) | Action::Create(wanted)) = &mut request.action else {
            return;
        };
        if let Some(value) = wanted.change.get_value() {
            let by_looks =
                if value.contains('@') { ContactType::Email } else { ContactType::Phone };
            let contact_type = wanted.change.get_contact_type().unwrap_or(&by_looks);
            if let Some(cleaned) = self.clean_up.value(contact_type, value) {
                wanted.change = wanted.change.clone().value(cleaned);
            }
        }
    }
}

/// The rows of an input, of which some may be wrong only beside the contacts that they name.
pub(super) struct ReadRows {
    rows: u64,
    bad: BadRows,
    doubts: Vec<Doubt>,
    skip_invalid: bool,
}

/// A row that says what must not be stored.
struct Doubt {
    row: u64,
    /// Never empty.
    cells: Vec<BadCell>,
    data: String,
}

impl ReadRows {
    /// Takes note of a wrong row. Unless it is left out, the plan cannot come to be, and nobody asks
    /// the contacts about the rows in doubt: those are reported too, in their order.
    fn refuse_row(&mut self, line: u64, cells: Vec<BadCell>, data: &str) -> Result<(), BulkError> {
        if !self.skip_invalid {
            for Doubt { cells, data, .. } in std::mem::take(&mut self.doubts) {
                self.bad.add(cells[0].line, cells, &data)?;
            }
        }
        self.bad.add(line, cells, data)
    }

    /// How many rows there are and which are wrong, once all are planned: those too whose value
    /// must not be stored and is not the contact's already.
    pub(super) fn finish(mut self, draft: &Draft) -> Result<(u64, Option<InvalidRows>), BulkError> {
        let doubts = std::mem::take(&mut self.doubts);
        let failed = if doubts.is_empty() { BTreeMap::new() } else { draft.failed_rows()? };
        for Doubt { row, mut cells, data } in doubts {
            // It may have failed for another reason, which is no fault of the row.
            let why = failed.get(&row).map_or("", String::as_str);
            cells.retain(|cell| why.contains(&cell.reason));
            if let Some(line) = cells.first().map(|cell| cell.line) {
                self.bad.add(line, cells, &data)?;
            }
        }
        let invalid =
            if self.skip_invalid { self.bad.finish()? } else { self.refuse().map(|()| None)? };
        Ok((self.rows, invalid))
    }

    /// Ends the planning when a row is wrong and none may be.
    fn refuse(&mut self) -> Result<(), BulkError> {
        if self.skip_invalid {
            return Ok(());
        }
        self.bad.finish()?.map_or(Ok(()), |invalid| Err(invalid.into()))
    }
}

/// Keeps a row that is wrong and is left out, so that it is not missing from the results.
pub(crate) fn leave_out(
    draft: &Draft,
    row: u64,
    line: u64,
    cells: &[BadCell],
    data: &str,
) -> Result<(), BulkError> {
    draft.add_row(row, line, data)?;
    draft.settle_row(row, Some(State::Failed), &problem(cells))
}

/// Where a row stands.
#[derive(Clone, Copy)]
pub(crate) struct RowPlace {
    pub(crate) row: u64,
    pub(crate) line: u64,
}

/// Keeps what is needed to give the input back.
pub(crate) fn describe_input(
    draft: &Draft,
    name: &str,
    format: InputFormat,
    marks: Marks,
    header: &[String],
) -> Result<(), BulkError> {
    draft.set_meta("source", name)?;
    draft.set_meta("format", format.as_str())?;
    draft.set_meta("delimiter", &char::from(marks.delimiter).to_string())?;
    draft.set_meta("quote", &char::from(marks.quote).to_string())?;
    if marks.bom {
        draft.set_meta("bom", "yes")?;
    }
    let header = serde_json::to_string(header).unwrap_or_default();
    draft.set_meta("header", &header)
}
