//! What separates the cells of a list, found from its header and the shape of its rows.

use super::{
    columns,
    options::ListOptions,
    values::{is_listed, may_hold_value},
};
use crate::input::{delimiter, dialect::Dialect};

/// The only one of the usual delimiters with which the list can be read; the usual one where it
/// makes no difference.
///
/// # Errors
///
/// Returns an error if several fit.
pub(super) fn find(text: &[u8], dialect: &Dialect, options: &ListOptions) -> Result<u8, String> {
    let shown = |fits: fn(&[Vec<String>], &ListOptions) -> bool| {
        delimiter::shown(text, dialect.marks.quote, |rows| fits(rows, options))
    };
    // Where no value can be read, the header alone shows how it is cut, and the rows are reported.
    let found = shown(has_values)?.map_or_else(|| shown(is_named), |found| Ok(Some(found)))?;
    Ok(found.unwrap_or(dialect.marks.delimiter))
}

/// Whether the rows have a header of several cells that names a column of values.
fn is_named(rows: &[Vec<String>], options: &ListOptions) -> bool {
    let first = rows.first().filter(|first| first.len() > 1);
    first.is_some_and(|first| !value_columns(first, options).is_empty())
}

/// Whether the header names a column of values, or the first cell is one, and the rows are as
/// wide and have readable values there.
fn has_values(rows: &[Vec<String>], options: &ListOptions) -> bool {
    let Some((first, below)) = rows.split_first() else {
        return false;
    };
    let is_listed = |cell: &String| is_listed(cell, options.reader);
    let columns = value_columns(first, options);
    if columns.is_empty() {
        let begins = first.first().is_some_and(|cell| may_hold_value(cell));
        return begins && rows.iter().any(|row| row.first().is_some_and(is_listed));
    }
    let is_as_wide = |row: &&Vec<String>| row.len() <= first.len();
    let has_value = |row: &Vec<String>| {
        let mut cells = columns.iter().filter_map(|at| row.get(*at));
        cells.any(is_listed)
    };
    below.is_empty() || below.iter().filter(is_as_wide).any(has_value)
}

/// The columns of values, if the first row is a header.
fn value_columns(first: &[String], options: &ListOptions) -> Vec<usize> {
    if first.iter().any(|cell| may_hold_value(cell)) {
        return Vec::new();
    }
    let headers: Vec<_> = first.iter().map(String::as_str).collect();
    let roles = columns::roles(&headers, options).into_iter().enumerate();
    let columns = roles.filter(|(_, role)| role.is_value());
    columns.map(|(at, _)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Result<u8, String> {
        find(text.as_bytes(), &Dialect::default(), &ListOptions::default())
    }

    #[test]
    fn the_delimiter_is_the_one_by_which_the_list_has_values() {
        for (text, delimiter) in [
            ("phone\n8185550142\n", b','),
            ("8185550142\n", b','),
            ("id,phone\n818,8185550142\n", b','),
            ("id;phone\n818;5550142\n", b';'),
            ("id;phone\n818;8185550142\n", b';'),
            ("id\tphone\n818\t8185550142\n", b'\t'),
            ("name|email\nAda, B.|ada@site.example\n", b'|'),
            ("name;email;note\nAda;ada@site.example;a, b, c\n", b';'),
            ("phone;name\n8185550142;Ada, B.\n", b';'),
            ("8185550142;called, twice\n", b';'),
            ("id;phone\n1;Ana 818-555-0142\n", b';'),
        ] {
            assert_eq!(found(text), Ok(delimiter), "{text:?}");
        }
    }

    #[test]
    fn two_that_fit_are_refused() {
        assert!(found("phone,x;phone\n8185550142,5;8185550143\n").is_err());
    }
}
