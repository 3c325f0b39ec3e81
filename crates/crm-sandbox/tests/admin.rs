//! The OpenAPI document, the page and the admin endpoint.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

mod common;

use crm_sandbox::Sandbox;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test]
async fn the_document_and_the_page_are_served_without_credentials() {
    let sandbox = Sandbox::start().await.unwrap();
    let url = &sandbox.connection().api_url;
    let (status, document) =
        common::answer(reqwest::get(format!("{url}/openapi.json")).await.unwrap()).await;
    assert_eq!(status, 200);
    assert_eq!(document["servers"][0]["url"], json!(url));
    let page = reqwest::get(format!("{url}/docs")).await.unwrap().text().await.unwrap();
    assert!(page.contains("Locations_UpdateContact"));
    assert!(!page.contains("OPENAPI_DOCUMENT"));
}

#[tokio::test]
async fn the_admin_endpoint_is_off_unless_asked_for() {
    let sandbox = Sandbox::start().await.unwrap();
    let health = format!("{}/sandbox/health", sandbox.connection().api_url);
    assert_eq!(reqwest::get(&health).await.unwrap().status(), 404);
    sandbox.set("admin", "on").unwrap();
    assert_eq!(reqwest::get(&health).await.unwrap().status(), 200);
}

#[tokio::test]
async fn pages_of_other_sites_and_rebound_names_control_nothing() {
    let sandbox = Sandbox::builder().set("admin", "on").unwrap().start().await.unwrap();
    let url = sandbox.connection().api_url.clone();
    let http = reqwest::Client::new();
    for (name, value, status) in [
        ("host", "rebound.example", 421),
        ("origin", "https://elsewhere.example", 403),
        ("origin", "null", 403),
        ("origin", url.as_str(), 200),
    ] {
        let set = http.put(format!("{url}/sandbox/settings/rate-limit"));
        let answer = set.header(name, value).body("5").send().await.unwrap();
        let (answered, problem) = common::answer(answer).await;
        assert_eq!(answered, status, "{name}: {value}");
        let limit = &sandbox.settings()[0];
        assert_eq!(limit.name, "rate-limit");
        assert_eq!(limit.value == "5", status == 200, "{name}: {value}");
        if status != 200 {
            let title = problem["title"].as_str().unwrap().to_lowercase();
            assert!(title.contains(name), "{title}");
        }
    }
}

