//! What separates the cells of a list, found from its header and the shape of its rows.

use super::{
    ListOptions, columns,
    values::{is_listed, may_hold_value},
};
use crate::input::Dialect;

/// What programs separate cells by.
const KNOWN: [u8; 4] = [b',', b';', b'\t', b'|'];
/// How many rows are looked at.
const SHAPE: usize = 200;

/// The only one of the known delimiters by which the list reads as one; the usual one where it
/// makes no difference.
///
/// # Errors
///
/// The delimiters that fit, if several do.
pub(super) fn find(text: &[u8], dialect: &Dialect, options: &ListOptions) -> Result<u8, Vec<u8>> {
    let usual = dialect.marks.delimiter;
    let shape = |delimiter| Shape::of(text, delimiter, dialect.marks.quote);
    let shapes: Vec<_> = KNOWN.iter().map(|known| (*known, shape(*known))).collect();
    let mut fitting: Vec<_> = shapes
        .iter()
        .filter(|(_, shape)| shape.width > 1 && shape.fits(options))
        .map(|(delimiter, _)| *delimiter)
        .collect();
    // Nothing separates: the whole line is the value.
    let whole = shapes
        .iter()
        .find(|(_, shape)| shape.width == 1 && shape.fits(options));
    if let Some((delimiter, _)) = whole {
        fitting.push(*delimiter);
    }
    if fitting.is_empty() {
        // No value can be read: then the header alone shows how it is cut, and the rows are told.
        let named = shapes.iter().filter(|(_, shape)| shape.is_named(options));
        fitting.extend(named.map(|(delimiter, _)| *delimiter));
    }
    match fitting.as_slice() {
        [] => Ok(usual),
        [one] => Ok(*one),
        several => Err(several.to_vec()),
    }
}

/// A list as one delimiter cuts it.
struct Shape {
    /// How many cells the first row has.
    width: usize,
    rows: Vec<Vec<String>>,
}

impl Shape {
    fn of(text: &[u8], delimiter: u8, quote: u8) -> Self {
        let mut csv = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .quote(quote)
            .from_reader(text);
        let rows: Vec<Vec<String>> = csv
            .byte_records()
            .map_while(Result::ok)
            .map(|row| {
                let cells = row.iter().map(String::from_utf8_lossy);
                cells.map(std::borrow::Cow::into_owned).collect()
            })
            .filter(|row: &Vec<String>| row.iter().any(|cell| !cell.trim().is_empty()))
            .take(SHAPE)
            .collect();
        Self {
            width: rows.first().map_or(0, Vec::len),
            rows,
        }
    }

    /// Whether it has a header of several cells that names a column of values.
    fn is_named(&self, options: &ListOptions) -> bool {
        let Some(first) = self.rows.first().filter(|first| first.len() > 1) else {
            return false;
        };
        !value_columns(first, options).is_empty()
    }

    /// Whether the header names a column of values, or the first cell is one, and the rows are as
    /// wide and have readable values there.
    fn fits(&self, options: &ListOptions) -> bool {
        let Some((first, rows)) = self.rows.split_first() else {
            return false;
        };
        let reader = options.reader;
        let columns = value_columns(first, options);
        let has_header = !columns.is_empty();
        if !has_header {
            let listed =
                |row: &Vec<String>| row.first().is_some_and(|cell| is_listed(cell, reader));
            let begins = first.first().is_some_and(|cell| may_hold_value(cell));
            return begins && self.rows.iter().any(listed);
        }
        let is_as_wide = |row: &&Vec<String>| row.len() <= self.width;
        let has_value = |row: &&Vec<String>| {
            let mut cells = columns.iter().filter_map(|at| row.get(*at));
            cells.any(|cell| is_listed(cell, reader))
        };
        rows.is_empty() || rows.iter().filter(is_as_wide).any(|row| has_value(&row))
    }
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

    fn found(text: &str) -> Result<u8, Vec<u8>> {
        find(
            text.as_bytes(),
            &Dialect::default(),
            &ListOptions::default(),
        )
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
