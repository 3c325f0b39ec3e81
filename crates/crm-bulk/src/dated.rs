//! When the calls of one piece of work left, and by when its writes must.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use crm_transport::{Call, Effect, Moment, Request, Response, SentAt, Transport, TransportError};

/// A transport for one piece of work: it notes when the first of its requests left, and gives
/// its writes the moment by which they must have begun.
pub(crate) struct Dated<'a, T> {
    inner: &'a T,
    /// By when writes must have begun, and whether they repeat earlier ones.
    writes: Option<(Moment, bool)>,
    made: Moment,
    left: Mutex<Option<Moment>>,
}

impl<'a, T: Transport> Dated<'a, T> {
    /// For a reading.
    pub(crate) fn reading(inner: &'a T) -> Self {
        Self {
            inner,
            writes: None,
            made: Moment::now(),
            left: Mutex::default(),
        }
    }

    /// For a write that begins by then or not at all. `resend`: it repeats one whose answer got
    /// lost.
    pub(crate) fn write(inner: &'a T, begin_by: Moment, resend: bool) -> Self {
        Self {
            writes: Some((begin_by, resend)),
            ..Self::reading(inner)
        }
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

    fn told(&self) -> Option<Moment> {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl<T: Transport> Transport for Dated<'_, T> {
    async fn send(&self, mut request: Request) -> Result<Response, TransportError> {
        let call = Call::of_mut(&mut request);
        if let Some((begin_by, resend)) = self.writes
            && call.effect != Effect::Read
        {
            call.begin_by = Some(begin_by);
            call.resend = resend;
        }
        let response = self.inner.send_unboxed(request).await?;
        if let Some(left) = SentAt::of(&response) {
            let mut first = self.left.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert(left);
        }
        Ok(response)
    }
}
