//! Changing only what differs, and only what nobody else has changed.

use crm_models::{Contact, ContactChange, ContactId, Timestamp};
use crm_transport::Transport;

use super::OwnerContacts;
use crate::{
    error::ContactsError,
    operations::owner::Owner,
    update::{Difference, differences, plan},
};

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
}
