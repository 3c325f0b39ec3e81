//! The characters of a telephone number: what is written, before any country is considered.

use crate::{
    cell::{check_cell, is_amount},
    characters::{digits, folded, is_invisible},
    invalid_value::InvalidValue,
    link::without_scheme,
};

/// What separates a number from its extension, longer words first, because `ext` begins
/// `extension`. Two commas are pauses: the telephone waits before it continues dialling.
const EXTENSION_MARKS: [&str; 8] = [";ext=", "extension", "extn", "ext", "#", "x", ";", ",,"];
/// The longest extension. Anything with more digits is a second number.
const LONGEST_EXTENSION: usize = 6;
/// The minimum number of digits in a number: seven within its area.
const LEAST_DIGITS: usize = 7;

/// A text that contains only the characters of one telephone number.
pub(super) struct Written {
    pub(super) has_plus: bool,
    pub(super) digits: String,
    /// The position among the digits of a `(0)`, as in `+44 (0)20`: dialled only within the
    /// country.
    pub(super) zero_in_parentheses: Option<usize>,
    pub(super) extension: Option<String>,
    /// Whether the text consists of digits alone, as services store them.
    pub(super) is_bare: bool,
}

impl Written {
    /// Reads the characters. Letters stand for digits only if `vanity` is set.
    pub(super) fn read(text: &str, vanity: bool) -> Result<Self, InvalidValue> {
        let text = without_scheme(text);
        let text = text.trim();
        check(text)?;
        let folded: String = text.chars().map(folded).collect();
        let (number, extension) = if vanity {
            let (number, extension) = split_behind_letters(&folded)?;
            (dialled(number)?, extension)
        } else {
            let (number, extension) = split(&folded)?;
            (number.to_owned(), extension)
        };
        let mut written = Self::of_number(&number)?;
        written.is_bare &= extension.is_none();
        written.extension = extension;
        Ok(written)
    }

    /// Reads the part before the extension: digits and the punctuation between them.
    fn of_number(text: &str) -> Result<Self, InvalidValue> {
        let mut written = Self {
            has_plus: false,
            digits: String::new(),
            zero_in_parentheses: None,
            extension: None,
            is_bare: text.bytes().all(|b| b.is_ascii_digit()),
        };
        let mut opened_at = None;
        let mut slash_at = None;
        for character in text.chars() {
            let digits = written.digits.len();
            match character {
                '0'..='9' => written.digits.push(character),
                ' ' | '-' | '.' => {}
                '+' if digits == 0 && !written.has_plus => written.has_plus = true,
                '+' | '\n' | '\r' | '/' | ',' if digits >= LEAST_DIGITS => {
                    return Err(separated(text, character));
                }
                '(' if opened_at.is_none() => opened_at = Some(digits),
                ')' if opened_at.is_some() => {
                    let opened = opened_at.take().unwrap_or_default();
                    if written.digits[opened..] == *"0" {
                        written.zero_in_parentheses = Some(opened);
                    }
                }
                // As in 030/123456: after an area code.
                '/' if slash_at.is_none() && digits > 0 => slash_at = Some(digits),
                other => return Err(InvalidValue::Character(other)),
            }
        }
        if opened_at.is_some() {
            return Err(InvalidValue::Character('('));
        }
        // A slash is followed by the rest of the number, not by an alternative ending: 555-0142/43.
        if slash_at.is_some_and(|at| written.digits.len() - at < LEAST_DIGITS - 2) {
            return Err(InvalidValue::Character('/'));
        }
        if written.digits.is_empty() { Err(InvalidValue::NoDigits) } else { Ok(written) }
    }
}

/// Why a number cannot continue after this character.
fn separated(text: &str, character: char) -> InvalidValue {
    let behind = text.rsplit(character).next().unwrap_or_default();
    if behind.bytes().filter(u8::is_ascii_digit).count() >= LEAST_DIGITS {
        InvalidValue::Several
    } else {
        InvalidValue::Character(character)
    }
}

