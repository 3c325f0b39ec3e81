//! What else happened to the records of a set, for its page.

use std::{
    cell::RefCell,
    collections::{BTreeSet, VecDeque},
    io,
    path::{Path, PathBuf},
    rc::Rc,
};

use crm_bulk::{BulkError, ChangeSet, PastEvent, Target};

use super::{
    chronicle::{Chronicle, Scope},
    error::DeskError,
    event::Event,
    folder::Desk,
};

/// Of how many records the events are in memory at a time.
const RECORDS: usize = 10_000;

/// The events of a set's records that came from elsewhere, one record after the other, and each
/// record's in the order of time.
pub(crate) struct Past {
    chronicle: Chronicle,
    set: ChangeSet,
    /// The set's file as the desk knows it, if it does.
    file: Option<PathBuf>,
    last: Option<Target>,
    next: VecDeque<PastEvent>,
    is_over: bool,
    /// What cannot be looked at, once all events are known.
    notes: Rc<RefCell<Vec<String>>>,
}

/// One sentence for each thing that cannot be looked at.
pub(crate) struct Notes(Rc<RefCell<Vec<String>>>);

impl Iterator for Notes {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut notes = self.0.borrow_mut();
        if notes.is_empty() { None } else { Some(notes.remove(0)) }
    }
}

impl Desk {
    /// What happened to the records of this set through something else, and what cannot be looked at,
    /// which is known once the last event is taken.
    pub(crate) fn past(&self, set: &Path) -> Result<(Past, Notes), DeskError> {
        let chronicle = self.chronicle()?;
        let failed = |source| DeskError::Set { path: set.to_owned(), source: Box::new(source) };
        let notes = Rc::new(RefCell::new(Vec::new()));
        let past = Past {
            file: chronicle.file_of(set),
            chronicle,
            set: ChangeSet::open(set).map_err(failed)?,
            last: None,
            next: VecDeque::new(),
            is_over: false,
            notes: Rc::clone(&notes),
        };
        Ok((past, Notes(notes)))
    }
}

impl Past {
    /// Reads on until there are events, or no records are left.
    fn read_on(&mut self) -> io::Result<()> {
        while self.next.is_empty() && !self.is_over {
            let records = self.records().map_err(io::Error::other)?;
            let Some(records) = records else {
                self.is_over = true;
                self.notes.borrow_mut().append(&mut self.chronicle.missing);
                break;
            };
            let scope = Scope::Records(records);
            let events = self.chronicle.events(&scope, self.file.as_deref());
            let mut events = events.map_err(io::Error::other)?;
            // Of each record they stay in the order of time.
            events.sort_by_key(|event| event.record);
            self.next.extend(events.into_iter().filter_map(Event::into_past));
        }
        Ok(())
    }

    /// The next records; one that was never created has no past.
    fn records(&mut self) -> Result<Option<BTreeSet<Target>>, BulkError> {
        let mut records = self.set.records(self.last.as_ref(), RECORDS)?;
        let Some(newest) = records.last() else {
            return Ok(None);
        };
        self.last = Some(*newest);
        records.retain(|record| record.contact_text().is_some());
        Ok(Some(records))
    }
}

impl Iterator for Past {
    type Item = io::Result<PastEvent>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.read_on() {
            Ok(()) => self.next.pop_front().map(Ok),
            Err(error) => {
                self.is_over = true;
                Some(Err(error))
            }
        }
    }
}
