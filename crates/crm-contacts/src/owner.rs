//! The use cases on the contacts of one location or one customer.

use crm_models::{
    Check, Contact, ContactChange, ContactId, CreateContactRequest, PreferencesUnknown, Timestamp,
    UpdateContactRequest,
};
use crm_transport::Transport;

use crate::{
    ContactsService, List,
    error::{CallSite, ContactsError, Echo},
    handle::handle,
    operations::owner::{CreateContact, DeleteContact, GetContactList, Owner, UpdateContact},
    update::{Difference, differences, plan, verify},
};

/// How large the pages are in which one contact is looked for.
const SEARCH_PAGE: i32 = 500;

/// The contacts of one owner, made by [`ContactsService::location`] and
/// [`ContactsService::customer`].
#[must_use]
pub struct OwnerContacts<'a, T, O> {
    service: &'a ContactsService<T>,
    owner: O,
}

handle!(Copy OwnerContacts<O> { owner });

/// What [`OwnerContacts::ensure`] found and did.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Ensured {
    /// The contact as it was.
    pub before: Contact,
    /// The contact as it is now; the same as `before` when nothing had to be sent.
    pub after: Contact,
}

impl Ensured {
    /// What changed, member by member; empty when nothing had to be sent.
    #[must_use]
    pub fn differences(&self) -> Vec<Difference> {
        differences(&self.before, &self.after)
    }
}

/// What [`OwnerContacts::create_unless_present`] found or did.
#[derive(Debug, Clone, PartialEq)]
pub enum Creation {
    /// The contact is new.
    Created(Contact),
    /// The owner had a contact of this kind with this value already; nothing was sent.
    Present(Contact),
}

impl Creation {
    /// The contact, new or not.
    #[must_use]
    pub fn into_contact(self) -> Contact {
        match self {
            Self::Created(contact) | Self::Present(contact) => contact,
        }
    }
}

/// An update that did not succeed, or of which nobody knows: then the contact as it reads back.
struct Unsettled {
    error: ContactsError,
    found: Option<Box<Contact>>,
}

impl From<ContactsError> for Unsettled {
    fn from(error: ContactsError) -> Self {
        Self { error, found: None }
    }
}

impl<'a, T: Transport, O: Owner> OwnerContacts<'a, T, O> {
    pub(crate) fn new(service: &'a ContactsService<T>, owner: O) -> Self {
        Self { service, owner }
    }

    /// The owner's contacts: `GET …/contacts`, page by page, with the owner's scope for reading.
    /// The order is not documented.
    pub fn list(&self) -> List<T, GetContactList<O>> {
        let operation = GetContactList {
            owner: self.owner,
            page: Default::default(),
        };
        self.service.list(operation)
    }

    /// One contact. The API cannot read a single contact, so this pages through the owner's
    /// list until it appears.
    ///
    /// # Errors
    ///
    /// [`ContactsError::NotFound`] when the list ends without it; otherwise as
    /// [`ContactsService::call`].
    pub async fn find(&self, contact: ContactId) -> Result<Contact, ContactsError> {
        match self.search(|found| found.id == contact).await? {
            Some(found) => Ok(found),
            None => Err(ContactsError::NotFound {
                site: Box::new(self.service.site(&O::LIST, [&self.owner])),
                contact,
            }),
        }
    }

    /// Changes the members that `change` names and returns the whole contact: `PATCH
    /// …/contacts/{contactId}`, with the owner's scope for writing (`tn.crm.locations:w` or
    /// `tn.crm.customers:w`).
    ///
    /// ```
    /// use crm_contacts::{
    ///     ContactsService,
    ///     models::{ContactChange, ContactId, LocationId, TenantId},
    /// };
    /// # use crm_contacts::transport::{Request, Response, Transport, TransportError};
    /// # struct Answers;
    /// # #[async_trait::async_trait]
    /// # impl Transport for Answers {
    /// #     async fn send(&self, request: Request) -> Result<Response, TransportError> {
    /// #         assert_eq!(request.body(), r#"{"memo":"Gate code 4411"}"#);
    /// #         Ok(Response::new(r#"{"id":71204,"type":"Email","value":"a@site.example",
    /// #             "memo":"Gate code 4411","modifiedOn":"2026-05-27T16:04:11Z"}"#.into()))
    /// #     }
    /// # }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let transport = Answers;
    /// let contacts = ContactsService::new(transport, TenantId::new(1_001)?);
    /// let location = contacts.location(LocationId::new(55_021)?);
    ///
    /// let change = ContactChange::new().memo("Gate code 4411");
    /// let contact = location.update(ContactId::new(71_204)?, &change).await?;
    /// assert_eq!(contact.memo.as_deref(), Some("Gate code 4411"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Preferences are sent as a whole: when `change` gives some of them, the contact is read
    /// first and the others are kept. The answer is compared with what was asked. After an
    /// unknown outcome the contact is read back, and if it is not as wanted, the change is made
    /// once more, to what it is now.
    ///
    /// # Errors
    ///
    /// [`ContactsError::Invalid`] for an empty or invalid change,
    /// [`ContactsError::PreferencesUnknown`], [`ContactsError::EchoDiffers`] when the write
    /// was carried out otherwise than asked, [`ContactsError::OutcomeUnknown`]; otherwise as
    /// [`ContactsService::call`].
    pub async fn update(
        &self,
        contact: ContactId,
        change: &ContactChange,
    ) -> Result<Contact, ContactsError> {
        let update = match change.needs_current() {
            true => {
                let current = self.read(contact, change).await?;
                change.check_for(&current)?;
                change.request_for(&current)
            }
            false => change.to_request(None),
        };
        let update = update.map_err(|e| self.preferences_unknown(contact, e))?;
        self.make(contact, change, update, None).await
    }

