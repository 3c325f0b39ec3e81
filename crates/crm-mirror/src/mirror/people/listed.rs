//! The two lists that tell all people, and all their numbers and addresses.

use crm_contacts::{
    ContactsError, ContactsService, PagedOperation,
    operations::{contact_methods::SearchContactMethods, people::GetList},
};
use crm_models::{
    ContactMethod, ContactMethodFilter, ContactMethodId, ContactMethodSort, PageQuery, Person,
    PersonFilter, PersonId, PersonSort, Sort, Timestamp,
};
use crm_transport::Transport;
use crm_values::PhoneReader;
use rusqlite::ToSql;
use uuid::Uuid;

use super::columns::{MethodColumns, PersonColumns};
use crate::{
    keys::Keys,
    mirror::{
        feed::Feed,
        row::{Kind, key_columns, whole_ticks},
        text::folded,
    },
};

/// By which time a list is walked, the oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// By the last change: what changes on the way comes again at the end.
    Changed,
    /// By creation: nothing moves on the way.
    Created,
}

/// A kind of record that a list tells.
pub(in crate::mirror) trait Listed: Sized {
    const FEED: Feed;
    /// Where it is kept.
    const TABLE: &'static str;
    /// All columns but the row's id, the GUID first.
    const COLUMNS: &'static str;
    type List: PagedOperation<Item = Self>;

    /// The list from a time on.
    fn list(order: Order, from: Option<Timestamp>, page: PageQuery) -> Self::List;
    fn id(&self) -> Uuid;
    fn created_on(&self) -> Timestamp;
    fn modified_on(&self) -> Timestamp;

    /// Hands its columns to `each`.
    fn with_columns<R>(&self, reader: PhoneReader, each: impl FnOnce(&[&dyn ToSql]) -> R) -> R;

    /// Whether the service still has the record with this id, of this person.
    fn is_there<T: Transport>(
        service: &ContactsService<T>,
        id: Uuid,
        person: Uuid,
    ) -> impl Future<Output = Result<bool, ContactsError>>;

    /// The time by which the list is walked.
    fn time(&self, order: Order) -> Timestamp {
        match order {
            Order::Changed => self.modified_on(),
            Order::Created => self.created_on(),
        }
    }
}

/// Sets the order of a filter, and where it begins.
macro_rules! filter {
    ($filter:ident, $sort:ident, $order:expr, $from:expr) => {{
        let filter = $filter::new();
        match ($order, $from) {
            (Order::Changed, None) => filter.sort(Sort::ascending($sort::ModifiedOn)),
            (Order::Changed, Some(from)) => {
                filter.sort(Sort::ascending($sort::ModifiedOn)).modified_on_or_after(from)
            }
            (Order::Created, None) => filter.sort(Sort::ascending($sort::CreatedOn)),
            (Order::Created, Some(from)) => {
                filter.sort(Sort::ascending($sort::CreatedOn)).created_on_or_after(from)
            }
        }
    }};
}

impl Listed for Person {
    const FEED: Feed = Feed::People;
    const TABLE: &'static str = "people";
    const COLUMNS: &'static str = PersonColumns::NAMES;
    type List = GetList;

    fn list(order: Order, from: Option<Timestamp>, page: PageQuery) -> GetList {
        // Without a filter for archived people: which values it takes is not documented.
        GetList { filter: filter!(PersonFilter, PersonSort, order, from), page }
    }

    fn id(&self) -> Uuid {
        self.id.get()
    }

    fn created_on(&self) -> Timestamp {
        self.created_on
    }

    fn modified_on(&self) -> Timestamp {
        self.modified_on
    }

    fn with_columns<R>(&self, _: PhoneReader, each: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        each(&[
            self.id.get().as_bytes(),
            &self.name,
            &self.title,
            &self.reference_id,
            &self.is_archived,
            &whole_ticks(self.created_on),
            &self.created_by.get(),
            &whole_ticks(self.modified_on),
            &self.modified_by.get(),
            &folded(&[&text(&self.name), "\n", &text(&self.title)]),
        ])
    }

    async fn is_there<T: Transport>(
        service: &ContactsService<T>,
        id: Uuid,
        _: Uuid,
    ) -> Result<bool, ContactsError> {
        is_there(service.person(PersonId::new(id)).get().await)
    }
}

impl Listed for ContactMethod {
    const FEED: Feed = Feed::ContactMethods;
    const TABLE: &'static str = "methods";
    const COLUMNS: &'static str = MethodColumns::NAMES;
    type List = SearchContactMethods;

    fn list(order: Order, from: Option<Timestamp>, page: PageQuery) -> SearchContactMethods {
        let filter = filter!(ContactMethodFilter, ContactMethodSort, order, from);
        SearchContactMethods { contact: None, filter, page }
    }

    fn id(&self) -> Uuid {
        self.id.get()
    }

    fn created_on(&self) -> Timestamp {
        self.created_on
    }

    fn modified_on(&self) -> Timestamp {
        self.modified_on
    }

    fn with_columns<R>(&self, reader: PhoneReader, each: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
        let keys = Keys::of(&self.value, reader);
        let (key, otherwise) = key_columns(&keys, &self.value);
        each(&[
            self.id.get().as_bytes(),
            self.contact_id.get().as_bytes(),
            &Kind::of(&self.contact_type),
            &key,
            &otherwise,
            &self.value,
            &self.memo,
            &self.reference_id,
            &whole_ticks(self.created_on),
            &self.created_by.get(),
            &whole_ticks(self.modified_on),
            &self.modified_by.get(),
            &folded(&[&self.value, "\n", self.memo.as_deref().unwrap_or_default()]),
        ])
    }

    async fn is_there<T: Transport>(
        service: &ContactsService<T>,
        id: Uuid,
        person: Uuid,
    ) -> Result<bool, ContactsError> {
        let method = service.person(PersonId::new(person)).method(ContactMethodId::new(id));
        is_there(method.get().await)
    }
}

fn is_there<R>(read: Result<R, ContactsError>) -> Result<bool, ContactsError> {
    match read {
        Ok(_) => Ok(true),
        Err(error) if error.is_not_found() => Ok(false),
        // There it is, whatever it looks like.
        Err(ContactsError::Unreadable { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}
