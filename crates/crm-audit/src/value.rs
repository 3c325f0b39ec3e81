//! What is wrong with a number or an address by itself.

use crm_models::{ContactChange, ContactType};
use crm_values::{Email, PhoneReader, Readings, is_assigned};

use crate::{fault::Fault, record::Record, rule::Rule, words::Words};

/// Hands what is wrong with the value of a contact to `fault`.
pub(crate) fn examine(
    record: &Record,
    reader: PhoneReader,
    words: &Words,
    mut fault: impl FnMut(Fault),
) {
    let contact = &record.contact;
    let value = contact.value.as_str();
    let is_email = contact.contact_type == ContactType::Email;
    if !is_email && !contact.contact_type.is_phone() {
        return;
    }
    if record.is_placeholder {
        return fault(Fault::tells(Rule::Placeholder, value));
    }
    let Some(key) = record.key() else {
        if is_several(value, reader) {
            return fault(Fault::tells(Rule::TwoValues, value));
        }
        let why = if is_email { Email::read(value).err() } else { reader.phone(value).err() };
        let why = why.map_or_else(String::new, |why| format!("{value}: {why}"));
        return fault(Fault::tells(Rule::Malformed, why));
    };
    if key.contains('@') {
        if words.is_throw_away(key) {
            fault(Fault::tells(Rule::ThrowAway, value));
        }
        if !is_email {
            let change = ContactChange::new().contact_type(ContactType::Email);
            let detail = format!("{} {value}", contact.contact_type);
            fault(Fault::tells(Rule::EmailInPhone, detail).proposes(change));
        }
        return;
    }
    if is_email {
        return fault(Fault::tells(Rule::WrongType, value));
    }
    if is_fictional(key) {
        fault(Fault::tells(Rule::Fictional, value));
    }
    if !is_assigned(key) && !record.otherwise().is_some_and(is_assigned) {
        fault(Fault::tells(Rule::Unassigned, value));
    }
    if let Some(digits) = spelled_as_digits(value, key, reader) {
        let detail = format!("{value} → {digits}");
        fault(Fault::tells(Rule::Spelling, detail).proposes(ContactChange::new().value(digits)));
    }
}

/// The number as it should be stored, if it is not stored so.
fn spelled_as_digits(value: &str, key: &str, reader: PhoneReader) -> Option<String> {
    // Nearly every number of North America: it need not be read once more.
    if key.strip_prefix('1') == Some(value) {
        return None;
    }
    let phone = reader.phone(value).ok()?;
    phone.stored_whole().filter(|digits| *digits != value).map(str::to_owned)
}

/// Whether nobody can have the number: in North America, 555-0100 to 555-0199 of every area.
fn is_fictional(key: &str) -> bool {
    key.len() == 11 && key.starts_with('1') && key[4..].starts_with("55501")
}

/// Whether a text that is no value has two values in it, one before and one behind some separator.
fn is_several(text: &str, reader: PhoneReader) -> bool {
    let is_value = |text: &str| {
        let text = text.trim_matches(|c: char| c.is_whitespace() || ",;/|&+".contains(c));
        Readings::of(text, reader).is_ok()
    };
    let separators = text.char_indices().filter(|(_, c)| c.is_whitespace() || ",;/|&".contains(*c));
    for (at, _) in separators {
        let (before, behind) = text.split_at(at);
        let behind = behind.trim_start_matches(|c: char| c.is_whitespace() || ",;/|&".contains(c));
        let behind =
            ["or ", "and "].iter().find_map(|word| behind.strip_prefix(word)).unwrap_or(behind);
        // The second may be followed by a third.
        if is_value(before) && (is_value(behind) || is_several(behind, reader)) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_values_in_one_field_are_seen_whatever_is_between_them() {
        let reader = PhoneReader::default();
        for text in [
            "818-200-1111 / 818-200-2222",
            "8182001111 8182002222",
            "(818) 200-1111, (818) 200-2222",
            "818-200-1111 or 818-200-2222",
            "ada@site.example; bo@site.example",
            "ada@site.example bo@site.example cy@site.example",
            "ada@site.example / 818-200-1111",
        ] {
            assert!(is_several(text, reader), "{text}");
        }
        for text in ["818-200-1111", "818 200 1111", "call Ana", "818-200-1111 / Ana", "", " ; "] {
            assert!(!is_several(text, reader), "{text}");
        }
    }
}
