//! Texts as they are searched: without case and diacritics.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The texts in a row, folded; `None` if they are ASCII, of which SQLite passes over the case.
pub(super) fn folded(texts: &[&str]) -> Option<String> {
    let is_ascii = texts.iter().all(|text| text.is_ascii());
    (!is_ascii).then(|| fold(&texts.concat()))
}

/// A text without case and diacritics, and in one form of each character.
pub(super) fn fold(text: &str) -> String {
    let letters = text.nfkd().filter(|c| !is_combining_mark(*c));
    letters.collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_alike_is_searched_alike() {
        assert_eq!(fold("Jörg SÉAMUS"), fold("Jo\u{308}rg séamus"));
        assert_eq!(folded(&["Dana", " Whitfield"]), None);
        assert_eq!(folded(&["Zoë", " Ng"]).as_deref(), Some("zoe ng"));
    }
}
