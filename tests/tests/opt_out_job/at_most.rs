use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use async_trait::async_trait;
use crm_transport::{Call, Effect, Request, Response, Transport, TransportError};

/// A transport that lets up to this many writes pass and refuses the rest: a wrong list must not
/// affect everybody.
pub struct AtMost<T> {
    inner: T,
    writes_left: AtomicUsize,
}

impl<T> AtMost<T> {
    /// Over this transport, which may be a whole stack.
    pub fn new(writes: usize, inner: T) -> Self {
        let writes_left = AtomicUsize::new(writes);
        Self { inner, writes_left }
    }

    fn take_one(&self) -> bool {
        let left = &self.writes_left;
        left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

#[async_trait]
impl<T: Transport> Transport for AtMost<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let writes = Call::of(&request).effect != Effect::Read;
        if writes && !self.take_one() {
            return Err(TransportError::refused_for_now("no more writes in this run"));
        }
        self.inner.send(request).await
    }
}
