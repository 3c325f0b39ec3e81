//! Telephone and fax numbers: what they may look like, and when two are the same.

/// The 15 digits of ITU-T E.164, and some for an extension.
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

/// Whether the API can be expected to take this as a number.
///
/// The contract states no rule, so only what cannot be a number is refused: without a digit,
/// with an `@`, or beyond 20 digits or 50 characters. Punctuation and extensions pass.
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
/// What is wrong, without quoting the number.
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
