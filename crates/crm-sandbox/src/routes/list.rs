//! What all paged lists have in common.

use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{About, Envelope};
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

/// The parameter by which lists of owners, people and their methods are sorted.
pub(super) const SORT: Parameter = Parameter::new("sort", Kind::Text);

/// The orders of lists of owners, people and their methods: names in the API, and columns.
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

/// Reads a filter that is True, False or Any, in any letter case: `None` is Any.
pub(super) fn truth(
    call: &Call<'_>,
    name: &str,
    default: Option<bool>,
) -> Result<Option<bool>, Problem> {
    match call.query.text(name).map(str::to_ascii_lowercase).as_deref() {
        None => Ok(default),
        Some("any") => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Problem::field(name, "it is not True, False or Any")),
    }
}

fn time(call: &Call<'_>, name: &str) -> Result<Option<String>, Problem> {
    Ok(call.query.get(name)?.map(|DateTime(time)| time))
}

/// One page of a list.
pub(super) type Page<T> = Envelope<AboutPage, T>;

/// Which page of a list it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AboutPage {
    page: i32,
    page_size: i32,
    has_more: bool,
    /// The number of records in the whole list; null unless it was asked for.
    total_count: Option<i32>,
}

impl About for AboutPage {
    const NAME: &'static str = "PaginatedResponse_Of_";
}

/// Answers one page of a list.
pub(super) fn page<T, S: Serialize>(
    call: &Call<'_>,
    paging: Paging,
    select: Select<T>,
    show: impl FnMut(T) -> S,
) -> Result<Reply, Problem> {
    let rows = select.page(call.db, call.bookmarks, paging)?;
    let about = AboutPage {
        page: paging.page,
        page_size: paging.page_size,
        has_more: rows.has_more,
        total_count: rows.total,
    };
    Reply::json(&Page { about, data: rows.items.into_iter().map(show).collect() })
}
