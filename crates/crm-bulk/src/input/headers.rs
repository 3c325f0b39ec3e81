//! What the columns of a list hold, as their headers say.

/// What a column of a list holds, as its header says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
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
pub(super) const NUMBER_ENDS: [&str; 4] = ["phone", "mobile", "cell", "fax"];
/// Headers of the column with the date on which the wish was received.
const RECEIVED: [&str; 4] = ["received", "date received", "received on", "date"];
/// Words that say nothing beside others, as in `Mobile No.`.
const SILENT: [&str; 5] = ["number", "no", "num", "nr", "nbr"];

/// The words of a header in lower case and in the singular, without digits and what stands in
/// parentheses: `Phone #`, `PHONES`, `phone_2` and `Phone (home)` are one.
pub(super) fn words(header: &str) -> Vec<String> {
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
    pub(super) fn of(header: &str) -> Self {
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

    pub(super) fn is_value(self) -> bool {
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
}
