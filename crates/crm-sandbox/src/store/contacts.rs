//! The contacts of locations and customers: two tables of one shape.

use rusqlite::{Connection, Row, ToSql, params, params_from_iter};

use super::select::Select;
use crate::flags::StoredPreferences;

/// What sets the contacts of locations and of customers apart.
pub(crate) trait Owner: Send + Sync + 'static {
    /// The owner's name in sentences: `location`.
    const NOUN: &'static str;
    /// The collection's name in paths, and the table of the owners: `locations`.
    const COLLECTION: &'static str;
    /// The table of the contacts.
    const TABLE: &'static str;
}

/// Locations as owners of contacts.
#[derive(Debug)]
pub(crate) struct Location;

impl Owner for Location {
    const NOUN: &'static str = "location";
    const COLLECTION: &'static str = "locations";
    const TABLE: &'static str = "location_contacts";
}

/// Customers as owners of contacts.
#[derive(Debug)]
pub(crate) struct Customer;

impl Owner for Customer {
    const NOUN: &'static str = "customer";
    const COLLECTION: &'static str = "customers";
    const TABLE: &'static str = "customer_contacts";
}

/// A contact of a location or a customer, as the database holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredContact {
    /// The location or customer.
    pub owner_id: i64,
    /// The contact's id, unique per owner.
    pub id: i64,
    /// `Phone`, `MobilePhone`, `Email` or `Fax`.
    pub contact_type: String,
    /// The number or address.
    pub value: String,
    /// The note.
    pub memo: Option<String>,
    /// What the contact receives; `None` if that is unknown.
    pub preferences: Option<StoredPreferences>,
    /// Whether the contact is active; false once it is deleted.
    pub active: bool,
    /// The creation time, `2026-05-27T16:04:11.4827193Z`; year 1 if it is unknown.
    pub created_on: String,
    /// The time of the last change, in the same form.
    pub modified_on: String,
    /// Whether the number opted out of text messages.
    pub do_not_text: bool,
}

/// Returns the columns of a contact. Those of the flags come last, since their number may change.
fn columns() -> String {
    let flags = StoredPreferences::COLUMNS.join(", ");
    format!(
        "owner_id, id, type, value, memo, active, created_on, modified_on,
         EXISTS (SELECT 1 FROM do_not_text WHERE number = value), {flags}"
    )
}

/// Starts a query for contacts, deleted ones included.
pub(crate) fn select<O: Owner>() -> Select<StoredContact> {
    Select::new(&columns(), O::TABLE, read)
}

fn read(row: &Row<'_>) -> rusqlite::Result<StoredContact> {
    Ok(StoredContact {
        owner_id: row.get(0)?,
        id: row.get(1)?,
        contact_type: row.get(2)?,
        value: row.get(3)?,
        memo: row.get(4)?,
        active: row.get(5)?,
        created_on: row.get(6)?,
        modified_on: row.get(7)?,
        do_not_text: row.get(8)?,
        preferences: StoredPreferences::read(row, 9)?,
    })
}

/// Says whether a table has a row with this id.
pub(crate) fn exists(db: &Connection, table: &str, id: i64) -> rusqlite::Result<bool> {
    db.prepare_cached(&format!("SELECT 1 FROM {table} WHERE id = ?"))?.exists([id])
}

/// Returns a contact that is not deleted.
pub(crate) fn find<O: Owner>(
    db: &Connection,
    owner: i64,
    contact: i64,
) -> rusqlite::Result<Option<StoredContact>> {
    Ok(find_any::<O>(db, owner, contact)?.filter(|contact| contact.active))
}

/// Returns a contact, deleted or not.
pub(crate) fn find_any<O: Owner>(
    db: &Connection,
    owner: i64,
    contact: i64,
) -> rusqlite::Result<Option<StoredContact>> {
    select::<O>().filter("owner_id = ?", Some(owner)).filter("id = ?", Some(contact)).one(db)
}

/// Stores a new contact under this id, or under the next free one, and returns the id.
pub(crate) fn insert<O: Owner>(
    db: &Connection,
    owner: i64,
    id: Option<i64>,
    contact_type: &str,
    value: &str,
    memo: Option<&str>,
    now: &str,
) -> rusqlite::Result<i64> {
    let sql = format!(
        "INSERT INTO {0} (owner_id, id, type, value, memo, created_on, modified_on)
         VALUES (?1, COALESCE(?6, (SELECT COALESCE(MAX(id), 0) + 1 FROM {0})), ?2, ?3, ?4, ?5, ?5)
         RETURNING id",
        O::TABLE
    );
    db.prepare_cached(&sql)?
        .query_row(params![owner, contact_type, value, memo, now, id], |row| row.get(0))
}

/// Writes back what an update or a deletion may change.
pub(crate) fn update<O: Owner>(db: &Connection, contact: &StoredContact) -> rusqlite::Result<()> {
    let flags = StoredPreferences::COLUMNS.join(" = ?, ");
    let sql = format!(
        "UPDATE {} SET {flags} = ?, type = ?, value = ?, memo = ?, active = ?, modified_on = ?
         WHERE owner_id = ? AND id = ?",
        O::TABLE
    );
    let flags = contact.preferences.map(StoredPreferences::values);
    let flags = flags.map_or([None; StoredPreferences::COLUMNS.len()], |flags| flags.map(Some));
    let others: [&dyn ToSql; 7] = [
        &contact.contact_type,
        &contact.value,
        &contact.memo,
        &contact.active,
        &contact.modified_on,
        &contact.owner_id,
        &contact.id,
    ];
    let values = flags.iter().map(|flag| flag as &dyn ToSql).chain(others);
    db.prepare_cached(&sql)?.execute(params_from_iter(values)).map(drop)
}

/// Says whether a number opted out of text messages.
pub(crate) fn do_not_text(db: &Connection, number: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM do_not_text WHERE number = ?")?.exists([number])
}

/// Makes a number one that opted out of text messages.
pub(crate) fn opt_out(db: &Connection, number: &str) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR IGNORE INTO do_not_text (number) VALUES (?)")?
        .execute([number])
        .map(drop)
}

/// Returns the customer of a location.
pub(crate) fn customer_of(db: &Connection, location: i64) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT customer_id FROM locations WHERE id = ?")?
        .query_row([location], |row| row.get(0))
}
