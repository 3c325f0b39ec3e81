//! Walking a list, page by page.

use std::{pin::Pin, vec};

use crm_models::{Page, TenantId};
use futures_util::{
    FutureExt,
    future::{self, MaybeDone},
};

use crate::{
    error::{Advice, CallSite, ContactsError},
    paged::PagedOperation,
    progress::{Progress, key_of},
    reading::Reading,
    set_aside::SetAside,
};

/// A list that is being walked.
pub(super) struct Pages<P, C, F: Future> {
    operations: vec::IntoIter<P>,
    prefetch: bool,
    call: C,
    /// The operation that has more, and the number of its next page.
    next: Option<(P, i32)>,
    /// The call for that page, if it was started early.
    ahead: Option<Pin<Box<MaybeDone<F>>>>,
    tenant: TenantId,
    /// Whether the caller looks after what cannot be read.
    set_aside: bool,
    /// Whether the list of that operation makes progress.
    progress: Progress,
}

impl<P, C, F> Pages<P, C, F>
where
    P: PagedOperation,
    C: Fn(P) -> F,
    F: Future<Output = Result<Reading<Page<P::Item>>, ContactsError>>,
{
    pub(super) fn new(
        operations: Vec<P>,
        tenant: TenantId,
        call: C,
        prefetch: bool,
        set_aside: bool,
    ) -> Self {
        Self {
            operations: operations.into_iter(),
            prefetch,
            call,
            next: None,
            ahead: None,
            tenant,
            set_aside,
            progress: Progress::of_list(),
        }
    }

    pub(super) async fn next(&mut self) -> Result<Option<Reading<Page<P::Item>>>, ContactsError> {
        let next = self.next.take().or_else(|| {
            let mut operation = self.operations.next()?;
            let first = operation.page_mut().get_page().unwrap_or(1);
            self.progress = Progress::of_list();
            Some((operation, first))
        });
        let Some((operation, number)) = next else {
            return Ok(None);
        };
        let early = match self.ahead.take() {
            Some(mut ahead) => {
                ahead.as_mut().await;
                ahead.as_mut().take_output()
            }
            None => None,
        };
        let page = match early {
            // It may have failed for lack of polling; to ask again changes nothing.
            Some(Err(error)) if error.advice() == Advice::Later => {
                self.ask(&operation, number).await
            }
            Some(early) => early,
            None => self.ask(&operation, number).await,
        }?;
        if !self.set_aside {
            SetAside::of(&page.record.unreadable).is_none(&operation, self.tenant)?;
        }
        if page.record.has_more {
            self.note(&operation, &page.record)?;
            let next = number.saturating_add(1);
            if self.prefetch {
                let mut ahead = Box::pin(future::maybe_done(self.ask(&operation, next)));
                // One poll starts the call, as far as it gets without waiting.
                let _ = ahead.as_mut().now_or_never();
                self.ahead = Some(ahead);
            }
            self.next = Some((operation, next));
        }
        Ok(Some(page))
    }

    /// Refuses a list that makes no progress.
    fn note(&mut self, operation: &P, page: &Page<P::Item>) -> Result<(), ContactsError> {
        let noted = if page.data.first().is_some_and(|item| P::key(item).is_none()) {
            self.progress.note([u64::from(page.page.unsigned_abs())])
        } else {
            let unreadable = page.unreadable.iter().map(|record| key_of(&record.json));
            let readable = page.data.iter().filter_map(|item| P::key(item));
            self.progress.note(readable.chain(unreadable))
        };
        noted.map_err(|how| ContactsError::Stalled {
            site: Box::new(CallSite::of(operation, self.tenant)),
            how,
        })
    }

    fn ask(&self, operation: &P, number: i32) -> F {
        let mut operation = operation.clone();
        let page = operation.page_mut();
        *page = page.page(number);
        (self.call)(operation)
    }
}
