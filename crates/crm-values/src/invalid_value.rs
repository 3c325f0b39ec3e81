//! Why a text is not accepted as a value.

use crate::region::Region;

/// Why a text is not accepted as a telephone number or an e-mail address.
///
/// The message completes a sentence that begins with the value, and does not quote it, because
/// values are personal data. It says what to do where that is not obvious.
///
/// ```
/// use crm_values::{PhoneReader, InvalidValue};
///
/// let refused = PhoneReader::default().phone("818-555-O142").unwrap_err();
/// assert_eq!(refused, InvalidValue::Letters);
/// assert_eq!(refused.to_string(), "contains letters");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidValue {
    /// The text is empty or consists of blanks.
    #[error("is empty")]
    Empty,
    /// The text begins with `=`, as in `="0815"`.
    #[error("is a spreadsheet formula; give its result as text")]
    Formula,
    /// The text is a spreadsheet's error: `#REF!`, `#N/A`, `########` and the like.
    #[error("is a spreadsheet's error message, not a value")]
    SpreadsheetError,
    /// The text begins with the apostrophe that marks a spreadsheet cell as text.
    #[error("begins with an apostrophe, as spreadsheets mark text; remove the apostrophe")]
    Apostrophe,
    /// The text contains an invisible character; see [`is_invisible`](crate::is_invisible).
    #[error("contains an invisible character; retype it")]
    Invisible,
    /// A spreadsheet took the number for an amount: `8185550142.0`, `8.18555E+09`. Digits may be
    /// lost.
    #[error("was taken for an amount by a spreadsheet; give its digits, as text")]
    Amount,
    /// The value is a JSON list or object.
    #[error("is a list or an object; give each number or address a member of its own")]
    NotText,
    /// The text contains an `@` where a telephone number is expected.
    #[error("looks like an e-mail address, not a telephone number")]
    LooksLikeAddress,
    /// The text contains no digits.
    #[error("has no digits")]
    NoDigits,
    /// The text contains letters that are not those of an extension.
    #[error("contains letters")]
    Letters,
    /// The text contains a character that telephone numbers do not have: a superscript, `*`, `~`, a
    /// second `+`.
    #[error("contains a character that telephone numbers do not have: `{0}`")]
    Character(char),
    /// The text contains several numbers, as in `212 200 1111 / 212 200 2222`.
    #[error("holds more than one number; give each a cell of its own")]
    Several,
    /// The text has the mark of an extension but no extension, as with a lone `x` at the end.
    #[error("ends where an extension should follow")]
    NoExtension,
    /// The number has an extension, and nothing says what to do with it; see
    /// [`Extensions`](crate::Extensions).
    #[error(
        "has an extension, for which the service has no field; choose whether it goes to the memo, \
         is dropped, or is sent with the number"
    )]
    Extension,
    /// The number is local: the area code is missing, as in `555-0142`.
    #[error("has no area code; give the whole number")]
    NoAreaCode,
    /// No number of this region has this many digits or begins like this, and the text has no
    /// country code in front.
    #[error(
        "is not a possible telephone number in {0}; write a number of another country with + and \
         its country code"
    )]
    NotOfRegion(Region),
    /// No number of the country with this code has this many digits or begins like this.
    #[error("is not a possible telephone number of the country with code +{0}")]
    NotOfCountry(u16),
    /// There is no country with this code.
    #[error("begins with a country code that does not exist")]
    NoSuchCountry,
    /// The text is not of the form `name@host.example`.
    #[error("is not an e-mail address like name@host.example")]
    NotAnAddress,
    /// The part after the `@` cannot be a domain: it has a blank, an empty label or one that is too
    /// long.
    #[error("is not an e-mail address: what follows the @ cannot be a domain")]
    NotADomain,
    /// The address exceeds the limits of RFC 5321: 64 bytes before the `@`, 254 in all.
    #[error("is longer than e-mail addresses can be")]
    TooLong,
}
