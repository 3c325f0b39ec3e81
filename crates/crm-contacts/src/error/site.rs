//! The call that an error is about.

use std::fmt;

use crm_transport::{Call, Effect, Request};
use http::{Method, Uri};

use crate::spec::Spec;

/// The call that an error is about. Neither its message nor its [`Debug`] shows the query, which
/// may be personal data.
#[derive(Clone)]
pub struct CallSite {
    /// The contract's `operationId`.
    pub operation: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// What a repeat of the call does.
    pub effect: Effect,
    /// The OAuth 2.0 scope that the operation needs.
    pub scope: &'static str,
    uri: Uri,
}

impl CallSite {
    /// Creates the site of a call that sends `uri`.
    #[must_use]
    pub fn new(spec: Spec, uri: Uri) -> Self {
        Self {
            operation: spec.id,
            method: spec.method,
            effect: spec.effect,
            scope: spec.scope,
            uri,
        }
    }

    /// Creates the site of a call that [`ContactsService::raw`](crate::ContactsService::raw) sends,
    /// from the request's own [`Call`] or else from its method.
    #[must_use]
    pub fn raw(request: &Request) -> Self {
        let by_method = || match *request.method() {
            Method::GET | Method::HEAD => Effect::Read,
            Method::PUT | Method::DELETE => Effect::Idempotent,
            // What a repeated PATCH does depends on the operation, which is not known here.
            _ => Effect::Creates,
        };
        let call: Option<&Call> = request.extensions().get();
        Self {
            operation: call.map_or("api", |call| call.operation),
            method: request.method().clone(),
            effect: call.map_or_else(by_method, |call| call.effect),
            scope: "the operation's scope",
            uri: request.uri().clone(),
        }
    }

    /// Returns the path of the record below the tenant, for example
    /// `/locations/55021/contacts/71204`, without the query.
    #[must_use]
    pub fn record(&self) -> &str {
        let path = self.uri.path();
        path.strip_prefix("/crm/v2/tenant/")
            .and_then(|rest| rest.find('/').map(|slash| &rest[slash..]))
            .unwrap_or(path)
    }
}

impl fmt::Debug for CallSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallSite")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("record", &self.record())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for CallSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} {})", self.operation, self.method, self.record())
    }
}
