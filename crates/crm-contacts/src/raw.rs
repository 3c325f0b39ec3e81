//! Requests that are not operations of this crate.

use crm_transport::{Call, Request, Response, Transport};
use http::{HeaderValue, Uri, header, uri::InvalidUri};
use serde::de::DeserializeOwned;

use crate::{
    error::{CallSite, ContactsError},
    operation,
    service::{ContactsService, answered},
};

/// The error of a text that is not the path of a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPath {
    /// It names a host, or does not begin with a slash.
    #[error("`{0}` is not a path: it starts with one /, and the host comes from the settings")]
    NoPath(String),
    /// It has characters that no URI has.
    #[error("`{path}` cannot be sent: {reason}")]
    NoUri {
        /// What was to be sent.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl<T: Transport> ContactsService<T> {
    /// Returns the address for [`raw`](Self::raw): a path with `/tenant/` in it as it is, where
    /// `{tenant}` is filled in, and any other below `/crm/v2/tenant/{tenant}`.
    ///
    /// It never names a host, so that credentials go to the configured one and nowhere else.
    ///
    /// # Errors
    ///
    /// Returns an [`InvalidPath`] for anything but a path with its query.
    pub fn address(&self, path: &str) -> Result<Uri, InvalidPath> {
        if !path.starts_with('/') || path.starts_with("//") {
            return Err(InvalidPath::NoPath(path.to_owned()));
        }
        let tenant = self.tenant();
        let path = path.replace("{tenant}", &tenant.to_string());
        let is_whole = path.split('?').next().is_some_and(|path| path.contains("/tenant/"));
        let path = if is_whole { path } else { format!("/crm/v2/tenant/{tenant}{path}") };
        path.parse()
            .map_err(|error: InvalidUri| InvalidPath::NoUri { path, reason: error.to_string() })
    }

    /// Sends a request as it is, for a part of the API that this crate does not know: its path
    /// is whole, with the tenant in it. A success is given back as it came.
    ///
    /// What the request does not say is added: JSON as the type of its body and of the answer, and
    /// a [`Call`] by its method. A GET only reads, a PUT and a DELETE may be repeated; what a
    /// repeat of any other method does is not known here, so none is made. It counts against the
    /// rate limit of the service's tenant. An operation of your own, with a typed answer, is an
    /// [`Operation`](crate::Operation).
    ///
    /// ```
    /// # use crm_contacts::{ContactsService, transport::{Request, Transport}};
    /// # async fn example<T: Transport>(service: &ContactsService<T>) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut request = Request::default();
    /// *request.uri_mut() = service.address("/jpm/v2/tenant/{tenant}/jobs?pageSize=1")?;
    /// let jobs = service.raw(request).await?;
    /// println!("{}", String::from_utf8_lossy(jobs.body()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::Transport`] when no answer came, [`ContactsError::Refused`] for a
    /// status outside 200 to 299.
    pub async fn raw(&self, request: Request) -> Result<Response, ContactsError> {
        let (site, request) = self.raw_request(request);
        let (site, response) = answered(site, self.send(request).await)?;
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(ContactsError::refused(site, response))
        }
    }

    /// [`raw`](Self::raw) for an answer in JSON.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`raw`](Self::raw), and [`ContactsError::Unreadable`] for a success
    /// with another body.
    pub async fn raw_json<A: DeserializeOwned>(
        &self,
        request: Request,
    ) -> Result<A, ContactsError> {
        let (site, request) = self.raw_request(request);
        let (site, response) = answered(site, self.send(request).await)?;
        operation::read(site, response, |_| true, |_| None)
    }

    fn raw_request(&self, mut request: Request) -> (CallSite, Request) {
        let site = CallSite::raw(&request);
        let call = Call::new(site.operation, site.effect);
        let call = request.extensions_mut().get_or_insert_with(|| call);
        call.rate_limit_key = self.tenant().get().unsigned_abs();
        let json = HeaderValue::from_static("application/json");
        let has_body = !request.body().is_empty();
        let headers = request.headers_mut();
        headers.entry(header::ACCEPT).or_insert(json.clone());
        if has_body {
            headers.entry(header::CONTENT_TYPE).or_insert(json);
        }
        self.bounds().set(&mut request);
        (site, request)
    }
}
