//! What was found for a list, and what to report about it.

use crm_mirror::{columns, keys::Keys};
use crm_models::{ContactMethod, ContactMethodId, Timestamp, UnreadableRecord};
use crm_values::PhoneReader;
use rusqlite::{Row, params};

use super::listed::{Found, Listed, Place};
use crate::{
    error::{BulkError, InvalidRows},
    plan::PlanSummary,
    set::{NO_SUCH_VALUE, State},
    store::file::{Draft, NAMED, some_of},
};

/// The results so far. Like the list itself, what was found for it is in temporary tables of the set
/// in the making.
pub(super) struct Search<'a> {
    draft: &'a Draft,
    pub(super) rows: u64,
    pub(super) listed: Listed<'a>,
    /// How many different numbers were found whose text messages are not as the list wants them.
    pub(super) texts_otherwise: u64,
    /// Records of the service that cannot be read.
    unreadable: Vec<UnreadableRecord>,
    pub(super) invalid: Option<InvalidRows>,
    pub(super) notes: Vec<String>,
}

/// `found` has what has the number or address at a place: the number of a contact in the snapshot, or
/// nothing of a contact method. `near` has the records that a person has to check.
const TABLES: &str = "
    CREATE TEMP TABLE found (place INTEGER NOT NULL, contact INTEGER, is_first INTEGER);
    CREATE TEMP TABLE near (place INTEGER NOT NULL, record TEXT NOT NULL);
    CREATE INDEX temp.near_by_place ON near (place);
    CREATE TEMP TABLE methods (id TEXT PRIMARY KEY, method TEXT NOT NULL) WITHOUT ROWID";
/// Made when all contacts are found, which come in any order.
const BY_PLACE: &str = "CREATE INDEX temp.found_by_place ON found (place, contact, is_first)";

/// How many contact methods are read from the table at a time.
const METHODS: usize = 500;

columns! {
    /// A contact that was found, and the row for which it was.
    struct FoundColumns { place, of_row, contact, is_first }
}

columns! {
    /// A place of the list, with one of the records that a person has to check there.
    struct PlaceColumns { place, of_row, of_column, is_found, record }
}

/// The contacts that have the number or address at one place of the list.
#[derive(Default)]
pub(super) struct FoundContacts {
    place: i64,
    pub(super) row: u64,
    /// Each by the number that the snapshot gave it, and whether no earlier place has it.
    pub(super) contacts: Vec<(i64, bool)>,
}

/// What was found for the values of one row.
#[derive(Default)]
struct FoundForRow {
    row: u64,
    /// The place that was looked at last.
    place: i64,
    some: bool,
    /// The columns of values that nobody has.
    missing: Vec<String>,
    look_at: Vec<String>,
}

impl<'a> Search<'a> {
    pub(super) fn new(draft: &'a Draft) -> Result<Self, BulkError> {
        draft.batch(TABLES)?;
        Ok(Self {
            draft,
            rows: 0,
            listed: Listed::new(draft)?,
            texts_otherwise: 0,
            unreadable: Vec::new(),
            invalid: None,
            notes: Vec::new(),
        })
    }

    /// Notes a contact of the snapshot that has the values at these places.
    pub(super) fn note_contact(&self, places: &[Place], contact: i64) -> Result<(), BulkError> {
        for (at, Place(place)) in places.iter().enumerate() {
            let sql = "INSERT INTO found (place, contact, is_first) VALUES (?, ?, ?)";
            self.draft.execute(sql, params![place, contact, at == 0])?;
        }
        Ok(())
    }

