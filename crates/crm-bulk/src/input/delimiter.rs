//! How the cells of a CSV file are told apart: what was asked for, what the file itself says in a
//! line `sep=;`, or what its header shows.

use std::io::{self, Read};

/// The characters with which spreadsheet programs separate cells.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// How many bytes of a file are examined; a header is shorter.
const HEAD: usize = 64 * 1_024;
/// How many records are examined to see how they are cut.
const SHAPE: usize = 200;

/// Reads the beginning of a file.
pub(super) fn head(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// The delimiter of a first line `sep=;`, and how long that line is with its end.
pub(super) fn named(head: &[u8]) -> Option<(u8, usize)> {
    let end = head.iter().position(|byte| matches!(byte, b'\r' | b'\n'))?;
    let line = head[..end].trim_ascii_end();
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    let line = line.strip_suffix(b"\"").unwrap_or(line);
    let is_sep = line.len() == 5 && line[..4].eq_ignore_ascii_case(b"sep=");
    // A tab is a blank, so it was trimmed with those at the end.
    let is_tab = head[..end].eq_ignore_ascii_case(b"sep=\t");
    let length = match head.get(end..end + 2) {
        Some(b"\r\n") => end + 2,
        _ => end + 1,
    };
    match (is_tab, is_sep) {
        (true, _) => Some((b'\t', length)),
        (false, true) => Some((line[4], length)),
        (false, false) => None,
    }
}

/// The only one of the usual delimiters that cuts the text into records acceptable to `fits`;
/// `None` where none does. Delimiters that cut nothing count as one and the same.
///
/// # Errors
///
/// Returns an error if two do: it is not known which is meant.
pub(super) fn shown(
    text: &[u8],
    quote: u8,
    fits: impl Fn(&[Vec<String>]) -> bool,
) -> Result<Option<u8>, String> {
    let mut fitting = Vec::new();
    let mut is_cut_by_none = false;
    for delimiter in DELIMITERS {
        let records = records(text, delimiter, quote);
        let cuts = records.first().is_some_and(|first| first.len() > 1);
        if (cuts || !is_cut_by_none) && fits(&records) {
            fitting.push(delimiter);
            is_cut_by_none |= !cuts;
        }
    }
    match fitting.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        several => {
            let several: Vec<_> = several.iter().copied().map(name).collect();
            Err(format!(
                "its cells may be separated by {}: say which, with --delimiter CHARACTER",
                several.join(" or by ")
            ))
        }
    }
}

/// The first records with something in them, as this delimiter cuts them.
fn records(text: &[u8], delimiter: u8, quote: u8) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .quote(quote)
        .from_reader(text);
    let records = reader.byte_records().map_while(Result::ok);
    let text = |cell: &[u8]| String::from_utf8_lossy(cell).into_owned();
    records
        .map(|record| record.iter().map(text).collect())
        .filter(|record: &Vec<String>| record.iter().any(|cell| !cell.trim().is_empty()))
        .take(SHAPE)
        .collect()
}

/// The name of a delimiter, as people say it.
pub(crate) fn name(delimiter: u8) -> String {
    match delimiter {
        b'\t' => "a tab".to_owned(),
        other => format!("`{}`", char::from(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_line_may_name_the_delimiter() {
        for (line, delimiter) in
            [("sep=;\r\n", b';'), ("SEP=|\n", b'|'), ("\"sep=,\"\r", b','), ("sep=\t\n", b'\t')]
        {
            let text = format!("{line}id,memo\n");
            let found = named(text.as_bytes());
            assert_eq!(found, Some((delimiter, line.len())), "{line:?}");
        }
        for text in ["id,memo\n", "sep=\n", "separate;memo\n", "sep=;", ""] {
            assert_eq!(named(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn the_delimiter_is_the_only_one_that_cuts_as_is_wanted() {
        let has_a_and_b = |records: &[Vec<String>]| {
            let has = |name: &str| records[0].iter().any(|cell| cell == name);
            has("a") && has("b") && records.len() == 2
        };
        let look = |header: &str| shown(format!("{header}\n1;2,3\n").as_bytes(), b'"', has_a_and_b);
        for (header, delimiter) in [
            ("a,b", Some(b',')),
            ("a;b", Some(b';')),
            ("a\tb", Some(b'\t')),
            ("\"a\"|\"b\"", Some(b'|')),
            ("a;x, y;b", Some(b';')),
            ("ab", None),
        ] {
            assert_eq!(look(header), Ok(delimiter), "{header}");
        }
        let told = look("a,b,x;a;b;x,a,b").unwrap_err();
        assert!(told.contains("`,` or by `;`"), "{told}");
        assert_eq!(shown(b"x\n", b'"', |_| true), Ok(Some(b',')));
    }
}
