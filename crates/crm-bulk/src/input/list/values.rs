//! The numbers and addresses of a list's rows.

use crm_mirror::keys::{Keys, local_digits};
use crm_models::phone;
use crm_values::{Email, InvalidValue, PhoneReader, Readings, digits};

use super::{
    columns::{Cell, Columns},
    dates::{DateOrder, Moment, read},
    labels::is_label,
    roles::{NUMBER_ENDS, Role},
    said::{Said, Target, WrongStatus},
    vocabulary::{Way, spelled, way},
    wish::Wish,
    words::words,
};
use crate::{
    clock,
    error::{BadCell, Counted},
    input::broken::whole,
};

/// How many digits a number has at least: those within a city.
const LEAST_DIGITS: usize = 7;

/// A number or an address of a row, and what the row says of it.
pub(crate) struct Value {
    pub(crate) column: String,
    /// As the list has it.
    pub(crate) given: String,
    pub(crate) keys: Keys,
    pub(crate) wish: Wish,
    /// When that was received.
    pub(crate) received: Option<Moment>,
    /// What is to be told of how it was read; of what is no wish, why.
    pub(crate) note: Option<String>,
}

impl Value {
    /// Whether it is digits that fit no number of the region and are taken for one of another country.
    pub(crate) fn is_assumed(&self, reader: PhoneReader) -> bool {
        // Which is told of each.
        self.note.is_some() && Readings::assumption(&self.given, reader).is_some()
    }
}

