//! Generated lists against a tenant whose values are spelt at random: nobody is opted out against
//! their status, no stranger is, and nobody is missed without being told.

use std::{collections::BTreeMap, io::Cursor};

use fastrand::Rng;

use super::{
    judge,
    listed::{Found, Listed, Place},
    wishes::Wishes,
};
use crate::{
    Input,
    input::{Entries, ListOptions, Wish},
    reading::Keys,
};

/// How many lists; the seed repeats them.
const LISTS: u64 = 1_500;
const PEOPLE: u32 = 24;

fn pick<'a, T: ?Sized>(rng: &mut Rng, of: &[&'a T]) -> &'a T {
    of[rng.usize(..of.len())]
}

/// A value of a person as somebody spelt it. An even person has a number, an odd one an address.
fn spelt(rng: &mut Rng, person: u32, in_list: bool) -> String {
    if !person.is_multiple_of(2) {
        let (name, upper) = (format!("ada{person}"), format!("ADA{person}"));
        let domain = [
            "bücher.example",
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
            _ => address,
        };
    }
    if person.is_multiple_of(6) {
        let line = format!("{:04}", person);
        let ways = [
            "+44 20 7946 ",
            "0044 20 7946 ",
            "011 44 20 7946 ",
            "+44 (0)20 7946 ",
            "44207946",
        ];
        return format!("{}{line}", pick(rng, &ways));
    }
    let (area, exchange, line) = ("818", "555", format!("{person:04}"));
    let number = match rng.u8(..9) {
        0 => format!("({area}) {exchange}-{line}"),
        1 => format!("{area}.{exchange}.{line}"),
        2 => format!("+1 {area} {exchange} {line}"),
        3 => format!("1-{area}-{exchange}-{line}"),
        4 => format!("001 {area} {exchange} {line}"),
        5 => format!("{area}\u{a0}{exchange}\u{2011}{line}"),
        _ => format!("{area}{exchange}{line}"),
    };
    let behind = match rng.u8(..14) {
        0 => " x12",
        1 => ",,12",
        2 => "*12",
        3 => "~12",
        4 => "/12",
        5 => " 8am-5pm",
        6 => " ext. 7",
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

/// A column that says what people wish, and the words that it uses.
struct StatusColumn {
    header: &'static str,
    out: &'static [&'static str],
    into: &'static [&'static str],
    neither: &'static [&'static str],
}

const fn column(
    header: &'static str,
    out: &'static [&'static str],
    into: &'static [&'static str],
    neither: &'static [&'static str],
) -> StatusColumn {
    StatusColumn {
        header,
        out,
        into,
        neither,
    }
}

const STATUSES: [StatusColumn; 6] = [
    column(
        "status",
        &["opt-out", "UNSUBSCRIBED", "STOP"],
        &["opt-in", "SUBSCRIBED", "START"],
        &["", "pending", "NEVER SUBSCRIBED"],
    ),
    column("DND", &["yes", "TRUE", "1"], &["No", "false", "0"], &[""]),
    column("Opted Out", &["yes", "Y"], &["no", "N"], &[""]),
    column("Unsubscribed", &["TRUE"], &["FALSE"], &[""]),
    column("Consent", &["no", "FALSE"], &["yes", "TRUE"], &[""]),
    column("Accepts Marketing", &["no"], &["yes"], &[""]),
];

/// A person, and whether the value lacks the area code: nobody can say that it is the same number
/// then.
type Whose = (u32, bool);

struct Generated {
    text: Vec<u8>,
    /// What each row says of whom, and on which day.
    rows: Vec<(Whose, Wish, u8)>,
}

fn list(rng: &mut Rng) -> Generated {
    let delimiter = pick(rng, &[",", ";", "\t", "|"]);
    let status = rng.bool().then(|| &STATUSES[rng.usize(..STATUSES.len())]);
    let value = pick(rng, &["value", "Number", "VALUES"]);
    let (has_id, has_note) = (rng.bool(), rng.bool());
    let quoted = |cell: &str| match cell.contains([',', ';', '|', '\t', '"', ' ']) {
        true => format!("\"{cell}\""),
        false => cell.to_owned(),
    };
    let mut header = vec![value, "received"];
    if has_id {
        header.insert(0, "id");
    }
    if has_note {
        header.push("First Name");
    }
    if let Some(status) = status {
        header.push(status.header);
    }
    let mut lines = vec![
        header
            .iter()
            .map(|cell| quoted(cell))
            .collect::<Vec<_>>()
            .join(delimiter),
    ];
    let mut rows = Vec::new();
    for _ in 0..rng.usize(1..12) {
        let (person, day) = (rng.u32(..PEOPLE), rng.u8(1..29));
        let value = spelt(rng, person, true);
        let whose = (person, crm_values::digits(&value).len() == 7);
        let mut cells = vec![quoted(&value), format!("2026-06-{day:02}")];
        if has_id {
            cells.insert(0, rng.u32(100..999).to_string());
        }
        if has_note {
            cells.push(quoted(pick(rng, &["Ada", "Ada, B.", "A; B"])));
        }
        let wish = match status {
            None => Wish::Unsaid,
            Some(status) => {
                let (wish, words) = match rng.u8(..5) {
                    0 | 1 => (Wish::In, status.into),
                    2 => (Wish::Neither, status.neither),
                    _ => (Wish::Out, status.out),
                };
                cells.push(pick(rng, words).to_owned());
                wish
            }
        };
        rows.push((whose, wish, day));
        lines.push(cells.join(delimiter));
    }
    let text = lines.join(pick(rng, &["\n", "\r\n"])) + "\n";
    let text = match rng.u8(..4) {
        0 => format!("\u{feff}{text}").into_bytes(),
        1 => {
            let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
            units.flat_map(u16::to_le_bytes).collect()
        }
        _ => text.into_bytes(),
    };
    Generated { text, rows }
}

