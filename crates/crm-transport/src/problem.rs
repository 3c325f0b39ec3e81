//! What the layers need to know about a problem answer (RFC 9457, or a gateway's forms).

use serde_json::Value;

use crate::message::Response;

/// Where to find the title of a problem, in this order: in the API's answers, a gateway's, and the
/// forms of OAuth 2.0.
const TITLES: [&str; 5] = ["/title", "/message", "/error_description", "/error", "/error/message"];

/// The JSON of an answer, without the byte order mark that RFC 8259, section 8.1, lets a reader
/// ignore.
pub(crate) fn json(response: &Response) -> &[u8] {
    let body = response.body();
    body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body)
}

/// The title of a problem.
pub(crate) fn title(response: &Response) -> Option<String> {
    let problem: Value = serde_json::from_slice(json(response)).ok()?;
    let mut titles = TITLES.iter().filter_map(|place| problem.pointer(place)?.as_str());
    let title = titles.find(|text| !text.trim().is_empty())?;
    Some(title.to_owned())
}

/// The seconds that the title of a 429 asks to wait: the only number in it.
pub(crate) fn seconds(title: &str) -> Option<u64> {
    let mut numbers =
        title.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    match (numbers.next(), numbers.next()) {
        (Some(seconds), None) => seconds.parse().ok(),
        _ => None,
    }
}

/// Whether the title of a conflict says that the service is down for a while.
pub(crate) fn speaks_of_maintenance(title: &str) -> bool {
    let title = title.to_lowercase();
    ["maintenance", "try again later", "try later"].iter().any(|words| title.contains(words))
}
