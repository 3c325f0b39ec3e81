//! The strict rate limit: a number of requests in *any* sliding second.

use std::collections::VecDeque;

use crate::clock::TICKS_PER_SECOND;

/// The requests that one tenant had accepted within the last second.
#[derive(Debug, Default)]
pub(crate) struct RateLimiter {
    accepted: VecDeque<i64>,
}

impl RateLimiter {
    /// Accepts a request at `now` (in ticks), or returns for how many whole seconds the caller has
    /// to wait. A limit of 0 accepts everything.
    pub(crate) fn accept(&mut self, limit: u32, now: i64) -> Result<(), u32> {
        if limit == 0 {
            self.accepted.clear();
            return Ok(());
        }
        // A clock that was set back leaves times in the future: forget them too.
        while self.accepted.front().is_some_and(|t| now - t >= TICKS_PER_SECOND || *t > now) {
            self.accepted.pop_front();
        }
        if self.accepted.len() >= limit as usize {
            // After a whole second the window is empty, whatever it holds now.
            return Err(1);
        }
        // What is refused takes no place: the vendor's documents do not say that it does.
        self.accepted.push_back(now);
        Ok(())
    }
}
