//! A line on stderr while something takes long; nothing if no person is watching.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Counts records; the line vanishes when it is dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Starts a line, unless stdout is the terminal too: it would run into the answer.
    pub(crate) fn new(what: &'static str) -> Self {
        Self::start(what, !io::stdout().is_terminal())
    }

    /// Starts a line for a command that answers only at its end.
    pub(crate) fn before_the_answer(what: &'static str) -> Self {
        Self::start(what, true)
    }

    /// Starts a bar for this many records, with their rate and how long the rest takes, for a
    /// command that answers only at its end.
    pub(crate) fn of(total: u64, what: &'static str) -> Self {
        let bar = Self::before_the_answer(what);
        bar.0.set_length(total);
        let template = "{bar:24} {pos}/{len} {msg}, {per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.0.set_style(style);
        }
        bar
    }

    fn start(what: &'static str, visible: bool) -> Self {
        let is_seen = visible && io::stderr().is_terminal();
        let target =
            if is_seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target).with_message(what);
        // A template that does not parse would only change the line's looks.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} {msg}, {elapsed}") {
            bar.set_style(style);
        }
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self(bar)
    }

    /// Shows a message after the count.
    pub(crate) fn say(&self, message: String) {
        self.0.set_message(message);
    }

    pub(crate) fn advance(&self, records: usize) {
        self.0.inc(records as u64);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
