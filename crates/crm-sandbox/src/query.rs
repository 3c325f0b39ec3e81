//! The query string: typed, and strict about what each type looks like.

use percent_encoding::percent_decode_str;

use crate::{
    parameter::{Parameter, Value},
    problem::Problem,
    settings::{Letters, PageBounds, Settings, Unknown},
};

/// The largest page that the contract allows.
const LARGEST_PAGE: i32 = 5000;

/// The decoded members of a query string, in their order.
#[derive(Debug, Default)]
pub(crate) struct Query {
    members: Vec<(String, String)>,
}

/// Which page of a list is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paging {
    pub(crate) page: i32,
    pub(crate) page_size: i32,
    pub(crate) include_total: bool,
}

/// The order of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sort {
    /// The column of the table.
    pub(crate) column: &'static str,
    pub(crate) descending: bool,
}

impl Query {
    /// Decodes a query string and applies the rules for all operations.
    pub(crate) fn read(
        text: &str,
        known: &[Parameter],
        settings: &Settings,
    ) -> Result<Self, Problem> {
        if settings.query_limit > 0 && text.len() > settings.query_limit as usize {
            let status = http::StatusCode::from_u16(settings.long_query_status)
                .unwrap_or(http::StatusCode::BAD_REQUEST);
            return Err(Problem::new(status, "The query string is too long"));
        }
        let members = text
            .split('&')
            .filter(|member| !member.is_empty())
            .map(|member| {
                let (name, value) = member.split_once('=').unwrap_or((member, ""));
                Ok((known_name(decode(name)?, known, settings), decode(value)?))
            })
            .collect::<Result<Vec<_>, Problem>>()?;
        if settings.unknown_query == Unknown::Refuse
            && let Some((name, _)) =
                members.iter().find(|(name, _)| known.iter().all(|p| p.name != name))
        {
            return Err(Problem::field(name, "this operation has no such parameter"));
        }
        Ok(Self { members })
    }

    /// Makes a query of one parameter.
    pub(crate) fn of(name: &str, value: &str) -> Self {
        let members = vec![(name.to_owned(), value.to_owned())];
        Self { members }
    }

    /// Returns every parameter but this one.
    pub(crate) fn without(&self, name: &str) -> Self {
        let others = self.members.iter().filter(|(n, _)| n != name);
        Self { members: others.cloned().collect() }
    }

    /// Returns the first text of a parameter.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.members.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Returns the value of a parameter, which must look like its type.
    pub(crate) fn get<T: Value>(&self, name: &str) -> Result<Option<T>, Problem> {
        self.parsed(name, T::WHAT, T::parse)
    }

    /// Returns the ids of a list separated by commas, which may have up to `limit` of them; 0 for
    /// any number.
    pub(crate) fn ids(&self, name: &str, limit: u32) -> Result<Option<Vec<i64>>, Problem> {
        let ids: Option<Vec<i64>> =
            self.parsed(name, "a comma-separated list of integers", |text| {
                text.split(',').map(|id| id.trim().parse().ok()).collect()
            })?;
        match &ids {
            Some(ids) if limit > 0 && ids.len() > limit as usize => {
                Err(Problem::field(name, format!("at most {limit} ids are allowed")))
            }
            _ => Ok(ids),
        }
    }

    /// Reads `page`, `pageSize` and `includeTotal`.
    pub(crate) fn paging(&self, settings: &Settings) -> Result<Paging, Problem> {
        let bounded = |name: &str, default: i32, most: i32| match self.get(name)? {
            None => Ok(default),
            Some(number) if (1..=most).contains(&number) => Ok(number),
            Some(number) if settings.page_bounds == PageBounds::Clamp => Ok(number.clamp(1, most)),
            Some(_) => Err(Problem::field(name, format!("it must be from 1 to {most}"))),
        };
        Ok(Paging {
            page: bounded("page", 1, i32::MAX)?,
            page_size: bounded("pageSize", 50, LARGEST_PAGE)?,
            include_total: self.get("includeTotal")?.unwrap_or(false),
        })
    }

    /// Reads `sort=+Field` or `sort=-Field`. A `+` that was not percent-encoded arrives as a space
    /// and counts as `+`.
    pub(crate) fn sort(&self, fields: &[(&str, &'static str)]) -> Result<Option<Sort>, Problem> {
        self.parsed("sort", "+ or - and the name of a field of this list", |text| {
            let (descending, field) = match text.split_at_checked(1)? {
                ("+" | " ", field) => (false, field),
                ("-", field) => (true, field),
                _ => return None,
            };
            let (_, column) = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(field))?;
            Some(Sort { column, descending })
        })
    }

    fn parsed<T>(
        &self,
        name: &str,
        what: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        self.text(name)
            .map(|text| read(text).ok_or_else(|| Problem::field(name, format!("it is not {what}"))))
            .transpose()
    }
}

/// Returns the name under which the operation knows a parameter.
fn known_name(name: String, known: &[Parameter], settings: &Settings) -> String {
    let mut same = known
        .iter()
        .filter(|_| settings.query_names == Letters::AnyCase)
        .filter(|parameter| parameter.name.eq_ignore_ascii_case(&name));
    same.next().map_or(name, |parameter| parameter.name.to_owned())
}

fn decode(text: &str) -> Result<String, Problem> {
    percent_decode_str(&text.replace('+', " "))
        .decode_utf8()
        .map(|decoded| decoded.into_owned())
        .map_err(|_| Problem::bad_request("The query string is not UTF-8"))
}
