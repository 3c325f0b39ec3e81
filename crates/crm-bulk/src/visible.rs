//! Texts from elsewhere, made safe to look at.
//!
//! A memo, a name or an error text may contain characters that are invisible and change the look of
//! what surrounds them: an escape sequence repaints the terminal, U+202E reverses the rest of a
//! line, and U+200B makes two different addresses look alike. Whoever approves a change must see
//! what is there, so each such character is written out.

use std::borrow::Cow;

use crm_values::is_invisible;
use unicode_properties::{GeneralCategoryGroup, UnicodeEmoji, UnicodeGeneralCategory};

/// Returns the text on one line, with every unseen character as a visible escape: `\u{202e}`, `\n`.
///
/// Unseen characters are control characters, line and paragraph separators, and what Unicode
/// ignores by default: directional marks, zero-width characters, tags, variation selectors. Joiners
/// between two letters are kept, since Persian or Hindi words need them, and so are emoji
/// sequences. Applying the function twice changes nothing more.
///
/// The result is for people; a program needs the original text.
///
/// ```
/// use crm_bulk::visible;
///
/// assert_eq!(visible("paid\u{202e}\u{1b}[2J"), "paid\\u{202e}\\u{1b}[2J");
/// assert_eq!(visible("می\u{200c}خواهم 👩\u{200d}🔧"), "می\u{200c}خواهم 👩\u{200d}🔧");
/// ```
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    replace_unseen(text, |unseen| unseen.escape_default().to_string())
}

/// Returns the text with every unseen character replaced by `replacement`, like [`visible`] but
/// with another kind of escape: that of JSON, for example, which a program reads back without loss.
#[must_use]
pub fn replace_unseen(text: &str, replacement: impl Fn(char) -> String) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.into();
    }
    let mut replaced = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let is_part = is_part_of_what_is_seen(c, before, rest.as_str());
        if is_unseen(c) && !is_part {
            replaced.push_str(&replacement(c))
        } else {
            replaced.push(c)
        }
        before = Some(c);
        if c == BLACK_FLAG {
            let tags = flag_tags(rest.as_str());
            replaced.push_str(tags);
            rest = rest.as_str()[tags.len()..].chars();
        }
    }
    if replaced == text { text.into() } else { replaced.into() }
}

const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';
const TEXT_STYLE: char = '\u{fe0e}';
const EMOJI_STYLE: char = '\u{fe0f}';
const KEYCAP: char = '\u{20e3}';
const BLACK_FLAG: char = '\u{1f3f4}';

/// Whether a character is not seen, or ends the line: `\t`, `\n`, U+2028.
fn is_unseen(c: char) -> bool {
    is_invisible(c) || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether an unseen character belongs to a word or an emoji that is seen.
fn is_part_of_what_is_seen(c: char, before: Option<char>, rest: &str) -> bool {
    let (Some(before), next) = (before, rest.chars().next()) else {
        return false;
    };
    match c {
        JOINER if is_emoji(before) || before == EMOJI_STYLE => next.is_some_and(is_emoji),
        JOINER | NON_JOINER => is_of_word(before) && next.is_some_and(is_of_word),
        EMOJI_STYLE if matches!(before, '0'..='9' | '#' | '*') => next == Some(KEYCAP),
        EMOJI_STYLE | TEXT_STYLE => is_emoji(before),
        _ => false,
    }
}

/// A letter, or a mark on one: joiners stand behind the virama of Indic words.
fn is_of_word(c: char) -> bool {
    let group = c.general_category_group();
    !is_unseen(c) && matches!(group, GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark)
}

/// Digits, `#` and `*` count as emoji in Unicode's data too: they begin keycaps.
fn is_emoji(c: char) -> bool {
    !c.is_ascii() && c.is_emoji_char()
}

/// What makes a black flag the flag of a region: a few letters and digits as tags, and the tag that
/// ends them. Tags anywhere else are a hidden text.
fn flag_tags(rest: &str) -> &str {
    let is_region = |c: &char| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    let region: String = rest.chars().take_while(is_region).take(6).collect();
    let end = region.len() + '\u{e007f}'.len_utf8();
    match rest.get(region.len()..end) {
        Some("\u{e007f}") if region.chars().count() >= 3 => &rest[..end],
        _ => "",
    }
}
