//! How long an answer asks to wait.

use std::time::{Duration, SystemTime};

use http::{HeaderValue, StatusCode, header};

use crate::{message::Response, problem};

/// The longest wait that an answer may ask for; a longer one is treated as this. Callers that wait
/// have bounds of their own: this one keeps times computed from it within what clocks can
/// represent.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns how long an answer asks to wait before the call is repeated: its `Retry-After` (RFC
/// 9110, section 10.2.3), in seconds or as a date, or the only number in the title of a 429. At
/// most a day; `None` when that is no time at all. A date is compared with the answer's own `Date`,
/// so that nobody's clock matters.
///
/// ```
/// use std::time::Duration;
/// use crm_transport::{Response, retry_after};
///
/// let mut response = Response::new("".into());
/// *response.status_mut() = http::StatusCode::TOO_MANY_REQUESTS;
/// assert_eq!(retry_after(&response), None);
///
/// *response.body_mut() = r#"{"title": "Too many calls. Try again in 7 seconds."}"#.into();
/// assert_eq!(retry_after(&response), Some(Duration::from_secs(7)));
///
/// response.headers_mut().insert("retry-after", http::HeaderValue::from_static("3"));
/// assert_eq!(retry_after(&response), Some(Duration::from_secs(3)));
/// ```
#[must_use]
pub fn retry_after(response: &Response) -> Option<Duration> {
    let header = response.headers().get(header::RETRY_AFTER);
    header
        .and_then(|value| read(value, response.headers().get(header::DATE)))
        .or_else(|| from_title(response))
        .filter(|wait| !wait.is_zero())
        .map(|wait| wait.min(LONGEST))
}

fn read(value: &HeaderValue, answered: Option<&HeaderValue>) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let answered = answered.and_then(date).unwrap_or_else(SystemTime::now);
    Some(date(value)?.duration_since(answered).unwrap_or_default())
}

fn date(value: &HeaderValue) -> Option<SystemTime> {
    httpdate::parse_http_date(value.to_str().ok()?.trim()).ok()
}

fn from_title(response: &Response) -> Option<Duration> {
    if response.status() != StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    problem::seconds(&problem::title(response)?).map(Duration::from_secs)
}
