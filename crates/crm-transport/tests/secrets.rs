//! What a text still shows once its secrets are scrubbed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::borrow::Cow;

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use crm_transport::Secrets;

const SECRET: &str = "s/ecret+\"ümlaut~1?>";

fn scrub(text: &str) -> String {
    Secrets::new([SECRET, "ak1.0123456789"]).scrub(text).into_owned()
}

#[test]
fn a_secret_is_found_however_it_is_escaped() {
    let percent = |all: bool| {
        let escape = |byte: u8| match byte {
            byte if all || !byte.is_ascii_alphanumeric() => format!("%{byte:02x}"),
            byte => char::from(byte).to_string(),
        };
        SECRET.bytes().map(escape).collect::<String>()
    };
    let json = serde_json::to_string(SECRET).unwrap();
    let json = json.trim_matches('"').to_owned();
    let utf16: String = SECRET.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
    let html = SECRET.replace('"', "&quot;").replace('>', "&gt;").replace('+', "&#43;");
    let entities = |hex: bool| {
        let entity = |c: char| {
            if hex { format!("&#x{:X};", u32::from(c)) } else { format!("&#{};", u32::from(c)) }
        };
        SECRET.chars().map(entity).collect::<String>()
    };
    let bytes = SECRET.bytes();
    for (written, how) in [
        (SECRET.to_owned(), "as it is"),
        (percent(false), "in a URL"),
        (percent(true), "in a URL, each character"),
        (percent(false).replace('%', "%25"), "in a URL in a URL"),
        (json.clone(), "in JSON"),
        (json.replace('/', "\\/"), "in JSON of PHP"),
        (json.replace('\\', "\\\\"), "in JSON in JSON"),
        (utf16, "in JSON, each character"),
        (html.clone(), "in HTML"),
        (html.replace('&', "&amp;"), "in HTML in HTML"),
        (entities(true), "in HTML, each character"),
        (entities(false), "in HTML, each character in decimal"),
        (bytes.clone().map(|byte| format!("{byte:02x}")).collect(), "as bytes"),
        (bytes.map(|byte| format!("{byte:02X}")).collect(), "as bytes, in capitals"),
    ] {
        let text = format!("before {written} between {written}, after ü");
        let expected = "before [secret] between [secret], after ü";
        assert_eq!(scrub(&text), expected, "{how}");
    }
}

#[test]
fn a_secret_is_found_in_base64_of_either_alphabet_wherever_it_stands_in_there() {
    for (before, after) in
        [("", ""), ("a", ""), ("ab", "c"), ("client.id:", ""), ("Bearer ", " more")]
    {
        let whole = format!("{before}{SECRET}{after}");
        for written in [
            BASE64_STANDARD.encode(&whole),
            BASE64_URL_SAFE_NO_PAD.encode(&whole),
            BASE64_STANDARD.encode(&whole).replace('+', "%2B").replace('/', "%2F"),
        ] {
            let text = format!("Basic {written} was refused");
            assert_eq!(scrub(&text), "Basic [secret] was refused", "{whole}");
        }
    }
}

#[test]
fn another_text_stays_as_it_is_to_the_byte() {
    for text in [
        "",
        "100 % off, 5%, %zz, %C3, \\u12, \\ud800, \\n, ends with \\",
        "Marlow & Daughters, &amp;, &nbsp;, &#;, &#x;, &#xD800;, &#99999999999;, ends with &#4",
        "s/ecret+, ak1.012345678",
        "ünïcödé \u{202e} 中文",
    ] {
        assert!(matches!(
            Secrets::new([SECRET]).scrub(text),
            Cow::Borrowed(same) if same == text
        ));
    }
}

#[test]
fn short_values_are_not_looked_for() {
    let secrets = Secrets::new(["1234567", ""]);
    assert_eq!(secrets.scrub("line 1234567"), "line 1234567");
}

#[test]
fn secrets_that_overlap_leave_nothing_of_either() {
    let secrets = Secrets::new(["abcdefgh", "efghijkl"]);
    assert_eq!(secrets.scrub("-abcdefghijkl-"), "-[secret]-");
    assert_eq!(secrets.scrub("-abcdefgh-"), "-[secret]-");
}

#[test]
fn debug_shows_nothing() {
    assert_eq!(format!("{:?}", Secrets::new(["abcdefgh"])), "Secrets { .. }");
}