#[test]
fn nobody_is_opted_out_against_their_word_or_missed_without_being_told() {
    let mut rng = Rng::with_seed(7);
    let options = ListOptions::default();
    let (mut opted_out, mut refused, mut looked_at) = (0, 0, 0);
    for at in 0..LISTS {
        let Generated { text, rows } = list(&mut rng);
        let shown = String::from_utf8_lossy(&text).into_owned();
        // Two contacts of each person, and each other one has its own spelling.
        let tenant: Vec<_> = (0..PEOPLE * 2)
            .map(|contact| (contact % PEOPLE, spelt(&mut rng, contact % PEOPLE, false)))
            .collect();
        let read = Entries::read(Input::csv("list", Cursor::new(text)), &options);
        let Ok(entries) = read else {
            refused += 1;
            continue;
        };
        assert_eq!(entries.entries.len(), rows.len(), "{at}: {shown}");
        let is_wrong: Vec<_> = entries
            .entries
            .iter()
            .map(|entry| entry.values.is_err())
            .collect();
        let wishes = Wishes::of(&entries.entries, Wish::Out);
        let mut listed = Listed::default();
        for (row, entry) in (0_u64..).zip(entries.entries) {
            let judged = entry
                .values
                .and_then(|values| judge(entry.line, &wishes, values));
            for value in judged.map(|(values, _)| values).unwrap_or_default() {
                listed.add(row, value.column, value.keys);
            }
        }
        // What the rows that could be read say in the end: the latest day wins, then out.
        let mut last = BTreeMap::<Whose, (u8, bool)>::new();
        for ((whose, wish, day), _) in rows.iter().zip(&is_wrong).filter(|(_, wrong)| !**wrong) {
            let is_out = match wish {
                Wish::Out | Wish::Unsaid => true,
                Wish::In => false,
                Wish::Neither => continue,
            };
            let entry = last.entry(*whose).or_insert((*day, is_out));
            *entry = (*entry).max((*day, is_out));
        }
        let found: Vec<_> = tenant
            .iter()
            .map(|(person, value)| {
                let keys = Keys::of(value, options.reader);
                match listed.find(&keys) {
                    Found::Same(places) => (*person, value, places.to_vec(), true),
                    Found::LookAt(places) => (*person, value, places, false),
                    Found::None => (*person, value, Vec::new(), false),
                }
            })
            .collect();
        let row_of = |place: &Place| usize::try_from(listed.sought[place.0].row).unwrap();
        for (person, value, places, is_same) in &found {
            let says_out = |whose: &Whose| last.get(whose).is_some_and(|(_, is_out)| *is_out);
            let whose = |place: &Place| rows[row_of(place)].0;
            if *is_same {
                opted_out += 1;
                let is_right = |place: &Place| whose(place).0 == *person && says_out(&whose(place));
                assert!(places.iter().all(is_right), "{at}: {value}: {shown}");
                continue;
            }
            if !places.is_empty() {
                looked_at += 1;
                continue;
            }
            // That a row was found nowhere, or is wrong, is told.
            let found_for = |whose_row: Whose| {
                let is_for = |place: &Place| whose(place) == whose_row;
                let same = found.iter().filter(|(.., is_same)| *is_same);
                same.flat_map(|(_, _, places, _)| places).any(is_for)
            };
            for whose_row in [(*person, false), (*person, true)] {
                let is_silent = says_out(&whose_row) && found_for(whose_row);
                assert!(!is_silent, "{at}: {value} is missed in silence: {shown}");
            }
        }
    }
    assert!(
        opted_out > 2_000 && looked_at > 500,
        "{opted_out} {looked_at}"
    );
    assert!(refused < LISTS / 100, "{refused} lists refused");
}
