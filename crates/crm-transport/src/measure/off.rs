//! The functions of `on`, without effect and without cost.

use tokio::time::Instant;

use crate::{
    error::TransportError,
    message::{self, Response},
    outcome::AttemptOutcome,
};

type Answered<'a> = &'a Result<Response, TransportError>;

pub(crate) struct Request;

impl Request {
    pub(crate) fn begins(_: &'static str, _: &message::Request) -> Self {
        Self
    }

    pub(crate) fn ends(self, _: Answered<'_>) {}
}

pub(crate) struct Waiting;

impl Waiting {
    pub(crate) fn new(_: &'static str) -> Self {
        Self
    }

    pub(crate) fn ends(self) {}
}

pub(crate) fn call(_: &'static str, _: Answered<'_>, _: Instant) {}

pub(crate) fn attempt(_: &'static str, _: AttemptOutcome) {}

pub(crate) fn retry(_: &'static str, _: AttemptOutcome) {}

pub(crate) fn withheld(_: &'static str, _: &'static str) {}

pub(crate) fn rate_limit_pause(_: &'static str) {}

pub(crate) fn token_request(_: Answered<'_>) {}
