//! Injected faults, over raw sockets where HTTP clients would hide them.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

mod common;

use std::{
    io::ErrorKind,
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use common::Client;
use crm_sandbox::{Fault, FaultPlan, FaultRule, Sandbox, SandboxError};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const CONTACT: &str = "/locations/2001/contacts/3001";

/// Sends one update over a fresh connection and gives all bytes of the answer
/// and how the connection ended.
async fn raw_update(sandbox: &Sandbox, client: &Client) -> (Vec<u8>, Option<ErrorKind>) {
    let body = r#"{"memo":"raw"}"#;
    let request = format!(
        "PATCH /crm/v2/tenant/1001{CONTACT} HTTP/1.1\r\nhost: sandbox\r\nauthorization: {}\r\n\
         st-app-key: ak1.sandbox\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        client.token,
        body.len()
    );
    let address = sandbox.connection().api_url.strip_prefix("http://").unwrap();
    let mut answer = Vec::new();
    // A connection that is reset may fail here or at its first use.
    let mut stream = match TcpStream::connect(address).await {
        Ok(stream) => stream,
        Err(error) => return (answer, Some(error.kind())),
    };
    if let Err(error) = stream.write_all(request.as_bytes()).await {
        return (answer, Some(error.kind()));
    }
    // Every fault that is sent here ends the connection; no machine takes a minute to.
    let reading = stream.read_to_end(&mut answer);
    let ended = tokio::time::timeout(Duration::from_secs(60), reading).await;
    let ended = ended.expect("the connection ends");
    (answer, ended.err().map(|error| error.kind()))
}

fn memo(sandbox: &Sandbox) -> Option<String> {
    let contacts = sandbox.location_contacts().unwrap();
    contacts.into_iter().find(|c| (c.owner_id, c.id) == (2001, 3001)).and_then(|c| c.memo)
}

async fn with(fault: Fault) -> (Sandbox, Client) {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    sandbox.inject(FaultPlan::new().rule(FaultRule::new(fault)));
    (sandbox, client)
}

#[tokio::test]
async fn resets_before_the_answer_leave_nothing_behind_unless_they_come_after_the_write() {
    for (fault, done) in [
        (Fault::ResetConnection, false),
        (Fault::ResetBeforeRequest, false),
        (Fault::ResetDuringRequest, false),
        (Fault::ResetAfterRequest, false),
        (Fault::ResetBeforeAnswer, true),
    ] {
        let (sandbox, client) = with(fault.clone()).await;
        let (answer, ended) = raw_update(&sandbox, &client).await;
        assert_eq!(
            (answer.as_slice(), ended),
            (&b""[..], Some(ErrorKind::ConnectionReset)),
            "{fault:?}"
        );
        assert_eq!(memo(&sandbox).as_deref() == Some("raw"), done, "{fault:?}");
        assert_eq!(sandbox.faults_injected()[fault.name()], 1);
    }
}

#[tokio::test]
async fn a_reset_during_the_answer_cuts_it_short_after_the_write() {
    let (sandbox, client) = with(Fault::ResetDuringAnswer).await;
    let (answer, ended) = raw_update(&sandbox, &client).await;
    assert!(answer.starts_with(b"HTTP/1.1 200") && !answer.ends_with(b"}"));
    assert_eq!(ended, Some(ErrorKind::ConnectionReset));
    assert_eq!(memo(&sandbox).as_deref(), Some("raw"));
}

#[tokio::test]
async fn a_reset_after_the_answer_kills_the_kept_alive_connection() {
    let (sandbox, client) = with(Fault::ResetAfterAnswer).await;
    let (answer, ended) = raw_update(&sandbox, &client).await;
    assert!(answer.starts_with(b"HTTP/1.1 200") && answer.ends_with(b"}"));
    assert_eq!(ended, Some(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn a_wrong_length_is_sent_as_it_is() {
    for difference in [10, -10] {
        let (sandbox, client) = with(Fault::WrongLength { difference }).await;
        let (answer, ended) = raw_update(&sandbox, &client).await;
        let text = String::from_utf8(answer).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let length = body.len().strict_add_signed(difference as isize);
        assert!(head.contains(&format!("content-length: {length}")), "{head}");
        assert_eq!(ended, None);
    }
}

#[tokio::test]
async fn garbage_is_not_http() {
    let (sandbox, client) = with(Fault::Garbage).await;
    let (answer, _) = raw_update(&sandbox, &client).await;
    assert!(!answer.is_empty() && !answer.starts_with(b"HTTP/"));
}

#[tokio::test]
async fn a_drip_arrives_whole_and_slowly_and_the_next_answer_at_once() {
    let (sandbox, client) = with(Fault::Drip { bytes: 40, milliseconds: 5 }).await;
    let started = Instant::now();
    assert_eq!(client.patch(CONTACT, json!({"memo": "drip"})).await.1["memo"], "drip");
    assert!(started.elapsed() >= Duration::from_millis(25));
    assert_eq!(client.patch(CONTACT, json!({"memo": "next"})).await.1["memo"], "next");
    assert_eq!(sandbox.faults_injected()["drip"], 1);
}

#[tokio::test]
async fn a_lost_answer_is_504_after_the_write() {
    let (sandbox, client) = with(Fault::LostAnswer).await;
    let request = client.request(reqwest::Method::PATCH, CONTACT).json(&json!({"memo": "done"}));
    assert_eq!(request.send().await.unwrap().status(), 504);
    assert_eq!(memo(&sandbox).as_deref(), Some("done"));
}

#[tokio::test]
async fn statuses_are_answered_without_the_write() {
    for (fault, status) in [
        (Fault::Status { status: 503 }, 503),
        (Fault::Status { status: 599 }, 599),
        (Fault::Html { status: 502 }, 502),
        (Fault::Html { status: 200 }, 200),
        (Fault::Maintenance, 409),
        (Fault::Unauthorized, 401),
        (Fault::TooManyRequests { seconds: 7, retry_after: false }, 429),
    ] {
        let (sandbox, client) = with(fault).await;
        let request =
            client.request(reqwest::Method::PATCH, CONTACT).json(&json!({"memo": "undone"}));
        assert_eq!(request.send().await.unwrap().status(), status);
        assert_ne!(memo(&sandbox).as_deref(), Some("undone"));
    }
}

#[tokio::test]
async fn an_ordinary_refusal_goes_before_an_injected_one() {
    let (sandbox, client) = with(Fault::Status { status: 503 }).await;
    assert_eq!(client.patch("/locations/2001/contacts/1", json!({})).await.0, 404);
    assert!(sandbox.faults_injected().is_empty());
}

#[tokio::test]
async fn rules_choose_operation_number_and_times() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let rule = FaultRule::new(Fault::Status { status: 500 })
        .operation("Locations_UpdateContact")
        .nth(2)
        .times(2);
    sandbox.inject(FaultPlan::new().rule(rule));
    let mut statuses = Vec::new();
    for _ in 0..5 {
        assert_eq!(client.get("/locations/2001/contacts").await.0, 200);
        statuses.push(client.patch(CONTACT, json!({})).await.0);
    }
    assert_eq!(statuses, [200, 500, 500, 200, 200]);
}

#[tokio::test]
async fn rules_are_unmet_until_all_their_faults_were_injected() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let refuse = |times| FaultRule::new(Fault::Status { status: 503 }).times(times);
    let updates = refuse(2).operation("Locations_UpdateContact");
    let customers = refuse(0).path("/customers/");
    sandbox.inject(FaultPlan::new().rule(updates.clone()).rule(customers.clone()));

    assert_eq!(client.patch(CONTACT, json!({})).await.0, 503);
    assert_eq!(sandbox.unmet_faults(), [updates.clone(), customers]);
    // An ordinary refusal uses the rule up, but injects nothing.
    assert_eq!(client.patch("/locations/2001/contacts/1", json!({})).await.0, 404);
    assert_eq!(client.get("/customers/1001/contacts").await.0, 503);
    assert_eq!(sandbox.unmet_faults(), [updates]);
    sandbox.inject(FaultPlan::new());
    assert_eq!(sandbox.unmet_faults(), []);
}

#[tokio::test]
async fn plans_that_could_never_do_what_they_say_are_refused() {
    let refusal = async |plan| {
        let error = Sandbox::builder().faults(plan).start().await.unwrap_err();
        assert!(matches!(error, SandboxError::Faults(_)), "{error}");
        error.to_string()
    };
    let misspelt = FaultRule::new(Fault::LostAnswer).operation("Location_UpdateContact");
    let misspelt = FaultPlan::new().rule(misspelt);
    let error = refusal(misspelt.clone()).await;
    assert!(error.contains("\"Location_UpdateContact\""), "{error}");
    for rate in [-0.1, 1.5, 5.0, f64::NAN] {
        let error = refusal(FaultPlan::new().random(Fault::Garbage, rate)).await;
        assert!(error.contains("the rate of garbage"), "{error}");
    }
    for (fault, told) in [
        (Fault::Status { status: 200 }, "the status of status is 200"),
        (Fault::Status { status: 399 }, "from 400 to 599"),
        (Fault::Html { status: 204 }, "the status of html is 204"),
        (Fault::Html { status: 600 }, "`html` takes 200 too"),
    ] {
        let rule = FaultPlan::new().rule(FaultRule::new(fault.clone()));
        for plan in [rule, FaultPlan::new().random(fault, 0.1)] {
            let error = refusal(plan).await;
            assert!(error.contains(told), "{error}");
        }
    }

    let token = FaultRule::new(Fault::LostAnswer).operation("Token");
    let plan = FaultPlan::new().rule(token).random(Fault::Garbage, 1.0);
    Sandbox::builder().faults(plan).start().await.unwrap();

    let sandbox = Sandbox::start().await.unwrap();
    let panic = std::panic::catch_unwind(AssertUnwindSafe(|| sandbox.inject(misspelt)));
    assert!(panic.is_err());
}

#[tokio::test]
async fn the_token_endpoint_fails_in_the_oauth_form() {
    let (sandbox, _) = with(Fault::Status { status: 401 }).await;
    let connection = sandbox.connection();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", connection.client_id.as_str()),
        ("client_secret", connection.client_secret.as_str()),
    ];
    let (status, answer) = common::token(&sandbox, &form).await;
    assert_eq!((status, &answer["error"]), (401, &json!("invalid_client")));
    assert_eq!(common::token(&sandbox, &form).await.0, 200);
}

#[tokio::test]
async fn injected_refusals_follow_the_settings() {
    for (name, value, fault) in [
        ("gateway-errors", "gateway", Fault::Unauthorized),
        ("gateway-errors", "gateway", Fault::Status { status: 401 }),
        ("wait-in-title", "off", Fault::TooManyRequests { seconds: 7, retry_after: false }),
    ] {
        let (sandbox, client) = with(fault.clone()).await;
        sandbox.set(name, value).unwrap();
        let (status, body) = client.patch(CONTACT, json!({})).await;
        match status {
            401 => assert_eq!(body["statusCode"], 401, "{fault:?}: {body}"),
            _ => assert!(!body["title"].to_string().contains('7'), "{body}"),
        }
    }
}

#[tokio::test]
async fn an_injected_401_leaves_the_token_endpoint_alone() {
    let (sandbox, _) = with(Fault::Unauthorized).await;
    let client = Client::new(&sandbox).await;
    assert!(sandbox.faults_injected().is_empty());
    assert_eq!(client.patch(CONTACT, json!({})).await.0, 401);
}

#[tokio::test]
async fn a_drip_ends_with_its_answer_whatever_is_asked_for_next() {
    let (sandbox, client) = with(Fault::Drip { bytes: 100, milliseconds: 20 }).await;
    assert_eq!(client.patch(CONTACT, json!({})).await.0, 200);
    // In pieces of 100 bytes the page would take a quarter of a minute.
    let started = Instant::now();
    let docs = format!("{}/docs", sandbox.connection().api_url);
    let page = client.get_url(&docs).await.text().await.unwrap();
    assert_eq!(sandbox.unmet_faults(), []);
    assert!(page.len() > 50_000, "{}", page.len());
    assert!(started.elapsed() < Duration::from_secs(8));
}

#[tokio::test]
async fn how_many_connections_there_are_does_not_move_the_faults_of_requests() {
    let statuses = async |connections: usize| {
        let sandbox = Sandbox::start().await.unwrap();
        sandbox.set("rate-limit", "0").unwrap();
        let client = Client::new(&sandbox).await;
        let plan = FaultPlan::new()
            .seed(11)
            .random(Fault::ResetConnection, 0.1)
            .random(Fault::Status { status: 503 }, 0.3);
        sandbox.inject(plan);
        let address = sandbox.connection().api_url.replace("http://", "");
        let mut statuses = Vec::new();
        for _ in 0..40 {
            for _ in 0..connections {
                let _ = TcpStream::connect(&address).await;
            }
            statuses.push(client.patch(CONTACT, json!({})).await.0);
        }
        statuses
    };
    let none = statuses(0).await;
    assert!(none.contains(&503), "{none:?}");
    assert_eq!(statuses(2).await, none);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_faults() {
    let statuses = async || {
        let sandbox = Sandbox::start().await.unwrap();
        sandbox.set("rate-limit", "0").unwrap();
        let client = Client::new(&sandbox).await;
        sandbox.inject(FaultPlan::new().seed(11).random(Fault::Status { status: 503 }, 0.3));
        let mut statuses = Vec::new();
        for _ in 0..100 {
            statuses.push(client.patch(CONTACT, json!({})).await.0);
        }
        statuses
    };
    let first = statuses().await;
    let hits = first.iter().filter(|status| **status == 503).count();
    assert!((15..=45).contains(&hits), "{hits}");
    assert_eq!(statuses().await, first);
}

#[tokio::test]
async fn a_mixed_plan_never_breaks_the_sandbox() {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.set("rate-limit", "0").unwrap();
    let client = Client::new(&sandbox).await;
    sandbox.inject(FaultPlan::mixed(5, 0.5, 1));
    for _ in 0..300 {
        let _ = client
            .request(reqwest::Method::PATCH, CONTACT)
            .json(&json!({"memo": "m"}))
            .send()
            .await;
    }
    sandbox.inject(FaultPlan::new());
    assert_eq!(client.patch(CONTACT, json!({"memo": "end"})).await.0, 200);
    let kinds = sandbox.faults_injected().len();
    assert!(kinds >= 12, "{:?}", sandbox.faults_injected());
}

#[tokio::test]
async fn a_client_that_gives_up_on_a_delayed_answer_is_logged_and_its_write_done() {
    let (sandbox, client) = with(Fault::Delay { milliseconds: 60_000 }).await;
    let request = client.request(reqwest::Method::PATCH, CONTACT).json(&json!({"memo": "late"}));
    // It gives up as soon as the write is in the log, however long the machine takes for that.
    let logged = async {
        while sandbox.log().last().is_none_or(|e| e.method != "PATCH") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        answer = request.send() => panic!("{answer:?}"),
        () = logged => {}
    }
    assert_eq!(memo(&sandbox).as_deref(), Some("late"));
    assert_eq!(sandbox.log().last().and_then(|entry| entry.fault), Some("delay"));
}
