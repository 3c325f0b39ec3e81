//! Lists and exports as streams.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    sync::atomic::{AtomicI32, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use common::*;
use crm_contacts::{
    Advice, ContactsError, ContactsService, Operation, POLLING_INTERVAL, PagedOperation, Spec,
    Stall, operations::locations::GetContactList,
};
use crm_models::{
    ContactFilter, ContinuationToken, CustomerId, ExportFrom, LocationId, Page, PageQuery, TenantId,
};
use crm_transport::{Delivery, Request, Response, Transport, TransportError, TransportErrorKind};
use futures_util::{Stream, StreamExt, TryStreamExt};
use tokio::time::Instant;

#[tokio::test]
async fn a_list_of_118_contacts_has_118() {
    let all: Vec<_> = (1..=118).map(mobile).collect();
    let (service, sent) = service([
        ok(page(1, true, &all[..50])),
        ok(page(2, true, &all[50..100])),
        ok(page(3, false, &all[100..])),
    ]);
    let found = service.customer(customer()).list().collect().await.unwrap();
    let ids: Vec<_> = found.iter().map(|contact| contact.id.get()).collect();
    assert_eq!(ids, (1..=118).collect::<Vec<_>>());
    assert_eq!(sent.lines()[2], "GET /customers/9107/contacts?page=3");
}

#[tokio::test]
async fn an_empty_page_that_says_that_there_is_more_ends_no_list() {
    let (service, _) = service([
        ok(page(1, true, &[mobile(1)])),
        ok(page::<&str>(2, true, &[])),
        ok(page(3, false, &[mobile(2)])),
    ]);
    let found = service.location(location()).list().collect().await.unwrap();
    assert_eq!(found.len(), 2);
}

fn is_stalled(error: &ContactsError, how: Stall) -> bool {
    assert_eq!(error.advice(), Advice::Later);
    matches!(error, ContactsError::Stalled { how: it, .. } if *it == how)
}

#[tokio::test]
async fn a_list_that_never_ends_is_an_error_that_says_so() {
    let endless = |ids: &str| {
        let cycle: Vec<Vec<_>> = ids
            .split('|')
            .map(|page| page.split_whitespace().map(|id| mobile(id.parse().unwrap())).collect())
            .collect();
        let numbered = (1..=50).map(move |number| {
            let items = &cycle[(number - 1) % cycle.len()];
            ok(page(number.try_into().unwrap(), true, items))
        });
        service(numbered)
    };
    for (ids, how) in [
        ("1 2", Stall::Repeats),
        ("1 2|3 4", Stall::Repeats),
        ("1|2|3|4 5", Stall::Repeats),
        ("", Stall::Empty(3)),
        ("1|", Stall::Repeats),
    ] {
        for prefetch in [false, true] {
            let (service, _) = endless(ids);
            let list = service.location(location()).list();
            let list = if prefetch { list.prefetch() } else { list };
            let error = list.collect().await.unwrap_err();
            assert!(is_stalled(&error, how), "{ids}: {error}");
            assert!(error.to_string().contains("/locations/55021/contacts"));
        }
        let (service, _) = endless(ids);
        let error = service.location(location()).find(id(99)).await.unwrap_err();
        assert!(is_stalled(&error, how), "not said to be not found: {error}");
    }
}

#[tokio::test]
async fn a_list_of_ones_own_that_never_ends_is_known_by_the_numbers_of_its_pages() {
    let (service, _) = service((0..9).map(|_| ok(page(1, true, &["1"]))));
    let error = service.list(GetBookings(PageQuery::new())).collect().await;
    assert!(is_stalled(&error.unwrap_err(), Stall::Repeats));
}

#[tokio::test]
async fn a_feed_of_ever_new_tokens_with_nothing_new_in_it_is_an_error() {
    for (ids, how) in [(&[] as &[i64], Stall::Empty(100)), (&[1, 2], Stall::Repeats)] {
        let batches = (0..200).map(|n| ok(batch(true, Some(&format!("t{n}")), ids)));
        let (service, _) = service(batches);
        let export = service.export::<LocationId>().batches();
        let error = export.try_collect::<Vec<_>>().await.unwrap_err();
        assert!(is_stalled(&error, how), "{error}");
    }
}

#[tokio::test]
async fn an_error_in_the_middle_is_shown_after_the_items_before_it_and_ends_the_list() {
    let (service, _) = service([ok(page(1, true, &[mobile(1)])), status(403, "")]);
    let list = service.location(location()).list();
    let results: Vec<_> = list.items().collect().await;
    assert_eq!(results.len(), 2);
    assert!(results[0].is_ok() && results[1].is_err());
}

#[tokio::test]
async fn taking_a_few_items_asks_for_no_further_page() {
    let (service, sent) = service([ok(page(1, true, &[mobile(1), mobile(2)]))]);
    let list = service.location(location()).list();
    let few: Vec<_> = list.items().take(2).try_collect().await.unwrap();
    assert_eq!(few.len(), 2);
    assert_eq!(sent.lines().len(), 1);
}

