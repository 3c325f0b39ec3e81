//! A decision about a set, as programs read it.

use crm_bulk::Decision;
use serde::Serialize;

/// A decision about a set, for programs.
#[derive(Debug, Serialize)]
pub(super) struct Decided {
    kind: &'static str,
    at: String,
    user: String,
    said: Option<String>,
    reason: Option<String>,
    digest: String,
    changes: u64,
}

impl From<Decision> for Decided {
    fn from(decision: Decision) -> Self {
        let kind = decision.kind.into();
        let Decision { at, user, said, reason, digest, changes, .. } = decision;
        let (at, digest) = (at.to_string(), digest.to_string());
        Self { kind, at, user, said, reason, digest, changes }
    }
}
