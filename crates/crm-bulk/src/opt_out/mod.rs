//! From a list of numbers and addresses to a change set that reaches every copy of them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
};

use crm_contacts::ContactsService;
use crm_models::{
    ContactId, ContactMethod, ContactMethodFilter, ContactMethodSort, ContactType, PreferenceType,
    Sort, Timestamp,
};
use crm_transport::Transport;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    Action, BulkError, Input, MethodImage, Outcome, OwnerId, PlanSummary, Site, Snapshot, State,
    Target, Wanted,
    input::{BadRows, Entries},
    plan::{NO_SUCH_VALUE, describe_input, judge, leave_out, refuse_to_mend_in},
    present,
    set::{
        SetKind,
        draft::{Draft, Planned},
    },
};

/// Plans an opt-out or opt-in: every contact with one of the numbers or addresses of a list, on
/// every customer and every location, and every contact method of a person.
///
/// Numbers are found by their digits and addresses without case, however they are written.
/// Marketing is turned off (or on) and all other flags are kept, unless
/// [`every_flag`](Self::every_flag).
///
/// The list is CSV or NDJSON. Every column with numbers or addresses counts: its header is
/// `value`, `number` or `address`, or ends in `phone`, `mobile`, `cell`, `fax`, `email` or the
/// like, as `Home Phone`, `Phone # (work)` and `email_2` do. One of `received`, `date_received`
/// or `date` has the date on which the wish was received. All other columns are carried along; a
/// row with a number or an address in one of them is wrong, unless it is a `reason`. CSV without
/// a header has the value in the first cell.
///
/// An extension of a number does not count: who opts out `8185550142` is not called at
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
/// Text messages are another matter: whether a number may get them belongs to the number, and
/// no operation of the contacts API can set it. The plan says so in its notes.
#[derive(Debug)]
#[must_use]
pub struct OptOut {
    site: Site,
    snapshot: Snapshot,
    on: bool,
    every_flag: bool,
    people: bool,
    skip_invalid: bool,
    mend: Option<PathBuf>,
}

/// How many contact methods' preferences are read at once; the transport keeps the rate.
const CALLS_AT_ONCE: usize = 8;
/// The largest page that the API gives.
const PAGE: i32 = 5_000;

impl OptOut {
    /// Turns marketing off. The snapshot finds the contacts: bring it up to date first.
    pub fn new(site: Site, snapshot: Snapshot) -> Self {
        Self {
            site,
            snapshot,
            on: false,
            every_flag: false,
            people: true,
            skip_invalid: false,
            mend: None,
        }
    }

    /// Turns marketing on instead.
    pub fn opt_in(mut self) -> Self {
        self.on = true;
        self
    }

    /// Sets every flag, not marketing alone: reminders of jobs, invoices and statements too.
    pub fn every_flag(mut self) -> Self {
        self.every_flag = true;
        self
    }

    /// Leaves the contact methods of people out, for an app without their scope. The plan's
    /// notes say so.
    pub fn without_people(mut self) -> Self {
        self.people = false;
        self
    }

    /// Leaves wrong entries out instead of planning nothing.
    pub fn skip_invalid(mut self) -> Self {
        self.skip_invalid = true;
        self
    }

