//! Every operation of the API.

use crate::{
    operation::Operation,
    store::contacts::{Customer, Location},
    tokens::Area,
};

mod bookings;
mod contacts;
mod envelope;
pub(crate) mod exports;
mod list;
mod methods;
mod owners;
mod people;
mod preferences;
mod relationships;

/// Returns the list from which routes, scopes, log names and the OpenAPI document are made.
pub(crate) fn operations() -> Vec<Operation> {
    let areas = [
        (Area::Locations, contacts::operations::<Location>()),
        (Area::Locations, exports::operations::<Location>()),
        (Area::Customers, contacts::operations::<Customer>()),
        (Area::Customers, exports::operations::<Customer>()),
        (Area::Locations, owners::operations::<Location>()),
        (Area::Customers, owners::operations::<Customer>()),
        (Area::Bookings, bookings::operations()),
        (Area::Contacts, people::operations()),
        (Area::Contacts, relationships::operations()),
        (Area::Contacts, methods::operations()),
        (Area::Contacts, preferences::operations()),
    ];
    let within = |area| move |operation: Operation| operation.within(area);
    areas.into_iter().flat_map(|(area, all)| all.into_iter().map(within(area))).collect()
}
