//! The OpenAPI document, the page and the admin endpoint.

mod common;

use crm_sandbox::Sandbox;
use serde_json::json;

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
