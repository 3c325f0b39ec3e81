//! What an old sheet would turn on again.

use std::{
    collections::{HashMap, HashSet},
    mem,
    path::Path,
};

use crm_bulk::{ChangeSet, OwnerId};
use crm_models::ContactId;

use crate::{desk::TurnedOff, error::CliError, output::moment, session::Session};

/// Marks each change that turns on what the desk turned off: a sheet has the flags of the day on which
/// it was made.
pub(super) fn tell(session: &Session<'_>, path: &Path) -> Result<(), CliError> {
    let Some(desk) = session.existing_desk()? else {
        return Ok(());
    };
    let set = ChangeSet::open(path)?;
    let on: HashSet<_> = set.turns_marketing_on()?.into_iter().collect();
    if on.is_empty() {
        return Ok(());
    }
    // The last one to turn a contact off counts.
    let mut last = HashMap::<_, (String, String)>::new();
    desk.each_turned_off(|off| {
        let record = record(&off).filter(|record| !off.is_gone && on.contains(record));
        if let Some(record) = record {
            let told = (off.at, off.through);
            let known = last.entry(record).or_default();
            *known = told.max(mem::take(known));
        }
        Ok::<_, CliError>(true)
    })?;
    if last.is_empty() {
        return Ok(());
    }
    let cautions = last.into_iter().map(|((owner, contact), (at, name))| {
        let off = format!("marketing goes on again, which {name} turned off on {}", moment(&at));
        (owner, contact, format!("{off}; the sheet may be from before"))
    });
    let cautions: Vec<_> = cautions.collect();
    set.caution(cautions.iter().map(|(owner, contact, why)| (*owner, *contact, why.as_str())))?;
    Ok(())
}

/// The contact that was turned off.
fn record(off: &TurnedOff) -> Option<(OwnerId, ContactId)> {
    let (kind, owner) = (off.owner_kind.as_deref()?, off.owner_id.as_deref()?);
    let owner = OwnerId::new(kind, owner.parse().ok()?)?;
    Some((owner, off.contact_id.as_deref()?.parse().ok()?))
}
