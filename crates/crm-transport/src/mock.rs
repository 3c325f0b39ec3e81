//! A transport whose answers a test decides, made by mockall.

use async_trait::async_trait;

use crate::{Request, Response, Transport, TransportError};

mockall::mock! {
    /// A transport whose answers a test decides.
    #[derive(Debug)]
    pub Transport {}

    #[async_trait]
    impl Transport for Transport {
        async fn send(&self, request: Request) -> Result<Response, TransportError>;
    }
}
