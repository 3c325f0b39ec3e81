//! Lists of numbers and addresses that opt out or in.

use crm_models::{email, phone};
use jiff::civil::Date;

use super::{
    Input, InputFormat, NdjsonRows, Object,
    csv::damage,
    invalid::{BadCell, whole},
    is_ours,
    lines::{Lines, next_record},
};
use crate::BulkError;

/// What a number or an address has in common with every other way to write it.
pub(crate) fn key(value: &str) -> String {
    if value.contains('@') {
        email::key(value)
    } else {
        phone::key(value)
    }
}

/// One row of a list.
pub(crate) struct Entry {
    pub(crate) line: u64,
    /// The whole row, as JSON.
    pub(crate) data: String,
    /// Its numbers and addresses, each with the name of its column; or what is wrong.
    pub(crate) values: Result<Vec<(String, String)>, Vec<BadCell>>,
}

/// A whole list.
pub(crate) struct Entries {
    pub(crate) header: Vec<String>,
    pub(crate) entries: Vec<Entry>,
}

/// What a column of a list holds, as its header says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Numbers,
    Addresses,
    /// E-mail addresses, or where people live.
    AddressesOrStreets,
    Received,
    Reasons,
    /// It is carried along.
    Other,
}

/// Headers of columns with numbers, alone and behind other words, as in `Home Phone`.
const NUMBER: [&str; 2] = ["value", "number"];
const NUMBER_ENDS: [&str; 4] = ["phone", "mobile", "cell", "fax"];
/// Headers of the column with the date on which the wish was received.
const RECEIVED: [&str; 4] = ["received", "date received", "received on", "date"];
/// Words that say nothing beside others, as in `Mobile No.`.
const SILENT: [&str; 5] = ["number", "no", "num", "nr", "nbr"];

/// How many digits a number has, without an extension: seven within a city, 15 with its country.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// The words of a header in lower case and in the singular, without digits and what stands in
/// parentheses: `Phone #`, `PHONES`, `phone_2` and `Phone (home)` are one.
fn words(header: &str) -> Vec<String> {
    let mut letters = String::new();
    let (mut after_lower, mut in_parentheses) = (false, false);
    for character in header.chars() {
        match character {
            '(' => in_parentheses = true,
            ')' => in_parentheses = false,
            _ => {}
        }
        // `homePhone` is two words.
        if !character.is_alphabetic() || (after_lower && character.is_uppercase()) {
            letters.push(' ');
        }
        if character.is_alphabetic() && !in_parentheses {
            letters.extend(character.to_lowercase());
        }
        after_lower = character.is_lowercase();
    }
    let words: Vec<_> = letters.split_whitespace().map(singular).collect();
    let telling = words.iter().filter(|word| !SILENT.contains(word));
    let telling: Vec<_> = telling.map(|word| (*word).to_owned()).collect();
    match telling.is_empty() {
        true => words.into_iter().map(str::to_owned).collect(),
        false => telling,
    }
}

fn singular(word: &str) -> &str {
    let after_hiss = word
        .strip_suffix("es")
        .filter(|stem| stem.ends_with(['s', 'x']));
    let after_letter = word.strip_suffix('s').filter(|stem| !stem.ends_with('s'));
    after_hiss.or(after_letter).unwrap_or(word)
}

impl Holds {
    fn of(header: &str) -> Self {
        let words = words(header);
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["address"] => Self::AddressesOrStreets,
            ["mail"] | [.., "e", "mail"] | [.., "mail", "address"] => Self::Addresses,
            [.., last] | [.., last, "address"] if last.ends_with("email") => Self::Addresses,
            [sole] if NUMBER.contains(sole) => Self::Numbers,
            [.., last] if *last == "tel" || NUMBER_ENDS.iter().any(|end| last.ends_with(end)) => {
                Self::Numbers
            }
            words if words.contains(&"reason") => Self::Reasons,
            words if RECEIVED.contains(&words.join(" ").as_str()) => Self::Received,
            _ => Self::Other,
        }
    }

    fn is_value(self) -> bool {
        matches!(
            self,
            Self::Numbers | Self::Addresses | Self::AddressesOrStreets
        )
    }
}

/// When the wish of a row was received, as the row says it.
pub(crate) fn received(row: &[(String, String)]) -> Option<&(String, String)> {
    row.iter()
        .find(|(header, _)| Holds::of(header) == Holds::Received)
}

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

impl Entries {
    /// Reads a whole list: CSV with a header that names the columns with values, or without a
    /// header and with the value first; NDJSON with such members.
    pub(crate) fn read(input: Input) -> Result<Self, BulkError> {
        match input.format() {
            InputFormat::Csv => Self::of_csv(input),
            InputFormat::Ndjson => Self::of_ndjson(input),
        }
    }

