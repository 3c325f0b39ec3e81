//! What was found for a list, and what to report about it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crm_mirror::{OwnerId, keys::Keys};
use crm_models::{ContactId, Timestamp, UnreadableRecord};
use crm_values::PhoneReader;

use super::listed::{Found, Listed, Place};
use crate::{
    decide::judge::NO_SUCH_VALUE,
    error::{BulkError, InvalidRows},
    plan::PlanSummary,
    report::LOOK_AT,
    set::State,
    store::file::{Draft, some_of},
};

/// The results so far.
#[derive(Default)]
pub(super) struct Search {
    pub(super) rows: u64,
    pub(super) listed: Listed,
    /// Telephone numbers whose text messages are not as the list wants them.
    pub(super) texts_otherwise: HashSet<(OwnerId, ContactId)>,
    /// The records that a person has to check, by the place in the list.
    look_at: BTreeMap<Place, Vec<String>>,
    /// Records of the service that cannot be read.
    unreadable: Vec<UnreadableRecord>,
    pub(super) invalid: Option<InvalidRows>,
    pub(super) notes: Vec<String>,
}

impl Search {
    /// Notes that a record may have the values at these places of the list.
    pub(super) fn note_near(&mut self, places: impl IntoIterator<Item = Place>, record: &str) {
        for place in places {
            let near = self.look_at.entry(place).or_default();
            near.push(record.to_owned());
        }
    }

    /// Notes records that cannot be read. A record that has a listed value in its readable part is
    /// reported by the rows.
    pub(super) fn note_unreadable(
        &mut self,
        records: impl IntoIterator<Item = UnreadableRecord>,
        reader: PhoneReader,
    ) {
        for record in records {
            let value = record.member("value").unwrap_or_default();
            let places = match self.listed.find(&Keys::of(&value, reader)) {
                Found::Same(places) => places.to_vec(),
                Found::LookAt(places) => places,
                Found::None => Vec::new(),
            };
            self.note_near(places, &record.to_string());
            self.unreadable.push(record);
        }
    }

    pub(super) fn finish(
        mut self,
        draft: Draft,
        known_at: Timestamp,
        on: bool,
    ) -> Result<PlanSummary, BulkError> {
        self.settle_rows(&draft)?;
        let look_at = self.note_whom_to_look_at();
        draft.set_meta("look_at", &look_at.to_string())?;
        draft.set_unreadable(&self.unreadable)?;
        if self.listed.has_numbers {
            self.notes.push(text_messages(on, self.texts_otherwise.len()));
        }
        draft.set_notes(&self.notes)?;
        draft.set_known_at(known_at)?;
        draft.finish()?;
        Ok(PlanSummary { rows: self.rows, invalid: self.invalid, known_at })
    }

    /// Reports which records a person has to check, and how many there are.
    fn note_whom_to_look_at(&mut self) -> usize {
        let records: BTreeSet<_> = self.look_at.values().flatten().cloned().collect();
        let records: Vec<_> = records.into_iter().collect();
        let subject = match records.len() {
            0 => return 0,
            1 => "one record".to_owned(),
            all => format!("{all} records"),
        };
        self.notes.push(format!(
            "Look at these: {subject} may have a number or address of the list, but one side is \
             incomplete or cannot be read, so nothing is planned for them: {}. The results and the \
             report name all of them, beside the rows of the list.",
            some_of(&records)
        ));
        records.len()
    }

    /// Reports which rows found nothing, or not everything, and which records to check.
    fn settle_rows(&self, draft: &Draft) -> Result<(), BulkError> {
        let mut by_row = BTreeMap::<u64, (bool, Vec<&str>, Vec<&str>)>::new();
        for (at, sought) in self.listed.sought.iter().enumerate() {
            let (some, missing, look_at) = by_row.entry(sought.row).or_default();
            if sought.found {
                *some = true
            } else {
                missing.push(self.listed.column(sought))
            }
            let targets = self.look_at.get(&Place(at)).into_iter().flatten();
            look_at.extend(targets.map(String::as_str));
        }
        for (row, (some, mut missing, look_at)) in by_row {
            missing.sort_unstable();
            let mut why = Vec::new();
            match (some, missing.is_empty()) {
                (true, true) => {}
                (true, false) => why.push(format!("{}: {NO_SUCH_VALUE}", missing.join(", "))),
                (false, _) => why.push(NO_SUCH_VALUE.to_owned()),
            }
            if !look_at.is_empty() {
                why.push(format!("{LOOK_AT}{}", look_at.join("; ")));
            }
            if !why.is_empty() {
                let state = (!some).then_some(State::NotFound);
                draft.settle_row(row, state, &why.join("; "))?;
            }
        }
        Ok(())
    }
}

/// What the plan cannot do about text messages.
fn text_messages(on: bool, otherwise: usize) -> String {
    let (verb, state, what) = if on {
        ("clear", "still get no text messages", "Allow the numbers of the list")
    } else {
        ("set", "may still get text messages", "Block the numbers of the list")
    };
    let found = match otherwise {
        0 => String::new(),
        found => format!(" Of the numbers found, {found} {state}."),
    };
    format!(
        "Text messages are not covered: no operation of the contacts API can {verb} \
         \"do not text\".{found} {what} where your text messages are sent from."
    )
}