/// Asks for a path or URL with these headers and no others, and returns the status.
async fn status(sandbox: &Sandbox, target: &str, headers: &[(&str, &str)]) -> u16 {
    let headers: String =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!("GET {target} HTTP/1.1\r\n{headers}connection: close\r\n\r\n");
    let address = sandbox.connection().api_url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

async fn start() -> (Sandbox, u16) {
    let sandbox = Sandbox::builder().set("admin", "on").unwrap().start().await.unwrap();
    let port = sandbox.connection().api_url.rsplit(':').next().unwrap().parse().unwrap();
    (sandbox, port)
}

#[tokio::test]
async fn hosts_of_this_machine_are_answered_and_no_others() {
    let (sandbox, port) = start().await;
    for (host, expected) in [
        (format!("127.0.0.1:{port}"), 200),
        (format!("127.0.0.2:{port}"), 200),
        (format!("localhost:{port}"), 200),
        (format!("LOCALHOST:{port}"), 200),
        (format!("[::1]:{port}"), 200),
        (format!("127.0.0.1:{}", port ^ 1), 421),
        ("127.0.0.1".to_owned(), 421),
        (format!("0.0.0.0:{port}"), 421),
        (format!("2130706433:{port}"), 421),
        (format!("[::]:{port}"), 421),
        (format!("192.168.1.5:{port}"), 421),
        (format!("rebound.example:{port}"), 421),
        (format!("127.0.0.1.rebound.example:{port}"), 421),
        (format!("localhost.rebound.example:{port}"), 421),
        (format!("localhost@rebound.example:{port}"), 421),
        (format!("rebound.example@localhost:{port}"), 421),
        (String::new(), 421),
    ] {
        let answered = status(&sandbox, "/sandbox/log", &[("host", &host)]).await;
        assert_eq!(answered, expected, "{host}");
    }
}

#[tokio::test]
async fn a_request_without_one_host_of_its_own_is_misdirected() {
    let (sandbox, port) = start().await;
    let host = format!("127.0.0.1:{port}");
    let own = ("host", host.as_str());
    assert_eq!(status(&sandbox, "/sandbox/log", &[]).await, 421);
    let rebound = format!("rebound.example:{port}");
    assert_eq!(status(&sandbox, "/sandbox/log", &[own, ("host", &rebound)]).await, 421);
    let elsewhere = format!("http://{rebound}/sandbox/log");
    assert_eq!(status(&sandbox, &elsewhere, &[own]).await, 421);
    assert_eq!(status(&sandbox, &format!("http://{host}/sandbox/log"), &[own]).await, 200);
}

#[tokio::test]
async fn pages_of_other_sites_are_refused() {
    let (sandbox, port) = start().await;
    let host = format!("127.0.0.1:{port}");
    let own = ("host", host.as_str());
    let origins =
        |hosts: &[&str]| hosts.iter().map(|host| format!("http://{host}:{port}")).collect();
    let ours: Vec<String> = origins(&["127.0.0.1", "localhost", "[::1]"]);
    for origin in &ours {
        assert_eq!(status(&sandbox, "/sandbox/clock", &[own, ("origin", origin)]).await, 200);
    }
    let other_port = format!("http://127.0.0.1:{}", port ^ 1);
    let other_scheme = format!("https://{host}");
    for origin in [&other_port, &other_scheme, "http://elsewhere.example", "null", ""] {
        let answered = status(&sandbox, "/sandbox/clock", &[own, ("origin", origin)]).await;
        assert_eq!(answered, 403, "{origin}");
    }
    let both = [own, ("origin", &ours[0]), ("origin", "null")];
    assert_eq!(status(&sandbox, "/sandbox/clock", &both).await, 403);
}

#[tokio::test]
async fn settings_clock_faults_and_log_are_controlled_over_http() {
    let sandbox = Sandbox::builder().set("admin", "on").unwrap().start().await.unwrap();
    let url = format!("{}/sandbox", sandbox.connection().api_url);
    let http = reqwest::Client::new();
    let set = http.put(format!("{url}/settings/rate-limit")).body("5").send().await.unwrap();
    assert_eq!(set.status(), 200);
    assert!(
        sandbox
            .settings()
            .iter()
            .any(|setting| setting.name == "rate-limit" && setting.value == "5")
    );
    assert_eq!(
        http.put(format!("{url}/settings/speed")).body("5").send().await.unwrap().status(),
        400
    );

    let before = sandbox.clock().now();
    let moved = http
        .post(format!("{url}/clock"))
        .json(&json!({"advanceSeconds": 60}))
        .send()
        .await
        .unwrap();
    assert_eq!(moved.status(), 200);
    assert!(sandbox.clock().now().duration_since(before).unwrap().as_secs() >= 60);

    let plan = json!({"rules": [{"fault": {"kind": "status", "status": 503}}]});
    assert_eq!(http.put(format!("{url}/faults")).json(&plan).send().await.unwrap().status(), 200);
    sandbox.set("log-content", "on").unwrap();
    let nowhere = format!("{}/connect/token?a=b", sandbox.connection().api_url);
    http.post(nowhere).form(&[("a", "b")]).send().await.unwrap();
    let (_, log) = common::answer(http.get(format!("{url}/log")).send().await.unwrap()).await;
    assert_eq!(log[0]["operation"], "Token");
    assert_eq!(log[0]["query"], "a=b");
    let put = async |plan: String| {
        let request = http.put(format!("{url}/faults")).body(plan);
        common::answer(request.send().await.unwrap()).await
    };
    let rule =
        |operation| json!({"rules": [{"fault": {"kind": "garbage"}, "operation": operation}]});
    assert_eq!(put("{".to_owned()).await.0, 400);
    let (status, refused) = put(rule("Contacts_Gett").to_string()).await;
    assert_eq!(status, 400);
    assert!(refused["title"].to_string().contains("Contacts_Gett"));
    let (status, faults) = put(rule("Contacts_Get").to_string()).await;
    assert_eq!((status, &faults["injected"]), (200, &json!({})));
    assert_eq!(faults["unmet"][0]["operation"], "Contacts_Get");
}
