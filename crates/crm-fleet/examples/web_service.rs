//! A web service that plans lists of changes, has workers carry them out, and tells browsers how they
//! get on, by Server-Sent Events. One worker runs in the same process; as many others as you like may
//! run elsewhere. It changes the records of a sandbox of its own.
//!
//! ```sh
//! cargo run -p crm-fleet --example web_service -- postgres://crm@localhost/fleet
//! curl --data-binary 'location_id,contact_id,memo
//! 2001,3001,Gate code 4411' http://ADDRESS/sets/june
//! curl -N http://ADDRESS/sets/june/events
//! ```

use std::{error::Error, io::Cursor, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::{get, post},
};
use crm_bulk::{BulkError, ChangeSet, Input, Plan};
use crm_contacts::ContactsService;
use crm_fleet::{
    Accounts, AnyService, FleetError, NoAccount, Server, Site, StoredSet, Submission, Worker,
};
use crm_models::TenantId;
use crm_sandbox::Sandbox;
use crm_transport::{Credentials, Environment, standard};
use futures_util::{Stream, stream};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::sleep};

/// How often a set is looked at for those who watch it.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long it takes until a worker begins again.
const BEGIN_AGAIN_AFTER: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("name the server: postgres://user@host/database")?;
    let sandbox = Sandbox::start().await?;
    let app = App::new(Server::connect(&url).await?, &sandbox)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    // The worker ends last: those who watch would wait for its sets in vain.
    tokio::select! {
        () = work(&app) => {}
        served = axum::serve(listener, router(app.clone())) => served?,
    }
    Ok(())
}

/// Works until Ctrl-C; when PostgreSQL failed the worker, another one begins.
async fn work(app: &App) {
    loop {
        let worker = Worker::new(app.server.clone(), OneAccount(app.service.clone()));
        let stop = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
        let Err(error) = worker.run(stop).await else { return };
        eprintln!("the worker begins again: {error}");
        sleep(BEGIN_AGAIN_AFTER).await;
    }
}

/// What requests are answered with.
#[derive(Clone)]
pub struct App {
    /// Where the sets are.
    pub server: Server,
    /// The account.
    pub service: AnyService,
    site: Site,
}

impl App {
    /// Uses this sandbox as the tenant's account.
    pub fn new(server: Server, sandbox: &Sandbox) -> Result<Self, Box<dyn Error>> {
        let to = sandbox.connection();
        let environment = Environment::custom(&to.api_url, &to.auth_url)?;
        let credentials = Credentials::new(&*to.client_id, &*to.client_secret, &*to.app_key);
        let transport = standard(&environment, credentials)?;
        let service = ContactsService::new(Arc::new(transport) as _, TenantId::new(to.tenant)?);
        let site = Site::of(&service, environment.api_url());
        Ok(Self { server, service, site })
    }
}

/// The one account that this service knows. With many, the site says which.
#[derive(Debug)]
pub struct OneAccount(pub AnyService);

#[async_trait]
impl Accounts for OneAccount {
    async fn service(&self, site: &Site) -> Result<AnyService, NoAccount> {
        if self.0.tenant() == site.tenant() {
            return Ok(self.0.clone());
        }
        Err(NoAccount { reason: "this tenant is not ours".to_owned(), passes: false })
    }
}

/// Returns the service's routes.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/sets/{name}", post(plan))
        .route("/sets/{name}/events", get(events))
        .with_state(app)
}

/// Plans the rows of the body, and has workers carry them out.
async fn plan(
    State(App { server, service, site }): State<App>,
    Path(name): Path<String>,
    rows: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    // Planned in a file, and moved to the server from there.
    let folder = tempfile::tempdir().map_err(Problem::of)?;
    let path = folder.path().join("set.crm");
    let rows = Input::csv("the request", Cursor::new(rows));
    Plan::new(site).from_api(&service, rows, &path).await?;
    let set = server.push(ChangeSet::open(&path)?, &name).await?.set;
    server.submit(&set, Submission::new(), "web_service").await?;
    let told = json!({
        "set": name, "changes": set.changes, "digest": set.digest.map(|digest| digest.to_string()),
    });
    Ok((StatusCode::ACCEPTED, Json(told)))
}

/// Tells how workers get on with a set until they have come to an end with it.
async fn events(
    State(App { server, .. }): State<App>,
    Path(name): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, FleetError>>>, Problem> {
    // Before anything is told: one that is not there has another status.
    server.set(&name).await?;
    Ok(Sse::new(progress(server, name)).keep_alive(KeepAlive::default()))
}

fn progress(server: Server, name: String) -> impl Stream<Item = Result<Event, FleetError>> {
    stream::try_unfold(None, move |before: Option<StoredSet>| {
        let (server, name) = (server.clone(), name.clone());
        async move {
            let is_over = |set: &StoredSet| set.job.as_deref() != Some("queued");
            if before.as_ref().is_some_and(is_over) {
                return Ok(None);
            }
            loop {
                let set = server.set(&name).await?;
                if before.as_ref() != Some(&set) {
                    let StoredSet { job, job_reason, changes, open, .. } = &set;
                    let told = json!({
                        "job": job, "reason": job_reason, "changes": changes, "open": open,
                    });
                    let event = Event::default().event("progress").data(told.to_string());
                    return Ok(Some((event, Some(set))));
                }
                sleep(LOOK_EVERY).await;
            }
        }
    })
}

/// Why a request was not carried out.
pub struct Problem(StatusCode, String);

impl Problem {
    fn of(error: impl Error) -> Self {
        Self(StatusCode::BAD_GATEWAY, error.to_string())
    }
}

impl From<BulkError> for Problem {
    fn from(error: BulkError) -> Self {
        let status = match error {
            BulkError::Contacts(_) => StatusCode::BAD_GATEWAY,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self(status, error.to_string())
    }
}

impl From<FleetError> for Problem {
    fn from(error: FleetError) -> Self {
        let status = match error {
            FleetError::NoSuchSet { .. } => StatusCode::NOT_FOUND,
            FleetError::NameTaken { .. } => StatusCode::CONFLICT,
            _ => StatusCode::BAD_GATEWAY,
        };
        Self(status, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self(status, detail) = self;
        (status, Json(json!({ "status": status.as_u16(), "detail": detail }))).into_response()
    }
}
