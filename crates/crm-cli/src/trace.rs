//! What `-v` shows: the events of our own crates on stderr. They contain neither bodies nor
//! secrets; other crates' events are left out, since there is no such guarantee for them.

use std::io::{self, Write};

use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt::{self, format::FmtSpan},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::output::lines;

pub(crate) fn start(verbosity: u8) {
    let level = match verbosity {
        0 => return,
        1 => LevelFilter::INFO,
        _ => LevelFilter::TRACE,
    };
    let lines = fmt::layer()
        .with_writer(|| Visible)
        .with_ansi(false)
        .with_target(false)
        .with_span_events(FmtSpan::CLOSE)
        .with_filter(Targets::new().with_target("crm", level));
    tracing_subscriber::registry().with(lines).init();
}

/// Stderr, to which an event is written in one piece.
struct Visible;

impl Write for Visible {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(lines(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
