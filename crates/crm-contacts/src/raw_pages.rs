//! Lists and feeds that are not operations of this crate, page by page.

use std::borrow::Cow;

use crm_transport::{Request, Transport};
use futures_util::{Stream, stream};
use http::{Uri, uri::InvalidUri};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    error::{CallSite, ContactsError},
    progress::{Progress, Stall, key_of},
    service::ContactsService,
};

/// A page of a list or a batch of a feed, with what is needed to find the next one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    has_more: bool,
    continue_from: Option<String>,
    data: Vec<Box<RawValue>>,
}

/// A list or a feed that is being walked.
struct Walk {
    /// The address of the next page, nothing after the last one, or why there is no way to the
    /// next, which is reported after the items that showed it.
    next: Option<Result<Uri, ContactsError>>,
    page: u32,
    /// The token of the previous batch.
    token: Option<String>,
    is_feed: bool,
    progress: Progress,
}

impl<T: Transport> ContactsService<T> {
    /// Walks any list or export feed of the vendor's APIs from this address to its end. The stream
    /// has the items of one answer after another, as the service wrote them. An answer with
    /// `continueFrom` leads to the next by that token, any other by the number of its page.
    ///
    /// # Errors
    ///
    /// The stream ends with the first error: [`ContactsError::Stalled`] when the answers say that
    /// there is more but do not lead there, [`ContactsError::Unreadable`] when an answer is not a
    /// page, and otherwise the errors of [`raw`](Self::raw).
    ///
    /// ```
    /// # use crm_contacts::{ContactsError, ContactsService, transport::Transport};
    /// use futures_util::TryStreamExt;
    ///
    /// # async fn example<T: Transport>(contacts: ContactsService<T>) -> Result<(), ContactsError> {
    /// let jobs = "/jpm/v2/tenant/1001/jobs?pageSize=500".parse().expect("a path with a query");
    /// let mut pages = std::pin::pin!(contacts.raw_pages(jobs));
    /// while let Some(page) = pages.try_next().await? {
    ///     println!("{} jobs", page.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn raw_pages(
        &self,
        from: Uri,
    ) -> impl Stream<Item = Result<Vec<Box<RawValue>>, ContactsError>> + Send + '_ {
        let walk = Walk {
            page: parameter(&from, "page").and_then(|page| page.parse().ok()).unwrap_or(1),
            token: parameter(&from, "from").map(Cow::into_owned),
            next: Some(Ok(from)),
            is_feed: false,
            progress: Progress::of_list(),
        };
        stream::try_unfold(walk, |walk| walk.on(self))
    }
}

impl Walk {
    async fn on<T: Transport>(
        mut self,
        service: &ContactsService<T>,
    ) -> Result<Option<(Vec<Box<RawValue>>, Self)>, ContactsError> {
        let Some(uri) = self.next.take() else {
            return Ok(None);
        };
        let uri = uri?;
        let mut request = Request::default();
        *request.uri_mut() = uri.clone();
        let site = CallSite::raw(&request);
        let part: Part = service.raw_json(request).await?;
        if part.has_more {
            let next = self.after(&uri, part.continue_from, &part.data);
            let stalled = |how| ContactsError::Stalled { site: Box::new(site), how };
            self.next = Some(next.map_err(stalled).flatten());
        }
        Ok(Some((part.data, self)))
    }

    /// Returns the address of the next page, if the walk makes progress.
    fn after(
        &mut self,
        uri: &Uri,
        token: Option<String>,
        items: &[Box<RawValue>],
    ) -> Result<Result<Uri, ContactsError>, Stall> {
        if token.is_some() && !self.is_feed {
            (self.is_feed, self.progress) = (true, Progress::of_feed());
        }
        let moves = self.progress.note(items.iter().map(|item| key_of(&item.get())));
        let next = match token {
            Some(token) if !token.is_empty() && self.token.as_ref() != Some(&token) => {
                with_parameter(uri, "from", self.token.insert(token))
            }
            None if !self.is_feed => {
                self.page += 1;
                with_parameter(uri, "page", &self.page.to_string())
            }
            _ => return Err(Stall::Token),
        };
        moves.map(|()| next)
    }
}

/// Returns the value of this query parameter.
fn parameter<'u>(uri: &'u Uri, name: &str) -> Option<Cow<'u, str>> {
    let mut pairs = form_urlencoded::parse(uri.query()?.as_bytes());
    pairs.find(|(known, _)| known == name).map(|(_, value)| value)
}

/// Returns the address with this query parameter set.
fn with_parameter(uri: &Uri, name: &str, value: &str) -> Result<Uri, ContactsError> {
    let query = uri.query().unwrap_or_default();
    let others = form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| known != name);
    let path = format!("{}?", uri.path());
    let start = path.len();
    let mut query = form_urlencoded::Serializer::for_suffix(path, start);
    let uri = query.extend_pairs(others).append_pair(name, value).finish();
    uri.parse().map_err(|error: InvalidUri| ContactsError::unwritable(error))
}
