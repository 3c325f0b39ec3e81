//! The numbers and addresses of a list's rows.

use crm_models::{email, phone};
use jiff::civil::Date;

use super::{
    headers::{Holds, NUMBER_ENDS, words},
    invalid::{BadCell, whole},
};

/// What a number or an address has in common with every other way to write it.
pub(crate) fn key(value: &str) -> String {
    if value.contains('@') {
        email::key(value)
    } else {
        phone::key(value)
    }
}

/// How many digits a number has, without an extension: seven within a city, 15 with its country.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// A date as people write it: 2026-11-23, also with a time behind, or 11/23/2026.
pub(crate) fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    let day = text
        .get(..10)
        .filter(|day| day.contains('-'))
        .unwrap_or(text);
    day.parse()
        .ok()
        .or_else(|| Date::strptime("%m/%d/%Y", text).ok())
}

/// The values of a row with named columns. None may be passed over: what looks like one in a
/// column that is not read is wrong.
pub(super) fn values(
    line: u64,
    row: &[(String, String)],
) -> Result<Vec<(String, String)>, Vec<BadCell>> {
    let cells = row.iter().filter(|(_, cell)| !cell.trim().is_empty());
    let cells: Vec<_> = cells
        .map(|(header, cell)| (Holds::of(header), header, cell.trim()))
        .collect();
    let elsewhere = cells
        .iter()
        .any(|(holds, ..)| matches!(holds, Holds::Numbers | Holds::Addresses));
    let mut found = Vec::new();
    let mut bad = Vec::new();
    for (holds, header, cell) in cells {
        let checked = match holds {
            Holds::AddressesOrStreets if elsewhere && !cell.contains('@') => continue,
            Holds::Addresses | Holds::AddressesOrStreets => email::check(cell),
            Holds::Numbers => check_taken(cell),
            Holds::Other if may_be_meant(header, cell) => Err(UNREAD),
            Holds::Received if date(cell).is_none() => {
                bad.push(BadCell {
                    personal: false,
                    ..bad_cell(line, header, cell, "is no date; write it like 2026-11-23")
                });
                continue;
            }
            Holds::Received | Holds::Reasons | Holds::Other => continue,
        };
        match checked {
            Ok(()) => found.push((header.clone(), key(cell))),
            Err(reason) => bad.push(bad_cell(line, header, cell, reason)),
        }
    }
    if found.is_empty() && bad.is_empty() {
        bad = whole(line, "names no number and no address".to_owned());
    }
    if bad.is_empty() { Ok(found) } else { Err(bad) }
}

/// The value of a row without named columns: the first cell, if no other looks like one.
pub(super) fn sole_value(
    line: u64,
    row: &[(String, String)],
) -> Result<Vec<(String, String)>, Vec<BadCell>> {
    let Some(((header, first), others)) = row.split_first() else {
        return Ok(Vec::new());
    };
    if let Err(reason) = check_taken(first) {
        return Err(vec![bad_cell(line, header, first, reason)]);
    }
    if let Some((header, other)) = others.iter().find(|(_, cell)| looks_like_value(cell)) {
        let reason = "may be meant too: name the columns in a first line";
        return Err(vec![bad_cell(line, header, other, reason)]);
    }
    Ok(vec![(header.clone(), key(first))])
}

const UNREAD: &str = "may be meant too, but its column is not read: rename the column, to phone or \
    email, or to reason if this is not meant";

/// Whether a cell of a column that is not read has a number or an address: an address as a
/// whole, or a number that is written as one. A row of digits alone is an id unless the header
/// speaks of telephones or e-mail.
fn may_be_meant(header: &str, cell: &str) -> bool {
    let of_contacts = words(header).iter().any(|word| {
        let ends = NUMBER_ENDS.iter().chain(&["mail"]);
        word == "tel" || ends.into_iter().any(|end| word.ends_with(end))
    });
    // Several in one cell, or in a list of JSON.
    let mut parts = cell
        .split([',', ';', '"', '[', ']', '{', '}'])
        .map(str::trim);
    parts.any(|part| match part.contains('@') {
        true => email::check(part).is_ok(),
        false => {
            check(part).is_ok()
                && date(part).is_none()
                && (of_contacts || is_written_as_number(part))
        }
    })
}

