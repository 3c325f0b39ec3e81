//! What supervisors ask a worker: whether it is well, and its metrics.

use std::{io, time::Duration};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use crm_fleet::{DeskWorkload, Home, Server};
use metrics::{describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::{net::TcpListener, time::sleep};

/// The slices of sets that this worker carried out, by how they ended.
pub(crate) const SLICES: &str = "crm.worker.slices";
/// Whether the server answered when the metrics were asked for.
const REACHABLE: &str = "crm.fleet.reachable";
/// The sets of the whole fleet by what workers are to do with them.
const SETS: &str = "crm.fleet.sets";

/// The jobs of the whole fleet that need a desk, by how far they are.
const DESK_JOBS: &str = "crm.fleet.desk.jobs";
/// Of each home volume, how many jobs wait for a worker that has it, and how many workers have it.
const HOME_QUEUED: &str = "crm.fleet.home.queued";
const HOME_WORKERS: &str = "crm.fleet.home.workers";

/// The limits of a histogram's buckets, in seconds.
const BUCKETS: [f64; 10] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 100.0];
/// How often what histograms have gathered is put into their buckets.
const UPKEEP: Duration = Duration::from_secs(5);

/// Has metrics kept from now on. To be called within a runtime.
pub(crate) fn keep_metrics() -> Result<PrometheusHandle, BuildError> {
    let seconds = |end: &str| Matcher::Suffix(end.to_owned());
    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(seconds("duration"), &BUCKETS)?
        .set_buckets_for_metric(seconds("wait"), &BUCKETS)?
        .install_recorder()?;
    crm_transport::describe_metrics();
    describe_counter!(SLICES, "Slices of sets that this worker carried out, by their end");
    describe_gauge!(REACHABLE, "Whether the PostgreSQL server answered");
    describe_gauge!(SETS, "Sets on the server that were submitted and are not done, by state");
    describe_gauge!(DESK_JOBS, "Jobs that need a desk and are not done, by state");
    describe_gauge!(HOME_QUEUED, "Jobs that wait for a worker that has this home volume");
    describe_gauge!(HOME_WORKERS, "Workers that have this home volume");
    let theirs = metrics.clone();
    tokio::spawn(async move {
        loop {
            sleep(UPKEEP).await;
            theirs.run_upkeep();
        }
    });
    Ok(metrics)
}

/// What is asked about.
#[derive(Clone)]
struct Asked {
    server: Server,
    metrics: PrometheusHandle,
}

/// Answers until the listener fails.
pub(crate) async fn serve(
    listener: TcpListener,
    server: Server,
    metrics: PrometheusHandle,
) -> io::Result<()> {
    let routes = Router::new()
        .route("/live", get(async || "alive\n"))
        .route("/ready", get(ready))
        .route("/metrics", get(render))
        .with_state(Asked { server, metrics });
    axum::serve(listener, routes).await
}

/// Whether sets can be carried out; and which home volumes are missed, which is for a person.
async fn ready(State(asked): State<Asked>) -> (StatusCode, String) {
    match asked.server.homes().await {
        Ok(homes) => {
            let missed =
                homes.into_iter().filter(Home::is_missed).map(|Home { name, queued, .. }| {
                    format!("no worker has the home {name}, for which jobs wait: {queued}\n")
                });
            (StatusCode::OK, "ready\n".to_owned() + &missed.collect::<String>())
        }
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
    }
}

async fn render(State(Asked { server, metrics }): State<Asked>) -> String {
    let workload = server.workload().await;
    gauge!(REACHABLE).set(f64::from(u8::from(workload.is_ok())));
    if let Ok(workload) = workload {
        let of_state =
            [("queued", workload.queued), ("applying", workload.applying), ("held", workload.held)];
        for (state, sets) in of_state {
            gauge!(SETS, "state" => state).set(sets as f64);
        }
        let DeskWorkload { queued, running, held, .. } = workload.at_desks;
        for (state, jobs) in [("queued", queued), ("running", running), ("held", held)] {
            gauge!(DESK_JOBS, "state" => state).set(jobs as f64);
        }
    }
    for Home { name, queued, workers, .. } in server.homes().await.unwrap_or_default() {
        gauge!(HOME_QUEUED, "home" => name.clone()).set(queued as f64);
        gauge!(HOME_WORKERS, "home" => name).set(workers as f64);
    }
    metrics.render()
}