#[tokio::test]
async fn prefetch_asks_for_one_page_ahead_and_never_for_two() {
    let (service, sent) =
        service([ok(page(1, true, &[mobile(1)])), ok(page(2, true, &[mobile(2)]))]);
    let list = service.location(location()).list().prefetch();
    let mut pages = list.pages();
    let first = pages.try_next().await.unwrap().unwrap();
    assert!(first.has_more);
    assert_eq!(sent.lines().len(), 2);
}

/// The ids of a list, then the sizes of an export's batches, of a service that ends here.
fn outliving(
    service: ContactsService<impl Transport + 'static>,
) -> impl Stream<Item = Result<i64, ContactsError>> + Send + Unpin + 'static {
    let list = service.location(location()).list().prefetch().items();
    let export = service.export::<LocationId>().batches();
    let exported = export.map_ok(|batch| batch.data.len() as i64);
    list.map_ok(|contact| contact.id.get()).chain(exported)
}

#[tokio::test]
async fn a_stream_outlives_the_function_that_owns_the_service() {
    let (service, _) = service([
        ok(page(1, true, &[mobile(1)])),
        ok(page(2, false, &[mobile(2)])),
        ok(batch(false, Some("t1"), &[3, 4, 5])),
    ]);
    let found: Vec<_> = outliving(service).try_collect().await.unwrap();
    assert_eq!(found, [1, 2, 3]);
}

/// Pages of a list that this crate does not know.
#[derive(Clone)]
struct GetBookings(PageQuery);

impl Operation for GetBookings {
    type Answer = Page<serde_json::Value>;
    const SPEC: Spec = Spec::read("Bookings_GetList", "/bookings", "tn.crm.bookings:r");

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        Self::SPEC.draft(tenant, []).query(&self.0)?.empty()
    }
}

impl PagedOperation for GetBookings {
    type Item = serde_json::Value;

    fn page_mut(&mut self) -> &mut PageQuery {
        &mut self.0
    }
}

#[tokio::test]
async fn a_list_of_ones_own_is_walked_with_pages_of_its_own_size() {
    let (service, sent) = service([ok(page(1, true, &["1"])), ok(page(2, false, &["2"]))]);
    let operation = GetBookings(PageQuery::new().page_size(1).include_total(true));
    let found = service.list(operation).collect().await.unwrap();
    assert_eq!(found, [1, 2]);
    let query = "pageSize=1&includeTotal=true";
    assert_eq!(
        sent.lines(),
        [format!("GET /bookings?page=1&{query}"), format!("GET /bookings?page=2&{query}")]
    );
}

#[tokio::test]
async fn a_list_begins_with_the_page_that_its_operation_asks_for() {
    let (service, sent) = service([ok(page(7, true, &["7"])), ok(page(8, false, &["8"]))]);
    let operation = GetBookings(PageQuery::new().page(7).page_size(1));
    let found = service.list(operation).prefetch().collect().await.unwrap();
    assert_eq!(found, [7, 8]);
    assert_eq!(
        sent.lines(),
        ["GET /bookings?page=7&pageSize=1", "GET /bookings?page=8&pageSize=1"]
    );
}

#[tokio::test]
async fn a_list_from_page_0_is_refused_before_sending() {
    let (service, sent) = service([]);
    let operation = GetContactList { owner: location(), page: PageQuery::new().page(0) };
    let error = service.list(operation).collect().await.unwrap_err();
    assert!(matches!(error, ContactsError::Invalid(_)), "{error}");
    assert!(sent.lines().is_empty());
}

#[tokio::test]
async fn long_lists_of_ids_are_cut_into_blocks_of_50() {
    let empty = || ok(page::<&str>(1, false, &[]));
    let (service, sent) = service([empty(), empty(), empty()]);
    let ids = (1..=101).map(|id| CustomerId::new(id).unwrap());
    let filter = ContactFilter::new().owners(ids);
    service.changed(filter).collect().await.unwrap();
    let counts: Vec<_> = sent.lines().iter().map(|l| l.matches("%2C").count() + 1).collect();
    assert_eq!(counts, [50, 50, 1]);
}

#[tokio::test]
async fn an_error_in_one_block_of_ids_ends_the_list() {
    let (service, sent) = service([status(403, "")]);
    let ids = (1..=51).map(|id| CustomerId::new(id).unwrap());
    let list = service.changed(ContactFilter::new().owners(ids));
    let results: Vec<_> = list.items().collect().await;
    assert!(matches!(results[..], [Err(_)]), "{results:?}");
    assert_eq!(sent.lines().len(), 1);
}

/// Answers each page after a second, but only to those who look within the time-out.
struct TimesOut(AtomicI32);

