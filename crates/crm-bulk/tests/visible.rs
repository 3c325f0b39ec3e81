//! Texts from elsewhere, made safe to look at.

use crm_bulk::visible;

#[test]
fn what_is_unseen_is_written_out() {
    for (text, shown) in [
        ("a\u{1b}[2Jb\nc\t\r\0", "a\\u{1b}[2Jb\\nc\\t\\r\\u{0}"),
        ("\u{7f}\u{85}\u{9b}31m", "\\u{7f}\\u{85}\\u{9b}31m"),
        ("x\u{202e}y\u{2066}z\u{2069}", "x\\u{202e}y\\u{2066}z\\u{2069}"),
        ("\u{200e}\u{200f}\u{61c}", "\\u{200e}\\u{200f}\\u{61c}"),
        ("818\u{200b}555", "818\\u{200b}555"),
        ("818\u{200d}555", "818\\u{200d}555"),
        ("a\u{2028}b\u{2029}", "a\\u{2028}b\\u{2029}"),
        ("\u{feff}id", "\\u{feff}id"),
        ("a\u{e0041}b", "a\\u{e0041}b"),
        ("soft\u{ad}hyphen", "soft\\u{ad}hyphen"),
        ("a\u{fe0f}", "a\\u{fe0f}"),
        ("1\u{fe0f}2", "1\\u{fe0f}2"),
        // A joiner at an end, beside another, or with one letter only joins nothing.
        ("\u{200d}a", "\\u{200d}a"),
        ("a\u{200d}", "a\\u{200d}"),
        ("a\u{200d}\u{200d}b", "a\\u{200d}\\u{200d}b"),
        ("a\u{200c}1", "a\\u{200c}1"),
        // The black flag hides no text behind it.
        ("\u{1f3f4}\u{e0061}\u{e0062}", "\u{1f3f4}\\u{e0061}\\u{e0062}"),
    ] {
        assert_eq!(visible(text), shown);
        assert_eq!(visible(shown), shown);
    }
}

#[test]
fn words_and_emoji_stay_whole() {
    for text in [
        "",
        "Ada Quill, \"gate\" \\ 4411",
        "Zoë Müller 東京 привет",
        "می\u{200c}خواهم",
        "क्\u{200d}ष",
        "👨\u{200d}👩\u{200d}👧",
        "👩🏽\u{200d}🔧",
        "❤\u{fe0f}\u{200d}🔥",
        "☎\u{fe0e}",
        "1\u{fe0f}\u{20e3}",
        "🇺🇸",
        "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    ] {
        assert_eq!(visible(text), text);
    }
}

#[test]
fn every_unseen_character_is_found_wherever_it_stands_alone() {
    let is_unseen = |c: &char| crm_values::is_invisible(*c) || c.is_control();
    let mut found = 0;
    for c in (char::MIN..=char::MAX).filter(is_unseen).chain(['\u{2028}', '\u{2029}']) {
        let shown = visible(&format!("1{c}2")).into_owned();
        assert!(!shown.contains(c), "{c:?}");
        found += 1;
    }
    assert!(found > 4_000);
}
