//! What happens before an operation: tokens, keys, tenants, scopes, limits.

mod common;

use std::time::Duration;

use common::{Client, answer, token};
use crm_sandbox::{Sandbox, SandboxError};
use reqwest::Method;
use serde_json::{Value, json};

const LIST: &str = "/locations/2001/contacts";

#[tokio::test]
async fn the_token_endpoint_speaks_oauth() {
    let sandbox = Sandbox::start().await.unwrap();
    let connection = sandbox.connection();
    let good = [
        ("grant_type", "client_credentials"),
        ("client_id", &connection.client_id),
        ("client_secret", &connection.client_secret),
    ];
    let (status, answer) = token(&sandbox, &good).await;
    assert_eq!(
        (status, &answer["expires_in"], &answer["token_type"]),
        (200, &json!(900), &json!("Bearer"))
    );
    assert!(answer["scope"].as_str().unwrap().contains("tn.crm.locations:w"));
    let with = |name: &'static str, value: &'static str| {
        good.map(|(n, v)| (n, if n == name { value } else { v }))
    };
    for (form, error) in [
        (with("client_secret", "wrong"), "invalid_client"),
        (with("client_id", "cid.sandbox\n"), "invalid_client"),
        (with("grant_type", "password"), "unsupported_grant_type"),
    ] {
        let (status, answer) = token(&sandbox, &form).await;
        assert_eq!((status, &answer["error"]), (400, &json!(error)));
    }
    assert_eq!(token(&sandbox, &good[..2]).await.1["error"], "invalid_request");
    let foreign: Vec<_> = good.into_iter().chain([("tenant", "5")]).collect();
    assert_eq!(token(&sandbox, &foreign).await.1["error"], "invalid_request");
}

#[tokio::test]
async fn raw_tokens_and_bearer_in_any_case_are_accepted() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    for authorization in [
        client.token.clone(),
        format!("bearer {}", client.token),
        format!("BEARER {}", client.token),
    ] {
        let url = format!("{}/crm/v2/tenant/1001{LIST}", sandbox.connection().api_url);
        let request = reqwest::Client::new().get(url).header("ST-App-Key", "ak1.sandbox");
        assert_eq!(
            request.header("Authorization", authorization).send().await.unwrap().status(),
            200
        );
    }
}

#[tokio::test]
async fn each_missing_credential_has_its_own_refusal() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let status = async |path: &str, headers: [(&str, &str); 2]| {
        let url = format!("{}{path}", sandbox.connection().api_url);
        let request =
            headers.into_iter().fold(reqwest::Client::new().get(url), |r, (n, v)| r.header(n, v));
        let (status, problem) = answer(request.send().await.unwrap()).await;
        assert_eq!(problem["status"], json!(status));
        status
    };
    let path = format!("/crm/v2/tenant/1001{LIST}");
    assert_eq!(
        status(&path, [("Authorization", "Bearer nonsense"), ("ST-App-Key", "ak1.sandbox")]).await,
        401
    );
    assert_eq!(
        status(&path, [("Authorization", &client.token), ("ST-App-Key", "wrong")]).await,
        403
    );
    let foreign = format!("/crm/v2/tenant/7{LIST}");
    assert_eq!(
        status(&foreign, [("Authorization", &client.token), ("ST-App-Key", "ak1.sandbox")]).await,
        403
    );
    assert_eq!(
        status(
            "/crm/v2/nothing",
            [("Authorization", &client.token), ("ST-App-Key", "ak1.sandbox")]
        )
        .await,
        404
    );
}

#[tokio::test]
async fn a_404_for_key_or_tenant_is_that_of_an_unknown_path() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let builder = Sandbox::builder().set("app-key-status", "404").unwrap();
    let keyless = builder.set("foreign-tenant-status", "404").unwrap();
    let strict = keyless.start().await.unwrap();
    let token = Client::new(&strict).await.token;
    let (_, unknown) = client.get("/nowhere").await;
    for (tenant, key) in [(1001, "wrong"), (7, "ak1.sandbox")] {
        for form in ["problem", "gateway"] {
            strict.set("gateway-errors", form).unwrap();
            let url = &strict.connection().api_url;
            let request = reqwest::Client::new()
                .get(format!("{url}/crm/v2/tenant/{tenant}{LIST}"))
                .header("Authorization", &token)
                .header("ST-App-Key", key);
            let (status, body) = answer(request.send().await.unwrap()).await;
            assert_eq!(status, 404);
            match form {
                "problem" => assert_eq!(body["title"], unknown["title"]),
                _ => assert_eq!(body["message"], unknown["title"]),
            }
        }
    }
}

