//! The listener, its connections, and the routes that they lead to.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Request,
    routing::{MethodFilter, on},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tower_service::Service;

use crate::{
    admin,
    app::App,
    dispatch,
    faults::{Wire, WiredStream},
    operation::BASE,
    routes,
};

/// The pause after a connection that could not be accepted: long enough not to spin while the
/// process is out of files.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(10);

/// Returns all routes of a sandbox.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let token = Arc::clone(app);
    let unknown = Arc::clone(app);
    let mut router = Router::new().route(
        "/connect/token",
        on(MethodFilter::POST, move |request: Request| dispatch::token(token, request)),
    );
    for operation in routes::operations() {
        let path = format!("{BASE}{}", operation.path);
        let filter = MethodFilter::try_from(operation.method.clone()).unwrap_or(MethodFilter::GET);
        let (app, operation) = (Arc::clone(app), Arc::new(operation));
        let handler = move |request: Request| dispatch::operation(app, operation, request);
        router = router.route(&path, on(filter, handler));
    }
    let no_route = move |request: Request| dispatch::no_route(unknown, request);
    router
        .merge(admin::reading().merge(admin::control(app)).with_state(Arc::clone(app)))
        .fallback(no_route.clone())
        // To the gateway, a wrong method does not match a route either.
        .method_not_allowed_fallback(no_route)
}

/// Serves connections until told to stop or until the handle is dropped.
pub(crate) async fn serve(listener: TcpListener, app: Arc<App>, mut stop: oneshot::Receiver<()>) {
    let router = router(&app);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stop => return,
        };
        // A failed accept concerns one connection, or passes when files are closed.
        let Ok((tcp, _)) = accepted else {
            tokio::time::sleep(AFTER_FAILED_ACCEPT).await;
            continue;
        };
        if app.faults.reset_connection(app.clock.ticks()) {
            // Dropped without lingering: the client sees a reset.
            let _ = tcp.set_zero_linger();
            continue;
        }
        // Answers are small and awaited: none may wait to be sent with the next (Nagle).
        let _ = tcp.set_nodelay(true);
        tokio::spawn(connection(tcp, router.clone()));
    }
}

async fn connection(tcp: TcpStream, router: Router) {
    let wire = Wire::default();
    let stream = WiredStream::new(tcp, wire.clone());
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        // What was done to the previous answer ends here, whatever is asked for now.
        wire.calm();
        request.extensions_mut().insert(wire.clone());
        router.clone().call(request)
    });
    // It ends with an error when the client disconnects or a fault is injected.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
