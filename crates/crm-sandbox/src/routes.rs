//! Every operation of the API.

use crate::operation::{Kind, Operation, Parameter};

pub(crate) mod contacts;
mod page;

/// The list from which routes, scopes, log names and the OpenAPI document are
/// made.
pub(crate) fn operations() -> Vec<Operation> {
    [
        contacts::location_operations(),
        contacts::customer_operations(),
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
const CREATED: [Parameter; 2] = [
    parameter("createdBefore", Kind::DateTime),
    parameter("createdOnOrAfter", Kind::DateTime),
];

/// The filters by time of the last change.
const MODIFIED: [Parameter; 2] = [
    parameter("modifiedBefore", Kind::DateTime),
    parameter("modifiedOnOrAfter", Kind::DateTime),
];

const SORT: Parameter = parameter("sort", Kind::Text);
