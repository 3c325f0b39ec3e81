//! What there is to look at: changes with a caution before they are sent, and those whose value was
//! stored otherwise than it was sent.

use crm_mirror::OwnerId;
use crm_models::ContactId;
use rusqlite::{Transaction, TransactionBehavior, params};

use super::{
    change_set::ChangeSet,
    codes,
    columns::{CHANGES, STATE},
    record::STORED_AS,
    seal,
};
use crate::{
    error::BulkError,
    set::{State, caution},
};

/// The condition on a change that it has a caution, whatever became of it since.
pub(super) fn has_caution() -> String {
    let planned = codes::state(State::Planned);
    format!("(verdict = {planned} AND instr(note, char({})) > 0)", u32::from(caution::MARK))
}

/// The condition on a change that it is to be looked at before it is sent.
pub(super) fn is_cautioned() -> String {
    format!("({STATE} = {} AND {})", codes::state(State::Planned), has_caution())
}

/// The condition on a change that is done that the service stored its value otherwise.
pub(super) fn is_stored_otherwise() -> String {
    format!("({STATE} = {} AND ({}) IS NOT NULL)", codes::state(State::Done), *STORED_AS)
}

/// That a set was given cautions: where none was, nobody looks for them.
pub(super) const CAUTIONS: &str = "cautions";

impl ChangeSet {
    /// Counts the changes that still wait to be sent and have a [caution](crate::Change::caution).
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn cautioned(&self) -> Result<u64, BulkError> {
        if self.database.meta(CAUTIONS)?.is_none() {
            return Ok(0);
        }
        self.count(&format!("SELECT count(*) FROM {CHANGES} WHERE {}", is_cautioned()))
    }

    /// Counts the changes that are done and whose number or address the service
    /// [stored](crate::Change::stored) otherwise than it was sent.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn stored_otherwise(&self) -> Result<u64, BulkError> {
        // Few answers are not as expected, and those alone are kept.
        self.count(&format!(
            "SELECT count(*) FROM progress CROSS JOIN planned ON id = change
             WHERE after IS NOT NULL AND wanted_value IS NOT NULL AND {}",
            is_stored_otherwise()
        ))
    }

    /// Gives changes that wait to be sent a [caution](crate::Change::caution): each of these contacts
    /// its own. It is no part of the digest.
    ///
    /// # Errors
    ///
    /// [`BulkError::Altered`] and [`BulkError::NotAdopted`] as for [`digest`](Self::digest), or a failure
    /// to read or write.
    pub fn caution<'c>(
        &self,
        contacts: impl IntoIterator<Item = (OwnerId, ContactId, &'c str)>,
    ) -> Result<(), BulkError> {
        let database = &self.database;
        let begin =
            Transaction::new_unchecked(&database.connection, TransactionBehavior::Immediate);
        let transaction = database.check(begin)?;
        // New check values must not bless what somebody altered.
        seal::check(database)?;
        let sql = "UPDATE planned SET note = coalesce(note, '') || char(?1) || ?2, digest = NULL
             WHERE owner_kind = ?3 AND owner_id = ?4 AND contact_id = ?5 AND verdict = ?6
               AND instr(coalesce(note, ''), char(?1)) = 0";
        let planned = codes::state(State::Planned);
        for (owner, contact, why) in contacts {
            let kind = codes::owner_kind(owner.kind());
            let mark = u32::from(caution::MARK);
            let about = params![mark, why, kind, owner.get(), contact.get(), planned];
            database.execute(sql, about)?;
        }
        seal::adopt(database)?;
        database.set_meta(CAUTIONS, "yes")?;
        Ok(database.check(transaction.commit())?)
    }
}
