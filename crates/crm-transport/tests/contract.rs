//! Our own transports keep the promises that we ask of others'.

#![cfg(feature = "contract")]

use crm_transport::{Environment, contract};

#[cfg(feature = "reqwest")]
#[tokio::test]
async fn reqwest_keeps_the_contract() {
    use crm_transport::{Limits, ReqwestTransport};

    contract::check(|target| {
        let environment = Environment::custom(&target.url, &target.url).unwrap();
        let limits = Limits::default()
            .timeout(target.timeout)
            .answer_bytes(target.answer_bytes);
        ReqwestTransport::with_limits(&environment, limits).unwrap()
    })
    .await;
}
