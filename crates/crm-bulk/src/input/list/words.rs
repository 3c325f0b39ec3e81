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
pub(super) fn all_words(header: &str) -> Vec<String> {
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
    let words = letters.split_whitespace().map(singular);
    words.map(str::to_owned).collect()
}

fn singular(word: &str) -> &str {
    let after_hiss = word.strip_suffix("es").filter(|stem| stem.ends_with(['s', 'x']));
    // Not so `status` and `sms`.
    let after_letter =
        word.strip_suffix('s').filter(|stem| stem.len() > 2 && !stem.ends_with(['s', 'u']));
    after_hiss.or(after_letter).unwrap_or(word)
}
