//! How headers are compared.

use unicode_normalization::UnicodeNormalization;

/// A header as it is compared: its letters and digits in lower case after NFKC. What people and
/// programs spell differently does not count: `_`, `-`, blanks, dots, letter case, width, and
/// characters that nobody sees.
pub(super) fn folded(header: &str) -> String {
    let lower = header.nfkc().flat_map(char::to_lowercase);
    lower.filter(|c| c.is_alphanumeric()).collect()
}