#[async_trait]
impl Transport for TimesOut {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        let call = self.0.fetch_add(1, Ordering::Relaxed);
        let deadline = Instant::now() + Duration::from_secs(100);
        tokio::time::sleep(Duration::from_secs(1)).await;
        if Instant::now() > deadline {
            let (kind, delivery) = (TransportErrorKind::Timeout, Delivery::Unknown);
            return Err(TransportError::new(kind, delivery));
        }
        let more = call == 0;
        Ok(Response::new(page(call + 1, more, &[mobile((call + 1).into())]).into()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_prefetched_page_that_timed_out_meanwhile_is_asked_for_once_more() {
    let wire = TimesOut(AtomicI32::new(0));
    let service = ContactsService::new(wire, TenantId::new(1_001).unwrap());
    let list = service.location(location()).list().prefetch();
    let mut pages = list.pages();
    assert!(pages.try_next().await.unwrap().unwrap().has_more);
    tokio::time::advance(Duration::from_secs(360)).await;
    assert!(!pages.try_next().await.unwrap().unwrap().has_more);
    assert_eq!(service.transport().0.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_prefetched_page_that_is_refused_for_good_is_not_asked_for_again() {
    let (service, sent) = service([ok(page(1, true, &[mobile(1)])), status(403, "")]);
    let list = service.location(location()).list().prefetch();
    let results: Vec<_> = list.pages().collect().await;
    assert!(matches!(results[..], [Ok(_), Err(_)]));
    assert_eq!(sent.lines().len(), 2);
}

#[tokio::test]
async fn a_filter_that_the_api_refuses_is_refused_before_sending() {
    let (service, sent) = service([]);
    let error = service.changed(ContactFilter::<LocationId>::new()).collect().await.unwrap_err();
    assert!(matches!(error, ContactsError::Invalid(_)), "{error}");
    assert!(sent.lines().is_empty());
}

fn batch(has_more: bool, token: Option<&str>, ids: &[i64]) -> String {
    let data: Vec<_> = ids
        .iter()
        .map(|id| mobile(*id).replacen('{', r#"{"locationId":55021,"active":true,"#, 1))
        .collect();
    let token = token.map_or("null".to_owned(), |token| format!("\"{token}\""));
    format!(r#"{{"hasMore":{has_more},"continueFrom":{token},"data":[{}]}}"#, data.join(","))
}

#[tokio::test]
async fn an_export_goes_on_from_each_token_and_ends_on_the_feeds_end_with_its_token() {
    let (service, sent) =
        service([ok(batch(true, Some("t1"), &[1])), ok(batch(false, Some("t2"), &[2]))]);
    let export = service.export::<LocationId>();
    let batches: Vec<_> = export.batches().try_collect().await.unwrap();
    let tokens: Vec<_> = batches.iter().map(|b| b.continue_from.clone().unwrap()).collect();
    assert_eq!(tokens, ["t1", "t2"].map(ContinuationToken::new));
    assert_eq!(
        sent.lines(),
        ["GET /export/locations/contacts", "GET /export/locations/contacts?from=t1"]
    );
}

#[tokio::test]
async fn an_export_that_is_caught_up_keeps_the_old_token() {
    for token in [Some("t2"), Some(""), None] {
        let (service, _) = service([ok(batch(false, token, &[]))]);
        let from = ExportFrom::Token(ContinuationToken::new("t2"));
        let export = service.export::<LocationId>().from(from);
        let batches: Vec<_> = export.batches().try_collect().await.unwrap();
        assert_eq!(batches[0].continue_from, Some(ContinuationToken::new("t2")));
    }
}

#[tokio::test]
async fn an_export_that_cannot_go_on_is_an_error_not_an_endless_loop() {
    for token in [Some("t1"), None] {
        let (service, _) =
            service([ok(batch(true, Some("t1"), &[1])), ok(batch(true, token, &[2]))]);
        let results: Vec<_> = service.export::<LocationId>().batches().collect().await;
        assert!(results[0].is_ok());
        assert!(matches!(results[1], Err(ContactsError::Stalled { how: Stall::Token, .. })));
        assert_eq!(results.len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn following_waits_at_the_end_goes_on_from_the_token_and_stops_when_told() {
    let (service, sent) = service([
        ok(batch(true, Some("t1"), &[1])),
        ok(batch(false, Some("t2"), &[2])),
        ok(batch(false, Some("t3"), &[3])),
    ]);
    let started = tokio::time::Instant::now();
    let stop = tokio::time::sleep(POLLING_INTERVAL + Duration::from_secs(1));
    let batches: Vec<_> =
        service.export::<LocationId>().follow(POLLING_INTERVAL, stop).try_collect().await.unwrap();
    assert_eq!(batches.len(), 3);
    assert!(started.elapsed() > POLLING_INTERVAL);
    assert_eq!(sent.lines()[2], "GET /export/locations/contacts?from=t2");
}
