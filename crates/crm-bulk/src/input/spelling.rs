//! How headers are compared.

use unicode_normalization::UnicodeNormalization;

/// A header in the form in which it is compared: its letters and digits in lower case after NFKC.
/// Differences in how people and programs spell do not count: `_`, `-`, blanks, dots, letter case,
/// width, and invisible characters.
pub(super) fn folded(header: &str) -> String {
    let lower = header.nfkc().flat_map(char::to_lowercase);
    lower.filter(|c| c.is_alphanumeric()).collect()
}
