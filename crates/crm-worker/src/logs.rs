//! The log: a line of JSON for each event of our own crates, on stderr. They contain neither bodies nor
//! secrets; other crates' events are left out, since there is no such guarantee for them.

use std::io;

use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Begins the log. Each line names the spans in which it came about, and with them tenant, set and job.
pub(crate) fn start(is_verbose: bool) {
    let level = if is_verbose { LevelFilter::DEBUG } else { LevelFilter::INFO };
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(true)
        .with_writer(io::stderr)
        .with_filter(Targets::new().with_target("crm", level));
    tracing_subscriber::registry().with(lines).init();
}
