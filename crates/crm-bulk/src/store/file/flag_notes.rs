//! What a plan does to flags that nobody would look for among its changes.

use crm_mirror::{OwnerId, database::Database};
use crm_models::{ContactId, Preference};
use rusqlite::params;

use super::{
    change_set::ChangeSet,
    codes,
    columns::STATE,
    record::{sets_unknown_flags, turns_on},
};
use crate::{
    error::BulkError,
    set::{SetKind, State},
};

/// The sentences about the flags of a plan.
pub(super) fn of(database: &Database) -> Result<Vec<String>, BulkError> {
    let kind = database.meta("kind")?;
    let is_plan = kind.as_deref() == Some(SetKind::Plan.as_str());
    let mut notes = Vec::new();
    // A list that opts in says so itself, and an undo counts its own.
    if is_plan {
        let on = count(database, &turns_on(Preference::MarketingUpdates))?;
        notes.extend((on > 0).then(|| format!("{} marketing on.", changes(on, ["turns", "turn"]))));
    }
    if let Some(chosen) = database.meta("unknown_flags")? {
        let set = count(database, &sets_unknown_flags())?;
        notes.extend((set > 0).then(|| unknown(&chosen, set, is_plan)));
    }
    Ok(notes)
}

fn unknown(chosen: &str, set: u64, is_plan: bool) -> String {
    let whom = match set {
        1 => "the contact whose flags the service does not tell".to_owned(),
        many => format!("{many} contacts whose flags the service does not tell"),
    };
    if chosen == "on" {
        let marketing = if is_plan { ", marketing too where a row does not name it" } else { "" };
        return format!(
            "`--unknown-flags on` turns on every flag that is not named for {whom}{marketing}."
        );
    }
    let instead = if is_plan {
        "a row that names all flags says what each becomes"
    } else {
        "`--unknown-flags on` lets these go on"
    };
    format!(
        "`--unknown-flags off` turns off every flag for {whom}: job reminders, invoices and statements \
         end too; {instead}."
    )
}

fn changes(many: u64, [one, several]: [&str; 2]) -> String {
    match many {
        1 => format!("1 change {one}"),
        many => format!("{many} changes {several}"),
    }
}

fn count(database: &Database, condition: &str) -> Result<u64, BulkError> {
    let sql = format!("SELECT count(*) FROM planned WHERE verdict = ? AND {condition}");
    Ok(database.value(&sql, [codes::state(State::Planned)])?.unwrap_or_default())
}

impl ChangeSet {
    /// Returns the contacts of which the set would turn marketing on, where the plan saw it off.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn turns_marketing_on(&self) -> Result<Vec<(OwnerId, ContactId)>, BulkError> {
        let sql = format!(
            "SELECT owner_kind, owner_id, contact_id
             FROM planned LEFT JOIN progress ON change = id WHERE {STATE} = ?1 AND {}",
            turns_on(Preference::MarketingUpdates)
        );
        let found = self.database.rows(&sql, params![codes::state(State::Planned)], |row| {
            let kind = codes::read_owner(row.get("owner_kind")?).unwrap_or_default();
            let contact = row.get::<_, i64>("contact_id")?.try_into().ok();
            Ok(OwnerId::new(kind, row.get("owner_id")?).zip(contact))
        })?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Adds a sentence for people to the [notes](crate::SetInfo::notes) of the plan, before the others,
    /// which is no part of the digest.
    ///
    /// # Errors
    ///
    /// A failure to read or write.
    pub fn add_note(&self, sentence: impl Into<String>) -> Result<(), BulkError> {
        let mut notes = self.info()?.notes;
        notes.insert(0, sentence.into());
        let unwritable = |e: serde_json::Error| BulkError::file(self.path(), "written", e.into());
        let notes = serde_json::to_string(&notes).map_err(unwritable)?;
        Ok(self.database.set_meta("notes", &notes)?)
    }
}
