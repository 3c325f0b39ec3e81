//! What an old sheet would turn on again.

use std::collections::{BTreeMap, HashMap, HashSet};

use crm_bulk::{ChangeSet, OwnerId};
use crm_models::{ContactId, Timestamp};

use crate::{
    desk::{Desk, TurnedOff},
    error::CliError,
    output::moment,
};

/// The contact that was turned off.
type Place = (OwnerId, ContactId);

/// What there is to look at, contact by contact.
pub(super) type Cautions = BTreeMap<Place, Vec<String>>;

/// Gives a caution to each change that turns on what was turned off before, through the desk or by
/// others: a sheet has the flags of the day on which it was made.
pub(super) fn find(desk: &Desk, set: &ChangeSet, cautions: &mut Cautions) -> Result<(), CliError> {
    let on: HashSet<_> = set.turns_marketing_on()?.into_iter().collect();
    if on.is_empty() {
        return Ok(());
    }
    // The last time that a contact was turned off counts.
    let mut last = HashMap::<Place, (Timestamp, String)>::new();
    desk.each_turned_off(|off| {
        let place = place(&off).filter(|place| !off.is_gone && on.contains(place));
        if let (Some(place), Ok(at)) = (place, off.at.parse::<Timestamp>()) {
            let day = moment(&off.at);
            let told = (at, format!("{} turned off on {day}", off.through));
            if last.get(&place).is_none_or(|known| *known < told) {
                last.insert(place, told);
            }
        }
        Ok::<_, CliError>(true)
    })?;
    desk.each_turned_off_elsewhere(|place, [since, until]| {
        // The mirror sees also what the desk did.
        let is_other = last.get(&place).is_none_or(|(at, _)| *at < since);
        if on.contains(&place) && is_other {
            let [after, by] = [since, until].map(|at| moment(&at.to_string()));
            let told = format!("somebody turned off without crm between {after} and {by}");
            last.insert(place, (until, told));
        }
    })?;
    for (place, (_, told)) in last {
        let why = format!("marketing goes on again, which {told}; the sheet may be from before");
        cautions.entry(place).or_default().push(why);
    }
    Ok(())
}

fn place(off: &TurnedOff) -> Option<Place> {
    let (kind, owner) = (off.owner_kind.as_deref()?, off.owner_id.as_deref()?);
    let owner = OwnerId::new(kind, owner.parse().ok()?)?;
    Some((owner, off.contact_id.as_deref()?.parse().ok()?))
}