/// Refuses texts that are not a telephone number whatever their digits are.
fn check(text: &str) -> Result<(), InvalidValue> {
    if text.is_empty() {
        return Err(InvalidValue::Empty);
    }
    check_cell(text)?;
    if text.chars().any(is_invisible) {
        Err(InvalidValue::Invisible)
    } else if text.starts_with(['\'', '\u{2019}']) {
        Err(InvalidValue::Apostrophe)
    } else if text.starts_with('{') || text.starts_with('[') {
        Err(InvalidValue::NotText)
    } else if text.contains(['@', '＠']) {
        Err(InvalidValue::LooksLikeAddress)
    } else if is_amount(text) {
        Err(InvalidValue::Amount)
    } else {
        Ok(())
    }
}

/// The number, and the extension after it.
fn split(text: &str) -> Result<(&str, Option<String>), InvalidValue> {
    let begins_extension =
        |at: usize, c: char| c.is_alphabetic() || "#;".contains(c) || text[at..].starts_with(",,");
    let mark = text.char_indices().find(|(at, c)| begins_extension(*at, *c));
    let Some((at, first)) = mark else {
        return Ok((text, None));
    };
    let (mut number, mut behind) = text.split_at(at);
    // As in `818-555-0142 (ext. 7)`.
    if let (Some(outside), Some(inside)) =
        (number.trim_end().strip_suffix('('), behind.strip_suffix(')'))
    {
        (number, behind) = (outside, inside);
    }
    let unknown =
        if first.is_alphabetic() { InvalidValue::Letters } else { InvalidValue::Character(first) };
    let extension = extension(behind).ok_or(unknown)??;
    Ok((number, Some(extension)))
}

/// The extension after its mark; `None` when there is no known mark or other text follows it.
fn extension(text: &str) -> Option<Result<String, InvalidValue>> {
    let lower = text.to_ascii_lowercase();
    let behind = EXTENSION_MARKS.iter().find_map(|mark| lower.strip_prefix(mark))?;
    let digits = behind.trim_start_matches([' ', '.', ':', '#', ',', '-']).trim_end();
    if digits.is_empty() {
        return Some(Err(InvalidValue::NoExtension));
    }
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        let found = digits.bytes().filter(u8::is_ascii_digit).count();
        let is_number = found >= LEAST_DIGITS && !digits.contains(char::is_alphabetic);
        return is_number.then_some(Err(InvalidValue::Several));
    }
    Some(if digits.len() <= LONGEST_EXTENSION {
        Ok(digits.to_owned())
    } else {
        Err(InvalidValue::Several)
    })
}

/// Like [`split`], for a number whose letters stand for digits: only a last word can be the mark.
fn split_behind_letters(text: &str) -> Result<(&str, Option<String>), InvalidValue> {
    let last_word = text
        .char_indices()
        .rev()
        .skip_while(|(_, c)| !c.is_alphabetic() && *c != '#')
        .take_while(|(_, c)| c.is_alphabetic() || *c == '#')
        .last();
    let behind_word = last_word.map(|(at, _)| (at, extension(&text[at..])));
    match behind_word {
        Some((at, Some(extension))) => Ok((&text[..at], Some(extension?))),
        _ => Ok((text, None)),
    }
}

/// The number with its letters replaced by digits, as on the keys of a telephone. Letters may only
/// end a number that begins with digits and is not whole without them: `1-800-FLOWERS`, not
/// `Ana 555-0142` or `555-0142 Ana`.
fn dialled(number: &str) -> Result<String, InvalidValue> {
    let Some(letters) = number.find(char::is_alphabetic) else {
        return Ok(number.to_owned());
    };
    let before = digits(&number[..letters]);
    let before = before.strip_prefix('1').unwrap_or(&before).len();
    if !(3..LEAST_DIGITS).contains(&before) {
        return Err(InvalidValue::Letters);
    }
    let key = |character: char| match character.to_ascii_uppercase() {
        'A'..='C' => Ok('2'),
        'D'..='F' => Ok('3'),
        'G'..='I' => Ok('4'),
        'J'..='L' => Ok('5'),
        'M'..='O' => Ok('6'),
        'P'..='S' => Ok('7'),
        'T'..='V' => Ok('8'),
        'W'..='Z' => Ok('9'),
        other if other.is_alphabetic() => Err(InvalidValue::Letters),
        other => Ok(other),
    };
    number.chars().map(key).collect()
}
