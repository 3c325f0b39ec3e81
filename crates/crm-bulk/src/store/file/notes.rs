//! What there is to say of a set to people, as it is now.

use std::collections::BTreeMap;

use crm_mirror::{OwnerId, database::Database};
use crm_models::{ContactId, Preference};
use rusqlite::params;

use super::{
    cautions::{CAUTIONS, is_cautioned},
    change_set::ChangeSet,
    changes::Selection,
    codes,
    columns::{CHANGES, STATE},
    record::{sets_unknown_flags, turns_on},
};
use crate::{
    error::BulkError,
    set::{Action, Change, SetKind, State, Wanted, caution},
};

/// How the set was made that an undo reverses.
pub(super) const UNDOES: &str = "undoes";

/// How many cautions are told by their words.
const CAUTIONS_TOLD: usize = 3;

/// The changes that are to be looked at first, by what is said of them.
fn cautions(database: &Database) -> Result<Option<String>, BulkError> {
    if database.meta(CAUTIONS)?.is_none() {
        return Ok(None);
    }
    let sql = format!(
        "SELECT substr(note, instr(note, char(?1)) + 1) AS why, count(*) AS many
         FROM {CHANGES} WHERE {} GROUP BY why ORDER BY many DESC, why",
        is_cautioned()
    );
    let told = database.rows(&sql, [u32::from(caution::MARK)], |row| {
        Ok((row.get::<_, String>("why")?, row.get::<_, u64>("many")?))
    })?;
    if told.is_empty() {
        return Ok(None);
    }
    let others: u64 = told.iter().skip(CAUTIONS_TOLD).map(|(_, many)| many).sum();
    let others = (others > 0).then(|| format!("{} for other reasons", changes(others)));
    let named = told.iter().take(CAUTIONS_TOLD);
    let named = named.map(|(why, many)| format!("{} ({why})", changes(*many)));
    let named: Vec<_> = named.chain(others).collect();
    Ok(Some(format!(
        "Look at this first: {}. `crm drop SET --where has=caution` takes out what is not to be so.",
        named.join(", ")
    )))
}

/// The sentences about the flags of a plan.
fn of_flags(database: &Database, is_plan: bool) -> Result<Vec<String>, BulkError> {
    let mut notes = Vec::new();
    // A list that opts in says so itself, and so does an undo.
    if is_plan {
        let on = count(database, &turns_on(Preference::MarketingUpdates))?;
        let turn = if on == 1 { "turns" } else { "turn" };
        notes.extend((on > 0).then(|| format!("{} {turn} marketing on.", changes(on))));
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

fn changes(many: u64) -> String {
    match many {
        1 => "1 change".to_owned(),
        many => format!("{many} changes"),
    }
}

/// How many changes the set makes of those of which this holds: what was dropped is none of them.
fn count(database: &Database, condition: &str) -> Result<u64, BulkError> {
    let sql = format!(
        "SELECT count(*) FROM {CHANGES} WHERE verdict = ? AND {STATE} <> ? AND {condition}"
    );
    let states = [State::Planned, State::Dropped].map(codes::state);
    Ok(database.value(&sql, states)?.unwrap_or_default())
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

    /// Returns what there is to say of the set to people, a sentence each: what it does to flags that
    /// nobody would look for among its changes, counted as it is now, and then the
    /// [notes](crate::SetInfo::notes) of its plan.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn notes(&self) -> Result<Vec<String>, BulkError> {
        let (database, info) = (&self.database, self.info()?);
        let mut notes = match info.kind {
            SetKind::Plan => Vec::from_iter(cautions(database)?),
            SetKind::Undo => self.notes_of_undo()?,
            SetKind::OptOut | SetKind::OptIn => Vec::new(),
        };
        notes.extend(of_flags(database, info.kind == SetKind::Plan)?);
        notes.extend(info.notes);
        Ok(notes)
    }

    /// What an undo does that people may not wish for, and what it may not be able to do.
    fn notes_of_undo(&self) -> Result<Vec<String>, BulkError> {
        let mut notes = Vec::new();
        if let Some(undoes) = self.database.meta(UNDOES)? {
            let on = self.turns_on_again()?;
            let whom = match on {
                1 => "1 number or address".to_owned(),
                many => format!("{many} numbers and addresses"),
            };
            let had = if undoes == SetKind::OptOut.as_str() {
                "had opted out: apply it only if they may be written to again"
            } else {
                "the set had turned it off for"
            };
            notes.extend(
                (on > 0).then(|| format!("This turns marketing on again for {whom} that {had}.")),
            );
        }
        let create = Action::Create(Wanted::default()).name();
        let again = self.totals()?.of(State::Planned, create);
        let contacts = match again {
            1 => "1 contact is".to_owned(),
            many => format!("{many} contacts are"),
        };
        notes.extend(
            (again > 0).then(|| format!("{contacts} created again, with another id than before.")),
        );
        let refused = self.cautioned()?;
        if refused > 0 {
            notes.push(format!(
                "The service is likely to refuse {} of these changes: what was there before is not \
                 what it takes today. `crm show SET --where has=caution` lists {}.",
                refused,
                if refused == 1 { "it" } else { "them" },
            ));
        }
        Ok(notes)
    }

    /// Counts what the set turns marketing on for; what was dropped is none of it.
    fn turns_on_again(&self) -> Result<u64, BulkError> {
        let mut on = count(&self.database, &turns_on(Preference::MarketingUpdates))?;
        let methods = Action::MethodPreferences(BTreeMap::new()).name();
        let planned = Selection::all().verdicts([State::Planned]).actions([methods]);
        for change in self.changes(&planned) {
            let Change { action, before, outcome, .. } = change?;
            let is_made = outcome.state != State::Dropped;
            on += u64::from(is_made && action.turns_marketing_on(before.as_ref()));
        }
        Ok(on)
    }
}
