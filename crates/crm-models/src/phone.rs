//! Telephone and fax numbers: what they may look like, and when two of them are the same.

/// The 15 digits of ITU-T E.164, and five for an extension.
const MOST_DIGITS: usize = 20;
/// The maximum number of characters, including punctuation and the words of an extension.
const MOST_CHARACTERS: usize = 50;

/// The number of digits after which an extension may begin. Before that a `#` or a letter is part
/// of the number, as in `1-800-FLOWERS`. A number within its area has seven.
const LOCAL_DIGITS: usize = 7;

/// The words between a number and its extension.
const EXTENSION_WORDS: [&str; 3] = ["x", "ext", "extension"];

/// Returns what all ways to write a number have in common, to search with: its digits, without the
/// leading 1 of eleven (the country code of North America) and without an extension.
///
/// When the digits of a number and its extension run together, it is not known where the number
/// ends.
///
/// ```
/// use crm_models::phone;
///
/// assert_eq!(phone::key("+1 (818) 555-0142"), "8185550142");
/// assert_eq!(phone::key("818.555.0142 ext. 7"), "8185550142");
/// ```
#[must_use]
pub fn key(number: &str) -> String {
    digits(without_extension(number))
}

/// Returns the number without what is written after it: an extension after `ext.`, `x`, `#` or
/// `;ext=`, or any other word.
///
/// ```
/// use crm_models::phone;
///
/// assert_eq!(phone::without_extension("(818) 555-0142 ext. 7"), "(818) 555-0142");
/// assert_eq!(phone::without_extension("(818) 555-0142"), "(818) 555-0142");
/// ```
#[must_use]
pub fn without_extension(number: &str) -> &str {
    let mut digits = 0;
    let end = number.find(|character: char| {
        digits += usize::from(character.is_ascii_digit());
        digits >= LOCAL_DIGITS && (character.is_alphabetic() || matches!(character, '#' | ';'))
    });
    let end = end.unwrap_or(number.len());
    number[..end].trim_end_matches([' ', '\t', ',', '('])
}

/// Whether two texts are one number and extension as the service may write them, also with all
/// digits in a row, since a service that keeps only digits runs the two together. Beside letters
/// too few digits prove nothing, as in `1-800-FLOWERS` and `1-800-PLUMBER`.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let extension = |number: &str| digits(&number[without_extension(number).len()..]);
    let of_letters = has_letters(one) || has_letters(other);
    let tells = |digits: &str| {
        if of_letters {
            // The country code of `1-206-555-HELP` makes no number of it.
            digits.strip_prefix('1').unwrap_or(digits).len() >= LOCAL_DIGITS
        } else {
            !digits.is_empty()
        }
    };
    let same = |part: fn(&str) -> String| {
        let part_of_one = part(one);
        tells(&part_of_one) && part_of_one == part(other)
    };
    same(digits) || (same(key) && extension(one) == extension(other))
}

/// Whether `answered` may be what a service made of the number `asked`: the same number, or its
/// digits alone. So `1-800-FLOWERS` may come back as `1800`.
pub(crate) fn is_echo(asked: &str, answered: &str) -> bool {
    let kept = digits(answered);
    is_same(asked, answered) || (!kept.is_empty() && kept == digits(asked))
}

/// Whether there are letters that may stand for digits, as in `1-800-FLOWERS`.
fn has_letters(number: &str) -> bool {
    let is_extension = |word: &str| {
        let mut words = EXTENSION_WORDS.iter();
        words.any(|known| word.eq_ignore_ascii_case(known))
    };
    number
        .split(|character: char| !character.is_alphabetic())
        .any(|word| !word.is_empty() && !is_extension(word))
}

/// Returns the digits, without the leading 1 of eleven.
fn digits(number: &str) -> String {
    let mut digits: String = number.chars().filter(char::is_ascii_digit).collect();
    if digits.len() == 11 && digits.starts_with('1') {
        digits.remove(0);
    }
    digits
}

/// Whether the API can be expected to take this as a number.
///
/// The contract states no rule, so only what cannot be a number is refused: a text without a digit,
/// with an `@`, or with more than 20 digits or 50 characters. Punctuation and extensions pass.
///
/// ```
/// use crm_models::phone;
///
/// assert!(phone::check("+1 (818) 555-0142 ext. 7").is_ok());
/// assert_eq!(phone::check("front desk"), Err("holds no digit"));
/// ```
///
/// # Errors
///
/// Returns what is wrong, without quoting the number.
pub fn check(number: &str) -> Result<(), &'static str> {
    let digits = number.chars().filter(char::is_ascii_digit).count();
    if number.contains('@') {
        Err("looks like an e-mail address, not a number")
    } else if digits == 0 {
        Err("holds no digit")
    } else if digits > MOST_DIGITS {
        Err("has more than 20 digits")
    } else if number.chars().count() > MOST_CHARACTERS {
        Err("has more than 50 characters")
    } else {
        Ok(())
    }
}
