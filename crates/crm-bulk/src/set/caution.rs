//! What there is to look at before a change is applied, beside the reason for which it was planned.

/// Between the two in the file, which keeps them in one text.
pub(crate) const MARK: char = '\u{1e}';

/// The reason for a change and its caution as one text.
pub(crate) fn together(why: Option<&str>, caution: &str) -> String {
    format!("{}{MARK}{caution}", why.unwrap_or_default())
}

/// The reason and the caution of such a text.
pub(crate) fn apart(mut note: String) -> (Option<String>, Option<String>) {
    let Some(at) = note.find(MARK) else {
        return (Some(note), None);
    };
    let caution = note[at + MARK.len_utf8()..].to_owned();
    note.truncate(at);
    (Some(note).filter(|why| !why.is_empty()), Some(caution))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_and_a_caution_come_apart_as_they_were() {
        let text = |text: &str| Some(text.to_owned());
        for why in [None, Some("spelling: it is one")] {
            let caution = "its value is odd";
            let both = apart(together(why, caution));
            assert_eq!(both, (why.map(str::to_owned), text(caution)));
        }
        assert_eq!(apart("alone".to_owned()), (text("alone"), None));
        assert_eq!(apart(String::new()), (text(""), None));
    }
}
