//! How the cells of a file of CSV are told apart: what was asked for, what the file itself says in a
//! line `sep=;`, or what its header shows.

use std::io::{self, Read};

/// What spreadsheet programs separate cells with.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// How much of a file is looked at; a header is shorter.
const HEAD: usize = 64 * 1_024;

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
    // A tab is a blank: it was taken off with those at the end.
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

/// The delimiter that makes a header of the first record: the one with which two cells or more
/// mean something. Where none does it is a comma.
///
/// # Errors
///
/// That two make one: nobody can say which is meant.
pub(super) fn shown(head: &[u8], quote: u8, known: impl Fn(&str) -> bool) -> Result<u8, String> {
    let fitting = DELIMITERS.into_iter().filter(|delimiter| {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .delimiter(*delimiter)
            .quote(quote)
            .from_reader(head);
        let mut record = csv::ByteRecord::new();
        let is_read = reader.read_byte_record(&mut record).unwrap_or(false);
        let means = |cell: &&[u8]| known(&String::from_utf8_lossy(cell));
        is_read && record.iter().filter(means).count() >= 2
    });
    match fitting.collect::<Vec<_>>().as_slice() {
        [] => Ok(DELIMITERS[0]),
        [one] => Ok(*one),
        [one, other, ..] => Err(format!(
            "the header can be read with {} and with {} between its cells: say which, with \
             --delimiter",
            name(*one),
            name(*other)
        )),
    }
}

/// A delimiter as people say it.
pub(super) fn name(delimiter: u8) -> String {
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
        for (line, delimiter) in [
            ("sep=;\r\n", b';'),
            ("SEP=|\n", b'|'),
            ("\"sep=,\"\r", b','),
            ("sep=\t\n", b'\t'),
        ] {
            let text = format!("{line}id,memo\n");
            let found = named(text.as_bytes());
            assert_eq!(found, Some((delimiter, line.len())), "{line:?}");
        }
        for text in ["id,memo\n", "sep=\n", "separate;memo\n", "sep=;", ""] {
            assert_eq!(named(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn the_header_shows_the_delimiter_unless_two_make_one() {
        let look = |header: &str| {
            let known = |header: &str| ["id", "value", "memo"].contains(&header);
            shown(format!("{header}\n1;2,3\n").as_bytes(), b'"', known)
        };
        for (header, delimiter) in [
            ("id,memo", b','),
            ("id;memo", b';'),
            ("id\tmemo", b'\t'),
            ("\"id\"|\"memo\"", b'|'),
            ("id", b','),
            ("a;b", b','),
            ("id;a, b;memo", b';'),
        ] {
            assert_eq!(look(header), Ok(delimiter), "{header}");
        }
        let told = look("id,value,x;memo;id;value,memo").unwrap_err();
        assert!(told.contains("`,` and with `;`"), "{told}");
    }
}
