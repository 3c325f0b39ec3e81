//! How a set is carried out.

use std::time::Duration;

use tokio::time::Instant;

use crate::store::Which;

/// How often a run goes over what is still open: answers that got lost are resolved by the
/// second time, creations that do not show up by the third.
pub(super) const PASSES: u32 = 3;

#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) concurrency: usize,
    pub(super) max_failures: Option<u64>,
    pub(super) canary: Option<u64>,
    pub(super) dry_run: bool,
    pub(super) retry_failed: bool,
    pub(super) server_timeout: Duration,
    pub(super) leaves_unanswered: bool,
    pub(super) compares_when_loaded: bool,
    pub(super) lease: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            // More than 60 calls a second need at answers of a second: the window takes of it what
            // the network needs.
            concurrency: 64,
            max_failures: None,
            canary: None,
            dry_run: false,
            retry_failed: false,
            // The vendor ends a request after this time.
            server_timeout: Duration::from_secs(100),
            leaves_unanswered: false,
            compares_when_loaded: false,
            // Renewed every fifth of it, so that a process has to stand still for long to lose its
            // set; and whoever takes over a set waits no longer than a person does.
            lease: Duration::from_secs(10),
        }
    }
}

impl Options {
    /// Which changes a pass takes up. Those that the first one [defers](Self::defers) may have been
    /// held before.
    pub(super) fn which(&self, pass: u32) -> Which {
        if self.retry_failed && pass <= 1 { Which::OpenAndFailed } else { Which::Open }
    }

    /// Whether a pass leaves changes to the next that rest on others: what these do is there by
    /// then. A dry run does nothing, so there is nothing to wait for.
    pub(super) fn defers(&self, pass: u32) -> bool {
        pass == 0 && !self.dry_run
    }

    /// What is not as usual, in words.
    pub(super) fn chosen(&self) -> Vec<String> {
        let usual = Self::default();
        let at_once = (self.concurrency != usual.concurrency).then_some(self.concurrency);
        [
            self.max_failures.map(|most| format!("stop after {most} failures")),
            self.canary.map(|some| format!("{some} first, then stop")),
            self.retry_failed.then(|| "failed and held changes once more".to_owned()),
            at_once.map(|most| format!("up to {most} at once")),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// When the service has surely carried out what got no answer before this pass; known in the
    /// last one, which waits for it. A dry run sends nothing, so it need not wait.
    pub(super) fn done_by(&self, pass: u32) -> Option<Instant> {
        let waits = self.dry_run || (pass + 1 == PASSES && !self.leaves_unanswered);
        self.surely_done(Instant::now()).filter(|_| waits)
    }

    /// When the service has surely carried out what it was sent until then.
    pub(super) fn surely_done(&self, sent_until: Instant) -> Option<Instant> {
        let wait = if self.dry_run { Duration::ZERO } else { self.server_timeout };
        sent_until.checked_add(wait)
    }
}
