//! What was found of a list, and what is to be said of it.

use std::collections::{BTreeMap, HashMap, HashSet};

use crm_models::{ContactId, Timestamp};

use crate::{
    BulkError, InvalidRows, OwnerId, PlanSummary, State, plan::NO_SUCH_VALUE, set::draft::Draft,
};

/// What was found so far.
#[derive(Default)]
pub(super) struct Search {
    pub(super) rows: u64,
    /// Who asks for each number or address; the same may stand in several rows.
    pub(super) sought: HashMap<String, Vec<Sought>>,
    /// Whether there is a telephone number among them.
    pub(super) numbers: bool,
    /// Telephone numbers whose text messages are not as the list wants them.
    pub(super) texts_otherwise: HashSet<(OwnerId, ContactId)>,
    pub(super) invalid: Option<InvalidRows>,
    pub(super) notes: Vec<String>,
}

/// A number or an address of a row.
pub(super) struct Sought {
    pub(super) row: u64,
    pub(super) column: String,
    pub(super) found: bool,
}

impl Search {
    pub(super) fn finish(
        mut self,
        draft: Draft,
        known_at: Timestamp,
        on: bool,
    ) -> Result<PlanSummary, BulkError> {
        self.settle_rows(&draft)?;
        if self.numbers {
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

    /// Says of which row nothing was found, or not all.
    fn settle_rows(&self, draft: &Draft) -> Result<(), BulkError> {
        let mut by_row = BTreeMap::<u64, (bool, Vec<&str>)>::new();
        for sought in self.sought.values().flatten() {
            let (some, missing) = by_row.entry(sought.row).or_default();
            match sought.found {
                true => *some = true,
                false => missing.push(&sought.column),
            }
        }
        for (row, (some, mut missing)) in by_row {
            missing.sort_unstable();
            match (some, missing.as_slice()) {
                (true, []) => {}
                (true, missing) => {
                    let why = format!("{}: {NO_SUCH_VALUE}", missing.join(", "));
                    draft.settle_row(row, None, &why)?;
                }
                (false, _) => draft.settle_row(row, Some(State::NotFound), NO_SUCH_VALUE)?,
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
            "get no text messages all the same",
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