#[tokio::test]
async fn head_is_no_operation() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let head = client.request(Method::HEAD, LIST).send().await.unwrap();
    assert_eq!(head.status(), 404);
    let log = sandbox.log();
    assert_eq!(log.last().map(|entry| entry.operation.as_str()), Some(""));
}

#[tokio::test]
async fn tokens_expire_by_the_sandbox_clock() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    assert_eq!(client.get(LIST).await.0, 200);
    sandbox.clock().advance(Duration::from_secs(900));
    assert_eq!(client.get(LIST).await.0, 401);
}

#[tokio::test]
async fn a_scope_that_was_not_granted_is_named() {
    let sandbox =
        Sandbox::builder().set("scopes", "tn.crm.locations:r").unwrap().start().await.unwrap();
    let client = Client::new(&sandbox).await;
    assert_eq!(client.get(LIST).await.0, 200);
    let (status, problem) = client.patch("/locations/2001/contacts/3001", json!({})).await;
    assert_eq!(status, 403);
    assert!(problem["title"].as_str().unwrap().contains("tn.crm.locations:w"));
}

#[tokio::test]
async fn over_the_limit_is_429_with_the_wait_in_header_and_title() {
    let sandbox = Sandbox::builder().set("rate-limit", "3").unwrap().start().await.unwrap();
    let client = Client::new(&sandbox).await;
    sandbox.clock().freeze();
    for _ in 0..3 {
        assert_eq!(client.get(LIST).await.0, 200);
    }
    let refused = async || {
        let response = client.request(Method::GET, LIST).send().await.unwrap();
        let retry_after =
            response.headers().get("Retry-After").map(|v| v.to_str().unwrap().to_owned());
        let (status, problem) = answer(response).await;
        assert_eq!(status, 429);
        (retry_after, problem["title"].as_str().unwrap().to_owned())
    };
    let (retry_after, title) = refused().await;
    assert_eq!(retry_after.as_deref(), Some("1"));
    assert_eq!(title.split(' ').rev().nth(1), Some("1"));
    sandbox.set("retry-after", "off").unwrap();
    sandbox.set("wait-in-title", "off").unwrap();
    let (retry_after, title) = refused().await;
    assert_eq!(retry_after, None);
    assert!(!title.contains(|c: char| c.is_ascii_digit()));
    sandbox.clock().advance(Duration::from_secs(1));
    assert_eq!(client.get(LIST).await.0, 200);
}

#[tokio::test]
async fn no_sliding_second_holds_more_than_the_limit() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    sandbox.clock().freeze();
    let mut accepted = Vec::new();
    for milliseconds in (0..3000).step_by(5) {
        if client.get(LIST).await.0 == 200 {
            accepted.push(milliseconds);
        }
        sandbox.clock().advance(Duration::from_millis(5));
    }
    assert_eq!(accepted.len(), 180);
    for window in accepted.windows(61) {
        assert!(window[60] - window[0] >= 1000);
    }
}

#[tokio::test]
async fn refused_requests_do_not_count_and_a_clock_set_back_does_not_refuse_for_good() {
    let sandbox = Sandbox::builder().set("rate-limit", "1").unwrap().start().await.unwrap();
    let client = Client::new(&sandbox).await;
    sandbox.clock().freeze();
    assert_eq!(client.get(LIST).await.0, 200);
    for _ in 0..10 {
        sandbox.clock().advance(Duration::from_millis(99));
        assert_eq!(client.get(LIST).await.0, 429);
    }
    sandbox.clock().advance(Duration::from_millis(10));
    assert_eq!(client.get(LIST).await.0, 200);
    sandbox.clock().set(sandbox.clock().now() - Duration::from_secs(50));
    assert_eq!(client.get(LIST).await.0, 200);
}

#[tokio::test]
async fn tenants_of_one_credential_have_data_and_limits_of_their_own() {
    let sandbox = Sandbox::builder()
        .more_tenants([1002])
        .set("rate-limit", "1")
        .unwrap()
        .start()
        .await
        .unwrap();
    sandbox.clock().freeze();
    let client = Client::new(&sandbox).await;
    let get = async |tenant: i64| {
        let url = format!("{}/crm/v2/tenant/{tenant}{LIST}", sandbox.connection().api_url);
        let request = reqwest::Client::new().get(url).header("ST-App-Key", "ak1.sandbox");
        request.header("Authorization", &client.token).send().await.unwrap().status().as_u16()
    };
    assert_eq!((get(1001).await, get(1002).await, get(1001).await), (200, 200, 429));
}

