//! A transport whose answers a test decides, made by mockall.

use async_trait::async_trait;

use crate::{
    error::TransportError,
    message::{Request, Response},
    transport::Transport,
};

mockall::mock! {
    /// A transport whose answers a test decides.
    ///
    /// ```
    /// use crm_transport::{MockTransport, Request, Response, Transport};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), crm_transport::TransportError> {
    /// let mut transport = MockTransport::new();
    /// transport.expect_send().times(1).returning(|request| {
    ///     assert_eq!(request.uri(), "/crm/v2/tenant/1001/locations/55021/contacts");
    ///     Ok(Response::new(r#"{"page":1,"pageSize":50,"hasMore":false,"data":[]}"#.into()))
    /// });
    ///
    /// let mut request = Request::default();
    /// *request.uri_mut() = "/crm/v2/tenant/1001/locations/55021/contacts".parse().unwrap();
    /// assert_eq!(transport.send(request).await?.status(), 200);
    /// # Ok(())
    /// # }
    /// ```
    #[derive(Debug)]
    pub Transport {}

    #[async_trait]
    impl Transport for Transport {
        async fn send(&self, request: Request) -> Result<Response, TransportError>;
    }
}
