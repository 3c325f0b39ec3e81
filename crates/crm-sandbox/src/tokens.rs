//! The access tokens given out, and what the token endpoint answers to a request that it refuses.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::body::Body;
use http::{Response, StatusCode};
use serde::Serialize;
use strum::{Display, VariantArray};
use uuid::Uuid;

use crate::{lock::lock, problem::json};

/// An area of the API, which has a scope for reading and one for writing.
#[derive(Debug, Clone, Copy, Display, VariantArray)]
#[strum(prefix = "tn.crm.", serialize_all = "lowercase")]
pub(crate) enum Area {
    Bookings,
    Contacts,
    Customers,
    Locations,
}

impl Area {
    /// Returns the scope that an operation of the area needs.
    pub(crate) fn scope(self, writes: bool) -> String {
        format!("{self}:{}", if writes { 'w' } else { 'r' })
    }
}

/// Returns every scope of the contacts API.
pub(crate) fn all_scopes() -> impl Iterator<Item = String> {
    Area::VARIANTS.iter().flat_map(|area| [area.scope(false), area.scope(true)])
}

/// The access tokens given out.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    grants: Mutex<HashMap<String, Arc<Grant>>>,
}

/// What a token allows.
#[derive(Debug)]
pub(crate) struct Grant {
    /// The one tenant that it serves; `None` for every tenant of the credentials.
    pub(crate) tenant: Option<i64>,
    pub(crate) scopes: String,
    pub(crate) expires: i64,
}

impl Tokens {
    /// Makes every token invalid, as when credentials are revoked.
    pub(crate) fn revoke_all(&self) {
        lock(&self.grants).clear();
    }

    pub(crate) fn issue(&self, grant: Grant, now: i64) -> String {
        // Two GUIDs of version 4 have 244 random bits: nobody guesses a token.
        let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let mut grants = lock(&self.grants);
        // A sandbox may run for weeks: what has expired need not be kept.
        grants.retain(|_, grant| grant.expires > now);
        grants.insert(token.clone(), Arc::new(grant));
        token
    }

    pub(crate) fn find(&self, token: &str, now: i64) -> Option<Arc<Grant>> {
        lock(&self.grants).get(token).filter(|grant| grant.expires > now).cloned()
    }
}

/// A refusal of the token endpoint (RFC 6749 section 5.2).
#[derive(Serialize)]
pub(crate) struct TokenError {
    pub(crate) error: &'static str,
    pub(crate) error_description: &'static str,
}

/// Answers the error of OAuth for refused credentials.
pub(crate) fn invalid_client(status: StatusCode) -> Response<Body> {
    let error = TokenError { error: "invalid_client", error_description: "injected fault" };
    json(status, serde_json::to_vec(&error).unwrap_or_default())
}
