//! Every operation of the API.

use crate::{
    operation::{Call, Kind, Operation, Parameter},
    problem::Problem,
    store::select::Select,
};

mod bookings;
mod contacts;
mod exports;
mod methods;
mod page;
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

const fn parameter(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind }
}

/// The parameters of every paged list.
const PAGING: [Parameter; 3] = [
    parameter("page", Kind::Int32),
    parameter("pageSize", Kind::Int32),
    parameter("includeTotal", Kind::Boolean),
];

/// The filters by creation time.
const CREATED: [Parameter; 2] =
    [parameter("createdBefore", Kind::DateTime), parameter("createdOnOrAfter", Kind::DateTime)];

/// The filters by time of the last change.
const MODIFIED: [Parameter; 2] =
    [parameter("modifiedBefore", Kind::DateTime), parameter("modifiedOnOrAfter", Kind::DateTime)];

const SORT: Parameter = parameter("sort", Kind::Text);

/// The user whom the API names as author of changes: the system.
const API_USER: i64 = 0;

/// Applies the filters by time of creation and of the last change.
fn filter_times(select: Select, call: &Call<'_>) -> Result<Select, Problem> {
    let time = |name| call.query.date_time(name);
    Ok(select
        .filter("modified_on < ?", time("modifiedBefore")?)
        .filter("modified_on >= ?", time("modifiedOnOrAfter")?)
        .filter("created_on < ?", time("createdBefore")?)
        .filter("created_on >= ?", time("createdOnOrAfter")?))
}
