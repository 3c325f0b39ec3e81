//! Whatever the token endpoint answers is an error or a token of a day at most.
#![no_main]

use std::time::Duration;

use crm_transport::{Auth, Credentials, Request, Response, Transport, TransportError};
use http::StatusCode;
use libfuzzer_sys::fuzz_target;

struct Always(Response);

#[async_trait::async_trait]
impl Transport for Always {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        Ok(self.0.clone())
    }
}

fuzz_target!(|input: (u16, &[u8])| {
    let (status, body) = input;
    let mut response = Response::new(body.to_vec().into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let auth = Auth::new(Always(response), Credentials::new("id", "secret", "key"));
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    if let Ok(info) = runtime.block_on(auth.token_info()) {
        assert!(info.expires_in <= Duration::from_secs(86_400));
    }
});
