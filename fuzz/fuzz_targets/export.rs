//! An export's batch is read or refused, and its continuation token stays what it was.
#![no_main]

use crm_models::{ExportBatch, ExportedContact, LocationId};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|body: &[u8]| {
    let batch = serde_json::from_slice::<ExportBatch<ExportedContact<LocationId>>>(body);
    // A number that no `Value` holds may stand in a member that is passed over.
    if let (Ok(batch), Ok(sent)) = (batch, serde_json::from_slice::<Value>(body)) {
        // Members may also come in order, without their names.
        let sent = sent.get("continueFrom").or_else(|| sent.get(1));
        let sent = sent.and_then(Value::as_str);
        let sent = sent.filter(|token| !token.trim().is_empty());
        let token = batch.continue_from.as_ref().map(|token| token.as_str());
        assert_eq!(token, sent, "only a blank token is none");
    }
});