    /// Writes wrong entries to this file, to be mended and fed in again.
    pub fn mend_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.mend = Some(path.into());
        self
    }

    /// Finds everything and writes the change set. Walks through all contact methods of
    /// people, 5,000 in a call, since how the API's own search compares is not documented.
    ///
    /// # Errors
    ///
    /// [`BulkError::InvalidRows`], [`BulkError::SnapshotIncomplete`],
    /// [`BulkError::WrongTenant`] and [`BulkError::WrongEnvironment`] for a snapshot of other
    /// data, and failures to read or write. There is no change set then.
    pub async fn plan<T: Transport>(
        self,
        service: &ContactsService<T>,
        list: Input,
        out: impl AsRef<Path>,
    ) -> Result<PlanSummary, BulkError> {
        let site = self.site.clone();
        site.admit_service(service, self.snapshot.path())?;
        site.admit(self.snapshot.site(), self.snapshot.path())?;
        let known_at = self
            .snapshot
            .known_at()?
            .ok_or_else(|| BulkError::SnapshotIncomplete {
                path: self.snapshot.path().to_owned(),
            })?;
        let kind = if self.on {
            SetKind::OptIn
        } else {
            SetKind::OptOut
        };
        let mut draft = Draft::create(out.as_ref(), &site, kind)?;
        let (on, every_flag, people) = (self.on, self.every_flag, self.people);
        let mut search = self.contacts(list, &draft)?;
        if people {
            let types = service.people().preference_types().await?;
            let names = chosen(&types, every_flag, &mut search.notes);
            let wanted = names.into_iter().map(|name| (name, on)).collect();
            methods(service, &mut draft, &mut search, &wanted).await?;
        } else {
            let note = "The contact methods of people were left out: they are not covered.";
            search.notes.push(note.to_owned());
        }
        search.finish(draft, known_at, on)
    }

    /// Plans the contacts of customers and locations.
    fn contacts(self, list: Input, draft: &Draft) -> Result<Search, BulkError> {
        let (name, delimiter) = (list.name().to_owned(), list.dialect().delimiter);
        let format = list.format();
        let mut others = vec![draft.path(), self.snapshot.path()];
        others.extend(list.path());
        refuse_to_mend_in(self.mend.as_deref(), &others)?;
        let list = Entries::read(list)?;
        describe_input(draft, &name, format, delimiter, &list.header)?;
        let mut bad = BadRows::new(&name, format, delimiter, &list.header, self.mend.as_deref());
        let wanted = self.wanted();
        let action = Action::Update(wanted.clone());
        let mut search = Search::default();
        for entry in list.entries {
            search.rows += 1;
            let row = search.rows;
            let values = match entry.values {
                Ok(values) => values,
                Err(cells) => {
                    leave_out(draft, row, entry.line, &cells, &entry.data)?;
                    bad.add(entry.line, cells, &entry.data)?;
                    continue;
                }
            };
            draft.add_row(row, entry.line, &entry.data)?;
            for (column, key) in values {
                search.numbers |= !key.contains('@');
                let found = self.snapshot.with_key(&key, None)?;
                for (owner, known) in &found {
                    let contact = &known.contact;
                    let takes_texts = !matches!(contact.contact_type, ContactType::Fax)
                        && contact.contact_type.is_phone();
                    let takes_none = contact.do_not_text() == Some(true);
                    if takes_texts && takes_none == self.on {
                        search.texts_otherwise.insert((*owner, contact.id));
                    }
                    draft.add_change(&Planned {
                        row: Some(row),
                        target: Target::Contact {
                            owner: *owner,
                            contact: Some(contact.id),
                        },
                        action: &action,
                        before: Some(&known.json),
                        outcome: judge::update(&wanted, Some(contact)),
                    })?;
                }
                search.sought.entry(key).or_default().push(Sought {
                    row,
                    column,
                    found: !found.is_empty(),
                });
            }
        }
        match bad.finish()? {
            Some(invalid) if !self.skip_invalid => Err(invalid.into()),
            invalid => Ok(Search { invalid, ..search }),
        }
    }

    fn wanted(&self) -> Wanted {
        let others = self.every_flag.then_some(self.on);
        Wanted {
            marketing_updates: Some(self.on),
            job_reminders: others,
            invoices: others,
            statements: others,
            ..Wanted::default()
        }
    }
}

/// What was found so far.
#[derive(Default)]
struct Search {
    rows: u64,
    /// Who asks for each number or address; the same may stand in several rows.
    sought: HashMap<String, Vec<Sought>>,
    /// Whether there is a telephone number among them.
    numbers: bool,
    /// Telephone numbers whose text messages are not as the list wants them.
    texts_otherwise: HashSet<(OwnerId, ContactId)>,
    invalid: Option<crate::InvalidRows>,
    notes: Vec<String>,
}

