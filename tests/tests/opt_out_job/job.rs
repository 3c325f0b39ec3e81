use std::collections::{BTreeSet, HashSet};

use crm_contacts::{Advice, ContactsError, ContactsService, Owner};
use crm_models::{ContactChange, CustomerId, LocationId, PreferenceChange, email, phone};
use crm_transport::Transport;
use futures_util::TryStreamExt;

/// The numbers and addresses of a list, one on a line, in the form in which they are compared.
pub fn read_list(text: &str) -> HashSet<String> {
    let key = |line: &str| if line.contains('@') { email::key(line) } else { phone::key(line) };
    text.lines().map(key).filter(|key| !key.is_empty()).collect()
}

/// What a run came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Contacts whose marketing was turned off.
    pub changed: usize,
    /// Contacts that had it off already.
    pub already: usize,
    /// What a person has to look at.
    pub open: Vec<String>,
}

/// Turns marketing off on every contact of the list, at customers and locations. What it did
/// stays done, so after an error the whole job is simply run again.
pub async fn opt_out<T: Transport>(
    contacts: &ContactsService<T>,
    list: &HashSet<String>,
) -> Result<Summary, ContactsError> {
    let mut summary = Summary::default();
    opt_out_at::<T, CustomerId>(contacts, list, &mut summary).await?;
    opt_out_at::<T, LocationId>(contacts, list, &mut summary).await?;
    Ok(summary)
}

async fn opt_out_at<T: Transport, O: Owner>(
    contacts: &ContactsService<T>,
    list: &HashSet<String>,
    summary: &mut Summary,
) -> Result<(), ContactsError> {
    // A feed repeats records and tells of deletions later: the last word counts.
    let mut found = BTreeSet::new();
    let export = contacts.export::<O>().include_recent_changes();
    let mut batches = export.batches();
    while let Some(batch) = batches.try_next().await? {
        for record in batch.data {
            let key = record.contact_type.key(&record.value);
            if record.active && list.contains(&key) {
                found.insert((record.owner, record.id))
            } else {
                found.remove(&(record.owner, record.id))
            };
        }
    }

    let no_marketing = PreferenceChange::new().marketing_updates(false);
    let change = ContactChange::new().preferences(no_marketing);
    for (owner, contact) in found {
        let owner = contacts.owner(owner);
        match owner.update_if_changed(contact, &change).await {
            Ok(updated) if updated.differences().is_empty() => summary.already += 1,
            Ok(_) => summary.changed += 1,
            Err(error) if error.is_not_found() => {} // Deleted meanwhile.
            // It would be the same for all others.
            Err(error @ ContactsError::Transport { .. }) => return Err(error),
            Err(error) if error.is_credentials() || error.advice() == Advice::Later => {
                return Err(error);
            }
            Err(error) => summary.open.push(error.to_string()),
        }
    }
    Ok(())
}
