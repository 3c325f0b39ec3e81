//! Texts in CSV files that are opened with spreadsheet programs.

use std::borrow::Cow;

/// What makes a spreadsheet program take a text for something else.
const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

/// Returns a text as a CSV cell that no spreadsheet program takes for a formula: if it begins like
/// one, an apostrophe is put before it. Rows of changes are read without that apostrophe, so a text
/// that already looks as if it had one gets another.
///
/// ```
/// use crm_bulk::guarded;
///
/// assert_eq!(guarded("=1+1"), "'=1+1");
/// assert_eq!(guarded("'=1+1"), "''=1+1");
/// assert_eq!(guarded("Gate 4"), "Gate 4");
/// ```
#[must_use]
pub fn guarded(text: &str) -> Cow<'_, str> {
    let bare = text.trim_start_matches('\'');
    let has_guard = bare.len() < text.len();
    if bare.starts_with(FORMULA) || (has_guard && is_digits(bare)) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Like [`guarded`], but also guards a text that a spreadsheet program would take for a number and
/// write back differently: digits that begin with 0, or more digits than it calculates with.
///
/// ```
/// use crm_bulk::guarded_number;
///
/// assert_eq!(guarded_number("08155550142"), "'08155550142");
/// assert_eq!(guarded_number("8185550142"), "8185550142");
/// ```
#[must_use]
pub fn guarded_number(text: &str) -> Cow<'_, str> {
    if is_digits(text) && text.len() > 1 && (text.starts_with('0') || text.len() > SHOWN) {
        Cow::Owned(format!("'{text}"))
    } else {
        guarded(text)
    }
}

/// How many digits of a number spreadsheet programs show before they round it.
const SHOWN: usize = 11;

/// The text of a cell without the apostrophe of [`guarded`] or [`guarded_number`].
pub(crate) fn unguarded(cell: &str) -> &str {
    let Some(text) = cell.strip_prefix('\'') else {
        return cell;
    };
    let bare = text.trim_start_matches('\'');
    if bare.starts_with(FORMULA) || is_digits(bare) { text } else { cell }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_is_taken_off_again_whatever_the_text() {
        let mut texts = vec![String::new()];
        for _ in 0..4 {
            let longer = texts.iter().flat_map(|text| {
                ["'", "=", "+", "a", "0", "\t"].map(|next| format!("{text}{next}"))
            });
            texts = longer.chain(texts.clone()).collect();
        }
        for text in &texts {
            for guarded in [guarded(text), guarded_number(text)] {
                assert!(!guarded.starts_with(FORMULA), "{text:?}");
                assert_eq!(unguarded(&guarded), text, "{text:?}");
            }
        }
    }

    #[test]
    fn what_nobody_guards_is_read_as_it_is() {
        for text in ["'quoted'", "it's", "'90s bike", "8185550142", "", "'"] {
            assert_eq!(guarded(text), text);
            assert_eq!(unguarded(text), text);
        }
    }
}
