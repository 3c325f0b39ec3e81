//! When the calls of one piece of work left.

use std::{sync::Mutex, time::Duration};

use async_trait::async_trait;
use crm_mirror::lock::lock;
use crm_transport::{Moment, Request, Response, SentAt, Transport, TransportError};

/// A transport for one piece of work, which notes when the first of its requests left.
pub(crate) struct Watch<'a, T> {
    inner: &'a T,
    made: Moment,
    left: Mutex<Option<Moment>>,
}

impl<'a, T: Transport> Watch<'a, T> {
    pub(crate) fn over(inner: &'a T) -> Self {
        Self { inner, made: Moment::now(), left: Mutex::default() }
    }

    /// When the work began.
    pub(crate) fn made(&self) -> Moment {
        self.made
    }

    /// When the first request that was answered left. Over a transport that does not tell, when
    /// it was handed over, which is earlier.
    pub(crate) fn left(&self) -> Moment {
        self.told().unwrap_or(self.made)
    }

    /// How long the first request waited between its hand-over and its departure, if the
    /// transport tells.
    pub(crate) fn waited(&self) -> Option<Duration> {
        self.told().map(|left| left.since(self.made))
    }

    /// How long it is since this was made.
    pub(crate) fn took(&self) -> Duration {
        self.made.age()
    }

    fn told(&self) -> Option<Moment> {
        *lock(&self.left)
    }
}

#[async_trait]
impl<T: Transport> Transport for Watch<'_, T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.send_unboxed(request).await
    }

    #[expect(clippy::manual_async_fn, reason = "an async fn would be boxed by async_trait")]
    fn send_unboxed(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Response, TransportError>> + Send {
        async move {
            let response = self.inner.send_unboxed(request).await?;
            if let Some(left) = SentAt::of(&response) {
                let mut first = lock(&self.left);
                first.get_or_insert(left);
            }
            Ok(response)
        }
    }
}
