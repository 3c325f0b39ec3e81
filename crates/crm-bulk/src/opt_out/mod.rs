//! Turns a list of numbers and addresses into a change set that reaches every copy of them.

mod listed;
mod people;
mod search;
mod turn_off;
mod wishes;

use std::path::Path;

use crm_contacts::ContactsService;
use crm_mirror::{
    Keyed, OwnerId, Site, Snapshot,
    job::{Caller, Stop, alongside, with_service},
};
use crm_models::{Contact, ContactChange, ContactType, PreferenceChange};
use crm_transport::Transport;
use crm_values::PhoneReader;

pub use self::turn_off::{Copies, MethodReading, Take, TurnOff, TurnedOff, UNKNOWN_FLAGS};
use self::{
    listed::Found,
    people::{chosen, methods},
    search::{FoundContacts, Search},
    wishes::{Verdict, Wishes},
};
use crate::{
    decide::judge,
    error::{BadCell, BulkError, problem},
    input::{
        BadRows, DateOrder, Entries, Input, InputFormat, Kept, ListOptions, MappedRole, MendFile,
        Value, Wish, delimiter_name, is_named_against, refuse_to_mend_in, whole,
    },
    plan::{PlanSummary, describe_input, leave_out},
    set::{Action, SetKind, State, Target, Wanted},
    store::file::{Draft, InputRow, Planned},
};

/// A plan of an opt-out or opt-in. It covers every contact with one of the numbers or addresses of
/// a list, on every customer and every location, and every contact method of a person.
///
/// Numbers and addresses are found however they are written: both sides are read by
/// [`Readings`](crm_values::Readings). Where one side is incomplete or cannot be read, as
/// `555-0142` or `818-555-0142 8am-5pm`, the contact is named in the notes for a person to check,
/// and nothing is planned for it. Marketing is turned off (or on) and all other flags are kept,
/// unless [`every_flag`](Self::every_flag) is used.
///
/// The list is CSV or NDJSON. Every column with numbers or addresses counts: its header is `value`,
/// `number` or `address`, or ends in `phone`, `mobile`, `cell`, `fax`, `email` or the like, as
/// `Home Phone`, `Phone # (work)` and `email_2` do. A column `received`, `date_received` or `date`
/// has the date on which the wish was received. All other columns are carried along; a row with a
/// number or an address in one of them is wrong, unless the column is a `reason`. CSV without a
/// header has the value in the first cell.
///
/// An extension of a number does not count: a person who opts out `8185550142` is not called at
/// `(818) 555-0142 ext. 7` either.
///
/// ```no_run
/// # use crm_bulk::{BulkError, Input, OptOut, Site, Snapshot};
/// # use crm_contacts::ContactsService;
/// # use crm_transport::{Environment, Transport};
/// # async fn example<T: Transport>(contacts: ContactsService<T>, environment: Environment, snapshot: Snapshot) -> Result<(), BulkError> {
/// let site = Site::of(&contacts, environment.api_url());
/// let list = Input::open("opt-outs.csv")?;
/// OptOut::new(site, snapshot).plan(&contacts, list, "opt-outs.crm").await?;
/// # Ok(())
/// # }
/// ```
///
/// Text messages are a separate matter: whether a number may receive them belongs to the number,
/// and no operation of the contacts API can set it. The plan says so in its notes.
#[derive(Debug)]
#[must_use]
pub struct OptOut {
    site: Site,
    snapshot: Snapshot,
    on: bool,
    every_flag: bool,
    people: bool,
    unknown_flags: Option<bool>,
    options: ListOptions,
    every_row: bool,
    skip_invalid: bool,
    mend: Option<MendFile>,
}

impl OptOut {
    /// Creates an opt-out, which turns marketing off. The contacts are found in the snapshot: bring
    /// it up to date first.
    pub fn new(site: Site, snapshot: Snapshot) -> Self {
        Self {
            site,
            snapshot,
            on: false,
            every_flag: false,
            people: true,
            unknown_flags: None,
            options: ListOptions::new(),
            every_row: false,
            skip_invalid: false,
            mend: None,
        }
    }

