//! The contacts of bookings.

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    record::{Record, record},
    select::Select,
};

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

record!(BookingContact, "booking_contacts", {
    booking: "booking_id",
    id: "id",
    contact_type: "type",
    value: "value",
    memo: "memo",
    modified_on: "modified_on",
});

/// Starts a query for the contacts of a booking that are not deleted.
pub(crate) fn select(booking: i64) -> Select<BookingContact> {
    BookingContact::select().only("active").filter("booking_id = ?", Some(booking))
}

/// Returns the provider of a booking; `None` if there is no such booking.
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
    select(booking).filter("id = ?", Some(contact)).one(db)
}

/// Stores a new contact under this id, or under the next free one.
pub(crate) fn insert(
    db: &Connection,
    booking: i64,
    id: Option<i64>,
    contact_type: &str,
    value: &str,
    memo: Option<&str>,
    now: &str,
) -> rusqlite::Result<BookingContact> {
    let columns = BookingContact::COLUMNS.join(", ");
    let sql = format!(
        "INSERT INTO booking_contacts (booking_id, id, type, value, memo, modified_on)
         VALUES (?, COALESCE(?, (SELECT COALESCE(MAX(id), 0) + 1 FROM booking_contacts)), ?, ?, ?, ?)
         RETURNING {columns}"
    );
    let values = params![booking, id, contact_type, value, memo, now];
    db.prepare_cached(&sql)?.query_row(values, BookingContact::read)
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
