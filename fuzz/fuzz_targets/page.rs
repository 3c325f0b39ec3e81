//! A page that can be read is written in a form that reads as a page of the same form.
#![no_main]

use crm_models::{Contact, CustomerId, OwnedContact, Page, Person};
use libfuzzer_sys::fuzz_target;
use serde::{Serialize, de::DeserializeOwned};

fuzz_target!(|body: &[u8]| {
    reads_again::<Page<Contact>>(body);
    reads_again::<Page<OwnedContact<CustomerId>>>(body);
    reads_again::<Page<Person>>(body);
});

fn reads_again<T: DeserializeOwned + Serialize>(body: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<T>(body) {
        let written = serde_json::to_string(&value).expect("a value that was read");
        let again: T = serde_json::from_str(&written).expect("a value that was written");
        let again = serde_json::to_string(&again).expect("a value that was read");
        assert_eq!(again, written);
    }
}
