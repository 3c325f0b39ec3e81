//! E-mail addresses as people write them: which are the same, and which are none.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use crm_values::{Email, InvalidValue};

fn key(text: &str) -> String {
    Email::read(text).unwrap().key().to_owned()
}

#[test]
fn one_address_has_one_key_however_it_is_written() {
    for (one, other) in [
        ("Dana@Site.example", " dana@site.EXAMPLE "),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@bu\u{308}cher.example", "ada@bücher.example"),
        ("jo\u{308}rg@site.example", "JÖRG@site.example"),
        ("ａｄａ@site.example", "ada@site.example"),
        ("ada@site。example", "ada@site.example"),
        ("ada@XN--BCHER-KVA.example", "ada@BÜCHER.example"),
    ] {
        assert_eq!(key(one), key(other), "{one} {other}");
    }
    assert_ne!(key("ada+list@site.example"), key("ada@site.example"));
    assert_ne!(key("a.da@site.example"), key("ada@site.example"));
}

#[test]
fn an_address_is_sent_as_it_was_typed() {
    for typed in ["Dana.O'Hara+x@Site.example", "用户@例え.jp", "a@b"] {
        assert_eq!(Email::read(typed).unwrap().as_str(), typed);
    }
}

#[test]
fn what_is_no_address_is_refused_with_the_reason() {
    use InvalidValue::*;
    let long_name = format!("{}@site.example", "a".repeat(65));
    let long_label = format!("ada@{}.example", "a".repeat(64));
    for (text, invalid) in [
        ("", Empty),
        ("front desk", NotAnAddress),
        ("@site.example", NotAnAddress),
        ("ada@", NotADomain),
        ("ada@ex ample.com", NotADomain),
        ("ada@a..b", NotADomain),
        ("ada@site.example.", NotADomain),
        ("ada@-site.example", NotADomain),
        ("ada@si_te.example", NotADomain),
        ("ada@xn--zzzzzz99999999.example", NotADomain),
        ("a da@site.example", NotAnAddress),
        ("ada@bob@site.example", NotAnAddress),
        ("ada@site.example, bob@site.example", NotAnAddress),
        ("ada@si\u{200B}te.example", Invisible),
        ("ada@si\u{AD}te.example", Invisible),
        ("\u{202E}ada@site.example", Invisible),
        ("'ada@site.example", Apostrophe),
        ("=\"ada@site.example\"", Formula),
        ("<ada@site.example>", NotAnAddress),
        ("mail:ada@site.example", NotAnAddress),
        ("mailto:", Empty),
        ("mailto:ada", NotAnAddress),
        ("mailto:ada@site.example,bob@site.example", NotAnAddress),
        ("mailto:ada%E2%80%8B@site.example", Invisible),
        ("mailto:ada%FF@site.example", NotAnAddress),
        (&long_name, TooLong),
        (&long_label, NotADomain),
    ] {
        assert_eq!(Email::read(text).map(|_| ()), Err(invalid), "{text}");
    }
}
