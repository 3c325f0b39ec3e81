//! The server's strict limit, kept over real sockets. Alone in its file: the tests of one file
//! run at the same time, and a starved machine holds calls up for longer than any margin.
//!
//! `CRM_LIMITED_CALLS` sets how many calls: 600 for the long run.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{env, time::Instant};

use crm_contacts::ContactsService;
use crm_models::{ContactChange, ContactId, LocationId, TenantId};
use crm_sandbox::{Sandbox, Seed};
use crm_transport::{Credentials, Environment};
use tokio::task::JoinSet;

#[tokio::test]
async fn at_the_servers_limit_not_one_call_is_refused() {
    let sandbox = Sandbox::builder()
        .seed(Seed::Count(10))
        .start()
        .await
        .unwrap();
    let calls = env::var("CRM_LIMITED_CALLS").map_or(120, |calls| calls.parse().unwrap());
    let connection = sandbox.connection();
    let environment = Environment::custom(&connection.api_url, &connection.auth_url).unwrap();
    let credentials = Credentials::new(
        connection.client_id.clone(),
        connection.client_secret.clone(),
        connection.app_key.clone(),
    );
    let transport = crm_transport::standard(&environment, credentials).unwrap();
    let service = ContactsService::new(transport, TenantId::new(connection.tenant).unwrap());
    let contact = sandbox.location_contacts().unwrap().remove(0);
    let location = LocationId::new(contact.owner_id).unwrap();
    let id = ContactId::new(contact.id).unwrap();
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for number in 0..calls {
        let service = service.clone();
        tasks.spawn(async move {
            let change = ContactChange::new().memo(format!("call {number}"));
            service
                .location(location)
                .update(id, &change)
                .await
                .unwrap_or_else(|e| panic!("{e}"))
        });
    }
    assert_eq!(tasks.join_all().await.len() as u64, calls);
    println!("{calls} calls in {:?}", started.elapsed());
    let log = sandbox.log();
    assert!(log.iter().all(|entry| entry.status != 429));
    let times: Vec<_> = log
        .iter()
        .filter(|entry| entry.operation == "Locations_UpdateContact")
        .map(|entry| entry.time)
        .collect();
    for window in times.windows(61) {
        assert!(
            window[60] - window[0] >= 1_000_000_000,
            "61 calls within a second"
        );
    }
}