#[tokio::test]
async fn the_log_tells_operation_status_and_tenant() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    client.get(&format!("{LIST}?page=0")).await;
    let log = sandbox.log();
    assert_eq!(log.len(), 2);
    assert_eq!(log[0].operation, "Token");
    let entry = &log[1];
    assert_eq!(
        (entry.operation.as_str(), entry.status, entry.tenant),
        ("Locations_GetContactList", 400, 1001)
    );
    assert_eq!(entry.path, "/crm/v2/tenant/1001/locations/2001/contacts");
}

#[tokio::test]
async fn the_log_keeps_queries_and_bodies_only_when_asked_and_never_the_secret() {
    let sandbox = Sandbox::start().await.unwrap();
    let requests = async || {
        sandbox.clear_log();
        let client = Client::new(&sandbox).await;
        client.get(&format!("{LIST}?page=1&pageSize=2")).await;
        client.patch(&format!("{LIST}/3001"), json!({"memo": "ü".repeat(10_000)})).await;
        sandbox.log()
    };
    let off = requests().await;
    assert!(off.iter().all(|entry| entry.query.is_none() && entry.body.is_none()));

    sandbox.set("log-content", "on").unwrap();
    let on = requests().await;
    assert_eq!((&on[0].query, &on[0].body), (&None, &None));
    assert_eq!(on[1].query.as_deref(), Some("page=1&pageSize=2"));
    assert_eq!(on[1].body, None);
    let body = on[2].body.as_deref().unwrap();
    assert!(body.starts_with(r#"{"memo":"üü"#), "{body}");
    assert!(body.len() <= (16 << 10) + 2, "{}", body.len());
}

#[tokio::test]
async fn the_gateway_can_answer_in_its_own_form() {
    let sandbox =
        Sandbox::builder().set("gateway-errors", "gateway").unwrap().start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let (status, body) = client.get("/nowhere").await;
    assert_eq!((status, &body["statusCode"], &body["traceId"]), (404, &json!(404), &Value::Null));
    let (_, problem) = client.get("/locations/999/contacts").await;
    assert!(problem["traceId"].is_string());
}

#[tokio::test]
async fn a_stopped_sandbox_frees_its_port() {
    let sandbox = Sandbox::start().await.unwrap();
    let url = sandbox.connection().api_url.clone();
    sandbox.stop().await;
    assert!(reqwest::get(url).await.unwrap_err().is_connect());
}

#[tokio::test]
async fn a_sandbox_for_other_machines_names_an_address_that_this_one_reaches() {
    let builder = Sandbox::builder().listen("0.0.0.0:0".parse().unwrap()).allow_remote();
    let sandbox = builder.set("admin", "on").unwrap().start().await.unwrap();
    let connection = sandbox.connection().clone();
    assert!(connection.api_url.starts_with("http://127.0.0.1:"), "{connection:?}");
    Client::new(&sandbox).await;

    // It cannot know under which names others reach it; a page of another site still controls nothing.
    let url = format!("{}/sandbox/health", connection.api_url);
    for (origin, expected) in [
        (None, 200),
        (Some("http://sandbox:8080"), 200),
        (Some("http://elsewhere.example"), 403),
        (Some("http://sandbox"), 403),
        (Some("null"), 403),
    ] {
        let mut request = reqwest::Client::new().get(&url).header("Host", "sandbox:8080");
        if let Some(origin) = origin {
            request = request.header("Origin", origin);
        }
        assert_eq!(request.send().await.unwrap().status(), expected, "{origin:?}");
    }
}

#[tokio::test]
async fn only_this_machine_is_served() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let start = Sandbox::builder().listen(address.parse().unwrap()).start();
        let refused = start.await.unwrap_err();
        assert!(matches!(refused, SandboxError::NotLoopback { .. }));
        assert!(refused.to_string().contains("public"), "{refused}");
    }
}

#[tokio::test]
async fn a_port_in_use_is_a_clear_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = Sandbox::builder().listen(listener.local_addr().unwrap()).start().await;
    assert!(matches!(refused, Err(SandboxError::Listen { .. })));
}