    /// Hands the contacts of each place to `each`, in the order of the list.
    pub(super) fn each_place(
        &self,
        mut each: impl FnMut(FoundContacts) -> Result<(), BulkError>,
    ) -> Result<(), BulkError> {
        self.draft.batch(BY_PLACE)?;
        let sql = "SELECT found.place, of_row, contact, is_first
            FROM found JOIN listed ON listed.place = found.place ORDER BY found.place";
        let mut at_place = FoundContacts::default();
        self.draft.each(
            sql,
            FoundColumns::of,
            |row, at| {
                let place = row.get(at.place)?;
                let mut done = None;
                if at_place.place != place {
                    let next =
                        FoundContacts { place, row: row.get(at.of_row)?, contacts: Vec::new() };
                    done = Some(std::mem::replace(&mut at_place, next));
                }
                at_place.contacts.push((row.get(at.contact)?, row.get(at.is_first)?));
                Ok(done)
            },
            |done| done.map_or(Ok(()), &mut each),
        )?;
        each(at_place)
    }

    /// Keeps a contact method that has a value of the list, to be read later.
    pub(super) fn keep_method(&self, method: &ContactMethod) -> Result<(), BulkError> {
        let json = serde_json::to_string(method).map_err(|e| self.draft.unwritable(e))?;
        let sql = "INSERT OR REPLACE INTO methods (id, method) VALUES (?, ?)";
        self.draft.execute(sql, params![method.id.to_string(), json])
    }

    /// Some of the contact methods that were kept, in the order of their ids, after the last one.
    pub(super) fn methods_behind(
        &self,
        last: Option<ContactMethodId>,
    ) -> Result<Vec<ContactMethod>, BulkError> {
        let last = last.map_or_else(String::new, |id| id.to_string());
        let sql = "SELECT method FROM methods WHERE id > ? ORDER BY id LIMIT ?";
        let read = |row: &Row<'_>| row.get::<_, String>("method");
        let methods = self.draft.database().rows(sql, params![last, METHODS], read)?;
        let methods = methods.iter().map(|json| serde_json::from_str(json));
        methods.collect::<Result<_, _>>().map_err(|e| self.draft.unwritable(e))
    }

    /// Notes that a contact method has the value at this place; returns the row of that.
    pub(super) fn note_method(&self, Place(place): Place) -> Result<Option<u64>, BulkError> {
        self.draft.execute("INSERT INTO found (place) VALUES (?)", [place])?;
        Ok(self.draft.database().value("SELECT of_row FROM listed WHERE place = ?", [place])?)
    }

    /// Notes that a record may have the values at these places of the list.
    pub(super) fn note_near(
        &self,
        places: impl IntoIterator<Item = Place>,
        record: &str,
    ) -> Result<(), BulkError> {
        for Place(place) in places {
            let sql = "INSERT INTO near (place, record) VALUES (?, ?)";
            self.draft.execute(sql, params![place, record])?;
        }
        Ok(())
    }

    /// Notes records that cannot be read. A record that has a listed value in its readable part is
    /// reported by the rows.
    pub(super) fn note_unreadable(
        &mut self,
        records: impl IntoIterator<Item = UnreadableRecord>,
        reader: PhoneReader,
    ) -> Result<(), BulkError> {
        for record in records {
            let value = record.member("value").unwrap_or_default();
            let places = match self.listed.find(&Keys::of(&value, reader))? {
                Found::Same(places) | Found::LookAt(places) => places,
                Found::None => Vec::new(),
            };
            self.note_near(places, &record.to_string())?;
            self.unreadable.push(record);
        }
        Ok(())
    }

    pub(super) fn finish(
        mut self,
        known_at: Timestamp,
        on: bool,
    ) -> Result<PlanSummary, BulkError> {
        self.settle_rows()?;
        let look_at = self.note_whom_to_look_at()?;
        self.draft.set_meta("look_at", &look_at.to_string())?;
        let (values, found) = self.different_values()?;
        self.draft.set_meta("values_listed", &values.to_string())?;
        self.draft.set_meta("values_found", &found.to_string())?;
        self.draft.set_unreadable(&self.unreadable)?;
        if self.listed.has_numbers {
            self.notes.push(text_messages(on, self.texts_otherwise));
        }
        self.draft.set_notes(&self.notes)?;
        self.draft.set_known_at(known_at)?;
        Ok(PlanSummary { rows: self.rows, invalid: self.invalid, known_at })
    }

