//! Customers and locations themselves: two tables, most of whose columns are the same.

use rusqlite::{Connection, Row};

use super::{
    contacts::{Customer, Location, Owner},
    select::Select,
};

/// A customer or a location, as the database holds it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredOwner<M> {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) address: StoredAddress,
    pub(crate) active: bool,
    pub(crate) merged_to_id: Option<i64>,
    pub(crate) created_on: String,
    pub(crate) modified_on: String,
    /// What only its kind has.
    pub(crate) more: M,
}

/// The address of a customer or a location.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredAddress {
    pub(crate) street: String,
    pub(crate) unit: Option<String>,
    pub(crate) city: String,
    pub(crate) state: String,
    pub(crate) zip: String,
    pub(crate) country: String,
    pub(crate) latitude: Option<f64>,
    pub(crate) longitude: Option<f64>,
}

/// The columns that only one kind of owner has.
pub(crate) trait More: Owner {
    type More;
    const COLUMNS: &'static str;

    /// Reads the columns from this one on.
    fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self::More>;
}

/// What only customers have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OfCustomer {
    pub(crate) customer_type: String,
    pub(crate) do_not_mail: bool,
    pub(crate) do_not_service: bool,
}

impl More for Customer {
    type More = OfCustomer;
    const COLUMNS: &'static str = "type, do_not_mail, do_not_service";

    fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<OfCustomer> {
        Ok(OfCustomer {
            customer_type: row.get(first)?,
            do_not_mail: row.get(first + 1)?,
            do_not_service: row.get(first + 2)?,
        })
    }
}

/// What only locations have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OfLocation {
    pub(crate) customer_id: i64,
}

impl More for Location {
    type More = OfLocation;
    const COLUMNS: &'static str = "customer_id";

    fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<OfLocation> {
        Ok(OfLocation { customer_id: row.get(first)? })
    }
}

/// Starts a query for owners of one kind, deactivated ones included.
pub(crate) fn select<O: More>() -> Select<StoredOwner<O::More>> {
    let columns = format!(
        "id, name, street, unit, city, state, zip, country, latitude, longitude, active,
         merged_to_id, created_on, modified_on, {}",
        O::COLUMNS
    );
    Select::new(&columns, O::COLLECTION, read::<O>)
}

fn read<O: More>(row: &Row<'_>) -> rusqlite::Result<StoredOwner<O::More>> {
    Ok(StoredOwner {
        id: row.get(0)?,
        name: row.get(1)?,
        address: StoredAddress {
            street: row.get(2)?,
            unit: row.get(3)?,
            city: row.get(4)?,
            state: row.get(5)?,
            zip: row.get(6)?,
            country: row.get(7)?,
            latitude: row.get(8)?,
            longitude: row.get(9)?,
        },
        active: row.get(10)?,
        merged_to_id: row.get(11)?,
        created_on: row.get(12)?,
        modified_on: row.get(13)?,
        more: O::read(row, 14)?,
    })
}

/// Returns the owner with this id, active or not.
pub(crate) fn find<O: More>(
    db: &Connection,
    id: i64,
) -> rusqlite::Result<Option<StoredOwner<O::More>>> {
    select::<O>().filter("id = ?", Some(id)).one(db)
}
