//! From a list of numbers and addresses to a change set that reaches every copy of them.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use crm_contacts::ContactsService;
use crm_models::{ContactMethod, ContactMethodFilter, PreferenceType, Timestamp};
use crm_transport::Transport;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    Action, BulkError, Input, InputFormat, MethodImage, Outcome, PlanSummary, Site, Snapshot,
    State, Target, Wanted,
    input::{BadRows, Entries},
    plan::{NO_SUCH_VALUE, describe_input, judge},
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
/// The list is CSV. A header names the column with the number or address (`value`, `number`,
/// `phone`, `email`, `address`) and, if there is one, that with the date on which the wish was
/// received (`received`, `date_received`, `date`); without a header the first cell counts. All
/// other columns, for example a reason, are carried along.
///
/// ```no_run
/// # use crm_bulk::{BulkError, Input, OptOut, Snapshot};
/// # use crm_contacts::ContactsService;
/// # use crm_transport::Transport;
/// # async fn example<T: Transport>(contacts: ContactsService<T>, snapshot: Snapshot) -> Result<(), BulkError> {
/// let list = Input::open("opt-outs.csv")?;
/// OptOut::new(snapshot).plan(&contacts, list, "opt-outs.crm").await?;
/// # Ok(())
/// # }
/// ```
///
/// Text messages are another matter: whether a number may get them belongs to the number, and
/// no operation of the contacts API can set it. The plan says so in its notes.
#[derive(Debug)]
#[must_use]
pub struct OptOut {
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
    pub fn new(snapshot: Snapshot) -> Self {
        Self {
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
    /// [`BulkError::InvalidRows`], [`BulkError::SnapshotIncomplete`], and failures to read or
    /// write. There is no change set then.
    pub async fn plan<T: Transport>(
        self,
        service: &ContactsService<T>,
        list: Input,
        out: impl AsRef<Path>,
    ) -> Result<PlanSummary, BulkError> {
        let site = self.snapshot.site().clone();
        let given = Site::new(service.tenant(), site.environment());
        given.admit(&site, self.snapshot.path())?;
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
        search.finish(draft, known_at)
    }

    /// Plans the contacts of customers and locations.
    fn contacts(self, list: Input, draft: &Draft) -> Result<Search, BulkError> {
        let (name, delimiter) = (list.name().to_owned(), list.dialect().delimiter);
        let list = Entries::read(list)?;
        describe_input(draft, &name, InputFormat::Csv, delimiter, &list.header)?;
        let mut bad = BadRows::new(
            InputFormat::Csv,
            delimiter,
            &list.header,
            self.mend.as_deref(),
        );
        let action = Action::Update(self.wanted());
        let mut search = Search::default();
        for entry in list.entries {
            search.rows += 1;
            let row = search.rows;
            let entry = match entry {
                Ok(entry) => entry,
                Err(entry) => {
                    bad.add(entry.line, entry.cells, &entry.data)?;
                    continue;
                }
            };
            draft.add_row(row, entry.line, &entry.data)?;
            let found = self.snapshot.with_key(&entry.key, None)?;
            search.found.insert(row, found.len());
            for (owner, known) in found {
                let Action::Update(wanted) = &action else {
                    continue;
                };
                let contact = &known.contact;
                search.texts_allowed +=
                    u64::from(contact.contact_type.is_phone() && !contact.do_not_text());
                draft.add_change(&Planned {
                    row: Some(row),
                    target: Target::Contact {
                        owner,
                        contact: Some(contact.id),
                    },
                    action: &action,
                    before: Some(&known.json),
                    outcome: judge::update(wanted, Some(contact)),
                })?;
            }
            search.rows_by_key.entry(entry.key).or_default().push(row);
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
    /// The rows that ask for a number or address; the same may stand in several.
    rows_by_key: HashMap<String, Vec<u64>>,
    /// How often the value of a row was found.
    found: BTreeMap<u64, usize>,
    /// Telephone numbers that may get text messages.
    texts_allowed: u64,
    invalid: Option<crate::InvalidRows>,
    notes: Vec<String>,
}

impl Search {
    fn finish(mut self, draft: Draft, known_at: Timestamp) -> Result<PlanSummary, BulkError> {
        for (row, found) in &self.found {
            if *found == 0 {
                draft.settle_row(*row, State::NotFound, NO_SUCH_VALUE)?;
            }
        }
        if self.texts_allowed > 0 {
            self.notes.push(format!(
                "Text messages are not covered: no operation of the contacts API can set \
                 \"do not text\". {} of the contacts found are numbers that may still get text \
                 messages; block them where your text messages are sent from.",
                self.texts_allowed
            ));
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
    if wanted.is_empty() || search.rows_by_key.is_empty() {
        return Ok(());
    }
    let all = service.people().contact_methods(ContactMethodFilter::new());
    let mut pages = std::pin::pin!(all.page_size(PAGE).pages());
    while let Some(page) = pages.try_next().await? {
        let key = |method: &ContactMethod| method.contact_type.key(&method.value);
        let matching: Vec<_> = page
            .data
            .into_iter()
            .filter(|method| search.rows_by_key.contains_key(&key(method)))
            .collect();
        let read = async |method: ContactMethod| {
            let image = MethodImage {
                contact_type: method.contact_type.clone(),
                value: method.value.clone(),
                preferences: BTreeMap::new(),
            };
            let image = present::method(service, method.contact_id, method.id, image).await?;
            Ok::<_, BulkError>((method, image))
        };
        let mut read = std::pin::pin!(stream::iter(matching).map(read).buffered(CALLS_AT_ONCE));
        while let Some((method, image)) = read.try_next().await? {
            let before = serde_json::to_string(&image).map_err(|e| draft.unwritable(e))?;
            let met = wanted
                .iter()
                .all(|(name, on)| image.preferences.get(name) == Some(&Some(*on)));
            let state = if met { State::Already } else { State::Planned };
            for row in search.rows_by_key.get(&key(&method)).into_iter().flatten() {
                *search.found.entry(*row).or_default() += 1;
                draft.add_change(&Planned {
                    row: Some(*row),
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
    }
    Ok(())
}
