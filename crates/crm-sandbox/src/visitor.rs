//! Who may control the sandbox over HTTP: programs of this machine, or of any
//! where that is allowed, and pages that the sandbox itself served.
//!
//! A browser reaches loopback addresses for any page. A page whose host name
//! is made to resolve to this machine (DNS rebinding) names that host in
//! `Host`; a page of another site that sends a request names itself in
//! `Origin`. Neither header can be set by a page.

use std::net::IpAddr;

use http::{
    HeaderValue, Request, StatusCode,
    header::{HOST, ORIGIN},
    uri::Authority,
};

use crate::problem::Problem;

/// Refuses a request that does not ask for this server or that a page of another site sent.
pub(crate) fn check<B>(request: &Request<B>, port: u16) -> Result<(), Problem> {
    let headers = request.headers();
    let mut hosts = headers.get_all(HOST).iter();
    let named = hosts.next().is_some_and(|host| is_own(host, port));
    let asked = request.uri().authority();
    let asked = asked.is_none_or(|authority| is_own_authority(authority, port));
    if !named || hosts.next().is_some() || !asked {
        let title = format!(
            "Under /sandbox only requests to this machine are answered: the header Host must be \
             a loopback address or localhost, with port {port}"
        );
        return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, title));
    }
    if headers.get_all(ORIGIN).iter().all(|origin| is_own_origin(origin, port)) {
        Ok(())
    } else {
        Err(foreign_page())
    }
}

/// Refuses only a request that a page of another site sent. Under which names and ports a sandbox is
/// reached that serves other machines, it cannot know.
pub(crate) fn check_page<B>(request: &Request<B>) -> Result<(), Problem> {
    let headers = request.headers();
    let own = headers.get(HOST).map(|host| [b"http://", host.as_bytes()].concat());
    let is_own = |origin: &HeaderValue| own.as_deref() == Some(origin.as_bytes());
    if headers.get_all(ORIGIN).iter().all(is_own) { Ok(()) } else { Err(foreign_page()) }
}

fn foreign_page() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "Under /sandbox requests of web pages are refused, unless the sandbox served the page: the \
         header Origin names another site",
    )
}

fn is_own(host: &HeaderValue, port: u16) -> bool {
    let authority = host.to_str().ok().and_then(|text| text.parse().ok());
    authority.is_some_and(|authority| is_own_authority(&authority, port))
}

/// Says whether the sandbox served a page. The scheme is always that of plain HTTP, since it does
/// not speak TLS.
fn is_own_origin(origin: &HeaderValue, port: u16) -> bool {
    let authority = origin.to_str().ok().and_then(|text| text.strip_prefix("http://"));
    let authority = authority.and_then(|text| text.parse().ok());
    authority.is_some_and(|authority| is_own_authority(&authority, port))
}

fn is_own_authority(authority: &Authority, port: u16) -> bool {
    let host = authority.host();
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let is_loopback = host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let has_user = authority.as_str().contains('@');
    // A host without a port means that of the scheme.
    is_loopback && !has_user && authority.port_u16().unwrap_or(80) == port
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_without_a_port_means_port_80() {
        for (port, answered) in [(80, true), (8080, false)] {
            let request = Request::builder().header(HOST, "localhost").body(()).unwrap();
            assert_eq!(check(&request, port).is_ok(), answered, "{port}");
        }
    }
}
