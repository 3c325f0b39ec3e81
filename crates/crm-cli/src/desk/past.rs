//! What else happened to the records of a set, for its page.

use std::{
    cell::RefCell,
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
    rc::Rc,
};

use crm_bulk::{ChangeSet, PastEvent, Target};

use super::{
    chronicle::{Chronicle, Which},
    error::DeskError,
    event::Event,
    folder::Desk,
};

/// How many events are in memory at a time, but for those of a single owner.
const EVENTS: usize = 10_000;

/// Of how many records they are at most.
const RECORDS: usize = 10_000;

/// The events of a set's records that came from elsewhere, one record after the other, and each
/// record's in the order of time.
pub(crate) struct Past {
    chronicle: Chronicle,
    set: ChangeSet,
    /// The set's file as the desk knows it, if it does.
    file: Option<PathBuf>,
    last: Option<Target>,
    /// Of how many records the next events are.
    many: usize,
    most: usize,
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
            many: RECORDS / 100,
            most: EVENTS,
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
            let records = self.set.records(self.last.as_ref(), self.many);
            let mut records = records.map_err(io::Error::other)?;
            let Some(newest) = records.last().copied() else {
                self.is_over = true;
                self.notes.borrow_mut().append(&mut self.chronicle.missing);
                break;
            };
            // One that was never created has no past.
            records.retain(|record| record.contact_text().is_some());
            let most = if self.many == 1 { usize::MAX } else { self.most };
            let records = (records, Which::Sent);
            let events = self.chronicle.next_events(most, records, self.file.as_deref());
            let Some(mut events) = events.map_err(io::Error::other)? else {
                self.many = self.many.div_ceil(4).min(self.many - 1);
                continue;
            };
            self.last = Some(newest);
            // Of each record they stay in the order of time.
            events.sort_by_key(|event| event.record);
            if events.len() < self.most / 2 {
                self.many = (2 * self.many).min(RECORDS);
            }
            self.next.extend(events.into_iter().filter_map(Event::into_past));
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use crm_bulk::{Apply, Input, Plan, Site};
    use crm_contacts::ContactsService;
    use crm_models::TenantId;
    use crm_sandbox::{Sandbox, Seed};
    use crm_transport::{Auth, Credentials, Environment, ReqwestTransport, TransportExt as _};
    use futures_util::TryStreamExt;

    use super::*;

    /// How many contacts a location has, and how many locations there are.
    const EACH: u32 = 4;
    const OWNERS: u32 = 10;

    /// A desk with sets that changed the memos of these contacts.
    async fn desk(folder: &Path, sets: &[&[u32]]) -> Desk {
        let builder = Sandbox::builder().seed(Seed::Count(EACH * OWNERS));
        let sandbox = builder.set("rate-limit", "0").unwrap().start().await.unwrap();
        let connection = sandbox.connection();
        let environment = Environment::custom(&connection.api_url, &connection.auth_url).unwrap();
        let [id, secret, key] =
            [&connection.client_id, &connection.client_secret, &connection.app_key];
        let wire = ReqwestTransport::new(&environment).unwrap();
        let credentials = Credentials::new(&**id, &**secret, &**key);
        let auth = Auth::new(wire.for_auth(&environment).unwrap(), credentials);
        let transport = wire.with_auth(auth);
        let service = ContactsService::new(transport, TenantId::new(connection.tenant).unwrap());
        let site = Site::of(&service, &connection.api_url);
        let desk = Desk::open_or_create(folder, &site).unwrap();
        for (number, contacts) in sets.iter().enumerate() {
            let row =
                |contact: &u32| format!("{},{contact},Memo {number}\n", (contact - 1) / EACH + 1);
            let rows: String = contacts.iter().map(row).collect();
            let rows = format!("location_id,contact_id,memo\n{rows}");
            let out = desk.sets_folder().join(format!("set-{number}.crm"));
            let input = Input::csv("rows", io::Cursor::new(rows));
            Plan::new(site.clone()).from_api(&service, input, &out).await.unwrap();
            let run = Apply::new(ChangeSet::open(&out).unwrap()).run(&service, &site).unwrap();
            run.try_for_each(async |_| Ok(())).await.unwrap();
        }
        desk
    }

    /// All events of a set, and the most that were in memory at a time.
    fn all(desk: &Desk, most: usize, many: usize) -> (Vec<PastEvent>, usize) {
        let (past, _) = desk.past(&desk.sets_folder().join("set-0.crm")).unwrap();
        let mut past = Past { most, many, ..past };
        let (mut events, mut held) = (Vec::new(), 0);
        while let Some(event) = past.next() {
            held = held.max(past.next.len() + 1);
            events.push(event.unwrap());
        }
        (events, held)
    }

    #[tokio::test]
    async fn few_events_are_in_memory_however_many_sets_have_the_same_contacts() {
        let folder = tempfile::tempdir().unwrap();
        let every: Vec<_> = (1..=EACH * OWNERS).collect();
        // The last one has contacts of the first, a middle and the last owner.
        let sets = [&every[..], &every, &every, &every, &every, &[2, 18, 40]];
        let desk = desk(&folder.path().join("desk"), &sets).await;
        let (wanted, held) = all(&desk, usize::MAX, RECORDS);
        assert_eq!((wanted.len(), held), (4 * every.len() + 3, 4 * every.len() + 3));
        assert!(wanted.is_sorted_by_key(|event| (event.record, event.at)));
        // Of one owner there are 17 at most.
        for (most, many) in [(20, 1), (20, RECORDS), (60, 3), (1, 1)] {
            let (events, held) = all(&desk, most, many);
            assert_eq!(events, wanted);
            assert!(held <= most.max(17), "{held} of {most}");
        }
    }
}
