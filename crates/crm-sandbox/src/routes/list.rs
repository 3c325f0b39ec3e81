//! What all lists have in common: their parameters and the envelope of a page.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr, Schema,
        schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type},
    },
};

use crate::{
    operation::{Call, Reply},
    parameter::{DateTime, Kind, Parameter},
    problem::Problem,
    query::Paging,
    store::select::Select,
};

/// The parameters of every paged list.
pub(super) const PAGING: [Parameter; 3] = [
    Parameter::new("page", Kind::Int32),
    Parameter::new("pageSize", Kind::Int32),
    Parameter::new("includeTotal", Kind::Boolean),
];

/// The filters by creation time.
pub(super) const CREATED: [Parameter; 2] = [
    Parameter::new("createdBefore", Kind::DateTime),
    Parameter::new("createdOnOrAfter", Kind::DateTime),
];

/// The filters by time of the last change.
pub(super) const MODIFIED: [Parameter; 2] = [
    Parameter::new("modifiedBefore", Kind::DateTime),
    Parameter::new("modifiedOnOrAfter", Kind::DateTime),
];

/// The parameter by which lists of people and their methods are sorted.
pub(super) const SORT: Parameter = Parameter::new("sort", Kind::Text);

/// The orders of lists of people and their methods: names in the API, and columns.
pub(super) const SORTS: [(&str, &str); 3] =
    [("Id", "id"), ("ModifiedOn", "modified_on"), ("CreatedOn", "created_on")];

/// Applies the filters by time of creation.
pub(super) fn filter_created<T>(select: Select<T>, call: &Call<'_>) -> Result<Select<T>, Problem> {
    Ok(select
        .filter("created_on < ?", time(call, "createdBefore")?)
        .filter("created_on >= ?", time(call, "createdOnOrAfter")?))
}

/// Applies the filters by time of creation and of the last change.
pub(super) fn filter_times<T>(select: Select<T>, call: &Call<'_>) -> Result<Select<T>, Problem> {
    Ok(filter_created(select, call)?
        .filter("modified_on < ?", time(call, "modifiedBefore")?)
        .filter("modified_on >= ?", time(call, "modifiedOnOrAfter")?))
}

fn time(call: &Call<'_>, name: &str) -> Result<Option<String>, Problem> {
    Ok(call.query.get(name)?.map(|DateTime(time)| time))
}

/// One page of a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page<T> {
    page: i32,
    page_size: i32,
    has_more: bool,
    /// Null unless it was asked for.
    total_count: Option<i32>,
    data: Vec<T>,
}

/// Answers one page of a list.
pub(super) fn page<T, S: Serialize>(
    call: &Call<'_>,
    paging: Paging,
    select: Select<T>,
    show: impl FnMut(T) -> S,
) -> Result<Reply, Problem> {
    let rows = select.page(call.db, call.bookmarks, paging)?;
    Reply::json(&Page {
        page: paging.page,
        page_size: paging.page_size,
        has_more: rows.has_more,
        total_count: rows.total,
        data: rows.items.into_iter().map(show).collect(),
    })
}

impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        format!("PaginatedResponse_Of_{}", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let nullable = SchemaType::from_iter([Type::Integer, Type::Null]);
        ObjectBuilder::new()
            .property("page", i32::schema())
            .required("page")
            .property("pageSize", i32::schema())
            .required("pageSize")
            .property("hasMore", bool::schema())
            .required("hasMore")
            .property("totalCount", ObjectBuilder::new().schema_type(nullable))
            .property("data", ArrayBuilder::new().items(Ref::from_schema_name(T::name())))
            .required("data")
            .into()
    }
}
