//! The owners themselves: what a person recognises a contact by.

use crm_models::{Address, ContactOwner, CustomerId, OwnerDetails, Timestamp};
use rusqlite::{Row, params};

use super::{
    file::Mirror,
    row::{owner_code, owner_of, time_of, whole_ticks},
    text::folded,
};
use crate::{error::MirrorError, owner::OwnerId};

columns! {
    /// The columns of an owner.
    pub(super) struct OwnerColumns {
        owner, active, name, street, unit, city, state, zip, country, customer, merged_to,
        modified_on,
    }
}

/// A customer or a location as the mirror knows it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct KnownOwner {
    /// Which one it is.
    pub id: OwnerId,
    /// Whether it is active: false for one that was deactivated, typically by a merge. Its
    /// contacts may still be listed.
    pub active: bool,
    /// The name as the service has it, which may be blank.
    pub name: String,
    /// The address.
    pub address: Address,
    /// The customer: itself, or the one whose location it is.
    pub customer: CustomerId,
    /// The one into which this one was merged.
    pub merged_to: Option<OwnerId>,
    /// The time of its last change. Changes of contacts do not count.
    pub modified_on: Timestamp,
}

impl KnownOwner {
    /// Returns what to call it before people, which is never blank: the name, else the address,
    /// else its kind and id.
    #[must_use]
    pub fn display_name(&self) -> String {
        let address = || Some(self.address.to_string()).filter(|address| !address.is_empty());
        let name = Some(self.name.trim().to_owned()).filter(|name| !name.is_empty());
        name.or_else(address).unwrap_or_else(|| self.id.to_string())
    }

    /// Returns the town; empty if the service has none.
    #[must_use]
    pub fn town(&self) -> &str {
        &self.address.city
    }
}

impl OwnerColumns {
    /// Reads an owner; `None` if the row says none.
    pub(super) fn read(&self, row: &Row<'_>) -> rusqlite::Result<Option<KnownOwner>> {
        let Some(id) = owner_of(row.get(self.owner)?) else {
            return Ok(None);
        };
        let of_location = |id: i64| CustomerId::new(id).ok();
        let customer = match id {
            OwnerId::Customer(id) => Some(id),
            OwnerId::Location(_) => row.get::<_, Option<i64>>(self.customer)?.and_then(of_location),
        };
        let modified_on = time_of(row.get(self.modified_on)?);
        let (Some(customer), Some(modified_on)) = (customer, modified_on) else {
            return Ok(None);
        };
        let merged_to: Option<i64> = row.get(self.merged_to)?;
        let [street, city, state, zip] = [self.street, self.city, self.state, self.zip];
        let text = |at: usize| row.get::<_, String>(at);
        let mut address = Address::new(text(street)?, text(city)?, text(state)?, text(zip)?);
        address.unit = row.get(self.unit)?;
        address.country = row.get(self.country)?;
        Ok(Some(KnownOwner {
            id,
            active: row.get(self.active)?,
            name: row.get(self.name)?,
            address,
            customer,
            merged_to: merged_to.and_then(|to| OwnerId::new(id.kind(), to)),
            modified_on,
        }))
    }
}

impl Mirror {
    /// Returns a customer or location itself; `None` if its feed has not told it.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn owner(&self, owner: OwnerId) -> Result<Option<KnownOwner>, MirrorError> {
        let sql = "SELECT owner, active, name, street, unit, city, state, zip, country, customer,
                merged_to, modified_on
            FROM owners WHERE owner = ?";
        let at = const { OwnerColumns::in_order(0) };
        let found = self.database.row(sql, [owner_code(owner)], |row| at.read(row))?;
        Ok(found.flatten())
    }

    /// Hands every customer and location that the feeds of owners told to `each`, and ends with its
    /// first error.
    ///
    /// # Errors
    ///
    /// That of `each`, or a failure to read.
    pub fn for_each_known_owner<E: From<MirrorError>>(
        &self,
        mut each: impl FnMut(KnownOwner) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = format!("SELECT {} FROM owners", OwnerColumns::NAMES);
        let mut query = self.database.check(self.database.connection.prepare(&sql))?;
        let at = const { OwnerColumns::in_order(0) };
        let mut rows = self.database.check(query.query([]))?;
        while let Some(row) = self.database.check(rows.next())? {
            if let Some(owner) = self.database.check(at.read(row))? {
                each(owner)?;
            }
        }
        Ok(())
    }

    /// Stores an owner in place of what it was before, and says whether anything is new.
    pub(super) fn store_owner<O: ContactOwner + Into<OwnerId>>(
        &self,
        details: &O::Details,
    ) -> Result<bool, MirrorError>
    where
        O::Details: OwnerDetails<Id = O>,
    {
        let address = details.address();
        let Address { street, unit, city, state, zip, country, .. } = address;
        let name = details.name();
        let between = unit.as_deref().map(|unit| format!("{unit} ")).unwrap_or_default();
        let folded = folded(&[name, "\n", street, " ", &between, city, " ", state, " ", zip]);
        let values = params![
            owner_code(details.id().into()),
            details.is_active(),
            name,
            street,
            unit,
            city,
            state,
            zip,
            country,
            details.customer().get(),
            details.merged_to().map(O::get),
            whole_ticks(details.modified_on()),
            folded,
        ];
        let sql = "INSERT INTO owners VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET (active, name, street, unit, city, state, zip, country,
                customer, merged_to, modified_on, folded)
            = (excluded.active, excluded.name, excluded.street, excluded.unit, excluded.city,
                excluded.state, excluded.zip, excluded.country, excluded.customer,
                excluded.merged_to, excluded.modified_on, excluded.folded)
            WHERE (active, name, street, unit, city, state, zip, country, customer, merged_to,
                modified_on)
            IS NOT (excluded.active, excluded.name, excluded.street, excluded.unit, excluded.city,
                excluded.state, excluded.zip, excluded.country, excluded.customer,
                excluded.merged_to, excluded.modified_on)";
        Ok(self.database.execute(sql, values)? > 0)
    }
}
