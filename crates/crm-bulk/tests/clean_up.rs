//! Clean-ups propose what loses nothing, and leave everything else alone.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

use crm_bulk::CleanUp;
use crm_models::ContactType;
use crm_values::PhoneReader;

fn phone(region: &str, number: &str) -> Option<String> {
    let reader = PhoneReader::new(region.parse().unwrap());
    let clean_up = CleanUp::new().normalize_phones(reader);
    clean_up.value(&ContactType::Phone, number)
}

#[test]
fn a_number_that_would_lose_something_is_left_alone() {
    for number in [
        "(818) 555-0142 ext. 7",
        "555-0142 x123",
        "818-555-0142 (home)",
        "+49 30 123456",
        "+65 6123 4567",
        "555-0142",
        "818-555-O142",
        "front desk",
    ] {
        assert_eq!(phone("US", number), None, "{number}");
    }
    for (region, number, digits) in [
        ("US", "+1 (818) 555-0142", "8185550142"),
        ("us", " 1-818-555-0142", "8185550142"),
        ("CA", "818.555.0142", "8185550142"),
        ("US", "+44 20 7946 0958", "442079460958"),
        ("GB", "+44 20 7946 0958", "02079460958"),
        ("CN", "138 1234 5678", "13812345678"),
    ] {
        assert_eq!(phone(region, number).as_deref(), Some(digits), "{number}");
    }
}

#[test]
fn an_address_is_proposed_only_if_it_is_one() {
    for domains in [["old.example", ""], ["", "new.example"], ["a@b", "c"], ["a", "b c"]] {
        let [old, new] = domains;
        assert!(CleanUp::new().replace_domain(old, new).is_err(), "{domains:?}");
    }
    let clean_up = CleanUp::new().lowercase_emails();
    assert_eq!(clean_up.value(&ContactType::Email, "Dana at Site"), None);
}
