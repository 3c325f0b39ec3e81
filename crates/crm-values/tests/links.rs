//! Numbers and addresses as links have them, and digits of which nobody says what they are.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use crm_values::{Email, InvalidValue, NewValues, PhoneReader, Readings, without_scheme};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

fn key(text: &str) -> Result<String, InvalidValue> {
    Readings::of(text, PhoneReader::default()).map(|readings| readings.key().to_owned())
}

#[test]
fn a_link_is_read_as_the_number_or_address_that_it_leads_to() {
    for (link, read) in [
        ("tel:+18185550142", "18185550142"),
        ("tel:+1-818-555-0142", "18185550142"),
        ("TEL:+1(818)555.0142", "18185550142"),
        (" tel:8185550142 ", "18185550142"),
        ("Tel: (818) 555-0142", "18185550142"),
        ("tel:%2B1%20818%20555%200142", "18185550142"),
        ("tel:+18185550142;ext=7", "18185550142"),
        ("tel:+442079460958", "442079460958"),
        ("sms:+18185550142", "18185550142"),
        ("sms:+18185550142?body=write%20to%20ada@site.example", "18185550142"),
        ("sms:+18185550142&body=STOP", "18185550142"),
        ("mailto:ada@site.example", "ada@site.example"),
        ("MAILTO:Ada@Site.example?subject=stop&cc=bob@site.example", "ada@site.example"),
        ("mailto:ada%2Bcrm@site.example", "ada+crm@site.example"),
        ("mailto:j%C3%B6rg@b%C3%BCcher.example", "j\u{F6}rg@xn--bcher-kva.example"),
    ] {
        assert_eq!(key(link).as_deref(), Ok(read), "{link}");
    }
    let read = PhoneReader::default().phone("tel:+1-818-555-0142;ext=7").unwrap();
    assert_eq!((read.stored(), read.extension()), ("8185550142", Some("7")));
    // What is stored is no link.
    let stored = |text: &str| NewValues::default().by_looks(text).unwrap().value().to_owned();
    assert_eq!(stored("mailto:Ada@site.example?subject=x"), "Ada@site.example");
    assert_eq!(stored("sms:8185550142?body=a@b.example"), "8185550142");
}

#[test]
fn what_is_no_link_to_one_number_or_address_is_refused_with_the_reason() {
    use InvalidValue::*;
    for (link, refusal) in [
        ("tel:", Empty),
        ("tel:911", NotOfRegion(PhoneReader::default().region())),
        ("tel:5550142", NoAreaCode),
        ("tel:5550142;phone-context=+1818", Character(';')),
        ("tel:+18185550142;isub=12", Character(';')),
        ("sms:+18185550142,+18185550143", Several),
        ("fax:+18185550142", Letters),
        ("https://site.example/8185550142", Letters),
        ("tel:%00+18185550142", Invisible),
        ("tel:tel:+18185550142", Letters),
    ] {
        assert_eq!(key(link), Err(refusal), "{link}");
    }
    assert_eq!(without_scheme("10:30"), "10:30");
}

#[test]
fn digits_without_a_plus_are_of_another_country_only_where_it_gives_out_such_numbers() {
    let reader = PhoneReader::default();
    for (typed, is_read) in [
        ("442079460958", true),
        ("4915123456789", true),
        ("390612345678", true),
        ("33199001234", true),
        // A number and the beginning of another, or an extension.
        ("81855501422135", false),
        ("818555014212", false),
        ("55501425550177", false),
        // Moments: to the second, with milliseconds since 1970, and a day with a time.
        ("20261130093000", false),
        ("20110122111244", false),
        ("1764489600000", false),
        ("202611300930", false),
        ("00000000000000", false),
        ("100000000012345", false),
    ] {
        let readings = Readings::typed(typed, reader);
        let read = readings.as_ref().ok().map(|it| (it.key(), it.is_assumed()));
        assert_eq!(read, is_read.then_some((typed, true)), "{typed}");
    }
    for own in ["8185550142", "18185550142", "6561234567", "011442079460958", "+442079460958"] {
        assert!(!Readings::typed(own, reader).unwrap().is_assumed(), "{own}");
    }
}

proptest! {
    #[test]
    fn a_link_reads_as_what_is_in_it(text in "[-+0-9(). x]{7,18}", scheme in "(tel|TEL|sms):") {
        prop_assert_eq!(key(&format!("{scheme}{text}")), key(&text));
        let encoded = utf8_percent_encode(&text, NON_ALPHANUMERIC);
        prop_assert_eq!(key(&format!("{scheme}{encoded}")), key(&text));
    }

    #[test]
    fn a_mail_link_reads_as_the_address_in_it(
        name in "[a-z\u{e9}+_.]{1,8}",
        label in "[a-z]{1,8}",
    ) {
        let address = format!("{name}@{label}.example");
        let encoded = utf8_percent_encode(&address, NON_ALPHANUMERIC);
        for link in [format!("mailto:{encoded}"), format!("mailto:{encoded}?subject=a@b.example")] {
            prop_assert_eq!(Email::read(&link), Email::read(&address), "{}", link);
        }
    }

    #[test]
    fn a_moment_is_no_number_of_another_country(
        (year, month, day) in (2000..2040, 1..=12, 1..=28),
        (hour, minute, second) in (0..24, 0..60, 0..60),
    ) {
        let moment = format!("{year}{month:02}{day:02}{hour:02}{minute:02}{second:02}");
        prop_assert!(Readings::typed(&moment, PhoneReader::default()).is_err(), "{}", moment);
    }

    #[test]
    fn two_numbers_run_together_are_not_one(
        one in 2_000_000_u32..10_000_000,
        other in 2_000_000_u32..10_000_000,
    ) {
        for text in [format!("818{one}{other}"), format!("818{one}213{other}"), format!("1818{one}{other}")] {
            prop_assert!(Readings::typed(&text, PhoneReader::default()).is_err(), "{}", text);
        }
    }
}
