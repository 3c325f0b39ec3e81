//! What was found of a list, and what is to be said of it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crm_models::{ContactId, Timestamp};

use super::listed::{Listed, Place};
use crate::{
    BulkError, InvalidRows, OwnerId, PlanSummary, State, Target, plan::NO_SUCH_VALUE,
    set::draft::Draft,
};

/// What was found so far.
#[derive(Default)]
pub(super) struct Search {
    pub(super) rows: u64,
    pub(super) listed: Listed,
    /// Telephone numbers whose text messages are not as the list wants them.
    pub(super) texts_otherwise: HashSet<(OwnerId, ContactId)>,
    /// Whom a person has to look at, by the place in the list.
    pub(super) look_at: BTreeMap<Place, Vec<Target>>,
    pub(super) invalid: Option<InvalidRows>,
    pub(super) notes: Vec<String>,
}

/// How many records to look at a note names; the rows name all of theirs.
const NAMED: usize = 20;

impl Search {
    pub(super) fn finish(
        mut self,
        draft: Draft,
        known_at: Timestamp,
        on: bool,
    ) -> Result<PlanSummary, BulkError> {
        self.settle_rows(&draft)?;
        self.note_whom_to_look_at();
        if self.listed.has_numbers {
            self.notes
                .push(text_messages(on, self.texts_otherwise.len()));
        }
        draft.set_notes(&self.notes)?;
        draft.set_known_at(known_at)?;
        draft.finish()?;
        Ok(PlanSummary {
            rows: self.rows,
            invalid: self.invalid,
            known_at,
        })
    }

    fn note_whom_to_look_at(&mut self) {
        let targets: BTreeSet<_> = self
            .look_at
            .values()
            .flatten()
            .map(ToString::to_string)
            .collect();
        if targets.is_empty() {
            return;
        }
        let named: Vec<_> = targets.iter().take(NAMED).map(String::as_str).collect();
        let more = match targets.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more; the results name all of them"),
        };
        let subject = match targets.len() {
            1 => "one record".to_owned(),
            all => format!("{all} records"),
        };
        self.notes.push(format!(
            "Look at these: {subject} may have a number or address of the list, but one side is \
             incomplete or cannot be read, so nothing is planned for them: {}{more}.",
            named.join("; ")
        ));
    }

    /// Says of which row nothing was found, or not all, and whom to look at.
    fn settle_rows(&self, draft: &Draft) -> Result<(), BulkError> {
        let mut by_row = BTreeMap::<u64, (bool, Vec<&str>, Vec<String>)>::new();
        for (at, sought) in self.listed.sought.iter().enumerate() {
            let (some, missing, look_at) = by_row.entry(sought.row).or_default();
            match sought.found {
                true => *some = true,
                false => missing.push(&sought.column),
            }
            let targets = self.look_at.get(&Place(at)).into_iter().flatten();
            look_at.extend(targets.map(ToString::to_string));
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
                why.push(format!("look at {}", look_at.join("; ")));
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
    let (verb, state, what) = match on {
        false => (
            "set",
            "may still get text messages",
            "Block the numbers of the list",
        ),
        true => (
            "clear",
            "still get no text messages",
            "Allow the numbers of the list",
        ),
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
