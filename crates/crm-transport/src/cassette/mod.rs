//! Cassettes: traffic recorded to a file, and replayed from it.
//!
//! A [`Recorder`] is a transport around a transport that writes down what passes, one line of JSON
//! for each request and its outcome. A [`Replayer`] is a transport that answers from such a file
//! without a network. Record once against the real service, then replay in tests.
//!
//! Secrets and personal data are replaced while recording, unless you ask to keep them (see
//! [`Redaction`]); a replaced value matches any other when it is replayed.
//!
//! ```
//! # #[cfg(feature = "mock")]
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! use std::sync::Arc;
//!
//! use crm_transport::cassette::{Matching, Recorder, Replayer};
//! use crm_transport::{MockTransport, Request, Response, Transport, TransportExt};
//!
//! let mut service = MockTransport::new();
//! service.expect_send().returning(|_| Ok(Response::new(r#"{"memo":"Beware of the dog"}"#.into())));
//!
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("calls.ndjson");
//! let recorder = Arc::new(Recorder::create(service, &file)?);
//! let transport = Arc::clone(&recorder).with_tracing();
//! transport.send(Request::default()).await?;
//! assert_eq!(recorder.finish()?, 1);
//!
//! let replayer = Replayer::open(&file, Matching::Strict)?;
//! let answer = replayer.send(Request::default()).await?;
//! assert_eq!(answer.body(), r#"{"memo":"redacted-1"}"#);
//! assert_eq!(replayer.remaining(), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! Place a recorder where you want to cut: directly on the wire to replay what the service did,
//! above the retry layer to replay what the program saw. Token requests go through a transport of
//! their own, so they have a cassette of their own.

mod compare;
mod line;
mod record;
mod redact;
mod replay;
mod values;

pub use self::{
    line::CassetteError,
    record::Recorder,
    redact::Redaction,
    replay::{Matching, Replayer},
};