    /// How many different numbers and addresses the list has, and how many of them were found.
    fn different_values(&self) -> Result<(u64, u64), BulkError> {
        let database = self.draft.database();
        let listed = database.value("SELECT count(DISTINCT key) FROM listed", [])?;
        let sql = "SELECT count(DISTINCT key) FROM listed
            WHERE EXISTS (SELECT 1 FROM found WHERE found.place = listed.place)";
        let found = database.value(sql, [])?;
        Ok((listed.unwrap_or_default(), found.unwrap_or_default()))
    }

    /// Reports which records a person has to check, and how many there are.
    fn note_whom_to_look_at(&mut self) -> Result<usize, BulkError> {
        let database = self.draft.database();
        let all = database.value("SELECT count(DISTINCT record) FROM near", [])?.unwrap_or(0);
        let subject = match all {
            0 => return Ok(0),
            1 => "one record".to_owned(),
            all => format!("{all} records"),
        };
        let sql = "SELECT DISTINCT record FROM near ORDER BY record LIMIT ?";
        let some: Vec<String> = database.rows(sql, [NAMED], |row| row.get("record"))?;
        self.notes.push(format!(
            "Look at these: {subject} may have a number or address of the list, but one side is \
             incomplete or cannot be read, so nothing is planned for them: {}. The results and the \
             report name all of them, beside the rows of the list.",
            some_of(&some, all)
        ));
        Ok(all)
    }

    /// Reports which rows found nothing, or not everything, and which records to check.
    fn settle_rows(&self) -> Result<(), BulkError> {
        let sql = "SELECT listed.place, of_row, of_column, record,
                EXISTS (SELECT 1 FROM found WHERE found.place = listed.place) AS is_found
            FROM listed LEFT JOIN near ON near.place = listed.place
            ORDER BY listed.place, near.rowid";
        let mut of_row = FoundForRow::default();
        self.draft.each(
            sql,
            PlaceColumns::of,
            |place, at| {
                let row = place.get(at.of_row)?;
                let mut done = None;
                if of_row.row != row {
                    let next = FoundForRow { row, ..FoundForRow::default() };
                    done = Some(std::mem::replace(&mut of_row, next));
                }
                let number = place.get(at.place)?;
                if std::mem::replace(&mut of_row.place, number) != number {
                    if place.get(at.is_found)? {
                        of_row.some = true;
                    } else {
                        of_row.missing.push(place.get(at.of_column)?);
                    }
                }
                of_row.look_at.extend(place.get::<_, Option<String>>(at.record)?);
                Ok(done)
            },
            |done| done.map_or(Ok(()), |row| row.settle(self.draft)),
        )?;
        of_row.settle(self.draft)
    }
}

impl FoundForRow {
    fn settle(mut self, draft: &Draft) -> Result<(), BulkError> {
        self.missing.sort_unstable();
        let mut why = Vec::new();
        match (self.some, self.missing.is_empty()) {
            (_, true) => {}
            (true, false) => why.push(format!("{}: {NO_SUCH_VALUE}", self.missing.join(", "))),
            (false, false) => why.push(NO_SUCH_VALUE.to_owned()),
        }
        if !self.look_at.is_empty() {
            why.push(format!("look at {}", self.look_at.join("; ")));
            draft.look_at_row(self.row)?;
        }
        if why.is_empty() {
            return Ok(());
        }
        let state = (!self.some).then_some(State::NotFound);
        draft.settle_row(self.row, state, &why.join("; "))
    }
}

/// What the plan cannot do about text messages.
fn text_messages(on: bool, otherwise: u64) -> String {
    let (verb, state, what) = if on {
        ("clear", "still get no text messages", "Allow the numbers of the list")
    } else {
        ("set", "may still get text messages", "Block the numbers of the list")
    };
    let found = match otherwise {
        0 => String::new(),
        found => format!(" Of the numbers found, {found} {state}."),
    };
    format!(
        "Text messages are not covered: no operation of the contacts API can {verb} \
         \"do not text\".{found} {what} where your text messages are sent from."
    )
}
