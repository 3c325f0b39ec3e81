//! What a memo holds that belongs elsewhere.

use crm_values::{Email, InvalidValue, PhoneReader};

use crate::{fault::Fault, rule::Rule, words::Words};

/// The fewest digits of a number: those within its area.
const LEAST_DIGITS: usize = 7;

/// Hands what is worth a look in a memo to `fault`.
pub(crate) fn examine(
    memo: &str,
    reader: PhoneReader,
    words: &Words,
    mut fault: impl FnMut(Fault),
) {
    if holds_value(memo, reader) {
        fault(Fault::tells(Rule::MemoValue, memo));
    }
    if let Some(wish) = words.wish(memo) {
        fault(Fault::tells(Rule::MemoWish, format!("{wish}: {memo}")));
    }
}

fn holds_value(memo: &str, reader: PhoneReader) -> bool {
    let is_address = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        word.contains('@') && Email::read(word).is_ok()
    };
    memo.split_whitespace().any(is_address) || numbers(memo).any(|text| is_number(text, reader))
}

/// The parts of a text that are written like a number.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(|c: char| !(c.is_ascii_digit() || " +-.()".contains(c)));
    let parts = parts.map(|part| part.trim_matches([' ', '-', '.']));
    parts.filter(|part| part.bytes().filter(u8::is_ascii_digit).count() >= LEAST_DIGITS)
}

/// Whether this is a whole number, or one within its area that is written as one: seven digits
/// alone may be anything.
fn is_number(text: &str, reader: PhoneReader) -> bool {
    match reader.phone(text) {
        Ok(_) => true,
        Err(InvalidValue::NoAreaCode) => {
            let (before, behind) = text.split_once(['-', '.']).unwrap_or_default();
            before.len() == 3 && behind.len() == 4
        }
        Err(_) => {
            // As in `4411 818-200-1111`: something else with digits is before it.
            let rest = text.split_once(' ').map(|(_, rest)| rest.trim_start());
            rest.is_some_and(|rest| is_number(rest, reader))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_an_address_in_a_memo_is_seen_and_other_digits_are_not() {
        let reader = PhoneReader::default();
        for memo in [
            "or call Bo, 818-200-2222",
            "(818) 200-2222",
            "wife 8182002222!",
            "Gate 4411 818.200.2222",
            "mother: 200-2222",
            "bills to <ada@site.example>",
        ] {
            assert!(holds_value(memo, reader), "{memo}");
        }
        for memo in
            ["Gate code 4411", "since 2026-05-27", "invoice 1234567", "@ the gate", "3 x 100", ""]
        {
            assert!(!holds_value(memo, reader), "{memo}");
        }
    }
}
