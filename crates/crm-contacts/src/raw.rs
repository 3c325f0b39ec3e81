//! Requests that are not operations of this crate.

use crm_transport::{Call, Request, Response, Transport};
use http::{HeaderValue, header};
use serde::de::DeserializeOwned;

use crate::{
    error::{CallSite, ContactsError},
    operation,
    service::{ContactsService, answered},
};

impl<T: Transport> ContactsService<T> {
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
    /// *request.uri_mut() = format!("/jpm/v2/tenant/{}/jobs?pageSize=1", service.tenant()).parse()?;
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
