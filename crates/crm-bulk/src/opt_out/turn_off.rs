//! Turns copies that are known by their ids into a change set.

use std::{collections::BTreeMap, path::Path, pin::pin};

use crm_contacts::ContactsService;
use crm_mirror::{
    MirrorError, OwnerId, Site,
    job::{Caller, Stop, with_service},
};
use crm_models::{
    Contact, ContactChange, ContactMethod, ContactMethodId, PreferenceChange, Timestamp,
    UnreadableRecord,
};
use crm_transport::Transport;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::people::{CALLS_AT_ONCE, chosen, is_met, preferences, target};
use crate::{
    clock,
    decide::judge,
    error::BulkError,
    input::{InputFormat, Marks, record},
    plan::describe_input,
    set::{Action, Image, Outcome, SetKind, State, Target, Wanted},
    store::file::{Draft, Planned},
};

/// A plan that turns preferences off at contacts and at contact methods of people that somebody has
/// found already. What is as wanted becomes no change, nor what cannot be set; a row without a change
/// is not kept, and a plan without a row leaves no set.
///
/// [`OptOut`](crate::OptOut) finds them by the numbers and addresses of a list.
#[derive(Debug, Clone)]
#[must_use]
pub struct TurnOff {
    site: Site,
    source: String,
    columns: Vec<String>,
    received: Option<String>,
    unknown_flags: Option<bool>,
    options: Vec<String>,
}

/// A row of a [`TurnOff`], and the copies that it is about.
///
/// [`Debug`] output contains numbers and addresses.
#[derive(Debug, Clone)]
#[must_use]
pub struct Copies {
    cells: Vec<String>,
    flags: PreferenceChange,
    contacts: Vec<(OwnerId, Contact)>,
    methods: Vec<ContactMethod>,
}

impl Copies {
    /// Creates a row with a cell for each column, which turns marketing off.
    pub fn new(cells: impl IntoIterator<Item = String>) -> Self {
        Self {
            cells: cells.into_iter().collect(),
            flags: PreferenceChange::new().marketing_updates(false),
            contacts: Vec::new(),
            methods: Vec::new(),
        }
    }

    /// Sets what becomes of the preferences of contacts; of contact methods it is marketing in any
    /// case, since no other name is known to mean what a flag of contacts means.
    pub fn flags(mut self, flags: PreferenceChange) -> Self {
        self.flags = flags;
        self
    }

    /// Adds a contact as it is known.
    pub fn contact(mut self, owner: OwnerId, contact: Contact) -> Self {
        self.contacts.push((owner, contact));
        self
    }

    /// Adds a contact method of a person, whose preferences are read.
    pub fn method(mut self, method: ContactMethod) -> Self {
        self.methods.push(method);
        self
    }
}

/// What came of a [`TurnOff`].
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct TurnedOff {
    /// How many changes the set has; none for no set.
    pub changes: u64,
    /// What cannot be set, and why.
    pub cannot: Vec<(Target, String)>,
    /// The contact methods that were read.
    pub methods: Vec<MethodReading>,
    /// The contact methods that could not be read.
    pub unreadable: Vec<UnreadableRecord>,
    /// What there is to say to people.
    pub notes: Vec<String>,
}

/// Whether a contact method receives marketing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MethodReading {
    /// The contact method.
    pub method: ContactMethodId,
    /// Whether a preference that speaks of marketing is not known to be off.
    pub receives: bool,
    /// When that was read.
    pub at: Timestamp,
}

impl TurnOff {
    /// Creates a plan whose rows have these columns, and come of a source with this name.
    pub fn new(
        site: Site,
        source: impl Into<String>,
        columns: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            site,
            source: source.into(),
            columns: columns.into_iter().map(Into::into).collect(),
            received: None,
            unknown_flags: None,
            options: Vec::new(),
        }
    }

    /// Sets the value of the other flags for contacts whose flags the service does not report,
    /// because flags are sent all or none. Without this, such a contact cannot be set.
    pub fn unknown_flags(mut self, on: bool) -> Self {
        self.unknown_flags = Some(on);
        self
    }

    /// Names the column that has the day on which a wish came in, written like `2026-11-23`; a report
    /// about the set tells by it what was late.
    pub fn received(mut self, column: impl Into<String>) -> Self {
        self.received = Some(column.into());
        self
    }

    /// Says what was chosen beyond what is usual, for people.
    pub fn options(mut self, options: impl IntoIterator<Item = String>) -> Self {
        self.options.extend(options);
        self
    }

    /// Hands what `find` finds to the set, on a thread of its own, and returns what `find` answers
    /// as well. The preferences of contact methods are read, one call each.
    ///
    /// `find` is handed a stop, with which its look-ups end when the future is dropped, and what
    /// takes the rows. It answers as of when it knew the contacts, too.
    ///
    /// # Errors
    ///
    /// Those of `find`, and errors for failures to read or write. Then there is no set, nor when the
    /// future is dropped.
    #[doc(hidden)]
    pub async fn plan<T: Transport, F: Send + 'static, E>(
        self,
        service: &ContactsService<T>,
        find: impl FnOnce(&Stop, &mut Take<'_>) -> Result<(F, Timestamp), E> + Send + 'static,
        out: impl AsRef<Path>,
    ) -> Result<(TurnedOff, F), E>
    where
        E: From<BulkError> + From<MirrorError> + Send + 'static,
    {
        let out = out.as_ref();
        self.site.admit_service(service, out)?;
        let work = move |caller: &Caller, out: &Path, stop: &Stop| {
            let draft = Draft::create(out, &self.site, SetKind::OptOut, stop)?;
            let mut making = Making::new(&draft, self.unknown_flags);
            let (found, known_at) = find(stop, &mut |copies| making.add(copies))?;
            caller.wait_for(making.read_methods(&caller.service))?;
            let told = making.told;
            if told.changes > 0 {
                self.describe(&draft, &told, known_at)?;
                draft.finish()?;
            }
            Ok((told, found))
        };
        with_service(service, out, work).await
    }

    fn describe(
        &self,
        draft: &Draft,
        told: &TurnedOff,
        known_at: Timestamp,
    ) -> Result<(), BulkError> {
        draft.set_options(&self.options)?;
        draft.set_unknown_flags(self.unknown_flags)?;
        describe_input(draft, &self.source, InputFormat::Csv, Marks::default(), &self.columns)?;
        draft.set_received(self.received.as_slice())?;
        draft.set_unreadable(&told.unreadable)?;
        draft.set_notes(&told.notes)?;
        draft.set_known_at(known_at)
    }
}

