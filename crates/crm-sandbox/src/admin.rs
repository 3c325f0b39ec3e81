//! The endpoints beside the API: the OpenAPI document, the page to read it,
//! and, while the setting `admin` is on, control of the sandbox over HTTP.

use std::{collections::BTreeMap, error::Error, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, Request, State},
    middleware::{self, Next},
    response::IntoResponse,
    routing::{get, put},
};
use http::{Response, StatusCode};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    faults::{FaultPlan, FaultRule},
    openapi,
    problem::{Problem, html, json},
    settings::Settings,
    visitor,
};

/// Returns the routes for people who read.
pub(crate) fn reading() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(page))
        .route("/docs", get(page))
        .route("/openapi.json", get(document))
}

/// Returns the routes under `/sandbox`. They are closed unless the setting `admin` is on, and
/// always to visitors from elsewhere.
pub(crate) fn control(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox/health", get(health))
        .route("/sandbox/settings", get(settings))
        .route("/sandbox/settings/{name}", put(set))
        .route("/sandbox/log", get(log).delete(clear_log))
        .route("/sandbox/clock", get(clock).post(move_clock))
        .route("/sandbox/faults", get(faults).put(inject).delete(calm))
        .route_layer(middleware::from_fn_with_state(Arc::clone(app), only_if_allowed))
}

/// An answer of the admin endpoint.
type Answer = Result<Response<Body>, Refused>;

/// A refusal in the API's form, whatever the settings ask of the API.
struct Refused(Problem);

impl IntoResponse for Refused {
    fn into_response(self) -> Response<Body> {
        self.0.into_response(&Settings::default())
    }
}

impl<E: Error> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(Problem::bad_request(error.to_string()))
    }
}

async fn only_if_allowed(State(app): State<Arc<App>>, request: Request, next: Next) -> Answer {
    if !app.settings().admin {
        return Err(Refused(Problem::no_route()));
    }
    if app.allow_remote {
        visitor::check_page(&request)
    } else {
        visitor::check(&request, app.connection.port())
    }
    .map_err(Refused)?;
    Ok(next.run(request).await)
}

async fn document(State(app): State<Arc<App>>) -> Response<Body> {
    answer(&openapi::document(&app.connection.api_url))
}

/// Answers the page, which loads nothing: styles, script and document are in it.
async fn page(State(app): State<Arc<App>>) -> Response<Body> {
    let document =
        serde_json::to_string(&openapi::document(&app.connection.api_url)).unwrap_or_default();
    // Within a script element only this sequence could end it.
    let document = document.replace("</", "<\\/");
    let page = include_str!("docs.html").replace("OPENAPI_DOCUMENT", &document);
    html(StatusCode::OK, page)
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    tenants: Vec<i64>,
}

async fn health(State(app): State<Arc<App>>) -> Response<Body> {
    answer(&Health { status: "ok", tenants: app.tenants.keys().copied().collect() })
}

async fn settings(State(app): State<Arc<App>>) -> Response<Body> {
    answer(&app.settings().table())
}

/// Changes a setting: the value is the body, as text.
async fn set(State(app): State<Arc<App>>, Path(name): Path<String>, value: Bytes) -> Answer {
    app.set(&name, &String::from_utf8_lossy(&value))?;
    Ok(answer(&app.settings().table()))
}

async fn log(State(app): State<Arc<App>>) -> Response<Body> {
    answer(&app.log.all())
}

async fn clear_log(State(app): State<Arc<App>>) -> Response<Body> {
    app.log.clear();
    Response::default()
}

#[derive(Serialize)]
struct Time {
    now: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MoveClock {
    advance_seconds: u32,
}

async fn clock(State(app): State<Arc<App>>) -> Response<Body> {
    let now = crate::time_text::from_ticks(app.clock.ticks());
    answer(&Time { now: crate::time_text::wire(&now) })
}

async fn move_clock(state: State<Arc<App>>, body: Bytes) -> Answer {
    let by: MoveClock = serde_json::from_slice(&body)?;
    state.clock.advance(Duration::from_secs(by.advance_seconds.into()));
    Ok(clock(state).await)
}

#[derive(Serialize)]
struct Faults {
    plan: FaultPlan,
    injected: BTreeMap<&'static str, u64>,
    unmet: Vec<FaultRule>,
}

async fn faults(State(app): State<Arc<App>>) -> Response<Body> {
    answer(&Faults {
        plan: app.faults.plan(),
        injected: app.faults.injected(),
        unmet: app.faults.unmet(),
    })
}

async fn inject(state: State<Arc<App>>, body: Bytes) -> Answer {
    state.faults.replace(serde_json::from_slice(&body)?)?;
    Ok(faults(state).await)
}

async fn calm(state: State<Arc<App>>) -> Response<Body> {
    // Without rules and rates there is nothing to refuse.
    let _ = state.faults.replace(FaultPlan::new());
    faults(state).await
}

fn answer(value: &impl Serialize) -> Response<Body> {
    json(StatusCode::OK, serde_json::to_vec(value).unwrap_or_default())
}
