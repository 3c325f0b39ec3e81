//! The token endpoint (OAuth 2.0 client credentials, RFC 6749 section 4.4)
//! and the checks of credentials on every call.

use std::collections::HashMap;

use axum::body::Body;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::{
    app::{App, Tenant},
    body::is_of_type,
    clock::TICKS_PER_SECOND,
    operation::Operation,
    problem::{Problem, json},
    settings::Settings,
    tokens::{Grant, TokenError, all_scopes},
};

/// Checks the token, the app key, the tenant, the rate limit and the scope, in this order: a call
/// whose credentials are wrong takes nothing of the rate of the tenant that it names.
pub(crate) fn admit<'a>(
    app: &'a App,
    settings: &Settings,
    operation: &Operation,
    tenant: &str,
    headers: &HeaderMap,
    now: i64,
) -> Result<&'a Tenant, Problem> {
    let grant = access_token(headers)
        .and_then(|token| app.tokens.find(token, now))
        .ok_or_else(Problem::unauthorized)?;
    let app_key = headers.get("st-app-key").map(HeaderValue::as_bytes);
    if app_key != Some(app.connection.app_key.as_bytes()) {
        return Err(refusal(settings.app_key_status, "The application key is missing or wrong"));
    }
    let id: i64 = tenant.parse().map_err(|_| Problem::field("tenant", "it is not an integer"))?;
    let served = app.tenants.get(&id).filter(|_| grant.tenant.is_none_or(|only| only == id));
    let tenant = served.ok_or_else(|| {
        refusal(settings.foreign_tenant_status, "The access token does not serve this tenant")
    })?;
    tenant.accept(settings.rate_limit, now).map_err(|seconds| {
        Problem::too_many_requests(seconds, settings.wait_in_title, settings.retry_after)
    })?;
    if !grant.scopes.split(' ').any(|scope| scope == operation.scope) {
        let title = format!("The application lacks the scope {}", operation.scope);
        return Err(Problem::new(StatusCode::FORBIDDEN, title));
    }
    Ok(tenant)
}

/// Returns a refusal of the gateway. One with 404 says the same as for an unknown path: that no
/// operation matches.
fn refusal(status: u16, title: &str) -> Problem {
    match StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN) {
        StatusCode::NOT_FOUND => Problem::no_route(),
        status => Problem::new(status, title),
    }
}

/// Returns the token, which stands alone or after `Bearer`, in any letter case.
fn access_token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim();
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Some(token.trim()),
        Some(_) => None,
        None => Some(value),
    }
}

#[derive(Serialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: u32,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

/// Answers a token request.
pub(crate) fn token(
    app: &App,
    settings: &Settings,
    headers: &HeaderMap,
    body: &[u8],
) -> Response<Body> {
    let (status, body) = match grant(app, settings, headers, body) {
        Ok(answer) => (StatusCode::OK, serde_json::to_vec(&answer)),
        Err((error, error_description)) => {
            (StatusCode::BAD_REQUEST, serde_json::to_vec(&TokenError { error, error_description }))
        }
    };
    let mut response = json(status, body.unwrap_or_default());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn grant(
    app: &App,
    settings: &Settings,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<TokenAnswer, (&'static str, &'static str)> {
    if !is_of_type(headers, "application/x-www-form-urlencoded") {
        return Err(("invalid_request", "the body must be a form"));
    }
    let form: HashMap<String, String> = serde_urlencoded::from_bytes(body)
        .map_err(|_| ("invalid_request", "the form cannot be read"))?;
    let parameter = |name: &str| form.get(name).map(String::as_str);
    match parameter("grant_type") {
        Some("client_credentials") => {}
        Some(_) => {
            return Err(("unsupported_grant_type", "only client_credentials is supported"));
        }
        None => return Err(("invalid_request", "grant_type is missing")),
    }
    let (Some(id), Some(secret)) = (parameter("client_id"), parameter("client_secret")) else {
        return Err(("invalid_request", "client_id or client_secret is missing"));
    };
    if id != app.connection.client_id || secret != app.connection.client_secret {
        return Err(("invalid_client", "the client id or the secret is wrong"));
    }
    let tenant = match parameter("tenant").map(str::parse::<i64>) {
        None => None,
        Some(Ok(tenant)) if app.tenants.contains_key(&tenant) => Some(tenant),
        Some(_) => {
            return Err(("invalid_request", "the credentials do not serve this tenant"));
        }
    };
    let now = app.clock.ticks();
    let expires = now.saturating_add(i64::from(settings.token_lifetime) * TICKS_PER_SECOND);
    let scopes = match settings.scopes.as_str() {
        "all" => all_scopes().collect::<Vec<_>>().join(" "),
        scopes => scopes.to_owned(),
    };
    let scope = settings.scope_in_token_answer.then(|| scopes.clone());
    Ok(TokenAnswer {
        access_token: app.tokens.issue(Grant { tenant, scopes, expires }, now),
        expires_in: settings.token_lifetime,
        token_type: "Bearer",
        scope,
    })
}
