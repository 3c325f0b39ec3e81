//! The path of one request: faults, admission, the operation, the answer, the log.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{FromRequestParts, RawPathParams, Request},
};
use http::{Response, request::Parts};

use crate::{
    app::App,
    auth,
    faults::{self, Asked, Fault, Unread, Wire},
    log::{self, LogEntry},
    operation::{Call, Operation, Reply},
    problem::Problem,
    query::Query,
    settings::Settings,
};

/// The terms on which a request is carried out.
struct Terms<'a> {
    settings: &'a Settings,
    /// When the request was read, in ticks.
    now: i64,
    fault: Option<&'a Fault>,
}

/// Answers a request for one operation.
pub(crate) async fn operation(
    app: Arc<App>,
    operation: Arc<Operation>,
    request: Request,
) -> Response<Body> {
    // The router treats HEAD as GET; the gateway knows no such operation.
    if request.method() != operation.method {
        return no_route(app, request).await;
    }
    let (mut parts, body) = request.into_parts();
    let path = RawPathParams::from_request_parts(&mut parts, &()).await.ok();
    let (id, within) = (operation.id.clone(), Arc::clone(&app));
    let carry_out = move |parts: &Parts, body: &[u8], terms: &Terms<'_>| {
        // Path parameters are missing only if the decoded text is not UTF-8.
        let path: Vec<(String, String)> = path
            .as_ref()
            .ok_or_else(|| Problem::field("id", "the path is not UTF-8"))?
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        run(&within, &operation, terms, &path, parts, body)
    };
    exchange(&app, &id, parts, body, move |parts, body, terms| {
        match carry_out(parts, body, terms) {
            Ok(reply) => reply.into_response(terms.settings),
            Err(problem) => problem.into_response(terms.settings),
        }
    })
    .await
}

/// Answers a token request.
pub(crate) async fn token(app: Arc<App>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let within = Arc::clone(&app);
    exchange(&app, "Token", parts, body, move |parts, body, terms| {
        auth::token(&within, terms.settings, &parts.headers, body)
    })
    .await
}

/// Answers a request that matches no operation.
pub(crate) async fn no_route(app: Arc<App>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    exchange(&app, "", parts, body, |_, _, terms| Problem::no_route().into_response(terms.settings))
        .await
}

/// Reads a request, lets `carry_out` answer it and injects the fault that is due.
async fn exchange(
    app: &App,
    operation: &str,
    parts: Parts,
    body: Body,
    carry_out: impl Fn(&Parts, &[u8], &Terms<'_>) -> Response<Body> + Send + 'static,
) -> Response<Body> {
    let wire = parts.extensions.get::<Wire>().cloned().unwrap_or_default();
    let due = app.faults.choose(operation, &parts.method, parts.uri.path(), app.clock.ticks());
    let fault = due.as_ref().map(|due| &due.fault);
    let received = faults::receive(fault, &wire, body).await;
    // From here to the answer nothing waits: the times in the log are those by which the rate limit
    // counts.
    let settings = app.settings();
    let now = app.clock.ticks();
    let arrived = received.as_deref().ok().filter(|body| !body.is_empty());
    let sent = arrived.filter(|_| settings.log_content && operation != "Token").map(log::text_of);
    let (response, injected) = match received {
        // The connection is gone: nothing of this answer is written.
        Err(Unread::Reset) => (Response::default(), true),
        Err(Unread::Refused) => {
            let problem = Problem::bad_request("The body is too large or was cut off");
            (problem.into_response(&settings), false)
        }
        Ok(body) => {
            let terms = Terms { settings: &settings, now, fault };
            let answer = carry_out(&parts, &body, &terms);
            if let Some(Fault::LateWrite { milliseconds }) = fault
                && answer.status().is_success()
            {
                let late = Duration::from_millis(*milliseconds);
                // It was admitted already: it does not count twice for the rate limit, and its token
                // is as valid as it was.
                let settings = Settings { rate_limit: 0, ..(*settings).clone() };
                let (parts, body) = (parts.clone(), body.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(late).await;
                    carry_out(&parts, &body, &Terms { settings: &settings, now, fault: None });
                });
            }
            let asked = Asked { parts: &parts, body: &body };
            inject(fault, operation, &asked, &settings, &wire, answer).await
        }
    };
    let injected = due.filter(|_| injected);
    if let Some(due) = &injected {
        app.faults.count(due);
    }
    let hold = injected.as_ref().and_then(|due| due.fault.hold());
    let entry = LogEntry {
        time: now.saturating_mul(100),
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().filter(|_| settings.log_content).map(str::to_owned),
        body: sent,
        operation: operation.to_owned(),
        tenant: tenant_in(parts.uri.path()),
        status: response.status().as_u16(),
        fault: injected.map(|due| due.fault.name()),
    };
    app.log.push(entry, settings.log_size);
    // Only now, so that a client that disconnects while it waits is in the log too.
    if let Some(hold) = hold {
        tokio::time::sleep(hold).await;
    }
    response
}

/// Applies a fault to an answer. Returns whether it was applied: an ordinary refusal takes
/// precedence over a fault that would only refuse in another way.
async fn inject(
    fault: Option<&Fault>,
    operation: &str,
    asked: &Asked<'_>,
    settings: &Settings,
    wire: &Wire,
    answer: Response<Body>,
) -> (Response<Body>, bool) {
    let Some(fault) = fault else {
        return (answer, false);
    };
    match faults::instead(fault, operation, asked, settings) {
        Some(refusal) if answer.status().is_success() => (refusal, true),
        Some(_) => (answer, false),
        None => faults::after(fault, wire, answer).await,
    }
}

/// Admits a call and runs its operation on the tenant's store.
fn run(
    app: &App,
    operation: &Operation,
    terms: &Terms<'_>,
    path: &[(String, String)],
    parts: &Parts,
    body: &[u8],
) -> Result<Reply, Problem> {
    let settings = terms.settings;
    // Every path begins with the tenant.
    let ((_, tenant), path) = path.split_first().ok_or_else(Problem::no_route)?;
    let tenant = auth::admit(app, settings, operation, tenant, &parts.headers, terms.now)?;
    let query = Query::read(parts.uri.query().unwrap_or(""), &operation.query, settings)?;
    let run = |db: &rusqlite::Connection| {
        let call = Call {
            db,
            bookmarks: &tenant.store.bookmarks,
            settings,
            clock: &app.clock,
            path,
            query: &query,
            headers: &parts.headers,
            body,
        };
        faults::run(terms.fault, operation, &call)
    };
    let keep = terms.fault.is_none_or(Fault::is_carried_out);
    if operation.writes() { tenant.store.write(keep, run) } else { tenant.store.read(run) }
}

/// Returns the tenant in `/crm/v2/tenant/{tenant}/…`; 0 if there is none.
fn tenant_in(path: &str) -> i64 {
    let rest = path.strip_prefix("/crm/v2/tenant/").unwrap_or("");
    rest.split('/').next().and_then(|id| id.parse().ok()).unwrap_or(0)
}