/// As in `(818) 555-0142`, `818.555.0142` or `+44 20 7946 0958`.
fn is_written_as_number(text: &str) -> bool {
    let number = phone::without_extension(text);
    let groups = number.split(|c: char| !c.is_ascii_digit());
    let groups: Vec<_> = groups.map(str::len).filter(|digits| *digits > 0).collect();
    let of_country = matches!(groups.as_slice(), [3, 3, 4] | [1, 3, 3, 4]);
    let long = phone::key(number).len() >= 10;
    let only_digits = number
        .chars()
        .all(|c| c.is_ascii_digit() || " +-./()".contains(c));
    only_digits && long && (of_country || number.starts_with(['+', '(']))
}

/// Whether a number or an address may be meant: no date, no id of a few digits.
fn looks_like_value(cell: &str) -> bool {
    let long = cell.contains('@') || key(cell).len() >= 10;
    long && check(cell).is_ok() && date(cell).is_none()
}

pub(super) fn check(value: &str) -> Result<(), &'static str> {
    let value = value.trim();
    if value.contains('@') {
        return email::check(value);
    }
    if value.starts_with(['[', '{']) {
        return Err("is a list or an object; give each number or address a member of its own");
    }
    phone::check(value)?;
    let behind = &value[phone::without_extension(value).len()..];
    if behind.chars().filter(char::is_ascii_digit).count() >= *DIGITS.start() {
        return Err("holds more than one number; give each a column of its own");
    }
    match DIGITS.contains(&phone::key(value).len()) {
        true => Ok(()),
        false => Err("is no telephone number: those have 7 to 15 digits"),
    }
}

/// As [`check`], for a cell whose value is taken as it is.
fn check_taken(value: &str) -> Result<(), &'static str> {
    match was_an_amount(value) {
        true => Err(WAS_AN_AMOUNT),
        false => check(value),
    }
}

/// What is wrong with a telephone number that [`was_an_amount`].
pub(super) const WAS_AN_AMOUNT: &str =
    "a spreadsheet took it for an amount; give its digits, as text";

/// Whether some program took a telephone number for an amount and wrote it so: `8185550142.0`,
/// `8.18555E+09`, also with a comma. Its digits are others now.
pub(super) fn was_an_amount(text: &str) -> bool {
    let text = text.trim().replace(',', ".");
    let has_zeros_behind = text.split_once('.').is_some_and(|(whole, zeros)| {
        whole.len() >= *DIGITS.start() && !zeros.is_empty() && zeros.bytes().all(|b| b == b'0')
    });
    text.parse::<f64>().is_ok() && (has_zeros_behind || text.contains(['e', 'E']))
}

fn bad_cell(line: u64, header: &str, cell: &str, reason: &str) -> BadCell {
    BadCell {
        line,
        column: header.to_owned(),
        value: cell.trim().to_owned(),
        reason: reason.to_owned(),
        personal: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_value_where_none_is_read_is_told_and_an_id_is_not() {
        for (header, cell, told) in [
            ("Contact", "(818) 555-0142", true),
            ("Contact", "818.555.0142", true),
            ("Contact", "+44 20 7946 0958", true),
            ("Contact", "1-818-555-0142 ext. 7", true),
            ("Contact", "jo@company.email", true),
            ("Contact", r#"{"a": ["x", "jo@company.email"]}"#, true),
            ("Phone at home", "8185550142", true),
            ("Phone at home", "8185550142.0", true),
            ("Contact", "+18185550142.0", true),
            ("Customer Number", "8185550142", false),
            ("id", "100000000012345", false),
            ("id", "1234-5678-9012", false),
            ("Contact", "2026-11-23 10:30", false),
            ("Contact", "called at @home", false),
            ("Phone type", "mobile", false),
        ] {
            assert_eq!(may_be_meant(header, cell), told, "{header}: {cell}");
        }
    }

    #[test]
    fn a_number_that_was_taken_for_an_amount_is_none() {
        for cell in [
            "8185550142.0",
            "8185550142,00",
            "+18185550142.0",
            " 8.18555E+09 ",
            "8,18555e9",
        ] {
            assert_eq!(check_taken(cell), Err(WAS_AN_AMOUNT), "{cell}");
            assert!(check(cell).is_ok(), "may be meant: {cell}");
        }
        for cell in [
            "8185550142",
            "8185550142.",
            "818.555.0142",
            "818555.0142",
            "818555.0000",
            "818,555,0142",
            "+18185550142",
        ] {
            assert_eq!(check_taken(cell), Ok(()), "{cell}");
        }
    }

    #[test]
    fn two_numbers_in_one_cell_are_not_taken_for_one() {
        for cell in [
            "818-555-0142 or 818-555-0143",
            "818-555-0142, 818-555-0143",
            r#"["8185550142"]"#,
        ] {
            assert!(check(cell).is_err(), "{cell}");
        }
        assert!(check("818-555-0142 cell").is_ok());
    }
}
