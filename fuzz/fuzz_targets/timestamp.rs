//! A date-time that can be read is written in a form that reads as the same moment.
#![no_main]

use crm_models::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        let again: Timestamp = timestamp.to_string().parse().expect("its own text");
        assert_eq!(again, timestamp, "{text:?}");
    }
});
