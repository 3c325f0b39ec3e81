//! Reading what owners have at present, many owners in one call.

use std::collections::{BTreeMap, HashMap};

use crm_contacts::{ContactsError, ContactsService, Owner};
use crm_models::{Contact, ContactFilter, ContactMethodId, CustomerId, LocationId, PersonId};
use crm_transport::Transport;

use crate::{MethodImage, OwnerId};

/// How many owners are read with one call. The contract states no bound for this list; its
/// other lists of ids stop at 50.
pub(crate) const OWNERS_PER_CALL: usize = 50;

/// The largest page that the API gives.
const PAGE: i32 = 5_000;

/// The contacts of some owners. An owner that does not exist has none.
pub(crate) type Present = HashMap<OwnerId, Vec<Contact>>;

/// Reads all contacts of owners of one kind or both.
pub(crate) async fn contacts<T: Transport>(
    service: &ContactsService<T>,
    owners: &[OwnerId],
) -> Result<Present, ContactsError> {
    let mut present = Present::with_capacity(owners.len());
    let customers: Vec<_> = owners.iter().filter_map(|owner| owner.customer()).collect();
    let locations: Vec<_> = owners.iter().filter_map(|owner| owner.location()).collect();
    read::<T, CustomerId>(service, &customers, &mut present).await?;
    read::<T, LocationId>(service, &locations, &mut present).await?;
    Ok(present)
}

async fn read<T: Transport, O: Owner + Into<OwnerId>>(
    service: &ContactsService<T>,
    owners: &[O],
    present: &mut Present,
) -> Result<(), ContactsError> {
    if owners.is_empty() {
        return Ok(());
    }
    let filter = ContactFilter::new().owners(owners.iter().copied());
    match service.changed(filter).page_size(PAGE).collect().await {
        Ok(found) => {
            for owned in found {
                present
                    .entry(owned.owner.into())
                    .or_default()
                    .push(owned.contact);
            }
            Ok(())
        }
        // One owner of the block may be unknown, or the server may not take so many.
        Err(error) if error.is_not_found() || is_invalid(&error) => {
            one_by_one(service, owners, present).await
        }
        Err(error) => Err(error),
    }
}

async fn one_by_one<T: Transport, O: Owner + Into<OwnerId>>(
    service: &ContactsService<T>,
    owners: &[O],
    present: &mut Present,
) -> Result<(), ContactsError> {
    for owner in owners {
        match service.owner(*owner).list().page_size(PAGE).collect().await {
            Ok(found) => present.entry((*owner).into()).or_default().extend(found),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn is_invalid(error: &ContactsError) -> bool {
    error.refusal_kind() == Some(crm_contacts::RefusalKind::Invalid)
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

/// Reads one contact method and its preferences. Two calls.
pub(crate) async fn whole_method<T: Transport>(
    service: &ContactsService<T>,
    person: PersonId,
    id: ContactMethodId,
) -> Result<MethodImage, ContactsError> {
    let found = service.person(person).method(id).get().await?;
    let image = MethodImage {
        contact_type: found.contact_type,
        value: found.value,
        preferences: BTreeMap::new(),
    };
    method(service, person, id, image).await
}