    /// Reads the contact and sends only what differs from `change`; nothing at all when it is
    /// so already.
    ///
    /// ```
    /// # use crm_contacts::{
    /// #     ContactsError, ContactsService, models::{ContactId, LocationId}, transport::Transport,
    /// # };
    /// use crm_contacts::models::{ContactChange, PreferenceChange};
    ///
    /// # async fn example<T: Transport>(
    /// #     contacts: ContactsService<T>, location: LocationId, contact: ContactId,
    /// # ) -> Result<(), ContactsError> {
    /// let change = ContactChange::new()
    ///     .preferences(PreferenceChange::new().marketing_updates(false));
    /// let ensured = contacts.location(location).ensure(contact, &change).await?;
    /// for difference in ensured.differences() {
    ///     println!("{}: {:?} -> {:?}", difference.field, difference.before, difference.after);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update), and [`ContactsError::NotFound`].
    pub async fn ensure(
        &self,
        contact: ContactId,
        change: &ContactChange,
    ) -> Result<Ensured, ContactsError> {
        let current = self.read(contact, change).await?;
        self.ensure_from(current, change).await
    }

    /// [`ensure`](Self::ensure) for a caller who has just read the contact.
    ///
    /// ```
    /// # use crm_contacts::{
    /// #     ContactsError, ContactsService, models::{ContactChange, LocationId}, transport::Transport,
    /// # };
    /// # async fn example<T: Transport>(
    /// #     contacts: ContactsService<T>, location: LocationId, change: ContactChange,
    /// # ) -> Result<(), ContactsError> {
    /// let contacts = contacts.location(location);
    /// for contact in contacts.list().collect().await? {
    ///     contacts.ensure_from(contact, &change).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub async fn ensure_from(
        &self,
        current: Contact,
        change: &ContactChange,
    ) -> Result<Ensured, ContactsError> {
        self.ensure_unmodified(current, change, None).await
    }

    async fn ensure_unmodified(
        &self,
        current: Contact,
        change: &ContactChange,
        since: Option<Timestamp>,
    ) -> Result<Ensured, ContactsError> {
        change.check_for(&current)?;
        let update = plan(&current, change).map_err(|e| self.preferences_unknown(current.id, e))?;
        let after = match update {
            Some(update) => self.make(current.id, change, update, since).await?,
            None => current.clone(),
        };
        Ok(Ensured {
            before: current,
            after,
        })
    }

    /// [`ensure`](Self::ensure), but only if nobody changed the contact after
    /// `unmodified_since`: the [`modified_on`](Contact::modified_on) that you saw. Give it back
    /// with all its digits, up to seven behind the second: cut to microseconds, as by a database,
    /// it lies before the contact's own, and every guard is refused.
    ///
    /// The API has no conditional update, so the check is made by reading just before the
    /// write, and again before the change is made a second time after an unknown outcome. A change
    /// by somebody else between reading and writing, as long as that takes with the transport's
    /// own repeats, is not seen.
    ///
    /// ```
    /// # use crm_contacts::{
    /// #     ContactsError, ContactsService, models::{ContactChange, ContactId, LocationId}, transport::Transport,
    /// # };
    /// # async fn example<T: Transport>(
    /// #     contacts: ContactsService<T>, location: LocationId, id: ContactId, change: ContactChange,
    /// # ) -> Result<(), ContactsError> {
    /// let contacts = contacts.location(location);
    /// let seen = contacts.find(id).await?;
    /// // Somebody looks at it, and decides.
    /// match contacts.guard(id, &change, seen.modified_on).await {
    ///     Err(ContactsError::Modified { modified_on, .. }) => println!("changed at {modified_on}"),
    ///     guarded => println!("{:?}", guarded?.differences()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ContactsError::Modified`] when it was changed; otherwise as [`ensure`](Self::ensure).
    pub async fn guard(
        &self,
        contact: ContactId,
        change: &ContactChange,
        unmodified_since: Timestamp,
    ) -> Result<Ensured, ContactsError> {
        let current = self.read(contact, change).await?;
        if current.modified_on > unmodified_since {
            return Err(ContactsError::Modified {
                site: Box::new(self.service.site(&O::LIST, [&self.owner])),
                contact,
                modified_on: current.modified_on,
                unmodified_since,
            });
        }
        self.ensure_unmodified(current, change, Some(unmodified_since))
            .await
    }

    /// Sends the update that makes the change. After an unknown outcome the change is compared
    /// with what the contact is now, and made once more if need be: not by the same request, since
    /// that would also set again what somebody else has changed meanwhile.
    async fn make(
        &self,
        contact: ContactId,
        change: &ContactChange,
        update: UpdateContactRequest,
        since: Option<Timestamp>,
    ) -> Result<Contact, ContactsError> {
        let (unknown, found) = match self.try_send(contact, update).await {
            Ok(updated) => return Ok(updated),
            Err(Unsettled {
                error,
                found: Some(found),
            }) => (error, found),
            Err(unsettled) => return Err(unsettled.error),
        };
        match plan(&found, change) {
            Ok(None) => Ok(*found),
            Ok(Some(update)) if since.is_none_or(|since| found.modified_on <= since) => {
                match self.send(contact, update).await {
                    Err(error @ ContactsError::EchoDiffers(_)) => Err(error),
                    // Of the first of the two nobody knows, whatever became of the second.
                    Err(error) if error.site().is_none() => Err(unknown),
                    again => again.map_err(ContactsError::unknown),
                }
            }
            _ => Err(unknown),
        }
    }

    /// Sends an update that is complete in itself and compares the echo. After an unknown
    /// outcome it reads back until the contact is as asked. [`update`](Self::update) and
    /// [`ensure`](Self::ensure) end here.
    ///
    /// ```
    /// # use crm_contacts::{
    /// #     ContactsError, ContactsService, models::{Contact, ContactChange, LocationId}, transport::Transport,
    /// # };
    /// # async fn example<T: Transport>(
    /// #     contacts: ContactsService<T>, location: LocationId, current: Contact, change: ContactChange,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// // What is sent can be shown first.
    /// if let Some(update) = crm_contacts::plan(&current, &change)? {
    ///     println!("{update:?}");
    ///     contacts.location(location).send(current.id, update).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub async fn send(
        &self,
        contact: ContactId,
        update: UpdateContactRequest,
    ) -> Result<Contact, ContactsError> {
        let sent = self.try_send(contact, update).await;
        sent.map_err(|unsettled| unsettled.error)
    }

    async fn try_send(
        &self,
        contact: ContactId,
        mut update: UpdateContactRequest,
    ) -> Result<Contact, Unsettled> {
        if self.service.legacy_preferences() {
            update = update.legacy_three_flags().map_err(ContactsError::from)?;
        }
        let operation = UpdateContact {
            owner: self.owner,
            contact,
            update,
        };
        let error = match self.service.call(&operation).await {
            Ok(answer) => return Ok(self.verified(&operation, answer)?),
            Err(error) if error.outcome_is_unknown() => error.unknown(),
            Err(error) => return Err(error.into()),
        };
        let is_done = |found: &Contact| verify(&operation.update, found).is_empty();
        match self.read_back(|found| found.id == contact, is_done).await {
            Ok(found) => Ok(found),
            Err(found) => Err(Unsettled {
                error,
                found: found.map(Box::new),
            }),
        }
    }

    /// Creates a contact: `POST …/contacts`. Preferences cannot be given here: update them afterwards. The call
    /// is never repeated once the server may have seen it, since each repeat creates one more.
    ///
    /// # Errors
    ///
    /// [`ContactsError::OutcomeUnknown`] when the answer got lost: see
    /// [`create_unless_present`](Self::create_unless_present); otherwise as
    /// [`ContactsService::call`].
    pub async fn create(&self, contact: CreateContactRequest) -> Result<Contact, ContactsError> {
        let operation = CreateContact {
            owner: self.owner,
            contact,
        };
        self.service.write(&operation).await
    }

    /// Creates a contact unless the owner has one of its kind with the same value (telephone
    /// numbers compared by digits, addresses without case). After an unknown outcome it looks
    /// again instead of creating a second one.
    ///
    /// ```
    /// # use crm_contacts::{
    /// #     ContactsError, ContactsService, models::{CustomerId}, transport::Transport,
    /// # };
    /// use crm_contacts::{Creation, models::{ContactType, CreateContactRequest}};
    ///
    /// # async fn example<T: Transport>(
    /// #     contacts: ContactsService<T>, customer: CustomerId,
    /// # ) -> Result<(), ContactsError> {
    /// let mobile = CreateContactRequest::new(ContactType::MobilePhone, "(818) 555-0142");
    /// match contacts.customer(customer).create_unless_present(mobile).await? {
    ///     Creation::Created(contact) => println!("{} is new", contact.id),
    ///     Creation::Present(contact) => println!("{} has it already", contact.id),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// It looks and then creates: two callers at the same time may both find nothing and create
    /// one each. Where that can happen, let one caller do it.
    ///
    /// # Errors
    ///
    /// [`ContactsError::OutcomeUnknown`] when the answer got lost and the contact does not
    /// show up; otherwise as [`ContactsService::call`].
    pub async fn create_unless_present(
        &self,
        contact: CreateContactRequest,
    ) -> Result<Creation, ContactsError> {
        contact.check()?;
        let same = |found: &Contact| contact.is_same(found);
        if let Some(present) = self.search(same).await? {
            return Ok(Creation::Present(present));
        }
        match self.create(contact.clone()).await {
            Ok(created) => Ok(Creation::Created(created)),
            Err(error) if error.outcome_is_unknown() => {
                let created = self.read_back(same, |_| true).await;
                created.map(Creation::Created).map_err(|_| error)
            }
            Err(error) => Err(error),
        }
    }

    /// Deletes a contact: `DELETE …/contacts/{contactId}`. When an earlier attempt of this very call may have deleted it, "not
    /// found" counts as done.
    ///
    /// # Errors
    ///
    /// [`ContactsError::OutcomeUnknown`] when the answer got lost and the contact still shows
    /// up; otherwise as [`ContactsService::call`].
    pub async fn delete(&self, contact: ContactId) -> Result<(), ContactsError> {
        let operation = DeleteContact {
            owner: self.owner,
            contact,
        };
        let gone = || async { Ok(self.search(|found| found.id == contact).await?.is_none()) };
        self.service.delete(&operation, gone).await
    }

    /// The contact that is to change. Refuses before reading what changes nothing; what is valid
    /// depends on what the contact has already, and is known only then.
    async fn read(
        &self,
        contact: ContactId,
        change: &ContactChange,
    ) -> Result<Contact, ContactsError> {
        if change.is_empty() {
            change.check()?;
        }
        self.find(contact).await
    }

    /// The first contact of the owner that is wanted.
    async fn search(
        &self,
        wanted: impl Fn(&Contact) -> bool,
    ) -> Result<Option<Contact>, ContactsError> {
        self.list().page_size(SEARCH_PAGE).find(wanted).await
    }

    /// Searches until it shows up as it should be; otherwise as it was found at last.
    async fn read_back(
        &self,
        wanted: impl Fn(&Contact) -> bool,
        is_done: impl Fn(&Contact) -> bool,
    ) -> Result<Contact, Option<Contact>> {
        let look = || self.search(&wanted);
        let is_done = |found: &Option<Contact>| found.as_ref().is_some_and(&is_done);
        match self.service.read_back(look, is_done).await {
            Ok(Some(found)) => Ok(found),
            Ok(None) => Err(None),
            Err(found) => Err(found.flatten()),
        }
    }

    fn verified(
        &self,
        operation: &UpdateContact<O>,
        answer: Contact,
    ) -> Result<Contact, ContactsError> {
        let differences = verify(&operation.update, &answer);
        if differences.is_empty() {
            return Ok(answer);
        }
        Err(ContactsError::EchoDiffers(Box::new(Echo {
            site: self.update_site(operation.contact),
            differences,
            answer,
        })))
    }

    fn preferences_unknown(&self, contact: ContactId, source: PreferencesUnknown) -> ContactsError {
        ContactsError::PreferencesUnknown {
            site: Box::new(self.update_site(contact)),
            source,
        }
    }

    fn update_site(&self, contact: ContactId) -> CallSite {
        self.service.site(&O::UPDATE, [&self.owner, &contact])
    }
}
