//! Whatever an operation is answered is a result or an error of one line.
#![no_main]

use std::{pin::pin, sync::LazyLock};

use async_trait::async_trait;
use crm_contacts::{ContactsError, ContactsService};
use crm_models::{BookingId, ContactMethodFilter, CustomerId, LocationId, PersonFilter, TenantId};
use crm_transport::{Request, Response, Transport, TransportError};
use futures_util::TryStreamExt;
use http::StatusCode;
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

/// Answers the same to everything.
struct Always(Response);

#[async_trait]
impl Transport for Always {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        Ok(self.0.clone())
    }
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().build();
    runtime.expect("a runtime")
});

fuzz_target!(|input: &[u8]| {
    // The first byte chooses the operation, two more are the status.
    let [operation, high, low, body @ ..] = input else {
        return;
    };
    let mut response = Response::new(body.to_vec().into());
    let status = u16::from_be_bytes([*high, *low]);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    if let Err(error) = RUNTIME.block_on(call(*operation, response)) {
        let text = error.to_string();
        assert!(!text.contains('\n'), "one line: {text}");
    }
});

async fn call(operation: u8, response: Response) -> Result<(), ContactsError> {
    let tenant = TenantId::new(1_001).expect("valid");
    let contacts = ContactsService::new(Always(response), tenant);
    let person = "5e0c1a44-93b7-4d1f-8a26-000000000001".parse();
    let person = contacts.person(person.expect("valid"));
    let method = "7b2d9f10-4e6a-4c58-b310-000000000001".parse();
    let method = person.method(method.expect("valid"));
    // One page or batch of each: the same answer to everything has no end.
    match operation % 12 {
        0 => {
            let booking = contacts.booking(BookingId::new(1).expect("valid"));
            pin!(booking.list().pages()).try_next().await.map(drop)
        }
        1 => {
            let methods = contacts
                .people()
                .contact_methods(ContactMethodFilter::new());
            pin!(methods.pages()).try_next().await.map(drop)
        }
        2 => {
            let relationships = person.relationships(Default::default());
            pin!(relationships.pages()).try_next().await.map(drop)
        }
        3 => {
            let people = contacts.people().list(PersonFilter::new());
            pin!(people.pages()).try_next().await.map(drop)
        }
        4 => {
            let location = contacts.location(LocationId::new(1).expect("valid"));
            pin!(location.list().pages()).try_next().await.map(drop)
        }
        5 => {
            let export = contacts.export::<CustomerId>();
            pin!(export.batches()).try_next().await.map(drop)
        }
        6 => {
            let export = contacts.export::<LocationId>();
            pin!(export.batches()).try_next().await.map(drop)
        }
        7 => contacts.people().preference_types().await.map(drop),
        8 => method.get().await.map(drop),
        9 => method.preferences().await.map(drop),
        10 => method.preference("MarketingUpdates").await.map(drop),
        _ => person.get().await.map(drop),
    }
}
