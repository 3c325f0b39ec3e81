//! The cells of a row as a set keeps them: one record of CSV, whatever marks the input has.

/// Adds a cell to the record.
pub(crate) fn push(record: &mut String, is_first: bool, cell: &str) {
    if !is_first {
        record.push(',');
    }
    if cell.contains([',', '"', '\r', '\n']) {
        record.push('"');
        record.push_str(&cell.replace('"', "\"\""));
        record.push('"');
    } else {
        record.push_str(cell);
    }
}

/// The record of these cells.
pub(crate) fn record<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let mut record = String::new();
    for (at, cell) in cells.enumerate() {
        push(&mut record, at == 0, cell);
    }
    record
}

/// The cells of a record. A reader of any CSV takes longer to be made than a row to be read, and one of
/// `csv-core` that is copied for each row would read another text: it drops a byte order mark with which
/// the first cell begins, and takes a single empty cell for no record.
pub(crate) fn cells(record: &str) -> Vec<String> {
    let mut cells = Vec::new();
    let mut rest = Some(record);
    while let Some(left) = rest {
        let (cell, behind) = first(left);
        cells.push(cell);
        rest = behind;
    }
    cells
}

/// The first cell, and what is behind its comma, if there is one.
fn first(record: &str) -> (String, Option<&str>) {
    let Some(mut rest) = record.strip_prefix('"') else {
        return match record.split_once(',') {
            Some((cell, behind)) => (cell.to_owned(), Some(behind)),
            None => (record.to_owned(), None),
        };
    };
    let mut cell = String::new();
    loop {
        let (text, behind) = rest.split_once('"').unwrap_or((rest, ""));
        cell.push_str(text);
        let Some(doubled) = behind.strip_prefix('"') else {
            return (cell, behind.strip_prefix(','));
        };
        cell.push('"');
        rest = doubled;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_back_as_they_were() {
        let texts =
            ["", "4411", " a b ", ",", "\"", "\"a\"", "a\"", "\n", "a\r", "\r\n", "\u{feff}", "é’"];
        for first in texts {
            assert_eq!(cells(&record([first].into_iter())), [first]);
            for (second, third) in texts.iter().flat_map(|it| texts.map(|other| (*it, other))) {
                let row = [first, second, third];
                assert_eq!(cells(&record(row.into_iter())), row);
            }
        }
    }

    #[test]
    fn most_rows_are_kept_as_they_came() {
        let row = ["2001", "3001", "", "Gate code 4411"];
        assert_eq!(record(row.into_iter()), "2001,3001,,Gate code 4411");
    }
}
