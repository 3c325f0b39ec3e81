//! Who may control the sandbox over HTTP: programs of this machine, and pages
//! that the sandbox itself served.
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

/// Refuses a request that does not ask for this server or that a page of
/// another site sent.
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
    let mut origins = headers.get_all(ORIGIN).iter();
    match origins.all(|origin| is_own_origin(origin, port)) {
        true => Ok(()),
        false => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "Under /sandbox requests of web pages are refused, unless the sandbox served the \
             page: the header Origin names another site",
        )),
    }
}

fn is_own(host: &HeaderValue, port: u16) -> bool {
    let authority = host.to_str().ok().and_then(|text| text.parse().ok());
    authority.is_some_and(|authority| is_own_authority(&authority, port))
}

/// Pages of the sandbox have no other scheme: it does not speak TLS.
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
    // Without a port it is that of the scheme.
    is_loopback && !has_user && authority.port_u16().unwrap_or(80) == port
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(uri: &str, headers: &[(&str, &str)], port: u16) -> u16 {
        let request = headers.iter().fold(Request::builder().uri(uri), |request, (name, value)| {
            request.header(*name, *value)
        });
        match check(&request.body(()).unwrap(), port) {
            Ok(()) => 200,
            Err(problem) => problem.status().as_u16(),
        }
    }

    #[test]
    fn hosts_of_this_machine_are_answered_and_no_others() {
        for (host, expected) in [
            ("127.0.0.1:8080", 200),
            ("127.0.0.2:8080", 200),
            ("localhost:8080", 200),
            ("LOCALHOST:8080", 200),
            ("[::1]:8080", 200),
            ("127.0.0.1:8081", 421),
            ("127.0.0.1", 421),
            ("0.0.0.0:8080", 421),
            ("2130706433:8080", 421),
            ("[::]:8080", 421),
            ("192.168.1.5:8080", 421),
            ("rebound.example:8080", 421),
            ("127.0.0.1.rebound.example:8080", 421),
            ("localhost.rebound.example:8080", 421),
            ("localhost@rebound.example:8080", 421),
            ("rebound.example@localhost:8080", 421),
            ("", 421),
        ] {
            assert_eq!(status("/sandbox/log", &[("host", host)], 8080), expected, "{host}");
        }
        assert_eq!(status("/sandbox/log", &[("host", "localhost")], 80), 200);
    }

    #[test]
    fn a_request_without_one_host_of_its_own_is_misdirected() {
        let own = ("host", "127.0.0.1:8080");
        assert_eq!(status("/sandbox/log", &[], 8080), 421);
        let two = [own, ("host", "rebound.example:8080")];
        assert_eq!(status("/sandbox/log", &two, 8080), 421);
        let elsewhere = "http://rebound.example:8080/sandbox/log";
        assert_eq!(status(elsewhere, &[own], 8080), 421);
        assert_eq!(status("http://127.0.0.1:8080/sandbox/log", &[own], 8080), 200);
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let own = ("host", "127.0.0.1:8080");
        for (origin, expected) in [
            ("http://127.0.0.1:8080", 200),
            ("http://localhost:8080", 200),
            ("http://[::1]:8080", 200),
            ("http://127.0.0.1:3000", 403),
            ("https://127.0.0.1:8080", 403),
            ("http://elsewhere.example", 403),
            ("null", 403),
            ("", 403),
        ] {
            let headers = [own, ("origin", origin)];
            assert_eq!(status("/sandbox/clock", &headers, 8080), expected, "{origin}");
        }
        let both = [own, ("origin", "http://127.0.0.1:8080"), ("origin", "null")];
        assert_eq!(status("/sandbox/clock", &both, 8080), 403);
    }
}
