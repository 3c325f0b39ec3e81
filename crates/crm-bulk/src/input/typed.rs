//! Rows that a program makes, without a text.

use std::error::Error;

use crm_mirror::OwnerId;
use crm_models::{ContactChange, ContactId};
use tokio::sync::mpsc;

use super::{
    broken::UnreadableRow,
    cells::{RawRow, ReadRow},
    columns::Column,
    dialect::Dialect,
    meanings::Meanings,
    ndjson::Members,
    object::Object,
};
use crate::error::BulkError;

/// One change that a program asks for: what a row of a file asks for, from values instead of cells.
///
/// A row means what the same row of NDJSON means and is held to the same rules: numbers and addresses
/// are read before they are stored, blanks around a text do not count, and what is wrong is told of
/// the row. [`ChangeSet::results`](crate::ChangeSet::results) returns it as that NDJSON.
///
/// [`Debug`] output contains numbers, addresses and memos.
///
/// ```
/// use crm_bulk::Row;
/// use crm_models::{ContactChange, ContactId, LocationId};
///
/// let location = LocationId::new(55_021)?;
/// let memo = ContactChange::new().memo("Gate code 4411");
/// let row = Row::update(location, ContactId::new(71_204)?, memo).carry("ticket", "CRM-118");
/// # let _ = row;
/// # Ok::<(), crm_models::InvalidId>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Row {
    select: Selected,
    verb: Verb,
    change: ContactChange,
    same_as: Option<ContactId>,
    why: Option<String>,
    carried: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Selected {
    Contact(OwnerId, ContactId),
    New(OwnerId),
    Value(String, Option<OwnerId>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Verb {
    Update,
    Rewrite,
    Create,
    Delete,
}

impl Row {
    fn new(select: Selected, verb: Verb, change: ContactChange) -> Self {
        Self { select, verb, change, same_as: None, why: None, carried: Vec::new() }
    }

    /// Changes one contact.
    pub fn update(owner: impl Into<OwnerId>, contact: ContactId, change: ContactChange) -> Self {
        Self::new(Selected::Contact(owner.into(), contact), Verb::Update, change)
    }

    /// Changes one contact letter by letter: another way to write the number or address that it has
    /// is a change too.
    pub fn rewrite(owner: impl Into<OwnerId>, contact: ContactId, change: ContactChange) -> Self {
        Self::new(Selected::Contact(owner.into(), contact), Verb::Rewrite, change)
    }

    /// Creates a contact with these members, of which it needs a type and a value.
    pub fn create(owner: impl Into<OwnerId>, members: ContactChange) -> Self {
        Self::new(Selected::New(owner.into()), Verb::Create, members)
    }

    /// Deletes one contact.
    pub fn delete(owner: impl Into<OwnerId>, contact: ContactId) -> Self {
        let select = Selected::Contact(owner.into(), contact);
        Self::new(select, Verb::Delete, ContactChange::new())
    }

    /// Changes every contact with this number or address: of one owner, or of all customers and
    /// locations. The plan needs a [snapshot](crate::Plan::snapshot) to find them.
    pub fn update_every(
        value: impl Into<String>,
        owner: Option<OwnerId>,
        change: ContactChange,
    ) -> Self {
        Self::new(Selected::Value(value.into(), owner), Verb::Update, change)
    }

    /// Deletes every contact with this number or address, as [`update_every`](Self::update_every)
    /// finds them.
    pub fn delete_every(value: impl Into<String>, owner: Option<OwnerId>) -> Self {
        Self::new(Selected::Value(value.into(), owner), Verb::Delete, ContactChange::new())
    }

    /// Deletes the contact only while this other one of its owner is the same, which stays: it is there,
    /// has the number or address that the plan saw, and all that the deleted one has. Otherwise the
    /// deletion is [held](crate::State::Held). A change of the set that hands a memo over to it goes
    /// first. A row that does not delete one contact is wrong with it.
    ///
    /// ```
    /// use crm_bulk::Row;
    /// use crm_models::{ContactId, CustomerId};
    ///
    /// let customer = CustomerId::new(1_010)?;
    /// let (older, newer) = (ContactId::new(4_203)?, ContactId::new(4_205)?);
    /// let row = Row::delete(customer, newer).same_as(older).why("twice since the merger");
    /// # let _ = row;
    /// # Ok::<(), crm_models::InvalidId>(())
    /// ```
    pub fn same_as(mut self, stays: ContactId) -> Self {
        self.same_as = Some(stays);
        self
    }

    /// Says why, for whoever looks at the plan.
    pub fn why(mut self, text: impl Into<String>) -> Self {
        self.why = Some(text.into());
        self
    }

    /// Carries a text along that changes nothing, such as the key of the row in your own tables: the
    /// results return it. A name that [means something](crate::Input::COLUMNS) makes the row wrong.
    pub fn carry(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.carried.push((name.into(), text.into()));
        self
    }

    /// The row as NDJSON has it, with this word to clear a memo.
    fn object(&self, clear: &str) -> Object {
        let mut row = Object::default();
        let (owner, contact, value) = match &self.select {
            Selected::Contact(owner, contact) => (Some(*owner), Some(*contact), Column::Value),
            Selected::New(owner) => (Some(*owner), None, Column::Value),
            Selected::Value(value, owner) => {
                row.put(Column::Select.name(), "value");
                row.put(Column::Value.name(), value.as_str());
                (*owner, None, Column::NewValue)
            }
        };
        match owner {
            Some(OwnerId::Location(id)) => row.put(Column::LocationId.name(), id.get()),
            Some(OwnerId::Customer(id)) => row.put(Column::CustomerId.name(), id.get()),
            None => {}
        }
        if let Some(contact) = contact {
            row.put(Column::ContactId.name(), contact.get());
        }
        match self.verb {
            Verb::Update => {}
            Verb::Rewrite => row.put(Column::Action.name(), "rewrite"),
            Verb::Create => row.put(Column::Action.name(), "create"),
            Verb::Delete => row.put(Column::Action.name(), "delete"),
        }
        if let Some(contact_type) = self.change.get_contact_type() {
            row.put(Column::Type.name(), contact_type.as_str());
        }
        if let Some(text) = self.change.get_value() {
            row.put(value.name(), text);
        }
        if let Some(memo) = self.change.get_memo() {
            row.put(Column::Memo.name(), if memo.trim().is_empty() { clear } else { memo });
        }
        for (flag, on) in self.change.get_preferences().iter() {
            row.put(Column::Flag(flag).name(), on);
        }
        if let Some(stays) = self.same_as {
            row.put(Column::SameAs.name(), stays.get());
        }
        if let Some(why) = &self.why {
            row.put(Column::Why.name(), why.as_str());
        }
        for (name, text) in &self.carried {
            row.put(name, text.as_str());
        }
        row
    }

    /// Why this is not a row, whatever its cells say: it would mean something else than it says.
    fn refusal(&self, clear: &str) -> Option<String> {
        if self.change.get_memo().is_some_and(|memo| memo.trim() == clear) {
            return Some(format!("the memo `{clear}` means to clear it: set another clear token"));
        }
        let mut carried = self.carried.iter().map(|(name, _)| name);
        let meaning = carried.find(|name| Column::named(name).is_some())?;
        Some(format!("`{meaning}` has a meaning: carry the text under another name"))
    }
}

/// What is sent to whoever reads the rows: a row, why no more of them come, or nothing at their end.
/// Without that last word they were cut off.
pub(super) type Arrived = Option<Result<Row, Box<dyn Error + Send + Sync>>>;

/// The rows of a program, as they arrive.
pub(crate) struct TypedRows {
    name: String,
    arriving: mpsc::Receiver<Arrived>,
    rows: u64,
    clear: String,
    data: String,
    members: Members,
}

impl TypedRows {
    pub(super) fn new(name: String, arriving: mpsc::Receiver<Arrived>, dialect: &Dialect) -> Self {
        Self {
            name,
            arriving,
            rows: 0,
            clear: dialect.clear.clone(),
            data: String::new(),
            members: Members::new(&dialect.ignored),
        }
    }

    pub(super) fn meanings(&self) -> &Meanings {
        self.members.meanings()
    }

    /// Waits for the next row, on a thread that may.
    pub(crate) fn next(&mut self) -> Result<Option<ReadRow<'_>>, BulkError> {
        let ended = |name: &String, why: String| {
            let reason = match self.rows {
                1 => format!("after 1 row: {why}"),
                rows => format!("after {rows} rows: {why}"),
            };
            Err(BulkError::Input { name: name.clone(), reason })
        };
        let row = match self.arriving.blocking_recv() {
            Some(Some(Ok(row))) => row,
            Some(Some(Err(error))) => return ended(&self.name, error.to_string()),
            Some(None) => return Ok(None),
            None => return ended(&self.name, "they were cut off".to_owned()),
        };
        self.rows += 1;
        let object = row.object(&self.clear);
        self.data = serde_json::to_string(&object).unwrap_or_default();
        let cells = match row.refusal(&self.clear) {
            Some(reason) => Err(reason),
            None => self.members.cells(&object),
        };
        let (line, data) = (self.rows, &self.data);
        Ok(Some(match cells {
            Ok(cells) => Ok(RawRow { line, cells, data }),
            Err(reason) => Err(UnreadableRow { line, reason, data: data.clone() }),
        }))
    }
}
