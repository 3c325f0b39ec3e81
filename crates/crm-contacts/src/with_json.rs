//! Operations whose answers keep the JSON that was received.

use crm_models::{Page, PageQuery, Raw, TenantId, Tolerance};
use crm_transport::Request;

use crate::{error::ContactsError, operation::Operation, paged::PagedOperation, spec::Spec};

/// An operation whose answer keeps its JSON, including members that this crate does not know.
///
/// ```
/// # use crm_contacts::{ContactsError, ContactsService, models::PersonId, transport::Transport};
/// use crm_contacts::{WithJson, operations::people::Get};
///
/// # async fn example<T: Transport>(contacts: ContactsService<T>, id: PersonId) -> Result<(), ContactsError> {
/// let person = contacts.call(&WithJson(Get { id })).await?;
/// println!("{:?}: {}", person.name, person.json());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct WithJson<O>(pub O);

impl<O: Operation> Operation for WithJson<O> {
    type Answer = Raw<O::Answer>;
    const SPEC: Spec = O::SPEC;

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        self.0.request(tenant)
    }

    fn request_tolerating(
        &self,
        tenant: TenantId,
        tolerance: Tolerance,
    ) -> Result<Request, ContactsError> {
        self.0.request_tolerating(tenant, tolerance)
    }

    fn is_answered_by(&self, answer: &Raw<O::Answer>) -> bool {
        self.0.is_answered_by(answer)
    }
}

/// A list whose items keep their JSON, made by [`List::with_json`](crate::List::with_json).
#[derive(Debug, Clone)]
pub struct ItemsWithJson<P>(pub P);

impl<P: PagedOperation> Operation for ItemsWithJson<P> {
    type Answer = Page<Raw<P::Item>>;
    const SPEC: Spec = P::SPEC;

    fn request(&self, tenant: TenantId) -> Result<Request, ContactsError> {
        self.0.request(tenant)
    }

    fn is_answered_by(&self, answer: &Page<Raw<P::Item>>) -> bool {
        answer.data.iter().all(|item| self.0.has(item))
    }
}

impl<P: PagedOperation> PagedOperation for ItemsWithJson<P> {
    type Item = Raw<P::Item>;

    fn page_mut(&mut self) -> &mut PageQuery {
        self.0.page_mut()
    }

    fn key(item: &Raw<P::Item>) -> Option<u64> {
        P::key(item)
    }

    fn has(&self, item: &Raw<P::Item>) -> bool {
        self.0.has(item)
    }
}