/// The values of a row with named columns. No value may be skipped:
/// anything that looks like one in a column that is not read is wrong.
pub(super) fn values(
    line: u64,
    row: &[Cell<'_>],
    columns: &Columns,
    reader: PhoneReader,
) -> Result<Vec<Value>, Vec<BadCell>> {
    let (mut found, mut bad) = (Vec::new(), Vec::new());
    let mut unread = Vec::new();
    for Cell { column, header, text } in row {
        let cell = text.trim();
        if cell.is_empty() {
            continue;
        }
        let read = match column.role {
            Role::Addresses | Role::AddressesOrStreets if !cell.contains('@') => {
                Err(InvalidValue::NotAnAddress.to_string())
            }
            Role::Addresses | Role::AddressesOrStreets | Role::Numbers => listed(cell, reader),
            Role::Other if may_be_meant(header, cell) => {
                unread.push((*header, cell));
                continue;
            }
            _ if column.is_elsewhere && may_be_meant(header, cell) => {
                unread.push((*header, cell));
                continue;
            }
            Role::Received => {
                if let Err(reason) = columns.moment(cell) {
                    bad.push(BadCell { personal: false, ..bad_cell(line, header, cell, reason) });
                }
                continue;
            }
            Role::Reasons
            | Role::Place
            | Role::TakenBy
            | Role::Channels
            | Role::Status(_)
            | Role::Elsewhere
            | Role::Ignored
            | Role::Other => continue,
        };
        match read {
            Ok(keys) => found.push((*header, cell.to_owned(), keys)),
            Err(reason) => bad.push(bad_cell(line, header, cell, &reason)),
        }
    }
    // As the display name of an address is that address itself.
    let is_found = |cell| {
        let keys = listed(cell, reader).ok();
        keys.is_some_and(|keys| found.iter().any(|(.., found)| *found == keys))
    };
    unread.retain(|(_, cell)| !is_found(cell));
    let unread = unread.into_iter();
    bad.extend(unread.map(|(header, cell)| bad_cell(line, header, cell, UNREAD)));
    if found.is_empty() && bad.is_empty() {
        bad = whole(line, "has neither a number nor an address".to_owned());
    }
    if let Some(local) = found.iter().find(|(.., keys)| local_digits(&keys.key).is_some()) {
        bad.extend(area_code(row).map(|of| {
            let reason =
                format!("lacks its area code, which is in `{of}`; write the number as a whole");
            bad_cell(line, local.0, &local.1, &reason)
        }));
    }
    let targets = found.iter().map(|(column, _, keys)| Target::of(column, keys.is_number()));
    let targets: Vec<_> = targets.collect();
    let mut values = Vec::new();
    for ((column, given, keys), of) in found.into_iter().zip(&targets) {
        match columns.said(row, *of) {
            Ok(Said { wish, received, note }) => {
                let column = column.to_owned();
                let note = note.or_else(|| Readings::assumption(&given, reader));
                values.push(Value { column, given, keys, wish, received, note });
            }
            Err(wrong) => {
                bad.push(wrong_status(line, wrong));
                break;
            }
        }
    }
    if bad.is_empty() {
        bad.extend(columns.unheard(row, &targets).map(|wrong| wrong_status(line, wrong)));
    }
    if bad.is_empty() { Ok(values) } else { Err(bad) }
}

fn wrong_status(line: u64, wrong: WrongStatus) -> BadCell {
    let cell = |header: &str, cell: &str, reason: &str| BadCell {
        personal: false,
        ..bad_cell(line, header, cell, reason)
    };
    match wrong {
        WrongStatus::Unknown { header, cell: text } => cell(
            &header,
            &text,
            "is not known to mean opted out, opted in or neither; write opt-out or opt-in",
        ),
        WrongStatus::NoChannel { header, cell: text } => cell(
            &header,
            &text,
            "names no channel that is known; write SMS, e-mail, phone, fax or all, or post if none of \
             these is meant",
        ),
        WrongStatus::OtherChannel { header, cell: text } => cell(
            &header,
            &text,
            "names another channel than another column of the row; correct one of them",
        ),
        WrongStatus::MayLimit { header, cell: text } => cell(
            &header,
            &text,
            "may say that the row is about that channel alone; if it does, say --map channel=COLUMN, \
             if not, --map reason=COLUMN",
        ),
        WrongStatus::Opposite { header, cell: text } => cell(
            &header,
            &text,
            "says the opposite of what the list says of all its rows; take the row out, correct it, or say \
             --map reason=COLUMN if that column is about something else",
        ),
        WrongStatus::AlsoOut { header, cell: text } => cell(
            &header,
            &text,
            "says opted out, which no status of the row does; correct one of them, or say what the \
             column holds: --map status=COLUMN, or --map reason=COLUMN if it is no wish",
        ),
        WrongStatus::CameBack { header, cell: text } => cell(
            &header,
            &text,
            "may say that its person came back; write opt-out or opt-in and take it out, or say what the \
             column holds: --map reason=COLUMN if it is no wish",
        ),
        WrongStatus::Unclear { header, cell: text } => cell(
            &header,
            &text,
            "may say whether its person opted out; write opt-out or opt-in, or --map reason=COLUMN if \
             the column holds no wish",
        ),
        WrongStatus::Contradicts => {
            cell("", "", "its columns contradict each other: one says opted out and one opted in")
        }
        WrongStatus::TwoDates(one, other) => {
            let reason = format!(
                "`{one}` and `{other}` have different dates; say when the wish came in: --map \
                 received=COLUMN, or write it once"
            );
            cell("", "", &reason)
        }
        WrongStatus::OnlyDate(header) => {
            let reason = format!(
                "has a date in `{header}`, but no status that says opted out; write opt-out or \
                 opt-in, or take the date out"
            );
            cell("", "", &reason)
        }
        WrongStatus::LaterOut(header) => {
            let reason = format!(
                "says opted in, but the date in `{header}` may be later; write opt-out, or take the \
                 date out"
            );
            cell("", "", &reason)
        }
        WrongStatus::NoValue { header, cell: text } => cell(
            &header,
            &text,
            "says opted out of a channel for which the row has no number or address; add it, or take the \
             row out",
        ),
    }
}

/// The column of a row that has an area code by itself.
fn area_code<'a>(row: &[Cell<'a>]) -> Option<&'a str> {
    let is =
        |cell: &&Cell<'_>| words(cell.header) == ["area", "code"] && !digits(cell.text).is_empty();
    row.iter().find(is).map(|cell| cell.header)
}

/// What is wrong with a row for whoever compares its numbers by themselves: one lacks its area code.
pub(super) fn lacks_area_code(line: u64, values: &[Value]) -> Option<Vec<BadCell>> {
    let local = values.iter().find(|value| local_digits(&value.keys.key).is_some())?;
    let reason =
        "lacks its area code, so it is that of nobody for certain; write the number as a whole";
    Some(vec![bad_cell(line, &local.column, &local.given, reason)])
}

