//! Lists as products and people write them, from a seed.

use std::io::Cursor;

use crm_bulk::Input;
use fastrand::Rng;

/// What a row says that a person wishes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Out,
    In,
    /// The same, by a no to opting out: the day of the row is not that of such a wish.
    NotOut,
    /// Neither of the two.
    Neither,
    /// The list has no column for it.
    Unsaid,
}

pub(super) const PEOPLE: u32 = 24;

fn pick<'a, T: ?Sized>(rng: &mut Rng, of: &[&'a T]) -> &'a T {
    of[rng.usize(..of.len())]
}

/// A value of a person as somebody spelt it. An even person has a number, an odd one an address.
pub(super) fn spelt(rng: &mut Rng, person: u32, in_list: bool) -> String {
    if !person.is_multiple_of(2) {
        let (name, upper) = (format!("ada{person}"), format!("ADA{person}"));
        let domain = [
            "bücher.example",
            "Bücher.Example",
            "xn--bcher-kva.example",
            "bu\u{308}cher.example",
            "BÜCHER.example",
        ];
        let address = format!("{}@{}", pick(rng, &[&*name, &*upper]), pick(rng, &domain));
        return match rng.u8(..12) {
            0 => format!("'{address}"),
            1 => address.replace("example", "exam\u{200B}ple"),
            2 if !in_list => format!("Ada <{address}>"),
            3 => format!(" {address} "),
            4 => address.replace('@', "＠"),
            5 if !in_list => format!("{address}; old@site.example"),
            _ => address,
        };
    }
    if person.is_multiple_of(6) {
        let line = format!("{:04}", person);
        let ways = [
            "+44 20 7946 ",
            "+44.20.7946.",
            "tel:+44-20-7946-",
            "020 7946 ",
            "0044 20 7946 ",
            "011 44 20 7946 ",
            "+44 (0)20 7946 ",
            "44207946",
        ];
        return format!("{}{line}", pick(rng, &ways));
    }
    let (area, exchange, line) = ("818", "555", format!("{person:04}"));
    let number = match rng.u8(..12) {
        0 => format!("({area}) {exchange}-{line}"),
        1 => format!("{area}.{exchange}.{line}"),
        2 => format!("+1 {area} {exchange} {line}"),
        3 => format!("1-{area}-{exchange}-{line}"),
        4 => format!("001 {area} {exchange} {line}"),
        5 => format!("{area}\u{a0}{exchange}\u{2011}{line}"),
        6 => full_width(&format!("{area}{exchange}{line}")),
        7 => format!("+1{area}{exchange}{line}"),
        8 => format!("'{area}{exchange}{line}"),
        _ => format!("{area}{exchange}{line}"),
    };
    let behind = match rng.u8(..16) {
        0 => " x12",
        1 => ",,12",
        2 => "*12",
        3 => "~12",
        4 => "/12",
        5 => " 8am-5pm",
        6 => " ext. 7",
        7 if !in_list => "12",
        8 => "\u{200b}",
        _ => "",
    };
    let before = match rng.u8(..14) {
        0 => "Unit 4 ",
        1 => "Ana ",
        _ => "",
    };
    match rng.u8(..16) {
        // The area code is missing.
        0 => format!("{exchange}-{line}"),
        _ => format!("{before}{number}{behind}"),
    }
}

fn full_width(digits: &str) -> String {
    let wide = |c: char| char::from_u32(u32::from(c) + 0xFEE0);
    digits.chars().filter_map(wide).collect()
}

