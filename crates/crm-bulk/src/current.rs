//! Reading what owners have now, many owners in one call.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use crm_contacts::{ContactsError, ContactsService, Owner, RefusalKind};
use crm_mirror::OwnerId;
use crm_models::{Contact, ContactFilter, ContactMethodId, CustomerId, LocationId, PersonId};
use crm_transport::{Moment, Transport};

use crate::{departure::Watch, set::MethodImage};

/// How many owners are read with one call. The contract states no bound for this list; its
/// other lists of ids stop at 50.
pub(crate) const OWNERS_PER_CALL: usize = 50;

/// The largest page that the API gives.
const PAGE: i32 = 5_000;

/// So many owners of which none can be read are no matter of one record: the API is out of order.
const OUTAGE: usize = 5;

/// What some owners have.
#[derive(Debug, Default)]
pub(crate) struct Current {
    contacts: HashMap<OwnerId, Vec<Contact>>,
    /// The owners that the API cannot give, and why.
    unread: HashMap<OwnerId, ContactsError>,
    /// When the first request of the reading left.
    left: Option<Moment>,
}

impl Current {
    /// The contacts of an owner: none, if it does not exist.
    pub(crate) fn of(&self, owner: OwnerId) -> Result<&[Contact], &ContactsError> {
        match self.unread.get(&owner) {
            Some(error) => Err(error),
            None => Ok(self.contacts.get(&owner).map_or(&[], Vec::as_slice)),
        }
    }

    /// What owners without a contact have.
    #[cfg(test)]
    pub(crate) fn nothing_of(owners: impl Iterator<Item = OwnerId>) -> Self {
        Self { contacts: owners.map(|owner| (owner, Vec::new())).collect(), ..Self::default() }
    }

    /// Whether the service has the flags in the form of three members: any contact that tells its
    /// flags shows it.
    pub(crate) fn shows_three_flags(&self) -> bool {
        let mut told = self.contacts.values().flatten().filter_map(|found| found.preferences);
        told.next().is_some_and(|flags| flags.derived())
    }

    /// Whether it was tried to read this owner.
    pub(crate) fn has(&self, owner: OwnerId) -> bool {
        self.contacts.contains_key(&owner) || self.unread.contains_key(&owner)
    }

    /// When the first request of the reading left: now, if there was nothing to ask.
    pub(crate) fn left(&self) -> Moment {
        self.left.unwrap_or_else(Moment::now)
    }

    fn note(&mut self, left: Moment) {
        self.left = Some(self.left.map_or(left, |first| first.earlier(left)));
    }

    /// How many owners could not be read.
    pub(crate) fn unread(&self) -> usize {
        self.unread.len()
    }

    /// Why one of them could not be read.
    pub(crate) fn into_error(self) -> Option<ContactsError> {
        self.unread.into_values().next()
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.contacts.extend(other.contacts);
        self.unread.extend(other.unread);
    }
}

/// What a change is told whose owner cannot be read.
pub(crate) fn why_unread(error: &ContactsError) -> String {
    format!("its owner cannot be read: {error}")
}

/// Reads all contacts of owners of one kind or both. An owner that cannot be read holds up no
/// other one. Where that takes reading one owner after another, it ends with those that were read
/// within `patience`.
pub(crate) async fn contacts<T: Transport>(
    service: &ContactsService<T>,
    owners: &[OwnerId],
    patience: Duration,
) -> Result<Current, ContactsError> {
    let mut current = Current::default();
    let customers: Vec<_> = owners.iter().filter_map(|owner| owner.customer()).collect();
    let locations: Vec<_> = owners.iter().filter_map(|owner| owner.location()).collect();
    read::<T, CustomerId>(service, &customers, patience, &mut current).await?;
    read::<T, LocationId>(service, &locations, patience, &mut current).await?;
    if current.unread() >= OUTAGE
        && current.contacts.is_empty()
        && let Some((_, error)) = current.unread.drain().next()
    {
        return Err(error);
    }
    Ok(current)
}

async fn read<T: Transport, O: Owner + Into<OwnerId>>(
    service: &ContactsService<T>,
    owners: &[O],
    patience: Duration,
    current: &mut Current,
) -> Result<(), ContactsError> {
    if owners.is_empty() {
        return Ok(());
    }
    let filter = ContactFilter::new().owners(owners.iter().copied());
    let list = service.changed(filter).page_size(PAGE);
    match list.collect_reading().await {
        Ok(found) => {
            current.note(found.at);
            for owner in owners {
                current.contacts.entry((*owner).into()).or_default();
            }
            for owned in found.record {
                let contacts = current.contacts.entry(owned.owner.into());
                contacts.or_default().push(owned.contact);
            }
            Ok(())
        }
        // One owner of the block may be unknown, or the server may not take so many.
        Err(error) if error.is_not_found() || may_be_of_one(&error) => {
            one_by_one(service, owners, patience, current).await
        }
        Err(error) => Err(error),
    }
}

async fn one_by_one<T: Transport, O: Owner + Into<OwnerId>>(
    service: &ContactsService<T>,
    owners: &[O],
    patience: Duration,
    current: &mut Current,
) -> Result<(), ContactsError> {
    let began = Moment::now();
    for owner in owners {
        if current.left.unwrap_or(began).age() >= patience {
            break;
        }
        let id = (*owner).into();
        let asked = Moment::now();
        let list = service.owner(*owner).list().page_size(PAGE);
        match list.collect_reading().await {
            Ok(found) => {
                current.note(found.at);
                current.contacts.entry(id).or_default().extend(found.record);
            }
            Err(error) if error.is_not_found() => {
                current.note(asked);
                current.contacts.entry(id).or_default();
            }
            Err(error) if may_be_of_one(&error) => {
                current.unread.insert(id, error);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether it may be a single record that makes a call fail, each time again.
pub(crate) fn may_be_of_one(error: &ContactsError) -> bool {
    use RefusalKind::{Conflict, Invalid, ServerError};

    matches!(error.refusal_kind(), Some(Invalid | Conflict | ServerError))
        || matches!(error, ContactsError::Unreadable { .. })
}

/// Reads the preferences of one contact method into a picture of it. One call.
pub(crate) async fn method<T: Transport>(
    service: &ContactsService<T>,
    person: PersonId,
    method: ContactMethodId,
    mut image: MethodImage,
) -> Result<MethodImage, ContactsError> {
    let preferences = service.person(person).method(method).preferences().await?;
    image.preferences = preferences
        .into_iter()
        .map(|preference| {
            let value = preference.as_bool();
            (preference.name, value)
        })
        .collect();
    Ok(image)
}

/// Reads one contact method and its preferences, and tells when the first request left. Two
/// calls.
pub(crate) async fn whole_method<T: Transport>(
    service: &ContactsService<T>,
    person: PersonId,
    id: ContactMethodId,
) -> Result<(MethodImage, Moment), ContactsError> {
    let watch = Watch::over(service.transport());
    let service = &service.over(&watch);
    let found = service.person(person).method(id).get().await?;
    let image = MethodImage {
        contact_type: found.contact_type,
        value: found.value,
        preferences: BTreeMap::new(),
    };
    let image = method(service, person, id, image).await?;
    Ok((image, watch.left()))
}
