//! No answer asks for more than a day.
#![no_main]

use std::time::Duration;

use crm_transport::{Response, retry_after};
use http::{HeaderValue, StatusCode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    // The first line is the header, what follows the body.
    let mut parts = input.splitn(2, |byte| *byte == b'\n');
    let header = parts.next().unwrap_or_default();
    let body = parts.next().unwrap_or_default();
    let mut response = Response::new(body.to_vec().into());
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    if let Ok(value) = HeaderValue::from_bytes(header) {
        response.headers_mut().insert("retry-after", value);
    }
    let wait = retry_after(&response).unwrap_or_default();
    assert!(wait <= Duration::from_secs(24 * 60 * 60), "{wait:?}");
});
