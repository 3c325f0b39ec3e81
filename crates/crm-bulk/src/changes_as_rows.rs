//! The changes of a set as rows that a plan reads: for what no row of an input asks for, and where one
//! row reached many contacts.

use std::io::{self, Write};

use crm_models::Preference;

use crate::{
    error::BulkError,
    input::{InputFormat, Marks, OUTCOME_COLUMNS, write_head, write_record},
    results::ResultRows,
    set::{Action, Change, Target, Wanted, on_off},
    store::{ChangeSet, Selection},
    undone::{Restored, UndoneBy, UndoneChanges},
};

/// The columns that a plan reads, without those of the flags.
const OWN: [&str; 7] =
    ["customer_id", "location_id", "contact_id", "action", "type", "value", "memo"];

/// Behind those of the flags: what a deletion needs, and why a change was planned.
const LAST: [&str; 2] = ["same_as", "why"];

/// What removes a memo.
const CLEAR: &str = "(clear)";

impl ChangeSet {
    /// Writes a row for each change to a contact of a customer or a location, with what it asks for in
    /// the columns that [`Plan`](crate::Plan) reads, and after them the columns that
    /// [`results`](Self::results) adds. Corrected, the rows can be planned: the contacts of an opt-out
    /// that failed, for example, each with all of its flags. Returns how many rows were written.
    ///
    /// A plan does not reach the contact methods of people, so they have no row.
    ///
    /// # Errors
    ///
    /// [`BulkError::Altered`] if the set is not what was planned, or a failure to read the set or to
    /// write.
    pub fn results_by_contact(&self, which: ResultRows, out: impl Write) -> Result<u64, BulkError> {
        self.write_by_contact(which, Marks::default(), out)
    }

    /// Writes [`results_by_contact`](Self::results_by_contact) for spreadsheet programs, as
    /// [`results_for_spreadsheets`](Self::results_for_spreadsheets) does.
    ///
    /// # Errors
    ///
    /// The same errors as `results_by_contact`.
    pub fn results_by_contact_for_spreadsheets(
        &self,
        which: ResultRows,
        out: impl Write,
    ) -> Result<u64, BulkError> {
        self.write_by_contact(which, Marks { bom: true, guard: true, ..Marks::default() }, out)
    }

    pub(crate) fn write_by_contact(
        &self,
        which: ResultRows,
        marks: Marks,
        mut out: impl Write,
    ) -> Result<u64, BulkError> {
        self.known_digest()?;
        let unwritten = |e: io::Error| BulkError::file(self.path(), "written as rows", e);
        let flags = Preference::SETTABLE.map(Preference::column);
        let names = OWN.into_iter().chain(flags).chain(LAST).chain(OUTCOME_COLUMNS);
        write_head(&mut out, InputFormat::Csv, marks, names).map_err(unwritten)?;
        let undone = self.undone_changes()?;
        let mut written = 0;
        for change in self.changes(&Selection::all()) {
            let change = change?;
            if which.leaves_out(change.outcome.state) {
                continue;
            }
            let Some(row) = self.row_of(&change, &undone)? else {
                continue;
            };
            write_record(&mut out, marks, row.iter().map(String::as_str)).map_err(unwritten)?;
            written += 1;
        }
        out.flush().map_err(unwritten)?;
        Ok(written)
    }

    /// A change as a row; `None` if a plan cannot reach its record.
    fn row_of(
        &self,
        change: &Change,
        undone: &UndoneChanges,
    ) -> Result<Option<Vec<String>>, BulkError> {
        let Target::Contact { owner, .. } = change.target else {
            return Ok(None);
        };
        let nothing = Wanted::default();
        let wanted = match &change.action {
            Action::Update(wanted) | Action::Create(wanted) => wanted,
            _ => &nothing,
        };
        let id = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
        let contact = change.target.contact_text();
        // One that is to be created has no id yet, or that of another contact.
        let contact = contact.filter(|_| !matches!(change.action, Action::Create(_)));
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let members = change.members();
        let memo = members.iter().find(|member| member.field == "memo");
        let memo = memo.map(|member| member.after.as_deref().unwrap_or(CLEAR));
        let asked = [
            id(owner.customer().map(crm_models::CustomerId::get)),
            id(owner.location().map(crm_models::LocationId::get)),
            contact.unwrap_or_default(),
            action_of(change).to_owned(),
            text(wanted.change.get_contact_type().map(crm_models::ContactType::as_str)),
            text(wanted.change.get_value()),
            text(memo),
        ];
        let last = [
            change.action.stand_in().map(|it| it.contact.to_string()).unwrap_or_default(),
            text(change.why.as_deref()),
        ];
        let flags = Preference::SETTABLE
            .map(|flag| text(wanted.change.get_preferences().get(flag).map(on_off)));
        let (named, outcome) = (self.named_owner(owner)?, &change.outcome);
        let [again, back] = Restored::cells(undone.restored(change.id));
        let known = [
            outcome.state.to_string(),
            text(outcome.message.as_deref()),
            text(outcome.field_errors.as_deref()),
            text(outcome.trace_id.as_deref()),
            outcome.at.map(|at| at.to_string()).unwrap_or_default(),
            change.target.kind().to_owned(),
            change.target.owner_text(),
            change.target.contact_text().unwrap_or_default(),
            named.as_ref().map(|named| named.name.clone()).unwrap_or_default(),
            named.map(|named| named.town).unwrap_or_default(),
            text(change.value()),
            undone.by(change.id).map(UndoneBy::name).unwrap_or_default(),
            text(change.stored().map(|stored| stored.value)),
            again.unwrap_or_default(),
            back.unwrap_or_default(),
        ];
        Ok(Some(asked.into_iter().chain(flags).chain(last).chain(known).collect()))
    }
}

/// The action of a row: a value that is set letter by letter is rewritten.
fn action_of(change: &Change) -> &'static str {
    match &change.action {
        Action::Update(wanted) if wanted.exact && wanted.change.get_value().is_some() => "rewrite",
        action => action.name(),
    }
}
