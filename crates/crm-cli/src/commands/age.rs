//! How old what is known is.

use std::time::Duration;

use crm_mirror::{Feed, FeedState, Mirror};

use crate::{
    desk::Desk,
    error::CliError,
    output::{count, note},
};

/// Whether something was sent through the desk since its mirror was read.
pub(crate) fn is_behind(desk: &Desk, mirror: &Mirror) -> Result<bool, CliError> {
    let known_at = mirror.known_at()?.and_then(|at| at.to_system_time());
    Ok(known_at.map(|at| desk.has_sent_since(at)).transpose()?.unwrap_or_default())
}

/// Tells how old what is known is.
pub(crate) fn tell_age(what: &str, snapshot: &Mirror, is_behind: bool) -> Result<(), CliError> {
    let since = if is_behind {
        ", and something was sent since: `crm mirror update` reads what came of it"
    } else {
        ""
    };
    match snapshot.known_at()?.and_then(|at| at.to_system_time()) {
        Some(at) => {
            let age = at.elapsed().map_or_else(
                |_| "of the future, so nobody knows its age".to_owned(),
                |age| format!("{} old", in_words(age)),
            );
            note(format!("{what} is {age}{since}"));
        }
        None => note(format!("{what} has not been read to its end yet")),
    }
    tell_refused(snapshot)
}

/// Tells from when the names of owners are that the service once gave and gives no longer.
pub(crate) fn tell_refused(mirror: &Mirror) -> Result<(), CliError> {
    for FeedState { feed, complete_at, refused, .. } in mirror.feeds()? {
        let is_of_owners = matches!(feed, Feed::Customers | Feed::Locations);
        if let (true, Some(at), Some(_)) = (is_of_owners, complete_at, refused) {
            note(format!(
                "the names of {} are as of {at}: the service refuses them since, see `crm mirror \
                 status`",
                feed.name()
            ));
        }
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
