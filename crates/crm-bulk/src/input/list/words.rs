//! The words of a header.

/// Words that say nothing beside others, as in `Mobile No.`.
const SILENT: [&str; 5] = ["number", "no", "num", "nr", "nbr"];

/// The words of a header in lower case and in the singular, without digits and what stands in
/// parentheses: `Phone #`, `PHONES`, `phone_2` and `Phone (home)` are one.
pub(super) fn words(header: &str) -> Vec<String> {
    let words = all_words(header);
    let telling = words.iter().filter(|word| !SILENT.contains(&word.as_str()));
    let telling: Vec<_> = telling.cloned().collect();
    if telling.is_empty() { words } else { telling }
}

/// As [`words`], those too that say nothing beside others.
fn all_words(header: &str) -> Vec<String> {
    split(header).iter().map(|word| singular(word).to_owned()).collect()
}

/// The words of a text in lower case, without digits and what stands in parentheses.
pub(super) fn split(header: &str) -> Vec<String> {
    let mut letters = String::new();
    let (mut after_lower, mut after_upper, mut in_parentheses) = (false, false, false);
    let mut after_digit = false;
    let mut rest = header.chars();
    while let Some(character) = rest.next() {
        // As in `2nd Phone`.
        if after_digit && is_ordinal(character, rest.as_str()) {
            rest.next();
            after_digit = false;
            continue;
        }
        after_digit = character.is_ascii_digit();
        match character {
            '(' => in_parentheses = true,
            ')' => in_parentheses = false,
            _ => {}
        }
        // `homePhone` is two words, and so is `SMSOptOut`, but not `SMSs`.
        let mut next = rest.clone();
        let mut is_lower = || next.next().is_some_and(char::is_lowercase);
        let begins =
            character.is_uppercase() && (after_lower || (after_upper && is_lower() && is_lower()));
        if !character.is_alphabetic() || begins {
            letters.push(' ');
        }
        if character.is_alphabetic() && !in_parentheses {
            letters.extend(character.to_lowercase());
        }
        after_lower = character.is_lowercase();
        after_upper = character.is_uppercase();
    }
    letters.split_whitespace().map(str::to_owned).collect()
}

/// Whether the letters behind a digit are the end of an ordinal number.
fn is_ordinal(first: char, rest: &str) -> bool {
    let mut rest = rest.chars();
    let letters = [Some(first), rest.next()].map(|letter| letter.map(|l| l.to_ascii_lowercase()));
    let is_end = ["st", "nd", "rd", "th"].iter().any(|end| end.chars().map(Some).eq(letters));
    is_end && !rest.next().is_some_and(char::is_alphabetic)
}

/// A word without its `s`.
pub(super) fn singular(word: &str) -> &str {
    let after_hiss = word.strip_suffix("es").filter(|stem| stem.ends_with(['s', 'x']));
    // Not so `status` and `sms`.
    let after_letter =
        word.strip_suffix('s').filter(|stem| stem.len() > 2 && !stem.ends_with(['s', 'u']));
    after_hiss.or(after_letter).unwrap_or(word)
}
