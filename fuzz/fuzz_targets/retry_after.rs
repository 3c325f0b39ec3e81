//! No answer asks for more than 15 minutes.
#![no_main]

use std::time::Duration;

use crm_transport::{Response, retry_after};
use http::{HeaderValue, StatusCode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Option<&[u8]>, &[u8])| {
    let (header, body) = input;
    let mut response = Response::new(body.to_vec().into());
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    if let Some(value) = header.and_then(|header| HeaderValue::from_bytes(header).ok()) {
        response.headers_mut().insert("retry-after", value);
    }
    let wait = retry_after(&response).unwrap_or_default();
    assert!(wait <= Duration::from_secs(900), "{wait:?}");
});
