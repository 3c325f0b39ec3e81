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
            return Err(1);
        }
        self.accepted.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sliding_second_holds_more_than_the_limit() {
        let mut limiter = RateLimiter::default();
        let mut accepted = Vec::new();
        for now in (0..3 * TICKS_PER_SECOND).step_by(50_000) {
            if limiter.accept(60, now).is_ok() {
                accepted.push(now);
            }
        }
        assert_eq!(accepted.len(), 180);
        for window in accepted.windows(61) {
            assert!(window[60] - window[0] >= TICKS_PER_SECOND);
        }
    }

    #[test]
    fn refused_requests_do_not_count() {
        let mut limiter = RateLimiter::default();
        assert_eq!(limiter.accept(1, 0), Ok(()));
        for now in 1..100 {
            assert_eq!(limiter.accept(1, now), Err(1));
        }
        assert_eq!(limiter.accept(1, TICKS_PER_SECOND), Ok(()));
    }

    #[test]
    fn a_clock_set_back_does_not_close_the_gate_for_good() {
        let mut limiter = RateLimiter::default();
        assert_eq!(limiter.accept(1, 100 * TICKS_PER_SECOND), Ok(()));
        assert_eq!(limiter.accept(1, 50 * TICKS_PER_SECOND), Ok(()));
    }
}
