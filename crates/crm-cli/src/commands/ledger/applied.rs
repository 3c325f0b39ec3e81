//! What is known of contact methods once a set was applied.

use std::path::Path;

use crm_bulk::ChangeSet;
use crm_mirror::Mirror;

use crate::{desk::Desk, error::CliError};

/// Notes in the mirror of a desk which contact methods of people receive marketing by what a set has
/// done, since nothing else tells the mirror.
pub(in crate::commands) fn note_applied(desk: &Desk, set: &Path) -> Result<(), CliError> {
    let mirror = desk.mirror();
    if mirror.exists() {
        crm_consent::note_applied(&ChangeSet::open(set)?, &Mirror::open(mirror)?)?;
    }
    Ok(())
}
