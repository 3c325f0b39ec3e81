//! What there is to look at in a set before it is sent: said wherever somebody decides about it.

use crm_bulk::ChangeSet;

use super::summary::name;
use crate::{
    error::CliError,
    output::{count, crm, note, quoted},
};

/// Says how many changes are to be looked at first, and what lists them.
pub(super) fn tell_cautions(set: &ChangeSet) -> Result<(), CliError> {
    let cautioned = set.cautioned()?;
    if cautioned > 0 {
        let (changes, is) = (count(cautioned, "change"), if cautioned == 1 { "is" } else { "are" });
        let (crm, set) = (crm(), quoted(&name(set.path())));
        note(format!("{changes} {is} to be looked at first: {crm} show {set} --where has=caution"));
    }
    Ok(())
}
