//! What an old sheet would turn on again.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
    mem,
    path::Path,
};

use crm_bulk::{ChangeSet, OwnerId};
use crm_models::ContactId;

use crate::{
    desk::TurnedOff,
    error::CliError,
    output::{count, moment},
    session::Session,
};

/// How many sets and commands are named.
const NAMED: usize = 3;

/// Tells, in the set's own notes, what the desk turned off of that which the set turns on: a sheet has
/// the flags of the day on which it was made.
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
    let cautions = last.iter().map(|((owner, contact), (at, name))| {
        (
            *owner,
            *contact,
            format!("marketing goes on again, which {name} turned off on {}", moment(at)),
        )
    });
    let cautions: Vec<_> = cautions.collect();
    let mut through = BTreeMap::<_, (String, u64)>::new();
    for (at, name) in last.into_values() {
        let (latest, many) = through.entry(name).or_default();
        *many += 1;
        *latest = at.max(mem::take(latest));
    }
    let mut told: Vec<_> = through.into_iter().collect();
    if told.is_empty() {
        return Ok(());
    }
    told.sort_by_key(|(_, (_, many))| Reverse(*many));
    set.caution(cautions.iter().map(|(owner, contact, why)| (*owner, *contact, why.as_str())))?;
    let others: u64 = told.iter().skip(NAMED).map(|(_, (_, many))| many).sum();
    let named = told.iter().take(NAMED).map(|(name, (at, many))| {
        format!("{name} turned it off on {} for {many} of them", moment(at))
    });
    let others = (others > 0).then(|| format!("others for {others}"));
    let named: Vec<_> = named.chain(others).collect();
    let (changes, turn) = (count(on.len() as u64, "change"), if on.len() == 1 { "s" } else { "" });
    set.add_note(format!(
        "Look at this first: {changes} turn{turn} marketing on; {}. A sheet from before that says what \
         was so then: `crm drop SET --where has=caution` takes these out, or plan it without the column of marketing.",
        named.join(", ")
    ))?;
    Ok(())
}

/// The contact that was turned off.
fn record(off: &TurnedOff) -> Option<(OwnerId, ContactId)> {
    let (kind, owner) = (off.owner_kind.as_deref()?, off.owner_id.as_deref()?);
    let owner = OwnerId::new(kind, owner.parse().ok()?)?;
    Some((owner, off.contact_id.as_deref()?.parse().ok()?))
}