/// Why nothing can be turned off where the flags are not known, and what helps.
#[doc(hidden)]
pub const UNKNOWN_FLAGS: &str = "the service does not tell its preferences, which are set all or none: \
                                 `--unknown-flags on` lets job reminders, invoices and \
                                 statements go on, and `off` ends them too";

/// What takes the rows of a plan.
pub type Take<'a> = dyn FnMut(Copies) -> Result<(), BulkError> + 'a;

/// A set in the making.
struct Making<'a> {
    draft: &'a Draft,
    unknown_flags: Option<bool>,
    /// How many rows are kept.
    rows: u64,
    /// The rows whose methods are still to be read.
    waiting: Vec<RowOf>,
    /// These methods, each with its place in `waiting`.
    methods: Vec<(usize, ContactMethod)>,
    told: TurnedOff,
}

/// A row, which is kept with its first change.
enum RowOf {
    Kept(u64),
    NotYet(Vec<String>),
}

impl<'a> Making<'a> {
    fn new(draft: &'a Draft, unknown_flags: Option<bool>) -> Self {
        let (waiting, methods, told) = Default::default();
        Self { draft, unknown_flags, rows: 0, waiting, methods, told }
    }

    fn add(&mut self, copies: Copies) -> Result<(), BulkError> {
        let Copies { cells, flags, contacts, methods } = copies;
        let wanted = Action::Update(Wanted::of(ContactChange::new().preferences(flags)));
        let mut row = RowOf::NotYet(cells);
        for (owner, contact) in contacts {
            let action = judge::completed(&wanted, Some(&contact), self.unknown_flags);
            let outcome = judge::action(&action, Some(&contact));
            let target = Target::Contact { owner, contact: Some(contact.id) };
            match outcome.state {
                State::Already => {}
                State::Planned => self.change(&mut row, target, &action, contact.into())?,
                _ if contact.preferences.is_none() => {
                    self.told.cannot.push((target, UNKNOWN_FLAGS.to_owned()));
                }
                _ => self.told.cannot.push((target, outcome.message.unwrap_or_default())),
            }
        }
        if !methods.is_empty() {
            let place = self.waiting.len();
            self.waiting.push(row);
            self.methods.extend(methods.into_iter().map(|method| (place, method)));
        }
        Ok(())
    }

    fn change(
        &mut self,
        row: &mut RowOf,
        target: Target,
        action: &Action,
        before: Image,
    ) -> Result<(), BulkError> {
        let number = match row {
            RowOf::Kept(number) => *number,
            RowOf::NotYet(cells) => {
                self.rows += 1;
                let data = record(cells.iter().map(String::as_str));
                // The first line has the names of the columns.
                self.draft.add_row(self.rows, self.rows + 1, &data)?;
                self.rows
            }
        };
        *row = RowOf::Kept(number);
        self.told.changes += 1;
        let outcome = Outcome::new(State::Planned);
        let (row, before) = (Some(number), Some(before));
        self.draft.add_change(&Planned { row, target, action, before, outcome })
    }

    /// Reads the preferences of the methods, and adds the changes of those that are not off.
    async fn read_methods<T: Transport>(
        &mut self,
        service: &ContactsService<T>,
    ) -> Result<(), BulkError> {
        let (methods, mut waiting) =
            (std::mem::take(&mut self.methods), std::mem::take(&mut self.waiting));
        if methods.is_empty() {
            return Ok(());
        }
        let types = service.people().preference_types().await?;
        let names = chosen(&types, false, &mut self.told.notes);
        if names.is_empty() {
            let why = "no preference of contact methods is about marketing";
            let cannot = methods.iter().map(|(_, method)| (target(method), why.to_owned()));
            self.told.cannot.extend(cannot);
            return Ok(());
        }
        let wanted: BTreeMap<_, _> = names.into_iter().map(|name| (name, false)).collect();
        let action = Action::MethodPreferences(wanted.clone());
        let read = async |(place, method)| {
            let read = preferences(service, method).await?;
            Ok::<_, BulkError>(read.map(|read| (place, clock::now(), read)))
        };
        let mut read = pin!(stream::iter(methods).map(read).buffered(CALLS_AT_ONCE));
        while let Some(read) = read.try_next().await? {
            // None has been deleted since it was listed.
            let Some((place, at, read)) = read else { continue };
            let (method, image) = match read {
                Ok(read) => read,
                Err(unreadable) => {
                    self.told.unreadable.push(unreadable);
                    continue;
                }
            };
            let receives = !is_met(&image, &wanted);
            self.told.methods.push(MethodReading { method: method.id, receives, at });
            if let Some(row) = waiting.get_mut(place).filter(|_| receives) {
                self.change(row, target(&method), &action, image.into())?;
            }
        }
        Ok(())
    }
}