    /// What was chosen beyond what is usual, for people.
    fn chosen(&self) -> Vec<String> {
        let region = self.options.reader.region();
        let of_region = format!("numbers without a country code are of {region}");
        let mapped = |(role, column): &(MappedRole, String)| {
            format!("column {column} is {}", format!("{role:?}").to_lowercase())
        };
        [
            (self.every_flag, "every flag, not marketing alone"),
            (!self.people, "without the contact methods of people"),
            (self.every_row, "every row, whatever the file is called"),
            (self.skip_invalid, "wrong entries are left out"),
            (region != PhoneReader::default().region(), &*of_region),
        ]
        .into_iter()
        .filter(|(is_chosen, _)| *is_chosen)
        .map(|(_, words)| words.to_owned())
        .chain(self.options.dates.map(|order| format!("dates are read as {}", order.as_str())))
        .chain(self.options.map.iter().map(mapped))
        .collect()
    }

    /// Turns marketing on instead of off.
    pub fn opt_in(mut self) -> Self {
        self.on = true;
        self
    }

    /// Sets every flag rather than marketing alone: reminders of jobs, invoices and statements too.
    pub fn every_flag(mut self) -> Self {
        self.every_flag = true;
        self
    }

    /// Leaves out the contact methods of people, for an app without the scope for them. The plan's
    /// notes say so.
    pub fn without_people(mut self) -> Self {
        self.people = false;
        self
    }

    /// Sets how telephone numbers are read, both those of the list and those of the tenant. By
    /// default, numbers without a country code are those of the United States; `reader` may name
    /// another region.
    pub fn numbers(mut self, reader: PhoneReader) -> Self {
        self.options = self.options.numbers(reader);
        self
    }

    /// Sets the value of the other flags for contacts whose flags the service does not report,
    /// because flags are sent all or none. Without this, such a contact is `failed`. The set
    /// records that the value was chosen.
    pub fn unknown_flags(mut self, on: bool) -> Self {
        self.unknown_flags = Some(on);
        self
    }

    /// Declares what columns contain when their headers do not show it.
    pub fn map(mut self, columns: impl IntoIterator<Item = (MappedRole, String)>) -> Self {
        self.options = self.options.map(columns);
        self
    }

    /// Sets which number of a date such as `11/03/2026` is the month. Without this, the other dates
    /// of the column must show it.
    pub fn dates(mut self, order: DateOrder) -> Self {
        self.options = self.options.dates(order);
        self
    }

    /// Accepts a list without a status column at the command's word, even if its name says
    /// `subscribed_` or `cleaned_`.
    pub fn every_row(mut self) -> Self {
        self.every_row = true;
        self
    }

    /// Leaves out wrong entries instead of planning nothing.
    pub fn skip_invalid(mut self) -> Self {
        self.skip_invalid = true;
        self
    }

    /// Writes wrong entries to this file, to be corrected and fed in again.
    pub fn mend_file(mut self, file: impl Into<MendFile>) -> Self {
        self.mend = Some(file.into());
        self
    }

    /// Finds everything and writes the change set, on a thread of its own. The contact methods of
    /// people are found in the mirror where the update that brought its contacts up to date read
    /// them too; otherwise all of them are read, 5,000 per call, since it is not documented how the
    /// API's own search compares. Preferences are read anew for those that are found.
    ///
    /// # Errors
    ///
    /// Returns [`BulkError::InvalidRows`], [`MirrorError::Incomplete`](crate::MirrorError::Incomplete),
    /// [`MirrorError::WrongTenant`](crate::MirrorError::WrongTenant) and
    /// [`MirrorError::WrongEnvironment`](crate::MirrorError::WrongEnvironment) for a snapshot of other data,
    /// and errors for failures to read or write. In all these cases there is no change set, nor
    /// when the future is dropped.
    pub async fn plan<T: Transport>(
        self,
        service: &ContactsService<T>,
        mut list: Input,
        out: impl AsRef<Path>,
    ) -> Result<PlanSummary, BulkError> {
        self.site.admit_service(service, self.snapshot.path())?;
        let feed = list.take_feed();
        let search =
            |caller: &Caller, out: &Path, stop: &Stop| self.search(caller, list, out, stop);
        alongside(with_service(service, out.as_ref(), search), feed).await
    }

    fn search(
        mut self,
        caller: &Caller,
        list: Input,
        out: &Path,
        stop: &Stop,
    ) -> Result<PlanSummary, BulkError> {
        self.snapshot.end_with(stop)?;
        let site = self.site.clone();
        site.admit(self.snapshot.site(), self.snapshot.path())?;
        let known_at = self.snapshot.complete_at()?;
        let kind = if self.on { SetKind::OptIn } else { SetKind::OptOut };
        let draft = Draft::create(out, &site, kind, stop)?;
        draft.set_options(&self.chosen())?;
        let on = self.on;
        let mut search = self.contacts(list, &draft)?;
        if self.people {
            let service = &caller.service;
            let types = caller.wait_for(service.people().preference_types())?;
            let names = chosen(&types, self.every_flag, &mut search.notes);
            let wanted = names.into_iter().map(|name| (name, on)).collect();
            let (mirror, reader) = (&self.snapshot, self.options.reader);
            caller.wait_for(methods(service, mirror, &draft, &mut search, reader, &wanted))?;
        } else {
            let note = "The contact methods of people were left out: they are not covered.";
            search.notes.push(note.to_owned());
        }
        let summary = search.finish(known_at, on)?;
        draft.finish()?;
        Ok(summary)
    }

