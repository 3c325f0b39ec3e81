//! The numbers and addresses of a list, and which of them matches a value of the tenant.

use std::collections::HashMap;

use crm_mirror::keys::{Keys, is_unreadable, local_digits};
use crm_values::{Traces, lookup_names};

/// The place of a number or an address in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place(pub(super) usize);

/// A number or an address of a row.
#[derive(Debug)]
pub(super) struct Sought {
    pub(super) row: u64,
    pub(super) found: bool,
    /// Its place in [`Listed::columns`].
    column: u32,
}

/// The places of a name. Most names have one, and a list may have a million: so that one takes no
/// room of its own.
#[derive(Debug)]
enum Places {
    One(Place),
    Several(Vec<Place>),
}

impl Places {
    fn as_slice(&self) -> &[Place] {
        match self {
            Self::One(place) => std::slice::from_ref(place),
            Self::Several(places) => places,
        }
    }
}

/// The places of the list by their names.
#[derive(Debug, Default)]
struct Names(HashMap<Box<str>, Places>);

impl Names {
    fn add(&mut self, name: &str, place: Place) {
        match self.0.get_mut(name) {
            None => {
                self.0.insert(name.into(), Places::One(place));
            }
            Some(Places::Several(places)) => places.push(place),
            Some(one) => *one = Places::Several(vec![one.as_slice()[0], place]),
        }
    }

    fn get(&self, name: &str) -> Option<&[Place]> {
        self.0.get(name).map(Places::as_slice)
    }
}

/// Everything that a list names, indexed by the keys it is compared by.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) sought: Vec<Sought>,
    /// The columns of the list that have numbers or addresses.
    columns: Vec<String>,
    /// By the first reading.
    same: Names,
    /// By the second reading.
    otherwise: Names,
    /// By the names that may occur in a text.
    named: Names,
    /// Whole numbers by their last digits, which are those of a local number.
    whole: Names,
    /// Local numbers by their digits.
    local: Names,
    pub(super) has_numbers: bool,
}

/// How a value of the tenant is related to the list.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// The value is this number or address.
    Same(&'a [Place]),
    /// The value may be one of these, and only a person can decide: one side is incomplete, cannot
    /// be read, or can be read in two ways.
    LookAt(Vec<Place>),
    /// The value is not in the list.
    None,
}

/// How many digits a local number has.
const LOCAL_DIGITS: usize = 7;

impl Listed {
    pub(super) fn add(&mut self, row: u64, column: String, keys: &Keys) {
        let place = Place(self.sought.len());
        let known = self.columns.iter().position(|known| *known == column);
        let column = known.unwrap_or_else(|| {
            self.columns.push(column);
            self.columns.len() - 1
        });
        let column = u32::try_from(column).unwrap_or(u32::MAX);
        self.sought.push(Sought { row, column, found: false });
        self.has_numbers |= keys.is_number();
        match local_digits(&keys.key) {
            Some(digits) => self.local.add(digits, place),
            None => {
                for name in lookup_names(&keys.key) {
                    self.named.add(name, place);
                }
                if let Some(digits) = last_digits(&keys.key) {
                    self.whole.add(digits, place);
                }
            }
        }
        if let Some(otherwise) = &keys.otherwise {
            self.otherwise.add(otherwise, place);
        }
        self.same.add(&keys.key, place);
    }

    /// The column in which a number or an address stands.
    pub(super) fn column(&self, sought: &Sought) -> &str {
        self.columns.get(sought.column as usize).map_or("", String::as_str)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sought.is_empty()
    }

