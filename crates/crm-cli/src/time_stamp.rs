//! An authority for time stamps (RFC 3161) over HTTP.

use std::time::Duration;

use bytes::Bytes;
use crm_consent::{InvalidStamp, StampQuery};
use crm_transport::{Environment, Limits, Request, Transport, TransportError, TransportExt};
use http::{
    HeaderValue, Method, StatusCode, Uri,
    header::{ACCEPT, CONTENT_TYPE},
};

use crate::{
    settings::{SettingsError, Target},
    waiting::Waiting,
};

/// How long an authority may take, and how much it may say.
const PATIENCE: Duration = Duration::from_secs(30);
const MOST_BYTES: usize = 1 << 20;

/// Why there is no time stamp.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StampError {
    #[error("its address {0}")]
    Address(String),

    #[error(transparent)]
    Settings(#[from] SettingsError),

    #[error(transparent)]
    Transport(#[from] TransportError),

    #[error("it answers with status {0}")]
    Status(StatusCode),

    #[error("its answer is of the type `{0}`, which is no time stamp")]
    Type(String),

    #[error(transparent)]
    Invalid(#[from] InvalidStamp),
}

/// Asks an authority, and returns when it says that it saw what is asked about, and its whole answer.
/// Nothing but a digest is sent, and no credentials.
pub(crate) async fn ask(
    authority: &str,
    query: &StampQuery,
    target: &Target,
) -> Result<(String, Bytes), StampError> {
    let (environment, path) = place(authority, target.allow_http)?;
    let limits = Limits::default().timeout(PATIENCE).answer_bytes(MOST_BYTES);
    let wire = target.network.wire(&environment, limits).map_err(SettingsError::from)?;
    let wire = Waiting::new(wire, environment.api_url().to_owned()).with_tracing();
    exchange(&wire, path, query).await
}

/// The host of an authority, and the path there.
fn place(authority: &str, allow_http: bool) -> Result<(Environment, Uri), StampError> {
    let wrong = |reason: &str| StampError::Address(reason.to_owned());
    let url: Uri = authority.parse().map_err(|_| wrong("is no URL"))?;
    let (Some(scheme), Some(host)) = (url.scheme_str(), url.authority()) else {
        return Err(wrong("is no URL such as https://time.example/tsr"));
    };
    let base = format!("{scheme}://{host}");
    let custom = if allow_http { Environment::custom_allowing_http } else { Environment::custom };
    let environment = custom(&base, &base).map_err(|error| {
        let said = error.to_string();
        let said = said.strip_prefix("the API URL ").unwrap_or(&said);
        // What leaves is a digest alone, and the answer is signed.
        let how = if scheme == "http" { ": CRM_ALLOW_HTTP=1 allows it" } else { "" };
        wrong(&format!("{said}{how}"))
    })?;
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    Ok((environment, path.parse().map_err(|_| wrong("has a path that cannot be sent"))?))
}

async fn exchange(
    wire: &impl Transport,
    path: Uri,
    query: &StampQuery,
) -> Result<(String, Bytes), StampError> {
    let mut request = Request::new(query.to_der().into());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = path;
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/timestamp-query"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/timestamp-reply"));
    let answer = wire.send(request).await?;
    if !answer.status().is_success() {
        return Err(StampError::Status(answer.status()));
    }
    let kind = answer.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    // Some authorities name it as they like, as long as they do not say that it is for people.
    if kind.starts_with("text/") {
        return Err(StampError::Type(kind.to_owned()));
    }
    let answer = answer.into_body();
    Ok((query.read(&answer)?, answer))
}

#[cfg(test)]
mod tests {
    use crm_transport::{ReqwestTransport, TransportErrorKind};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn an_authority_is_spoken_to_over_tls_unless_it_is_this_machine_or_somebody_allows_it() {
        let of = |authority: &str, allow_http: bool| {
            let place = place(authority, allow_http);
            place.map(|(environment, path)| format!("{} {path}", environment.api_url()))
        };
        for (authority, place) in [
            ("https://time.example/tsr", "https://time.example /tsr"),
            ("https://time.example", "https://time.example /"),
            ("https://time.example:8443/a/b?c=d", "https://time.example:8443 /a/b?c=d"),
            ("http://127.0.0.1:8080/tsr", "http://127.0.0.1:8080 /tsr"),
        ] {
            assert_eq!(of(authority, false).unwrap(), place);
        }
        let plain = "http://time.example/tsr";
        let refused = of(plain, false).unwrap_err().to_string();
        assert!(refused.starts_with("its address must start with https://"), "{refused}");
        assert_eq!(of(plain, true).unwrap(), "http://time.example /tsr");
        for wrong in ["time.example", "/tsr", "", "ftp://time.example", "https://u:p@time.example"]
        {
            assert!(of(wrong, false).is_err(), "{wrong}");
        }
    }

    /// In a time that passes by itself while nothing happens.
    #[tokio::test(start_paused = true)]
    async fn an_authority_that_says_nothing_is_not_waited_for_forever() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let (environment, path) = place(&url, false).unwrap();
        let limits = Limits::default().timeout(PATIENCE);
        let wire = ReqwestTransport::with_limits(&environment, limits).unwrap();
        let query = StampQuery::of(b"what is stamped").unwrap();
        let ended = exchange(&wire, path, &query).await;
        let Err(StampError::Transport(error)) = ended else { panic!("{ended:?}") };
        assert_eq!(error.kind(), TransportErrorKind::Timeout);
    }
}
