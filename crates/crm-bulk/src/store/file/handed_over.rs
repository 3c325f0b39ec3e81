//! What a set handed over from a contact to another one of its owner, and which two they are.

use std::collections::BTreeSet;

use crm_models::Contact;
use rusqlite::params;

use super::{change_set::ChangeSet, codes, columns::owner_column};
use crate::{
    error::BulkError,
    set::{Action, Carrier, Change, Image, StandIn, memo},
};

impl ChangeSet {
    /// Returns the contact that has to carry the memo before the change is reversed: the set deletes
    /// it, whatever became of that, and the reversal takes away the memo that it had.
    pub(crate) fn carrier(&self, change: &Change) -> Result<Option<Carrier>, BulkError> {
        let [before, after] = [&change.before, &change.after].map(contact_of);
        let (Some(before), Some(after)) = (before, after) else {
            return Ok(None);
        };
        let taken = memo(after);
        if taken.is_empty() || taken == memo(before) {
            return Ok(None);
        }
        // The first one is quick to tell; what was found later is looked at as a whole.
        let sql = "SELECT id FROM planned LEFT JOIN progress ON change = id
             WHERE owner_kind = ?1 AND owner_id = ?2 AND action = ?3
                AND (instr(memo, ?4) OR found IS NOT NULL)";
        let deletions = self.numbers_beside(change, sql, codes::DELETE, taken)?;
        let deletions = self.changes_numbered(&deletions)?;
        let gone = deletions.iter().filter_map(|deletion| contact_of(&deletion.before));
        let mut carriers = gone.filter(|gone| gone.id != after.id && memo(gone) == taken);
        Ok(carriers.next().map(Carrier::of))
    }

    /// Returns the contact that has to stand in for a created one before that is deleted again: the
    /// one from which the set took the memo, since the created one carries it.
    pub(crate) fn stand_in(&self, change: &Change) -> Result<Option<StandIn>, BulkError> {
        let Action::Create(wanted) = &change.action else {
            return Ok(None);
        };
        let Some(creation) = wanted.creation().filter(|creation| creation.get_memo().is_some())
        else {
            return Ok(None);
        };
        let sql = "SELECT id FROM planned WHERE owner_kind = ?1 AND owner_id = ?2 AND action = ?3
             AND wanted_more ->> '$.carrier.memo' = ?4";
        let memo = creation.get_memo().unwrap_or_default().trim();
        let takings = self.numbers_beside(change, sql, codes::UPDATE, memo)?;
        let takings = self.changes_numbered(&takings)?;
        let mut kept = takings.iter().filter_map(|taking| {
            let kept = contact_of(&taking.before)?;
            let carrier = taking.action.carrier()?;
            carrier
                .is_made_by(&creation)
                .then(|| StandIn { contact: kept.id, value: kept.value.clone() })
        });
        Ok(kept.next())
    }

    /// The changes that a query finds of the same owner.
    fn numbers_beside(
        &self,
        change: &Change,
        sql: &str,
        action: i64,
        memo: &str,
    ) -> Result<BTreeSet<i64>, BulkError> {
        let (kind, owner) = (codes::owner(&change.target), owner_column(&change.target));
        let found: Vec<i64> =
            self.database.rows(sql, params![kind, owner, action, memo], |row| row.get("id"))?;
        Ok(found.into_iter().collect())
    }
}

fn contact_of(image: &Option<Image>) -> Option<&Contact> {
    image.as_ref().and_then(Image::as_contact)
}