    /// Looks up a value of the tenant in the list.
    pub(super) fn find(&self, keys: &Keys) -> Found<'_> {
        if let Some(same) = self.same.get(&keys.key) {
            return Found::Same(same);
        }
        let mut near = Vec::new();
        let mut take = |places: Option<&[Place]>| near.extend(places.into_iter().flatten());
        if let Some(digits) = local_digits(&keys.key) {
            take(self.whole.get(digits));
        } else if !is_unreadable(&keys.key) {
            take(self.otherwise.get(&keys.key));
            take(last_digits(&keys.key).and_then(|digits| self.local.get(digits)));
        }
        let texts = [Some(&keys.key), keys.otherwise.as_ref()].into_iter().flatten();
        for text in texts.filter(|text| is_unreadable(text)) {
            for name in Traces::of(text).candidates() {
                take(self.named.get(name));
                take(self.local.get(name));
            }
        }
        take(keys.otherwise.as_ref().and_then(|key| self.same.get(key)));
        near.sort_unstable();
        near.dedup();
        if near.is_empty() { Found::None } else { Found::LookAt(near) }
    }
}

/// The digits of a whole number within its area.
fn last_digits(key: &str) -> Option<&str> {
    if key.contains('@') { None } else { key.get(key.len().checked_sub(LOCAL_DIGITS)?..) }
}

#[cfg(test)]
mod tests {
    use crm_values::PhoneReader;

    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    enum Kind {
        Same,
        LookAt,
        None,
    }

    fn kind(listed: &str, stored: &str) -> Kind {
        let reader = PhoneReader::default();
        let mut list = Listed::default();
        list.add(1, "phone".to_owned(), &Keys::listed(listed, reader).unwrap());
        match list.find(&Keys::of(stored, reader)) {
            Found::Same(_) => Kind::Same,
            Found::LookAt(_) => Kind::LookAt,
            Found::None => Kind::None,
        }
    }

    #[test]
    fn a_value_is_the_listed_one_may_be_it_or_is_another() {
        for (listed, stored, expected) in [
            ("818-555-0142", "+1 (818) 555-0142", Kind::Same),
            ("818-555-0142", "8185550142 x12", Kind::Same),
            ("8185550142,,12", "8185550142", Kind::Same),
            ("+44 (0)20 7946 0958", "442079460958", Kind::Same),
            ("0044 20 7946 0958", "+44 20 7946 0958", Kind::Same),
            ("011 44 20 7946 0958", "+442079460958", Kind::Same),
            ("555-0142", "5550142", Kind::Same),
            ("ada@xn--bcher-kva.example", "Ada@BÜCHER.example", Kind::Same),
            // One side is incomplete or cannot be read.
            ("555-0142", "8185550142", Kind::LookAt),
            ("555-0142", "Unit 4 818-555-0142", Kind::LookAt),
            ("818-555-0142", "555-0142", Kind::LookAt),
            ("818-555-0142", "Unit 4 818-555-0142", Kind::LookAt),
            ("818-555-0142", "818-555-0142 8am-5pm", Kind::LookAt),
            ("818-555-0142", "818-555-0142*12", Kind::LookAt),
            ("818-555-0142", "818555014212", Kind::LookAt),
            ("818-555-0142", "８１８555014212", Kind::LookAt),
            ("ada@site.example", "ada＠site.example", Kind::LookAt),
            ("818-555-0142", "81855501427", Kind::LookAt),
            ("+44 20 7946 0958", "02079460958", Kind::LookAt),
            ("ada@site.example", "ada@si\u{200B}te.example", Kind::LookAt),
            ("ada@site.example", "'ada@site.example", Kind::LookAt),
            ("ada@site.example", "Ada <ada@site.example>", Kind::LookAt),
            // Two readings.
            ("+65 6123 4567", "6561234567", Kind::LookAt),
            ("6561234567", "+65 6123 4567", Kind::LookAt),
            ("6561234567", "656-123-4567", Kind::Same),
            // Others, also where they share seven digits.
            ("818-555-0142", "2135550142", Kind::None),
            ("555-0142", "555-0143", Kind::None),
            ("818-555-0142", "front desk", Kind::None),
            ("ada@site.example", "bada@site.example", Kind::None),
        ] {
            assert_eq!(kind(listed, stored), expected, "{listed}: {stored}");
        }
    }
}