    /// Plans the contacts of customers and locations.
    fn contacts<'a>(&self, list: Input, draft: &'a Draft) -> Result<Search<'a>, BulkError> {
        let mut search = Search::new(draft)?;
        self.read_list(list, draft, &mut search)?;
        self.look_up(&mut search)?;
        let action = Action::Update(self.wanted());
        let mut texts_otherwise = 0;
        search.each_place(|found| {
            let mut is_otherwise = false;
            for (owner, contact, is_first) in self.in_order(&found)? {
                let takes_texts = !matches!(contact.contact_type, ContactType::Fax)
                    && contact.contact_type.is_phone();
                let takes_none = contact.do_not_text() == Some(true);
                is_otherwise |= is_first && takes_texts && takes_none == self.on;
                let action = judge::completed(&action, Some(&contact), self.unknown_flags);
                let outcome = judge::action(&action, Some(&contact));
                draft.add_change(&Planned {
                    row: Some(found.row),
                    target: Target::Contact { owner, contact: Some(contact.id) },
                    action: &action,
                    before: Some(contact.into()),
                    outcome,
                })?;
            }
            texts_otherwise += u64::from(is_otherwise);
            Ok(())
        })?;
        search.texts_otherwise = texts_otherwise;
        Ok(search)
    }

    /// Keeps the rows of the list in the set, and what they name where it is searched. That is in
    /// two passes, because only all cells together say what a column holds; and in three where the
    /// rows say what people wish, because another row may say otherwise.
    fn read_list(
        &self,
        list: Input,
        draft: &Draft,
        search: &mut Search<'_>,
    ) -> Result<(), BulkError> {
        let (name, format) = (list.name().to_owned(), list.format());
        let mut others = vec![draft.path(), self.snapshot.path()];
        others.extend(list.path());
        refuse_to_mend_in(self.mend.as_ref(), &others)?;
        self.snapshot.read_by(self.options.reader.region())?;
        let mut list = Entries::read(list, &self.options, |Kept { line, data, broken }| {
            search.rows += 1;
            match broken {
                None => draft.add_row(search.rows, line, data),
                Some(cells) => leave_out(draft, search.rows, line, &cells, data),
            }
        })?;
        if !list.has_status && !self.every_row {
            self.refuse_by_name(&name)?;
        }
        list.unsaid_means(self.wish());
        let marks = list.marks;
        describe_input(draft, &name, format, marks, &list.header)?;
        draft.set_received(&list.received(self.wish()))?;
        draft.set_meta("date_order", list.dates.as_str())?;
        draft.set_unknown_flags(self.unknown_flags)?;
        if format == InputFormat::Csv && marks.delimiter != b',' {
            let delimiter = delimiter_name(marks.delimiter);
            let note = format!("The cells of the list are separated by {delimiter}.");
            search.notes.push(note);
        }
        search.notes.extend(list.notes(&name));
        let entry = |row: &InputRow| match &row.message {
            Some(why) => Err(whole(row.line, why.clone())),
            None => list.entry(row.line, &row.data),
        };
        let mut wishes = Wishes::new(draft, self.wish())?;
        if list.has_status {
            draft.each_row(|row| entry(&row).map_or(Ok(()), |entry| wishes.add(&entry)))?;
            wishes.compare()?;
        }
        let mut bad = BadRows::new(&name, format, marks, &list.header, self.mend.as_ref());
        let (mut left, mut taken, mut first) = (0_u64, 0, None);
        draft.each_row(|row| {
            let judged = match entry(&row) {
                Ok(entry) => judge(row.line, &wishes, entry.values)?,
                Err(cells) => Err(cells),
            };
            let (values, why) = match judged {
                Ok(judged) => judged,
                Err(cells) => {
                    draft.settle_row(row.row, Some(State::Failed), &problem(&cells))?;
                    return bad.add(row.line, cells, &row.data);
                }
            };
            if let Some(why) = why.filter(|_| values.is_empty()) {
                left += 1;
                draft.settle_row(row.row, Some(State::Already), &why)?;
            }
            // A number that a row has in two columns is one number.
            let is_new = |at: usize| values[..at].iter().all(|one| one.keys != values[at].keys);
            let mut values = values.iter().enumerate().filter(|(at, _)| is_new(*at));
            let reader = self.options.reader;
            let here = values.clone().filter(|(_, value)| value.is_assumed(reader)).count();
            if here > 0 {
                taken += here;
                first.get_or_insert(row.line);
            }
            values.try_for_each(|(_, value)| search.listed.add(row.row, &value.column, &value.keys))
        })?;
        if left > 0 {
            let rows = if left == 1 { "row, whose status" } else { "rows, whose status" };
            search.notes.push(format!(
                "Left alone: {left} {rows} does not ask for it or is empty; the results give the \
                 reason of each."
            ));
        }
        if let Some(first) = first {
            let region = self.options.reader.region();
            search.notes.push(format!(
                "Taken for numbers of other countries, since they fit none of {region} and have no \
                 country code behind a +: {taken}, the first in line {first}."
            ));
        }
        search.invalid = bad.finish()?;
        match search.invalid.take_if(|_| !self.skip_invalid) {
            Some(invalid) => Err(invalid.into()),
            None => search.listed.index(),
        }
    }

    /// Finds the contacts of the snapshot that have the numbers and addresses of the list. Contacts
    /// that may have one are noted.
    fn look_up(&self, search: &mut Search<'_>) -> Result<(), BulkError> {
        let note = |Keyed { id, keys }| match search.listed.find(&keys)? {
            Found::Same(places) => search.note_contact(&places, id),
            Found::LookAt(places) => {
                let (owner, known) = self.snapshot.keyed(id)?;
                let target = Target::Contact { owner, contact: Some(known.contact.id) };
                search.note_near(places, &target.to_string())
            }
            Found::None => Ok(()),
        };
        self.snapshot.for_each_key(note)?;
        search.note_unreadable(self.snapshot.unreadable()?, self.options.reader)
    }

    /// Reads contacts that were found, in the order of their owners.
    fn in_order(&self, found: &FoundContacts) -> Result<Vec<(OwnerId, Contact, bool)>, BulkError> {
        let contacts = found.contacts.iter().map(|(id, is_first)| {
            let (owner, known) = self.snapshot.keyed(*id)?;
            Ok((owner, known.contact, *is_first))
        });
        let mut contacts = contacts.collect::<Result<Vec<_>, BulkError>>()?;
        contacts.sort_by_key(|(owner, contact, _)| (*owner, contact.id));
        Ok(contacts)
    }

    /// What a row without a status means.
    fn wish(&self) -> Wish {
        if self.on { Wish::In } else { Wish::Out }
    }

    /// Refuses a list whose name says that it is a different one.
    fn refuse_by_name(&self, name: &str) -> Result<(), BulkError> {
        if !is_named_against(name, self.wish()) {
            return Ok(());
        }
        let command = if self.on { "opt in" } else { "opt out" };
        Err(BulkError::Input {
            name: name.to_owned(),
            reason: format!(
                "by its name it holds others than those who {command}, and no column says who does; \
                 if all of them are meant, say --every-row"
            ),
        })
    }

    fn wanted(&self) -> Wanted {
        let flags = if self.every_flag {
            PreferenceChange::all(self.on)
        } else {
            PreferenceChange::new().marketing_updates(self.on)
        };
        Wanted::of(ContactChange::new().preferences(flags))
    }
}

/// The values of a row that are to be searched for, and why others are not; or that the row says
/// the opposite of the command.
type Judged = Result<(Vec<Value>, Option<String>), Vec<BadCell>>;

fn judge(line: u64, wishes: &Wishes<'_>, values: Vec<Value>) -> Result<Judged, BulkError> {
    let (mut wanted, mut left) = (Vec::new(), None);
    for value in values {
        match wishes.judge(&value.keys.key, value.wish)? {
            Verdict::Wanted => wanted.push(value),
            Verdict::Left(why) => {
                let note = value.note.filter(|_| value.wish == Wish::Neither);
                let note = note.map(|note| format!(": {note}")).unwrap_or_default();
                left = Some(format!("{why}{note}"));
            }
            Verdict::Opposite => {
                let why = "says opted out, and this command opts in: take the row out of the list";
                return Ok(Err(whole(line, why.to_owned())));
            }
        }
    }
    Ok(Ok((wanted, left)))
}
