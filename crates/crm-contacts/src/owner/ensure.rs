//! Changing only what differs, and only what nobody else has changed.

use crm_models::{Contact, ContactChange, ContactId, Timestamp};
use crm_transport::Transport;

use super::OwnerContacts;
use crate::{
    Reading,
    decision::Settled,
    error::ContactsError,
    operations::owner::Owner,
    update::{Difference, differences},
};

/// What [`OwnerContacts::ensure`] found and did.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Ensured {
    /// The contact as it was when the write was decided that was sent.
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

impl<T: Transport, O: Owner> OwnerContacts<'_, T, O> {
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
        let reading = self.read_for(contact, change).await?;
        self.ensure_unmodified(reading, change, None).await
    }

    /// [`ensure`](Self::ensure) for a caller who has just read the contact: a [`Contact`] that was
    /// read just now, or the [`Reading`] that tells when.
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
        current: impl Into<Reading<Contact>>,
        change: &ContactChange,
    ) -> Result<Ensured, ContactsError> {
        self.ensure_unmodified(current.into(), change, None).await
    }

    async fn ensure_unmodified(
        &self,
        reading: Reading<Contact>,
        change: &ContactChange,
        since: Option<Timestamp>,
    ) -> Result<Ensured, ContactsError> {
        let id = reading.record.id;
        let Settled { before, after } = self.make(id, change, reading, since, None).await?;
        let before = before.unwrap_or_else(|| after.clone());
        Ok(Ensured { before, after })
    }

    /// [`ensure`](Self::ensure), but only if nobody changed the contact after
    /// `unmodified_since`: the [`modified_on`](Contact::modified_on) that you saw. Give it back
    /// with all its digits, up to seven behind the second: cut to microseconds, as by a database,
    /// it lies before the contact's own, and every guard is refused.
    ///
    /// The API has no conditional update, so the check is made by reading just before the write,
    /// and again with each fresh look, when the write did not leave in time or its outcome is
    /// unknown. A change by somebody else between reading and writing, which the write leaves within
    /// [2 seconds](crate::DECISION_AGE), is not seen.
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
        let reading = self.read_for(contact, change).await?;
        self.ensure_unmodified(reading, change, Some(unmodified_since))
            .await
    }
}