    fn of_csv(input: Input) -> Result<Self, BulkError> {
        let (name, dialect) = (input.name().to_owned(), input.dialect().clone());
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(dialect.delimiter)
            .quote(dialect.quote)
            .from_reader(Lines::new(input.into_reader(), &dialect));
        let mut record = csv::ByteRecord::new();
        let mut header: Option<Vec<String>> = None;
        let mut rows = Vec::new();
        while let Some(place) = next_record(&mut reader, &mut record, &name)? {
            let cells = record.iter().map(String::from_utf8_lossy);
            let cells: Vec<_> = cells.map(std::borrow::Cow::into_owned).collect();
            if cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let damage = damage(&record, &place);
            if rows.is_empty() && header.is_none() {
                // What holds a value itself is none, though it ends in such a word: `jo@site.email`.
                let holds_value = |cell: &String| cell.contains('@') || check(cell).is_ok();
                let names_values = cells.iter().any(|cell| Holds::of(cell).is_value());
                if names_values && !cells.iter().any(holds_value) {
                    if let Some(reason) = damage {
                        let reason = format!("the header: {reason}");
                        return Err(BulkError::Input { name, reason });
                    }
                    header = Some(cells);
                    continue;
                }
                if cells.first().is_none_or(|cell| check(cell).is_err()) {
                    let reason = "the first line is neither a number or an address nor does it \
                        name a column with them: value, phone, mobile, email";
                    return Err(BulkError::Input {
                        name,
                        reason: reason.to_owned(),
                    });
                }
            }
            rows.push((place.line, cells, damage));
        }
        let named = header.is_some();
        let header = header.unwrap_or_else(|| {
            let widest = rows.iter().map(|(_, cells, _)| cells.len()).max();
            let further = (2..=widest.unwrap_or(1)).map(|n| format!("column_{n}"));
            std::iter::once("value".to_owned()).chain(further).collect()
        });
        let entries = rows.into_iter().map(|(line, cells, damage)| {
            let width = cells.len();
            let kept = header
                .iter()
                .cloned()
                .chain(std::iter::repeat(String::new()));
            let row: Vec<_> = kept
                .zip(cells)
                .filter(|(header, _)| !is_ours(header))
                .collect();
            let cells: Vec<_> = row.iter().map(|(_, cell)| cell).collect();
            let data = serde_json::to_string(&cells).unwrap_or_default();
            let values = match (damage, named) {
                (Some(reason), _) => Err(whole(line, reason)),
                (None, true) if width > header.len() => Err(whole(
                    line,
                    format!("has {width} cells, the header has {}", header.len()),
                )),
                (None, true) => values(line, &row),
                (None, false) => sole_value(line, &row),
            };
            Entry { line, data, values }
        });
        Ok(Self {
            entries: entries.collect(),
            header: header
                .iter()
                .filter(|header| !is_ours(header))
                .cloned()
                .collect(),
        })
    }

    fn of_ndjson(input: Input) -> Result<Self, BulkError> {
        let mut rows = NdjsonRows::new(input.name().to_owned(), input.into_reader());
        let mut entries = Vec::new();
        while let Some(read) = rows.next()? {
            entries.push(match read {
                Ok(row) => Entry {
                    line: row.line,
                    values: values(row.line, &cells(InputFormat::Ndjson, &[], row.data)),
                    data: row.data.to_owned(),
                },
                Err(unreadable) => Entry {
                    line: unreadable.line,
                    values: Err(whole(unreadable.line, unreadable.reason)),
                    data: unreadable.data,
                },
            });
        }
        Ok(Self {
            header: Vec::new(),
            entries,
        })
    }
}

/// The cells of a row as a set keeps it, each with its header.
pub(crate) fn cells(format: InputFormat, header: &[String], data: &str) -> Vec<(String, String)> {
    match format {
        InputFormat::Csv => {
            let cells: Vec<String> = serde_json::from_str(data).unwrap_or_default();
            header.iter().cloned().zip(cells).collect()
        }
        InputFormat::Ndjson => serde_json::from_str::<Object>(data)
            .map(|row| row.texts().map(|(n, t)| (n.to_owned(), t)).collect())
            .unwrap_or_default(),
    }
}

/// The values of a row with named columns. None may be passed over: what looks like one in a
/// column that is not read is wrong.
fn values(line: u64, row: &[(String, String)]) -> Result<Vec<(String, String)>, Vec<BadCell>> {
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
            Holds::Numbers => check(cell),
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
fn sole_value(line: u64, row: &[(String, String)]) -> Result<Vec<(String, String)>, Vec<BadCell>> {
    let Some(((header, first), others)) = row.split_first() else {
        return Ok(Vec::new());
    };
    if let Err(reason) = check(first) {
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

fn check(value: &str) -> Result<(), &'static str> {
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
    fn a_column_is_known_by_its_words_however_its_header_is_spelled() {
        for (holds, headers) in [
            (
                Holds::Numbers,
                "Phone #|Phone (home)|Mobile No.|Cell #|Phones|PHONE NUMBERS|homePhone|fax_2|\
                 Number|value|Work Tel|Telephone number 1|cell-phone|Faxes",
            ),
            (
                Holds::Addresses,
                "email|E-Mails|Email Address (work)|e_mail_addresses|EmailAddress|mail",
            ),
            (Holds::AddressesOrStreets, "address|Addresses|Address 2"),
            (Holds::Received, "received|Date received|dateReceived|Date"),
            (Holds::Reasons, "Reason|Reason for opting out"),
            (
                Holds::Other,
                "Customer Number|No.|id|Phone type|Direct mail|Home address|Notes||#",
            ),
        ] {
            for header in headers.split('|') {
                assert!(Holds::of(header) == holds, "{header}");
            }
        }
    }

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
