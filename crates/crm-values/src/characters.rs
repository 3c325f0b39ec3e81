//! Characters: which are invisible, and which are another form of an ASCII character.

/// The zeros of the decimal digits in Unicode's Basic Multilingual Plane. In each script the other
/// nine digits follow the zero.
const ZEROS: [char; 36] = [
    '0', '\u{0660}', '\u{06F0}', '\u{07C0}', '\u{0966}', '\u{09E6}', '\u{0A66}', '\u{0AE6}',
    '\u{0B66}', '\u{0BE6}', '\u{0C66}', '\u{0CE6}', '\u{0D66}', '\u{0DE6}', '\u{0E50}', '\u{0ED0}',
    '\u{0F20}', '\u{1040}', '\u{1090}', '\u{17E0}', '\u{1810}', '\u{1946}', '\u{19D0}', '\u{1A80}',
    '\u{1A90}', '\u{1B50}', '\u{1BB0}', '\u{1C40}', '\u{1C50}', '\u{A620}', '\u{A8D0}', '\u{A900}',
    '\u{A9D0}', '\u{A9F0}', '\u{AA50}', '\u{FF10}',
];

/// Whether a character takes up no room on the screen or only affects how others are shown: control
/// characters except white space, and Unicode's default ignorable code points, among them the
/// zero-width space, the marks of writing direction, the byte order mark and the soft hyphen.
///
/// Two texts that differ only in such a character look the same to a person but not to a program.
///
/// ```
/// use crm_values::is_invisible;
///
/// assert!(is_invisible('\u{200B}') && is_invisible('\u{202E}') && is_invisible('\0'));
/// assert!(!is_invisible('a') && !is_invisible('\t') && !is_invisible('\u{A0}'));
/// ```
#[must_use]
pub fn is_invisible(character: char) -> bool {
    match character {
        '\u{AD}'
        | '\u{34F}'
        | '\u{61C}'
        | '\u{115F}'
        | '\u{1160}'
        | '\u{17B4}'
        | '\u{17B5}'
        | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}'
        | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}' => true,
        _ => character.is_control() && !character.is_whitespace(),
    }
}

/// The ASCII character of which this one is another form: a full-width form, a decimal digit of any
/// script, a blank of any width, a dash of any length. Any other character is returned unchanged,
/// including superscripts and circled digits: they are notes beside a number, not part of it.
pub(crate) fn folded(character: char) -> char {
    if let Some(digit) = decimal_digit(character) {
        return digit;
    }
    match character {
        '\u{FF01}'..='\u{FF5E}' => {
            char::from_u32(u32::from(character) - 0xFF01 + 0x21).unwrap_or(character)
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' => '-',
        // Two lines or two cells are not one value.
        '\t' | '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => character,
        _ if character.is_whitespace() => ' ',
        _ => character,
    }
}

fn decimal_digit(character: char) -> Option<char> {
    if character.is_ascii() {
        return Some(character).filter(char::is_ascii_digit);
    }
    let zero = ZEROS.iter().rfind(|zero| **zero <= character).map(|zero| u32::from(*zero))?;
    let value = u32::from(character) - zero;
    char::from_digit(value.min(10), 10)
}

/// Returns the decimal digits of a text, of any script, as ASCII digits.
///
/// This is for searching texts that cannot be read as a number; it does not show where one number
/// ends and the next begins.
///
/// ```
/// assert_eq!(crm_values::digits("Ana: (818) 555-0142"), "8185550142");
/// assert_eq!(crm_values::digits("213-555-0177²"), "2135550177");
/// ```
#[must_use]
pub fn digits(text: &str) -> String {
    text.chars().filter_map(decimal_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_digits_of_each_script_are_folded_and_nothing_else_is() {
        for zero in ZEROS {
            for value in 0..10 {
                let digit = char::from_u32(u32::from(zero) + value).unwrap();
                assert_eq!(folded(digit), char::from_digit(value, 10).unwrap(), "{digit}");
            }
        }
        assert!(ZEROS.is_sorted(), "the search takes the last zero before a character");
        for other in ['²', '①', '½', 'Ⅷ', '〇', '/', ':', 'x', '\u{066A}', '\u{FF1A}'] {
            assert!(!folded(other).is_ascii_digit(), "{other}");
        }
    }

    #[test]
    fn width_blanks_and_dashes_are_folded() {
        for (wide, ascii) in [
            ('＋', '+'),
            ('（', '('),
            ('ｅ', 'e'),
            ('\u{3000}', ' '),
            ('\u{A0}', ' '),
            ('\u{202F}', ' '),
            ('–', '-'),
            ('−', '-'),
            ('＠', '@'),
        ] {
            assert_eq!(folded(wide), ascii, "{wide:?}");
        }
        for between in ['\t', '\n'] {
            assert_eq!(folded(between), between, "two cells or lines are not one");
        }
    }
}
