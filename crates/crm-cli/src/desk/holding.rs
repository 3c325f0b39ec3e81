//! Where a desk has a number or an address.

use crm_bulk::ChangeSet;
use crm_mirror::Mirror;
use serde::Serialize;

use super::{error::DeskError, folder::Desk, forget::Sought};
use crate::output::count;

/// A place that has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Holding {
    /// The mirror, the recorded updates, a set, or a file of evidence.
    pub(crate) place: String,
    /// What of it.
    pub(crate) what: String,
}

impl Desk {
    /// Finds where the desk has it besides the consent ledger: in the mirror, in recorded updates, in
    /// sets, also archived ones, and in its folder of evidence. Notes and names of the mirror are not
    /// looked at.
    pub(crate) fn holding(&self, sought: &Sought) -> Result<Vec<Holding>, DeskError> {
        let mut holding = Vec::new();
        let mut has = |place: &str, number: u64, thing: &str| {
            if number > 0 {
                holding.push(Holding { place: place.to_owned(), what: count(number, thing) });
            }
        };
        if self.mirror().exists() {
            let failed = |source| DeskError::Mirror { source: Box::new(source) };
            let mirror = Mirror::open(self.mirror()).map_err(failed)?;
            let found = mirror.with_same_number(&sought.written(), None).map_err(failed)?;
            has("the mirror", found.len() as u64, "contact");
            let mut differences = 0;
            let seen = mirror.for_each_difference(|observed| {
                differences += u64::from(sought.is_in_observed(&observed));
                Ok(())
            });
            seen.map_err(failed)?;
            has("the mirror", differences, "difference that an update found");
        }
        if let Some(updates) = self.recorded()? {
            let all = updates.all()?;
            let found = all.iter().filter(|(_, entry)| sought.is_in_update(entry)).count();
            has("the record of single updates", found as u64, "update");
        }
        for file in self.set_files()? {
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            let what = match ChangeSet::open(&file).and_then(|set| sought.is_in_set(&set)) {
                Ok(false) => continue,
                Ok(true) => "its changes or its rows",
                Err(_) => "it cannot be read, so nobody knows",
            };
            holding.push(Holding { place: format!("the set {name}"), what: what.to_owned() });
        }
        for file in self.evidence()? {
            let what = match sought.is_in_page(&file) {
                Ok(false) => continue,
                Ok(true) => "evidence of what was done",
                Err(_) => "it cannot be read, so nobody knows",
            };
            holding.push(Holding { place: file.display().to_string(), what: what.to_owned() });
        }
        Ok(holding)
    }
}
