//! Scripted faults: which requests meet them, and for how long.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use http::Method;
use serde::{Deserialize, Serialize};

use super::fault::Fault;
use crate::clock::TICKS_PER_SECOND;

/// One scripted fault: which requests it meets and what happens to them.
///
/// ```
/// use crm_sandbox::{Fault, FaultRule};
/// // The third update is done, but its answer is lost.
/// let rule = FaultRule::new(Fault::LostAnswer)
///     .operation("Locations_UpdateContact")
///     .nth(3);
/// # let _ = rule;
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[must_use]
pub struct FaultRule {
    pub(super) fault: Fault,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) operation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// How many matching requests pass before the first that is met.
    #[serde(default)]
    skip: u32,
    /// How many requests are met; 0 for all that follow. `None` means one, or all that follow if
    /// `lasting` ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
    #[serde(default, rename = "lastingMilliseconds", skip_serializing_if = "Option::is_none")]
    lasting: Option<u64>,
}

/// How far a rule has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// How many matching requests have been seen.
    seen: u32,
    /// When the rule was due for the first time, in ticks.
    began: Option<i64>,
    /// How many faults have been injected: an ordinary refusal takes precedence over some.
    pub(super) met: Arc<AtomicU32>,
}

impl FaultRule {
    /// Creates a rule that meets the first request of any kind.
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            operation: None,
            method: None,
            path: None,
            skip: 0,
            times: None,
            lasting: None,
        }
    }

    /// Restricts the rule to requests of this operation id; `Token` is the token endpoint. A plan
    /// with an id that the API does not have is refused.
    pub fn operation(mut self, id: impl Into<String>) -> Self {
        self.operation = Some(id.into());
        self
    }

    /// Restricts the rule to requests with this method.
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Restricts the rule to requests whose path contains this text.
    pub fn path(mut self, part: impl Into<String>) -> Self {
        self.path = Some(part.into());
        self
    }

    /// Lets matching requests pass until the nth, counted from 1.
    pub fn nth(mut self, nth: u32) -> Self {
        self.skip = nth.saturating_sub(1);
        self
    }

    /// Meets this many requests in a row; 0 means all that follow.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Meets requests for this long, in whole milliseconds on the sandbox's clock, from the first
    /// one that it meets: all of them, unless [`times`](Self::times) sets how many at most.
    ///
    /// ```
    /// use std::time::Duration;
    /// use crm_sandbox::{Fault, FaultRule};
    /// // For four seconds every update is answered 429.
    /// let fault = Fault::TooManyRequests { seconds: 4, retry_after: true };
    /// let rule = FaultRule::new(fault).method("PATCH").lasting(Duration::from_secs(4));
    /// # let _ = rule;
    /// ```
    pub fn lasting(mut self, time: Duration) -> Self {
        self.lasting = Some(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        self
    }

    pub(super) fn matches(&self, operation: &str, method: &Method, path: &str) -> bool {
        self.operation.as_deref().is_none_or(|id| id == operation)
            && self.method.as_deref().is_none_or(|m| method.as_str().eq_ignore_ascii_case(m))
            && self.path.as_deref().is_none_or(|part| path.contains(part))
    }

    /// Counts a matching request and says whether the fault is due at it.
    pub(super) fn is_due(&self, progress: &mut Progress, now: i64) -> bool {
        progress.seen = progress.seen.saturating_add(1);
        if progress.seen <= self.skip {
            return false;
        }
        let times = self.most();
        let began = *progress.began.get_or_insert(now);
        let end = self.lasting.map(|milliseconds| {
            let time = i64::try_from(milliseconds).unwrap_or(i64::MAX);
            began.saturating_add(time.saturating_mul(TICKS_PER_SECOND / 1000))
        });
        (times == 0 || progress.seen <= self.skip.saturating_add(times))
            && end.is_none_or(|end| now < end)
    }

    /// Says whether fewer faults were injected than the rule asks for, or none at all.
    pub(super) fn is_unmet(&self, progress: &Progress) -> bool {
        progress.met.load(Ordering::Relaxed) < self.most().max(1)
    }

    /// Returns how many requests are met; 0 for no limit.
    fn most(&self) -> u32 {
        let unless_told = if self.lasting.is_some() { 0 } else { 1 };
        self.times.unwrap_or(unless_told)
    }
}
