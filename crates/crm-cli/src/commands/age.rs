//! How old what is known is.

use std::time::Duration;

use crm_mirror::Mirror;

use crate::{
    error::CliError,
    output::{count, note},
};

/// Tells how old what is known is.
pub(crate) fn tell_age(what: &str, snapshot: &Mirror) -> Result<(), CliError> {
    match snapshot.known_at()?.and_then(|at| at.to_system_time()) {
        Some(at) => {
            let age = at.elapsed().map_or_else(
                |_| "of the future, so nobody knows its age".to_owned(),
                |age| format!("{} old", in_words(age)),
            );
            note(format!("{what} is {age}"));
        }
        None => note(format!("{what} has not been read to its end yet")),
    }
    Ok(())
}

/// An age in its largest unit.
pub(crate) fn in_words(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    match (minutes / (24 * 60), minutes / 60, minutes) {
        (0, 0, 0) => "less than a minute".to_owned(),
        (0, 0, minutes) => count(minutes, "minute"),
        (0, hours, _) if hours < 48 => count(hours, "hour"),
        (1, hours, _) => count(hours, "hour"),
        (days, ..) => format!("{days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_its_largest_unit() {
        for (seconds, words) in [
            (59, "less than a minute"),
            (60, "1 minute"),
            (7_199, "1 hour"),
            (90_000, "25 hours"),
            (200_000, "2 days"),
        ] {
            assert_eq!(in_words(Duration::from_secs(seconds)), words);
        }
    }
}
