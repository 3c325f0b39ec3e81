//! The program `crm-worker`: carries out the change sets that were submitted to a PostgreSQL server.

mod accounts;
mod credentials;
mod http;
mod logs;
mod settings;

use std::{future::Future, io, num::NonZeroU32, process::ExitCode, time::Duration};

use clap::Parser;
use crm_fleet::{CrmProgram, Ended, FleetError, Server, StoredSet, Worker};
use crm_transport::TransportError;
use metrics::counter;
use metrics_exporter_prometheus::BuildError;
use tokio::{net::TcpListener, sync::watch, time::timeout};

use crate::{
    accounts::Tenants,
    settings::{Cli, Settings, SettingsError},
};

/// How long the worker waits before it begins again, once the server failed it.
const PAUSE: Duration = Duration::from_secs(1);

/// Why a worker ended.
#[derive(Debug, thiserror::Error)]
enum WorkerError {
    #[error(transparent)]
    Settings(#[from] SettingsError),

    #[error(transparent)]
    Fleet(#[from] FleetError),

    #[error("the transport cannot be set up: {0}")]
    Transport(#[from] TransportError),

    #[error("metrics cannot be kept: {0}")]
    Metrics(#[from] BuildError),

    #[error("health and metrics cannot be served at {address}: {source}")]
    Listen { address: String, source: io::Error },

    #[error("{0}")]
    Home(String),

    #[error("{what}: {source}")]
    System { what: &'static str, source: io::Error },
}

fn main() -> ExitCode {
    match Cli::parse().settings().map_err(WorkerError::from).and_then(work) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("crm-worker: {error}");
            match error {
                WorkerError::Settings(_) => ExitCode::from(2),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn work(settings: Settings) -> Result<(), WorkerError> {
    logs::start(settings.is_verbose);
    let what = "the runtime cannot be started";
    let runtime = tokio::runtime::Runtime::new();
    let runtime = runtime.map_err(|source| WorkerError::System { what, source })?;
    let ended = runtime.block_on(run(settings));
    // A name that is being looked up is not waited for.
    runtime.shutdown_background();
    ended
}

/// Works until a signal asks it to end.
async fn run(settings: Settings) -> Result<(), WorkerError> {
    let mut stop = until_signal()?;
    let metrics = http::keep_metrics()?;
    let listen = |source| WorkerError::Listen { address: settings.listen.to_string(), source };
    let listener = TcpListener::bind(settings.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let server = Server::connect(&settings.server).await?;
    let tenants = Tenants::new(&settings)?;
    let desks = desks(&tenants, &settings);
    desks.check().map_err(WorkerError::Home)?;
    tracing::info!(%address, server = server.name(), "the worker is ready");
    tokio::select! {
        () = carry_out(&server, &tenants, &desks, &settings, &mut stop) => {}
        served = http::serve(listener, server.clone(), metrics) => served.map_err(listen)?,
    }
    tracing::info!("the worker ends");
    Ok(())
}

/// What does the jobs that need a desk. With a shared limit it keeps to half of it, as it does not take part
/// in that: of one tenant one job at a time is done.
fn desks(tenants: &Tenants, settings: &Settings) -> CrmProgram {
    let calls = settings.calls_per_second / if settings.redis.is_some() { 2 } else { 1 };
    let rate = NonZeroU32::new(calls).unwrap_or(NonZeroU32::MIN);
    let program = CrmProgram::new(&settings.crm, tenants.clone()).calls_per_second(rate);
    settings.homes.iter().fold(program, |program, home| program.home(&home.name, &home.path))
}

/// Carries sets out until it is to stop. A server that is away is tried again.
async fn carry_out(
    server: &Server,
    tenants: &Tenants,
    desks: &CrmProgram,
    settings: &Settings,
    stop: &mut watch::Receiver<bool>,
) {
    loop {
        let mut stopped = stop.clone();
        let worker = Worker::new(server.clone(), tenants.clone())
            .at_once(settings.tenants)
            .grace(settings.grace)
            .desks(desks.clone())
            .on_end(count);
        let ran = worker.run(async move { drop(stopped.wait_for(|stopped| *stopped).await) }).await;
        let Err(error) = ran else { return };
        tracing::warn!(%error, "the worker begins again");
        if timeout(PAUSE, stop.wait_for(|stopped| *stopped)).await.is_ok() {
            return;
        }
    }
}

fn count(_: &StoredSet, ended: &Ended) {
    counter!(http::SLICES, "ended" => ended.as_str()).increment(1);
}

/// Watches for signals from now on.
#[cfg(unix)]
fn until_signal() -> Result<watch::Receiver<bool>, WorkerError> {
    use tokio::signal::unix::{SignalKind, signal};

    let what = "signals cannot be watched for";
    let listen = |kind| signal(kind).map_err(|source| WorkerError::System { what, source });
    let (mut interrupt, mut terminate) =
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(told_after(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }))
}

/// Watches for Ctrl-C from now on.
#[cfg(not(unix))]
fn until_signal() -> Result<watch::Receiver<bool>, WorkerError> {
    Ok(told_after(async { drop(tokio::signal::ctrl_c().await) }))
}

fn told_after(asked: impl Future<Output = ()> + Send + 'static) -> watch::Receiver<bool> {
    let (tell, told) = watch::channel(false);
    tokio::spawn(async move {
        asked.await;
        tracing::info!("the worker is asked to end");
        tell.send_replace(true);
    });
    told
}
