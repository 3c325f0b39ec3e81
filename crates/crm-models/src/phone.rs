//! Telephone and fax numbers: what they may look like, and when two are the same.

/// The most digits of a number, by ITU-T E.164, and a margin for an extension.
const MOST_DIGITS: usize = 20;
/// The most characters, punctuation and extension words included.
const MOST_CHARACTERS: usize = 50;

/// The digits of a number, without the leading 1 of eleven: the country code of the US.
///
/// ```
/// assert_eq!(crm_models::phone::key("+1 (818) 555-0142"), "8185550142");
/// assert_eq!(crm_models::phone::key("818.555.0142"), "8185550142");
/// ```
#[must_use]
pub fn key(number: &str) -> String {
    let mut digits: String = number.chars().filter(char::is_ascii_digit).collect();
    if digits.len() == 11 && digits.starts_with('1') {
        digits.remove(0);
    }
    digits
}

/// Why the API would hardly take this as a number; `None` when it is plausible. The contract
/// states no rule, so only what cannot be a number is refused.
pub(crate) fn fault(number: &str) -> Option<&'static str> {
    let digits = number.chars().filter(char::is_ascii_digit).count();
    if number.contains('@') {
        Some("looks like an e-mail address, not a number")
    } else if digits == 0 {
        Some("holds no digit")
    } else if digits > MOST_DIGITS {
        Some("has more than 20 digits")
    } else if number.chars().count() > MOST_CHARACTERS {
        Some("has more than 50 characters")
    } else {
        None
    }
}
