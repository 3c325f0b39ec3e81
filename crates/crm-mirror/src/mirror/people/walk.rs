//! Walking a list so that nothing is missed while it changes.
//!
//! The lists' pages are numbered: a record that is deleted moves all behind it forward, and the one
//! that moves from one page to the page before is never seen. So a list is asked for in the order
//! of a time, and after each page for what is at or after the time that was reached: always the
//! first page, of which nothing is before. Pages are counted only where one second has more records
//! than a page.

use std::time::Duration;

use crm_contacts::ContactsService;
use crm_models::{Page, PageQuery, Timestamp};
use crm_transport::Transport;
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use super::listed::{Listed, Order};
use crate::error::MirrorError;

/// The largest page that the API returns.
const PAGE: i32 = 5_000;

/// Where a walk goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// What is at or after this time; `None`: all.
    pub(super) from: Option<Timestamp>,
    /// Which page of that.
    pub(super) page: i32,
}

impl Position {
    /// At the first record that is at or after this time.
    pub(super) fn at(from: Option<Timestamp>) -> Self {
        Self { from, page: 1 }
    }

    /// Where to go on behind this page.
    fn behind<L: Listed>(self, page: &Page<L>, order: Order) -> Self {
        let times = || page.data.iter().map(|record| record.time(order));
        // Otherwise the service does not order or select as it is asked to, and only numbers lead on.
        let is_in_order = times().is_sorted() && times().next() >= self.from;
        let reached = times().next_back().map(whole_second);
        if is_in_order && reached > self.from {
            Self::at(reached)
        } else {
            Self { page: self.page.saturating_add(1), ..self }
        }
    }
}

/// The time without the fraction of its second: how many digits of one the service compares is not
/// documented.
fn whole_second(time: Timestamp) -> Timestamp {
    let fraction = time.as_nanoseconds().rem_euclid(1_000_000_000);
    before(time, Duration::from_nanos(u64::try_from(fraction).unwrap_or(0)))
}

/// The time that much earlier.
pub(super) fn before(time: Timestamp, earlier: Duration) -> Timestamp {
    let nanoseconds = i128::try_from(earlier.as_nanos()).unwrap_or(i128::MAX);
    Timestamp::from_nanoseconds(time.as_nanoseconds() - nanoseconds).unwrap_or(time)
}

/// Hands each page to `each`, with where to go on behind it, and tells whether nothing can have been
/// missed on the way.
pub(super) async fn walk<T: Transport, L: Listed>(
    service: &ContactsService<T>,
    order: Order,
    mut at: Position,
    mut each: impl AsyncFnMut(Page<L>, Position) -> Result<(), MirrorError>,
) -> Result<bool, MirrorError> {
    let mut is_exact = at.page == 1;
    loop {
        let page = PageQuery::new().page(at.page).page_size(PAGE);
        let list = service.list(L::list(order, at.from, page));
        // It goes on to the next number while that is where to go on.
        let mut pages = list.set_aside().pages();
        loop {
            let Some(page) = pages.try_next().await? else {
                return Ok(is_exact);
            };
            let (next, has_more) = (at.behind(&page, order), page.has_more);
            each(page, next).await?;
            at = next;
            if has_more && at.page == 1 {
                break;
            }
            is_exact &= !has_more;
        }
    }
}
