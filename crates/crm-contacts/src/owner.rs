//! The use cases on the contacts of one location or one customer.

use std::time::Duration;

use crm_models::{
    Check, Contact, ContactChange, ContactId, CreateContactRequest, PreferencesUnknown, Timestamp,
    UpdateContactRequest,
};
use crm_transport::Transport;

use crate::{
    ContactsService, List,
    error::{CallSite, ContactsError},
    handle::handle,
    operations::owner::{CreateContact, DeleteContact, GetContactList, Owner, UpdateContact},
    update::{Difference, differences, plan, verify},
};

/// How large the pages are in which one contact is looked for.
const SEARCH_PAGE: i32 = 500;

/// When to read back after an unknown outcome: at once, then with the ordinary lists' lag.
const READ_BACK: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(3),
];

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

impl<'a, T: Transport, O: Owner> OwnerContacts<'a, T, O> {
    pub(crate) fn new(service: &'a ContactsService<T>, owner: O) -> Self {
        Self { service, owner }
    }

    /// The owner's contacts. The order is not documented.
    pub fn list(&self) -> List<'a, T, GetContactList<O>> {
        let operation = GetContactList {
            owner: self.owner,
            page: Default::default(),
        };
        List::new(self.service, vec![operation])
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

    /// Changes the members that `change` names and returns the whole contact.
    ///
    /// Preferences are sent as a whole: when `change` gives some of them, the contact is read
    /// first and the others are kept. The answer is compared with what was asked. After an
    /// unknown outcome the contact is read back, and the update repeated once if it had no
    /// effect.
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
        self.send(
            contact,
            update.map_err(|e| self.preferences_unknown(contact, e))?,
        )
        .await
    }

    /// Reads the contact and sends only what differs from `change`; nothing at all when it is
    /// so already.
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
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub async fn ensure_from(
        &self,
        current: Contact,
        change: &ContactChange,
    ) -> Result<Ensured, ContactsError> {
        change.check_for(&current)?;
        let update = plan(&current, change).map_err(|e| self.preferences_unknown(current.id, e))?;
        let after = match update {
            Some(update) => self.send(current.id, update).await?,
            None => current.clone(),
        };
        Ok(Ensured {
            before: current,
            after,
        })
    }

    /// [`ensure`](Self::ensure), but only if nobody changed the contact after
    /// `unmodified_since`: give the [`modified_on`](Contact::modified_on) that you saw.
    ///
    /// The API has no conditional update, so the check is made by reading just before the
    /// write: a change by somebody else within these milliseconds is not seen.
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
        self.ensure_from(current, change).await
    }

    /// Sends an update that is complete in itself, compares the echo, and finds out what
    /// happened after an unknown outcome. [`update`](Self::update) and
    /// [`ensure`](Self::ensure) end here.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub async fn send(
        &self,
        contact: ContactId,
        mut update: UpdateContactRequest,
    ) -> Result<Contact, ContactsError> {
        if self.service.legacy_preferences() {
            update = update.legacy_three_flags()?;
        }
        let operation = UpdateContact {
            owner: self.owner,
            contact,
            update,
        };
        let mut may_be_done = false;
        loop {
            match self.service.call(&operation).await {
                Ok(answer) => return self.verified(&operation, answer),
                // Of the first of two calls nobody knows, whatever became of the second.
                Err(error) if may_be_done || error.outcome_is_unknown() => {
                    let found = self.read_back(|found| found.id == contact).await;
                    match found {
                        Ok(Some(found)) if verify(&operation.update, &found).is_empty() => {
                            return Ok(found);
                        }
                        Ok(Some(_)) if !may_be_done => may_be_done = true,
                        _ => return Err(error.unknown()),
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Creates a contact. Preferences cannot be given here: update them afterwards. The call
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
            Err(error) if error.outcome_is_unknown() => match self.read_back(same).await {
                Ok(Some(created)) => Ok(Creation::Created(created)),
                _ => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// Deletes a contact. When an earlier attempt of this very call may have deleted it, "not
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
        let gone = async || Ok(self.search(|found| found.id == contact).await?.is_none());
        self.service.delete(&operation, gone).await
    }

    /// The contact that is to change. Refuses before reading what no contact could have; whether
    /// a value fits the contact's own type is known only then.
    async fn read(
        &self,
        contact: ContactId,
        change: &ContactChange,
    ) -> Result<Contact, ContactsError> {
        change.clone().allow_unknown_type().check()?;
        self.find(contact).await
    }

    /// The first contact of the owner that is wanted.
    async fn search(
        &self,
        wanted: impl Fn(&Contact) -> bool,
    ) -> Result<Option<Contact>, ContactsError> {
        self.list().page_size(SEARCH_PAGE).find(wanted).await
    }

    /// Searches until it shows up, since ordinary lists may lag behind a write.
    async fn read_back(
        &self,
        wanted: impl Fn(&Contact) -> bool,
    ) -> Result<Option<Contact>, ContactsError> {
        let mut found = Ok(None);
        for pause in READ_BACK {
            if !self.service.has_time_for(pause) {
                break;
            }
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            found = self.search(&wanted).await;
            if matches!(found, Ok(Some(_))) {
                break;
            }
        }
        found
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
        Err(ContactsError::EchoDiffers {
            site: self.update_site(operation.contact),
            differences,
        })
    }

    fn preferences_unknown(&self, contact: ContactId, source: PreferencesUnknown) -> ContactsError {
        ContactsError::PreferencesUnknown {
            site: self.update_site(contact),
            source,
        }
    }

    fn update_site(&self, contact: ContactId) -> Box<CallSite> {
        Box::new(self.service.site(&O::UPDATE, [&self.owner, &contact]))
    }
}
