//! The contacts of bookings.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::select::Select;

/// A contact of a booking.
#[derive(Debug)]
pub(crate) struct BookingContact {
    pub(crate) booking: i64,
    pub(crate) id: i64,
    pub(crate) contact_type: String,
    pub(crate) value: String,
    pub(crate) memo: Option<String>,
    pub(crate) modified_on: String,
}

const COLUMNS: &str = "booking_id, id, type, value, memo, modified_on";

/// Starts a query for the contacts that are not deleted.
pub(crate) fn select() -> Select {
    Select::new(COLUMNS, "booking_contacts").only("active")
}

pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<BookingContact> {
    Ok(BookingContact {
        booking: row.get(0)?,
        id: row.get(1)?,
        contact_type: row.get(2)?,
        value: row.get(3)?,
        memo: row.get(4)?,
        modified_on: row.get(5)?,
    })
}

/// The provider of a booking, or none where there is no such booking.
pub(crate) fn provider_of(db: &Connection, booking: i64) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT provider_id FROM bookings WHERE id = ?")?
        .query_row([booking], |row| row.get(0))
        .optional()
}

pub(crate) fn find(
    db: &Connection,
    booking: i64,
    contact: i64,
) -> rusqlite::Result<Option<BookingContact>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM booking_contacts WHERE booking_id = ? AND id = ? AND active"
    );
    db.prepare_cached(&sql)?.query_row([booking, contact], read).optional()
}

/// Stores a new contact under the next free id.
pub(crate) fn insert(
    db: &Connection,
    booking: i64,
    contact_type: &str,
    value: &str,
    memo: Option<&str>,
    now: &str,
) -> rusqlite::Result<BookingContact> {
    let sql = format!(
        "INSERT INTO booking_contacts ({COLUMNS})
         VALUES (?, (SELECT COALESCE(MAX(id), 0) + 1 FROM booking_contacts), ?, ?, ?, ?)
         RETURNING {COLUMNS}"
    );
    db.prepare_cached(&sql)?.query_row(params![booking, contact_type, value, memo, now], read)
}

pub(crate) fn update(db: &Connection, contact: &BookingContact) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE booking_contacts SET type = ?, value = ?, memo = ?, modified_on = ?
         WHERE booking_id = ? AND id = ?",
    )?
    .execute(params![
        contact.contact_type,
        contact.value,
        contact.memo,
        contact.modified_on,
        contact.booking,
        contact.id,
    ])
    .map(drop)
}

/// Deletes a contact and says whether there was one.
pub(crate) fn delete(db: &Connection, booking: i64, contact: i64) -> rusqlite::Result<bool> {
    // The row stays: it keeps the id from being given again.
    db.prepare_cached(
        "UPDATE booking_contacts SET active = 0 WHERE booking_id = ? AND id = ? AND active",
    )?
    .execute([booking, contact])
    .map(|deleted| deleted > 0)
}