/// A column that says what people wish, and the words that it uses.
#[derive(Clone, Copy)]
struct StatusColumn(&'static str, [&'static [&'static str]; 3]);

const WORDS: [&[&str]; 3] = [
    &["opt-out", "UNSUBSCRIBED", "STOP", "Opted Out", "stopall", "DNC"],
    &["opt-in", "SUBSCRIBED", "START", "Opted In", "unstop"],
    &["", "pending", "NEVER SUBSCRIBED", "bounced"],
];
const YES_IS_OUT: [&[&str]; 3] = [&["yes", "TRUE", "1", "Y"], &["No", "false", "0", "n"], &[""]];
const YES_IS_IN: [&[&str]; 3] = [YES_IS_OUT[1], YES_IS_OUT[0], &[""]];

/// Columns that speak of all values of a row.
const OF_ALL: [StatusColumn; 13] = [
    StatusColumn("status", WORDS),
    StatusColumn("Subscription Status", WORDS),
    StatusColumn("Contact status", WORDS),
    StatusColumn("DND", YES_IS_OUT),
    StatusColumn("Opted Out", YES_IS_OUT),
    StatusColumn("Unsubscribed", YES_IS_OUT),
    StatusColumn("Do Not Contact", YES_IS_OUT),
    StatusColumn("Suppressed", YES_IS_OUT),
    StatusColumn("Consent withdrawn", YES_IS_OUT),
    StatusColumn("Consent", YES_IS_IN),
    StatusColumn("Accepts Marketing", YES_IS_IN),
    StatusColumn("Opt-In", YES_IS_IN),
    StatusColumn("Subscribed?", YES_IS_IN),
];
/// Columns that speak of numbers alone, and of addresses alone.
const OF_NUMBERS: [StatusColumn; 4] = [
    StatusColumn("Do Not Call", YES_IS_OUT),
    StatusColumn("SMS Opt Out", YES_IS_OUT),
    StatusColumn("SMS consent", YES_IS_IN),
    StatusColumn("SMS Consent Status", WORDS),
];
const OF_ADDRESSES: [StatusColumn; 4] = [
    StatusColumn("HasOptedOutOfEmail", YES_IS_OUT),
    StatusColumn("doNotEmail", YES_IS_OUT),
    StatusColumn("Accepts Email Marketing", YES_IS_IN),
    StatusColumn("channels.email.subscribeStatus", WORDS),
];

/// A person, and whether the value lacks the area code: nobody can say that it is the same number
/// then.
pub(super) type Whose = (u32, bool);

/// What a row says.
pub(super) struct GeneratedRow {
    /// Whose each value is, and what its person wishes.
    pub(super) values: Vec<(Whose, Wish)>,
    pub(super) day: u8,
    /// Whether that is the day of an opt-out and of nothing else.
    pub(super) is_of_opt_outs: bool,
}

pub(super) struct Generated {
    bytes: Vec<u8>,
    is_windows_1252: bool,
    is_ndjson: bool,
    pub(super) rows: Vec<GeneratedRow>,
}

impl Generated {
    pub(super) fn input(&self) -> Input {
        let bytes = Cursor::new(self.bytes.clone());
        if self.is_ndjson {
            return Input::ndjson("list", bytes);
        }
        if self.is_windows_1252 {
            Input::csv("list", bytes).encoding("windows-1252").unwrap()
        } else {
            Input::csv("list", bytes)
        }
    }

    pub(super) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// What stands in a column of values, or of what a status speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Anything,
    Numbers,
    Addresses,
    /// Those of two numbers of a row.
    First,
    Second,
}

/// Headers of two numbers, and of the statuses of each.
const LABELLED: [[[&str; 2]; 2]; 5] = [
    [["Phone 1", "Phone 2"], ["DNC 1", "DNC 2"]],
    [["Phone", "Phone 2"], ["Do Not Call", "Do Not Call 2"]],
    [["Phone1", "Phone2"], ["Phone1 Opt-Out", "Phone2 Opt-Out"]],
    [["Home Phone", "Cell"], ["Home Phone DNC", "Mobile DNC"]],
    [["Work Phone", "Alt Phone"], ["Opted Out (Work)", "Opted Out (Alternate)"]],
];

/// The columns of values, each with what stands in it.
fn value_columns(rng: &mut Rng) -> Vec<(&'static str, Of)> {
    let number =
        pick(rng, &["Phone", "Mobile No.", "Phone 1 - Value", "cell", "Person - Phone - Mobile"]);
    let address =
        pick(rng, &["Email Address", "E-mail 1 - Value", "email", "Person - Email - Work"]);
    match rng.u8(..4) {
        0 | 1 => vec![(pick(rng, &["value", "Number", "VALUES"]), Of::Anything)],
        2 => vec![(number, Of::Numbers), (address, Of::Addresses)],
        _ => vec![(address, Of::Addresses), (number, Of::Numbers)],
    }
}

fn status_columns(rng: &mut Rng, has_both: bool) -> Vec<(StatusColumn, Of)> {
    let one = |rng: &mut Rng, of: &[StatusColumn]| of[rng.usize(..of.len())];
    match rng.u8(..4) {
        0 => Vec::new(),
        1 if has_both => {
            vec![(one(rng, &OF_NUMBERS), Of::Numbers), (one(rng, &OF_ADDRESSES), Of::Addresses)]
        }
        _ => vec![(one(rng, &OF_ALL), Of::Anything)],
    }
}

/// The columns of values and those of statuses.
type Columns = (Vec<(&'static str, Of)>, Vec<(StatusColumn, Of)>);

fn columns(rng: &mut Rng) -> Columns {
    if rng.u8(..5) > 0 {
        let values = value_columns(rng);
        let statuses = status_columns(rng, values.len() > 1);
        return (values, statuses);
    }
    let [[one, other], [of_one, of_other]] = LABELLED[rng.usize(..LABELLED.len())];
    let mut statuses = vec![
        (StatusColumn(of_one, YES_IS_OUT), Of::First),
        (StatusColumn(of_other, YES_IS_OUT), Of::Second),
    ];
    rng.shuffle(&mut statuses);
    (vec![(one, Of::First), (other, Of::Second)], statuses)
}

fn date(rng: &mut Rng, form: u8, day: u8) -> String {
    match form {
        0 => format!("2026/06/{day:02}"),
        1 => format!("{day}-Jun-26"),
        2 => format!("202606{day:02}T111244"),
        3 => format!("2026-06-{day:02} 0{}:15:00", rng.u8(1..9)),
        4 => format!("June {day}, 2026"),
        _ => format!("2026-06-{day:02}"),
    }
}

/// The headers with the cells of each row, and what the rows say.
type Table = (Vec<&'static str>, Vec<Vec<String>>, Vec<GeneratedRow>);

fn table(rng: &mut Rng) -> Table {
    let (values, statuses) = columns(rng);
    let (has_id, has_note, has_flag) = (rng.bool(), rng.bool(), rng.u8(..4) == 0);
    let form = rng.u8(..7);
    let mut header: Vec<_> = values.iter().map(|(header, _)| *header).collect();
    let dated = pick(rng, &["received", "Opt-Out Date", "Date Excluded"]);
    let is_of_opt_outs = dated != "received";
    header.push(dated);
    header.extend(statuses.iter().map(|(status, _)| status.0));
    header.extend(has_note.then_some("First Name"));
    header.extend(has_flag.then_some("Verified Email"));
    if has_id {
        header.insert(0, "id");
    }
    let (mut lines, mut rows) = (Vec::new(), Vec::new());
    for _ in 0..rng.usize(1..12) {
        let day = rng.u8(1..29);
        let spoken: Vec<_> = statuses
            .iter()
            .map(|(status, of)| {
                let (wish, at) = match rng.u8(..5) {
                    0 | 1 if status.1[1] == YES_IS_OUT[1] => (Wish::NotOut, 1),
                    0 | 1 => (Wish::In, 1),
                    2 => (Wish::Neither, 2),
                    _ => (Wish::Out, 0),
                };
                (*of, wish, pick(rng, status.1[at]))
            })
            .collect();
        let (mut cells, mut said) = (Vec::new(), Vec::new());
        for (_, of) in &values {
            let person = match of {
                Of::Anything => rng.u32(..PEOPLE),
                Of::Addresses => rng.u32(..PEOPLE / 2) * 2 + 1,
                Of::Numbers | Of::First | Of::Second => rng.u32(..PEOPLE / 2) * 2,
            };
            let value = spelt(rng, person, true);
            let is_local = !value.contains('@') && crm_values::digits(&value).len() == 7;
            let is_of = |spoken: &Of| *spoken == Of::Anything || spoken == of;
            let wish = spoken.iter().find(|(spoken, ..)| is_of(spoken));
            let wish = wish.map_or(Wish::Unsaid, |(_, wish, _)| *wish);
            said.push(((person, is_local), wish));
            cells.push(value);
        }
        cells.push(date(rng, form, day));
        cells.extend(spoken.iter().map(|(.., word)| (*word).to_owned()));
        if has_note {
            cells.push(pick(rng, &["Ada", "Ada, B.", "A; B", "Zoë"]).to_owned());
        }
        if has_flag {
            cells.push(pick(rng, &["TRUE", "FALSE"]).to_owned());
        }
        if has_id {
            cells.insert(0, rng.u32(100..999).to_string());
        }
        lines.push(cells);
        rows.push(GeneratedRow { values: said, day, is_of_opt_outs });
    }
    (header, lines, rows)
}

pub(super) fn list(rng: &mut Rng) -> Generated {
    let (header, lines, rows) = table(rng);
    if rng.u8(..8) == 0 {
        let object = |cells: &Vec<String>| {
            let members = header.iter().zip(cells);
            let members = members.map(|(name, cell)| ((*name).to_owned(), cell.clone().into()));
            serde_json::Value::Object(members.collect()).to_string()
        };
        let lines: Vec<_> = lines.iter().map(object).collect();
        return Generated {
            bytes: lines.join("\n").into_bytes(),
            is_windows_1252: false,
            is_ndjson: true,
            rows,
        };
    }
    let delimiter = pick(rng, &[",", ";", "\t", "|"]);
    let quoted = |cell: &str| {
        let needs_quotes = cell.contains([',', ';', '|', '\t', '"', ' ']);
        if needs_quotes { format!("\"{cell}\"") } else { cell.to_owned() }
    };
    let mut text = Vec::new();
    if rng.u8(..6) == 0 {
        text.push(format!("sep={delimiter}"));
    }
    let header: Vec<_> = header.iter().map(|cell| quoted(cell)).collect();
    text.push(header.join(delimiter));
    for cells in lines {
        let cells: Vec<_> = cells.iter().map(|cell| quoted(cell)).collect();
        text.push(cells.join(delimiter));
    }
    let end = pick(rng, &["\n", "\r\n", "\r"]);
    let text = text.join(end) + end;
    let utf_16 = |bytes: fn(u16) -> [u8; 2]| {
        let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
        units.flat_map(bytes).collect()
    };
    let (windows, _, is_lossy) = encoding_rs::WINDOWS_1252.encode(&text);
    let (bytes, is_windows_1252) = match rng.u8(..6) {
        0 => (format!("\u{feff}{text}").into_bytes(), false),
        1 => (utf_16(u16::to_le_bytes), false),
        2 => (utf_16(u16::to_be_bytes), false),
        3 if !is_lossy => (windows.into_owned(), true),
        _ => (text.into_bytes(), false),
    };
    Generated { bytes, is_windows_1252, is_ndjson: false, rows }
}
