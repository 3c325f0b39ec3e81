//! Generated lists against a tenant whose values are spelt at random: nobody is opted out against
//! their status, no stranger is, and nobody is missed without a report.

mod lists;

use std::collections::BTreeMap;

use fastrand::Rng;

use self::lists::{GeneratedRow, PEOPLE, Whose, list, spelt};
use super::{
    listed::{Found, Listed, Place, Sought},
    wishes::Wishes,
};
use crate::{
    input::{Entries, ListOptions, Wish},
    keys::Keys,
    opt_out::judge,
};

/// How many lists, unless `LISTS` says otherwise; the seed repeats them.
fn how_many() -> u64 {
    let said = std::env::var("LISTS").ok();
    said.map_or(1_500, |lists| lists.parse().unwrap())
}

#[test]
fn nobody_is_opted_out_against_their_word_or_missed_without_being_told() {
    let mut rng = Rng::with_seed(7);
    let options = ListOptions::default();
    let (mut opted_out, mut refused, mut looked_at) = (0, 0, 0);
    for at in 0..how_many() {
        let generated = list(&mut rng);
        let (shown, rows) = (generated.shown(), &generated.rows);
        // Two contacts of each person, and each other one has its own spelling.
        let tenant: Vec<_> = (0..PEOPLE * 2)
            .map(|contact| (contact % PEOPLE, spelt(&mut rng, contact % PEOPLE, false)))
            .collect();
        let Ok(entries) = Entries::read(generated.input(), &options) else {
            refused += 1;
            continue;
        };
        assert_eq!(entries.entries.len(), rows.len(), "{at}: {shown}");
        let is_wrong: Vec<_> = entries.entries.iter().map(|entry| entry.values.is_err()).collect();
        let wishes = Wishes::of(&entries.entries, Wish::Out);
        let mut listed = Listed::default();
        for (row, entry) in (0_u64..).zip(entries.entries) {
            let judged = entry.values.and_then(|values| judge(entry.line, &wishes, values));
            for value in judged.map(|(values, _)| values).unwrap_or_default() {
                listed.add(row, value.column, value.keys);
            }
        }
        // What the rows that could be read say in the end: the latest day wins, then out.
        let mut last = BTreeMap::<Whose, (u8, bool)>::new();
        let right = rows.iter().zip(&is_wrong).filter(|(_, wrong)| !**wrong);
        for (row, (_, whose, wish)) in
            right.flat_map(|(row, _)| row.values.iter().map(move |v| (row, v)))
        {
            let is_out = match wish {
                Wish::Out | Wish::Unsaid => true,
                Wish::In => false,
                Wish::Neither => continue,
            };
            let entry = last.entry(*whose).or_insert((row.day, is_out));
            *entry = (*entry).max((row.day, is_out));
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
            let whose = |place: &Place| whose_of(&rows[row_of(place)], &listed.sought[place.0]);
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
    assert!(opted_out > how_many() && looked_at > how_many() / 3, "{opted_out} {looked_at}");
    assert!(refused <= how_many() / 100, "{refused} lists refused");
}

/// Whose value of a row it is that is sought.
fn whose_of(row: &GeneratedRow, sought: &Sought) -> Whose {
    let mut values = row.values.iter();
    values.find(|(column, ..)| *column == sought.column).unwrap().1
}
