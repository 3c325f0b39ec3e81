//! Every operation of the API.

use crate::operation::Operation;

mod bookings;
mod contacts;
pub(crate) mod exports;
mod list;
mod methods;
mod people;
mod preferences;
mod relationships;

/// The list from which routes, scopes, log names and the OpenAPI document are
/// made.
pub(crate) fn operations() -> Vec<Operation> {
    [
        contacts::location_operations(),
        contacts::customer_operations(),
        bookings::operations(),
        people::operations(),
        relationships::operations(),
        methods::operations(),
        preferences::operations(),
        exports::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