/// A number or an address of a row.
struct Sought {
    row: u64,
    column: String,
    found: bool,
}

impl Search {
    fn finish(
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
        let notes = serde_json::to_string(&self.notes).map_err(|e| draft.unwritable(e))?;
        draft.set_meta("notes", &notes)?;
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

/// The names of the preferences to set. They are not documented, so they are taken from the
/// API: those that speak of marketing, or all that are on or off.
fn chosen(types: &[PreferenceType], every_flag: bool, notes: &mut Vec<String>) -> Vec<String> {
    let speaks_of_marketing =
        |kind: &&PreferenceType| kind.name.to_lowercase().contains("marketing");
    let is_flag = |kind: &&PreferenceType| kind.data_type.eq_ignore_ascii_case("Bool");
    let chosen: Vec<_> = types
        .iter()
        .filter(|kind| every_flag || speaks_of_marketing(kind))
        .filter(is_flag)
        .map(|kind| kind.name.clone())
        .collect();
    let passed_over: Vec<_> = types
        .iter()
        .filter(|kind| (every_flag || speaks_of_marketing(kind)) && !is_flag(kind))
        .map(|kind| kind.name.as_str())
        .collect();
    if !passed_over.is_empty() {
        notes.push(format!(
            "These preferences of contact methods are not on or off and were left alone: {}.",
            passed_over.join(", ")
        ));
    }
    if chosen.is_empty() {
        let known: Vec<_> = types.iter().map(|kind| kind.name.as_str()).collect();
        notes.push(format!(
            "No preference of contact methods speaks of marketing, so people's contact methods \
             were left alone. The API knows: {}.",
            known.join(", ")
        ));
    }
    chosen
}

/// Plans the contact methods of people.
async fn methods<T: Transport>(
    service: &ContactsService<T>,
    draft: &mut Draft,
    search: &mut Search,
    wanted: &BTreeMap<String, bool>,
) -> Result<(), BulkError> {
    if wanted.is_empty() || search.sought.is_empty() {
        return Ok(());
    }
    // A fixed order, and nothing in between: what is added or removed meanwhile moves the pages.
    let in_order = ContactMethodFilter::new().sort(Sort::ascending(ContactMethodSort::Id));
    let all = service.people().contact_methods(in_order);
    let mut pages = std::pin::pin!(all.page_size(PAGE).pages());
    let key = |method: &ContactMethod| method.contact_type.key(&method.value);
    let mut matching = BTreeMap::new();
    while let Some(page) = pages.try_next().await? {
        let found = page.data.into_iter();
        let found = found.filter(|method| search.sought.contains_key(&key(method)));
        matching.extend(found.map(|method| (method.id, method)));
    }
    let read = async |method: ContactMethod| {
        let image = MethodImage {
            contact_type: method.contact_type.clone(),
            value: method.value.clone(),
            preferences: BTreeMap::new(),
        };
        match present::method(service, method.contact_id, method.id, image).await {
            Ok(image) => Ok(Some((method, image))),
            // Deleted since it was listed.
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(BulkError::from(error)),
        }
    };
    let mut read = std::pin::pin!(
        stream::iter(matching.into_values())
            .map(read)
            .buffered(CALLS_AT_ONCE)
    );
    while let Some(found) = read.try_next().await? {
        let Some((method, image)) = found else {
            continue;
        };
        let before = serde_json::to_string(&image).map_err(|e| draft.unwritable(e))?;
        let met = wanted
            .iter()
            .all(|(name, on)| image.preferences.get(name) == Some(&Some(*on)));
        let state = if met { State::Already } else { State::Planned };
        for sought in search.sought.get_mut(&key(&method)).into_iter().flatten() {
            sought.found = true;
            draft.add_change(&Planned {
                row: Some(sought.row),
                target: Target::Method {
                    person: method.contact_id,
                    method: method.id,
                },
                action: &Action::MethodPreferences(wanted.clone()),
                before: Some(&before),
                outcome: Outcome::new(state),
            })?;
        }
    }
    Ok(())
}
