//! A request kept for a repeat.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Uri, Version};

use crate::{
    call::{CAREFUL, Call},
    message::Request,
};

/// What is needed to send a request once more.
///
/// Cloning a request allocates for its header map and its extensions, on every call, for a repeat
/// that hardly ever comes. The requests of this workspace have few headers and one extension, which
/// are kept here in place; any other request is cloned.
#[allow(clippy::large_enum_variant, reason = "the large form is the one that saves allocations")]
pub(crate) enum Replay {
    /// Few headers, the usual version, and no extension but the [`Call`].
    Lean {
        method: Method,
        uri: Uri,
        headers: [Option<(HeaderName, HeaderValue)>; HEADERS],
        call: Option<Call>,
        body: Bytes,
    },
    /// Anything else.
    Clone(Box<Request>),
}

/// `Accept`, and the `Content-Type` of a body: what operations set. More would be copied with each
/// call for nothing.
const HEADERS: usize = 2;

impl Replay {
    pub(crate) fn of(request: &Request) -> Self {
        let call = request.extensions().get::<Call>();
        let known_extensions = usize::from(call.is_some());
        if request.headers().len() > HEADERS
            || request.version() != Version::default()
            || request.extensions().len() != known_extensions
        {
            return Self::Clone(Box::new(request.clone()));
        }
        let mut headers = [const { None }; HEADERS];
        for (kept, (name, value)) in headers.iter_mut().zip(request.headers()) {
            *kept = Some((name.clone(), value.clone()));
        }
        Self::Lean {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers,
            call: call.cloned(),
            body: request.body().clone(),
        }
    }

    /// The call of the request.
    pub(crate) fn call(&self) -> &Call {
        match self {
            Self::Clone(request) => Call::of(request),
            Self::Lean { call, .. } => call.as_ref().unwrap_or(CAREFUL),
        }
    }

    pub(crate) fn into_request(self) -> Request {
        match self {
            Self::Clone(request) => *request,
            Self::Lean { method, uri, headers, call, body } => {
                let mut request = Request::new(body);
                *request.method_mut() = method;
                *request.uri_mut() = uri;
                for (name, value) in headers.into_iter().flatten() {
                    request.headers_mut().append(name, value);
                }
                if let Some(call) = call {
                    request.extensions_mut().insert(call);
                }
                request
            }
        }
    }
}
