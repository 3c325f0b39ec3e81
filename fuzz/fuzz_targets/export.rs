//! An export's batch is read or refused, and its continuation token stays what it was.
#![no_main]

use crm_models::{ExportBatch, ExportedContact, LocationId};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let batch = serde_json::from_slice::<ExportBatch<ExportedContact<LocationId>>>(body);
    if let Ok(batch) = batch {
        let token = batch.continue_from.map(|token| token.to_string());
        assert_ne!(token.as_deref(), Some(""), "an empty token is none");
    }
});
