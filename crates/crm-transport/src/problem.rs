//! What the layers must know of a problem answer (RFC 9457, or the gateway's older form).

use serde::Deserialize;

use crate::Response;

#[derive(Deserialize)]
struct Problem {
    title: Option<String>,
    message: Option<String>,
}

/// The title of a problem; some answers call it `message`.
pub(crate) fn title(response: &Response) -> Option<String> {
    let problem: Problem = serde_json::from_slice(response.body()).ok()?;
    [problem.title, problem.message]
        .into_iter()
        .flatten()
        .find(|text| !text.trim().is_empty())
}

/// Whether the title of a conflict says that the service is down for a while.
pub(crate) fn speaks_of_maintenance(title: &str) -> bool {
    let title = title.to_lowercase();
    ["maintenance", "try again later", "try later"]
        .iter()
        .any(|words| title.contains(words))
}