/// The value of a row without named columns: the first cell, if no other looks like one.
pub(super) fn sole_value(
    line: u64,
    row: &[Cell<'_>],
    columns: &Columns,
    reader: PhoneReader,
) -> Result<Vec<Value>, Vec<BadCell>> {
    let Some((&Cell { header, text: first, .. }, others)) = row.split_first() else {
        return Ok(Vec::new());
    };
    let keys = listed(first, reader);
    let keys = keys.map_err(|reason| vec![bad_cell(line, header, first, &reason)])?;
    if let Some(other) = others.iter().find(|cell| looks_like_value(cell.text, reader)) {
        let reason = "may be meant too: name the columns in a first line";
        return Err(vec![bad_cell(line, other.header, other.text, reason)]);
    }
    // The word of the command counts, unless a cell of the row says the opposite.
    let said = columns.said(row, Target::of(header, keys.is_number()));
    let Said { wish, received, note } = said.map_err(|wrong| vec![wrong_status(line, wrong)])?;
    let (column, given) = (header.to_owned(), first.trim().to_owned());
    let note = note.or_else(|| Readings::assumption(&given, reader));
    Ok(vec![Value { column, given, keys, wish, received, note }])
}

const UNREAD: &str = "may be meant too, but its column is not read: rename the column, to phone or \
    email, or to reason if this is not meant";

/// Whether a cell of a column that is not read has a number or an address: an address as a
/// whole, or a number that is written as one. A row of digits alone is an id unless the header
/// speaks of telephones or e-mail.
fn may_be_meant(header: &str, cell: &str) -> bool {
    if !may_hold_value(cell) {
        return false;
    }
    let words = words(header);
    // As the `Home` and `Work` of address books.
    let is_sole = matches!(words.as_slice(), [label] if is_label(label));
    let of_contacts = is_sole
        || words.iter().any(|word| {
            let ends = NUMBER_ENDS.iter().chain(&["mail"]);
            word == "tel" || ends.into_iter().any(|end| word.ends_with(end))
        })
        || spelled(header).iter().any(|word| matches!(way(word), Some(Way::Texts | Way::Calls)));
    // Several in one cell, or in a list of JSON.
    let mut parts = cell.split([',', ';', '"', '[', ']', '{', '}']).map(str::trim);
    parts.any(|part| {
        if part.contains('@') {
            Email::read(part).is_ok()
        } else {
            let is_number = digits(part).len() >= LEAST_DIGITS && !is_date(part);
            is_number && (of_contacts || is_written_as_number(part))
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
    let only_digits = number.chars().all(|c| c.is_ascii_digit() || " +-./()".contains(c));
    only_digits && long && (of_country || number.starts_with(['+', '(']))
}

/// Whether a number or an address may be in a cell, readable or not: no header has as many digits.
pub(super) fn may_hold_value(cell: &str) -> bool {
    cell.contains('@') || digits(cell).len() >= LEAST_DIGITS
}

/// Whether a cell holds a number or an address and nothing else.
pub(super) fn is_listed(cell: &str, reader: PhoneReader) -> bool {
    Keys::listed(cell, reader).is_ok()
}

/// Whether a number or an address may be meant: not a date or an id of a few digits.
fn looks_like_value(cell: &str, reader: PhoneReader) -> bool {
    let long = cell.contains('@') || digits(cell).len() > LEAST_DIGITS;
    long && is_listed(cell, reader) && !is_date(cell)
}

/// Reads a cell of a column of numbers or addresses.
fn listed(cell: &str, reader: PhoneReader) -> Result<Keys, String> {
    Keys::listed(cell, reader).map_err(|refusal| refusal.to_string())
}

/// Whether a cell of an unknown column is a date, in any order.
fn is_date(cell: &str) -> bool {
    let now = clock::in_utc();
    let is = |order| read(cell, order, now).is_ok();
    let is_one_number = cell.trim().bytes().all(|b| b.is_ascii_digit());
    !is_one_number && (is(DateOrder::Mdy) || is(DateOrder::Dmy))
}

fn bad_cell(line: u64, header: &str, cell: &str, reason: &str) -> BadCell {
    BadCell {
        line,
        counted: Counted::Lines,
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
            ("SMS", "8185550142", true),
            ("Home", "8185550142", true),
            ("Home", "12 Main Street", false),
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
}
