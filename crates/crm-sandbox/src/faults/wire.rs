//! The bytes of one connection, where a fault can cut, replace or slow them.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Sleep,
};

use crate::lock::lock;

/// What is to be done to the answer that is written next.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tampering {
    /// The bytes to write in place of the answer.
    pub(crate) replacement: Option<Bytes>,
    /// How many bytes of the answer are let through before the end.
    pub(crate) limit: Option<usize>,
    /// How many bytes a piece has, and the pause after it.
    pub(crate) pace: Option<(usize, Duration)>,
    /// How the connection ends, if it does.
    pub(crate) end: Option<End>,
    /// Whether the stream has written something.
    pub(super) wrote: bool,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// In order, with FIN.
    Close,
    /// With a reset, RST.
    Reset,
}

/// The handle of a connection that request handlers hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wire {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Whether there is anything to do. It is false on nearly every connection: then no lock is
    /// taken.
    armed: AtomicBool,
    tampering: Mutex<Tampering>,
}

impl Wire {
    /// Arms the connection for the answer that is about to be written.
    pub(crate) fn tamper(&self, tampering: Tampering) {
        *lock(&self.shared.tampering) = tampering;
        self.shared.armed.store(true, Ordering::Release);
    }

    /// Lets the next answer pass unchanged.
    pub(crate) fn calm(&self) {
        self.shared.armed.store(false, Ordering::Release);
    }

    /// Resets the connection at its next use.
    pub(crate) fn reset(&self) {
        self.tamper(Tampering { limit: Some(0), end: Some(End::Reset), ..Tampering::default() });
    }

    fn is_armed(&self) -> bool {
        self.shared.armed.load(Ordering::Acquire)
    }
}

/// A TCP stream that treats its bytes as its [`Wire`] says.
#[derive(Debug)]
pub(crate) struct WiredStream {
    tcp: TcpStream,
    wire: Wire,
    pause: Option<Pin<Box<Sleep>>>,
}

impl WiredStream {
    pub(crate) fn new(tcp: TcpStream, wire: Wire) -> Self {
        Self { tcp, wire, pause: None }
    }

    /// Returns the error that makes the server drop the connection.
    fn end(&self, end: End) -> io::Error {
        match end {
            End::Close => io::ErrorKind::BrokenPipe.into(),
            End::Reset => {
                // Without lingering, dropping the socket sends a reset.
                let reset = self.tcp.set_zero_linger();
                reset.err().unwrap_or_else(|| io::ErrorKind::ConnectionReset.into())
            }
        }
    }

    /// Writes one piece of an answer that is tampered with.
    fn poll_tampered(&mut self, cx: &mut Context<'_>, answer: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        // A copy, so that the lock is not held while the socket is written to.
        let mut tampering = lock(&self.wire.shared.tampering).clone();
        let bytes = tampering.replacement.as_deref().unwrap_or(answer);
        let most = tampering.limit.unwrap_or(usize::MAX);
        let piece = tampering.pace.map_or(usize::MAX, |(bytes, _)| bytes.max(1));
        let next = &bytes[..bytes.len().min(most).min(piece)];
        if next.is_empty() {
            return Poll::Ready(Err(self.end(tampering.end.unwrap_or(End::Close))));
        }
        let written = ready!(Pin::new(&mut self.tcp).poll_write(cx, next))?;
        tampering.wrote = true;
        self.pause = tampering.pace.map(|(_, pause)| Box::pin(tokio::time::sleep(pause)));
        if let Some(limit) = &mut tampering.limit {
            *limit -= written;
        }
        let replaced = tampering.replacement.as_mut().map(|rest| rest.advance(written)).is_some();
        *lock(&self.wire.shared.tampering) = tampering;
        if replaced {
            // None of the server's own bytes have been used up: come back for the rest.
            cx.waker().wake_by_ref();
            Poll::Pending
        } else {
            Poll::Ready(Ok(written))
        }
    }
}

impl AsyncRead for WiredStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for WiredStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.wire.is_armed() {
            self.poll_tampered(cx, buf)
        } else {
            Pin::new(&mut self.tcp).poll_write(cx, buf)
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.tcp).poll_flush(cx))?;
        if self.wire.is_armed() {
            // The server flushes once the whole answer is written.
            let Tampering { end, wrote, .. } = *lock(&self.wire.shared.tampering);
            if let (Some(end), true) = (end, wrote) {
                return Poll::Ready(Err(self.end(end)));
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
