//! The example of a web service, which has a worker in its own process.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails so")]

#[path = "common/cluster.rs"]
#[allow(dead_code, reason = "no server crashes here")]
mod cluster;
#[path = "../examples/web_service.rs"]
#[allow(dead_code, reason = "the example has a start of its own")]
mod web_service;

use cluster::Cluster;
use crm_fleet::{Server, Worker};
use crm_sandbox::Sandbox;
use tokio::{net::TcpListener, sync::oneshot};
use web_service::{App, OneAccount, router};

const ROWS: &str = "location_id,contact_id,memo\n2001,3001,one\n2001,3002,two\n2002,3001,three\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_posted_is_carried_out_and_its_progress_told() {
    let Some(cluster) = Cluster::start() else { return };
    let sandbox = Sandbox::start().await.unwrap();
    let app = App::new(Server::connect(&cluster.url()).await.unwrap(), &sandbox).unwrap();
    let worker = Worker::new(app.server.clone(), OneAccount(app.service.clone()));
    let (stop, stopped) = oneshot::channel::<()>();
    let working = tokio::spawn(worker.run(async { drop(stopped.await) }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, router(app)).await.unwrap() });
    let client = reqwest::Client::new();
    let post = async |name: &str, rows: &'static str| {
        let answer = client.post(format!("http://{address}/sets/{name}")).body(rows).send();
        let answer = answer.await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };

    let (status, told) = post("june", ROWS).await;
    assert!(status == 202 && told.contains("\"changes\":3"), "{status} {told}");
    let events = client.get(format!("http://{address}/sets/june/events")).send().await.unwrap();
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    let events = events.text().await.unwrap();
    assert!(events.starts_with("event: progress\ndata: {"), "{events}");
    let last = events.lines().rfind(|line| line.starts_with("data: ")).unwrap();
    assert!(last.contains("\"job\":\"done\"") && last.contains("\"open\":0"), "{events}");

    assert_eq!(post("june", ROWS).await.0, 409, "the name is taken");
    let (status, told) = post("july", "no,such,columns\n1,2,3\n").await;
    assert_eq!(status, 422, "{told}");
    let missing = client.get(format!("http://{address}/sets/august/events")).send().await.unwrap();
    assert_eq!(missing.status().as_u16(), 404);
    stop.send(()).unwrap();
    working.await.unwrap().unwrap();
    serving.abort();
}
