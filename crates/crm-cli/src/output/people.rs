//! What people read on stderr: notes, failures, questions. Texts from elsewhere are shown by
//! [`visible`], so that no memo and no file name steers a terminal.

use std::io::{self, BufRead, IsTerminal, Write};

use anstyle::AnsiColor;
use crm_bulk::visible;
use crm_consent::Heard;

use super::shell::advice;

/// A line about the answer, not part of it.
pub(crate) fn note(text: impl AsRef<str>) {
    tell("", text.as_ref());
}

/// A number of things, in words: `1 change`, `2 changes`.
pub(crate) fn count(number: impl Into<u64>, thing: &str) -> String {
    match number.into() {
        1 => format!("1 {thing}"),
        number if thing.ends_with('y') && !thing.ends_with("ay") => {
            format!("{number} {}ies", thing.trim_end_matches('y'))
        }
        number => format!("{number} {thing}s"),
    }
}

/// A moment as it is kept, as people read it everywhere: to the second, in UTC.
pub(crate) fn moment(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), crm_bulk::page::time)
}

/// When a wish was received, as people read it everywhere: a moment where it has one, otherwise the day
/// as it was written.
pub(crate) fn received(heard: &Heard) -> String {
    match (&heard.received, &heard.received_between) {
        (None, _) => "nobody knows when it was received".to_owned(),
        (Some(_), Some([earliest, latest])) if earliest == latest => {
            format!("received {}", moment(earliest))
        }
        (Some(written), _) => format!("received on {written}"),
    }
}

/// The line that says why a command failed.
pub(crate) fn failure(message: &str) {
    let red = AnsiColor::Red.on_default().bold();
    tell(&format!("{red}error:{red:#} "), message);
}

fn tell(before: &str, text: &str) {
    // Where nobody reads stderr any more, the answer and the exit code are left to tell.
    let _ = writeln!(anstream::stderr(), "{before}{}", visible(&advice(text)));
}

/// A text with its own line breaks and nothing else that is unseen. What comes from elsewhere has
/// to be [`visible`] before it is put into such a text, or it could begin a line.
pub(crate) fn lines(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(visible).collect();
    lines.join("\n")
}

/// Whether a person can be asked: questions go to stderr, answers come from stdin.
pub(crate) fn on_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a person, if there is one; it is a blocking question, since nothing else is to go on
/// meanwhile.
pub(crate) fn confirm(question: &str) -> bool {
    if !on_terminal() {
        return false;
    }
    let mut err = io::stderr().lock();
    let mut answer = String::new();
    let asked = write!(err, "{} [y/N] ", lines(question))
        .and_then(|()| err.flush())
        .and_then(|()| io::stdin().lock().read_line(&mut answer));
    asked.is_ok() && ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}
