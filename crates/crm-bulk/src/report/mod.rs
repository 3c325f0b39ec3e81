//! One page for people: what a set changes, and what became of it; and beside it all of that as CSV.

mod deadline;
mod entry;
mod evidence;
mod hashed;
mod left_out;
mod markup;
#[doc(hidden)]
pub mod page;
mod past;
mod received;
mod section;
mod words;

use std::io::{self, Write};

use crm_models::Timestamp;
use maud::{Markup, html};

use self::{
    deadline::Deadline,
    entry::{Entry, Place, Places, Remarks},
    evidence::{Beside, Evidence},
    markup::foreign,
    past::Past,
    section::Section,
};
pub use self::{deadline::LastDay, left_out::LeftOut, past::PastEvent};
use crate::{
    error::BulkError,
    set::{
        Change, Decision, DecisionKind, Digest, ListTotals, Named, SetInfo, SetKind, State, Totals,
    },
    store::{ChangeSet, Selection},
    undone::{Undone, UndoneBy, UndoneChanges},
    verify::Verification,
};

/// A page about a set for people, and beside it all that it is about as CSV.
///
/// ```no_run
/// use crm_bulk::{AtomicWriter, BulkError, ChangeSet, Report};
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut evidence = AtomicWriter::create("june.html.csv".as_ref())?;
/// let mut page = AtomicWriter::create("june.html".as_ref())?;
/// let set = ChangeSet::open("june.crm")?;
/// Report::of(&set).write_with_evidence(&mut page, &mut evidence, "june.html.csv")?;
/// evidence.finish()?;
/// page.finish()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is written before `write`"]
pub struct Report<'a> {
    set: &'a ChangeSet,
    past: Option<Past<'a>>,
    deadline: Deadline<'a>,
    left_out: Vec<LeftOut>,
    notes: Vec<String>,
    remarks: Remarks<'a>,
}

impl<'a> Report<'a> {
    /// Begins the page of a set.
    pub fn of(set: &'a ChangeSet) -> Self {
        let (deadline, left_out, notes) = (Deadline::usual(), Vec::new(), Vec::new());
        Self { set, past: None, deadline, left_out, notes, remarks: Remarks::default() }
    }

    /// Tells besides what happened to the records of the set through something else: before it and
    /// after it, by other sets and by single writes, in the order in which these events come. A set
    /// does not know it; whoever keeps several does. `notes` are sentences about what could not be
    /// looked at. The events are taken one after another, and the page shows as many as it has room
    /// for and says how many there are. The notes are taken after the last event.
    pub fn past(
        self,
        events: impl Iterator<Item = io::Result<PastEvent>> + 'a,
        notes: impl Iterator<Item = String> + 'a,
    ) -> Self {
        let past = Past { events: Box::new(events), notes: Box::new(notes) };
        Self { past: Some(past), ..self }
    }

    /// Sets how the last day in time of a wish is counted, in place of ten business days from Monday to
    /// Friday. `last_days` gets the day on which it came in, written like `2026-11-23`, if that is known;
    /// the change of one record that has its number or address, since each has a last day of its own, or
    /// none where nothing was found; and when it was done, or now. A record has several, each
    /// [of](LastDay::of) some messages, where these have wishes of their own. Nothing is late that has no last
    /// day.
    /// `words` say how it is counted, as in `by the policies of the ledger`.
    pub fn last_days(
        self,
        words: impl Into<String>,
        last_days: impl Fn(Option<&str>, Option<&Change>, Timestamp) -> Vec<LastDay> + 'a,
    ) -> Self {
        Self { deadline: Deadline::by(words.into(), last_days), ..self }
    }

    /// Tells besides which records should be as the set makes others, and cannot be set.
    pub fn left_out(self, left_out: Vec<LeftOut>) -> Self {
        Self { left_out, ..self }
    }

    /// Tells besides what somebody knows of single changes that the set does not know: in an entry of a
    /// list it asks for attention.
    pub fn remark(self, of: impl Fn(&Change) -> Option<String> + 'a) -> Self {
        Self { remarks: Remarks(Some(Box::new(of))), ..self }
    }

    /// Adds a sentence about the set that it does not know itself.
    pub fn note(mut self, sentence: impl Into<String>) -> Self {
        self.notes.push(sentence.into());
        self
    }

    /// Writes one self-contained HTML page: totals, what changes from what to what, and the
    /// outcomes; for opt-outs also the evidence, entry by entry. What needs attention comes first.
    /// The page loads nothing from the network, reads well on a phone and on paper, and contains
    /// numbers and addresses in clear text.
    ///
    /// The page stays below a megabyte, however large the set is: each section says how many of its
    /// entries are shown. [`write_with_evidence`](Self::write_with_evidence) writes all of them.
    ///
    /// # Errors
    ///
    /// [`BulkError::Altered`] if the set is not what was planned, or a failure to read the set or
    /// the events, or to write.
    pub fn write(self, page: impl Write) -> Result<(), BulkError> {
        self.write_both(page, None::<(io::Sink, &str)>)
    }

    /// Writes the page of [`write`](Self::write), and everything that it is about as CSV into a
    /// second file: each row of the input with each place where it was found, each change with its
    /// ids, what it makes different, its state, trace id and time, which set has undone it, and what
    /// reading back found to be no longer so; and each event that happened to the records
    /// besides. The page names that file as `name` and states its SHA-256, so that it can be
    /// shown later that the two belong together.
    ///
    /// The evidence is written first: put it in place before the page.
    ///
    /// # Errors
    ///
    /// The same errors as `write`.
    pub fn write_with_evidence(
        self,
        page: impl Write,
        evidence: impl Write,
        name: &str,
    ) -> Result<(), BulkError> {
        self.write_both(page, Some((evidence, name)))
    }

    fn write_both(
        self,
        page: impl Write,
        evidence: Option<(impl Write, &str)>,
    ) -> Result<(), BulkError> {
        let Self { set, past, deadline, left_out, notes, remarks } = self;
        let digest = set.known_digest()?;
        let (mut info, totals, undone) = (set.info()?, set.totals()?, set.undone_changes()?);
        info.notes = set.notes()?;
        // An undo has some of them itself.
        let notes = notes.into_iter().filter(|note| !info.notes.contains(note));
        info.notes.extend(notes.collect::<Vec<_>>());
        let mut listed = matches!(info.kind, SetKind::OptOut | SetKind::OptIn)
            .then(|| Listed::new(deadline.words()));
        let mut told = past.map(Told::of);
        let beside = match evidence {
            Some((out, name)) => {
                let (listed, told) = (listed.as_mut(), told.as_mut());
                let known = (&undone, &deadline, &left_out[..], &remarks);
                Some(set.write_evidence((out, name), &info, known, (listed, told))?)
            }
            None => {
                if let Some(listed) = &mut listed {
                    entry::for_each(set, (&undone, &remarks), &deadline, |entry| {
                        listed.add(&entry);
                        Ok(())
                    })?;
                }
                if let Some(told) = &mut told {
                    told.take(set, |_, _| Ok(()))?;
                }
                None
            }
        };
        let late = listed.as_ref().map_or(0, |listed| listed.late);
        let sections = match listed {
            Some(listed) => listed.sections().into(),
            None => set.changes_in_sections(&totals, (&undone, &remarks))?,
        };
        let mut page = Page { set, out: io::BufWriter::new(page) };
        let undone = undone.in_numbers(totals.in_state(State::Done));
        page.write(&set.head(&info, digest, &totals, late, &undone)?)?;
        page.write(&about_evidence(beside.as_ref()))?;
        if let Some(verification) = set.verification()? {
            page.write(&read_back(&verification))?;
        }
        let rest = rest(beside.as_ref());
        for section in sections.iter().chain([&out(&left_out), &unreadable(&info)]) {
            page.write(&section.markup(&rest))?;
        }
        if let Some(told) = &told {
            page.write(&told.markup(&rest))?;
        }
        page.write(&page::end())?;
        page.out.flush().map_err(|e| page.unwritten(e))
    }
}

impl ChangeSet {
    /// Writes the page about the set: [`Report::write`].
    ///
    /// # Errors
    ///
    /// The same errors as `Report::write`.
    pub fn report(&self, page: impl Write) -> Result<(), BulkError> {
        Report::of(self).write(page)
    }

    /// Writes the page and all that it is about: [`Report::write_with_evidence`].
    ///
    /// # Errors
    ///
    /// The same errors as `Report::write`.
    pub fn report_with_evidence(
        &self,
        page: impl Write,
        evidence: impl Write,
        name: &str,
    ) -> Result<(), BulkError> {
        Report::of(self).write_with_evidence(page, evidence, name)
    }

    fn write_evidence<'a>(
        &self,
        (out, name): (impl Write, &'a str),
        info: &SetInfo,
        (undone, deadline, left_out, remarks): Known<'_>,
        (mut listed, told): (Option<&mut Listed>, Option<&mut Told<'_>>),
    ) -> Result<Beside<'a>, BulkError> {
        let unwritten = |e| BulkError::file(self.path(), "written as evidence", e);
        let mut evidence = Evidence::begin(out).map_err(unwritten)?;
        entry::for_each(self, (undone, remarks), deadline, |entry| {
            if let Some(listed) = &mut listed {
                listed.add(&entry);
            }
            evidence.add(&entry).map_err(unwritten)
        })?;
        let mut unreadable = info.unreadable.iter();
        unreadable.try_for_each(|record| evidence.add_unreadable(record)).map_err(unwritten)?;
        left_out.iter().try_for_each(|left| evidence.add_left_out(left)).map_err(unwritten)?;
        if let Some(told) = told {
            told.take(self, |event, named| evidence.add_past(event, named).map_err(unwritten))?;
        }
        evidence.finish(name).map_err(unwritten)
    }

    /// What needs attention, the rows that ask for no change, and then everything else.
    fn changes_in_sections(
        &self,
        totals: &Totals,
        known: (&UndoneChanges, &Remarks<'_>),
    ) -> Result<Vec<Section>, BulkError> {
        let rest = |state: State| !state.needs_attention() && state != State::Already;
        let places = Places::of(self, known)?;
        let cautioned = Selection::states([State::Planned]).cautioned();
        let cautions = self.cautioned()?;
        let attention = in_states(State::needs_attention);
        let mut first = Section::new("Needs attention", markup::TABLE);
        self.add_changes(&mut first, &attention, &places, |_| true)?;
        if cautions > 0 {
            self.add_changes(&mut first, &cautioned, &places, |_| true)?;
        }
        first.set_all(totals.count(State::needs_attention) + cautions);
        let mut others = Section::new("Changes", markup::TABLE);
        let is_other = |place: &Place| place.caution().is_none();
        self.add_changes(&mut others, &in_states(rest), &places, is_other)?;
        others.set_all(totals.count(rest) - cautions);
        Ok(vec![first, self.rows_left_out()?, others])
    }

    /// Adds the selected changes that belong to a section, until it is full.
    fn add_changes(
        &self,
        section: &mut Section,
        selected: &Selection,
        places: &Places<'_>,
        belongs: impl Fn(&Place) -> bool,
    ) -> Result<(), BulkError> {
        for change in self.changes(selected) {
            if section.is_full() {
                break;
            }
            let place = places.place(change?)?;
            if belongs(&place) {
                section.add(|| markup::change(&place));
            }
        }
        Ok(())
    }

    /// The rows that ask for no change: wrong, or about a value that no contact has.
    fn rows_left_out(&self) -> Result<Section, BulkError> {
        let mut section = Section::new("Rows without a change", markup::LIST);
        let sql = "SELECT row, row + other_lines AS line, message FROM rows
             WHERE state IS NOT NULL ORDER BY row LIMIT ?";
        // A line of the list has no fewer bytes than this.
        let most = section::BYTES / "<li>Row 1 (line 2)</li>".len();
        let rows = self.database.rows(sql, [most], |row| {
            let (number, line): (u64, u64) = (row.get("row")?, row.get("line")?);
            Ok((number, line, row.get::<_, Option<String>>("message")?))
        })?;
        for (number, line, message) in rows {
            section.add(|| markup::row_left_out(number, line, message.as_deref()));
        }
        section.set_all(self.count("SELECT count(*) FROM rows WHERE state IS NOT NULL")?);
        Ok(section)
    }

    /// What the set comes to in numbers, each with its words and its class: what needs attention
    /// first.
    fn tiles(
        &self,
        info: &SetInfo,
        totals: &Totals,
        late: u64,
    ) -> Result<Vec<(u64, &'static str, &'static str)>, BulkError> {
        let bad = |count, one, many| (count, if count == 1 { one } else { many }, "bad");
        let rows = [
            bad(late, "entry late", "entries late"),
            bad(self.unmatched_rows()?, "row found nowhere", "rows found nowhere"),
            bad(self.invalid_rows()?, "row wrong, left out", "rows wrong, left out"),
            bad(info.look_at, "record to look at", "records to look at"),
            bad(info.unreadable.len() as u64, "record cannot be read", "records cannot be read"),
            bad(self.cautioned()?, "change to look at first", "changes to look at first"),
        ];
        let stored = (self.stored_otherwise()?, "stored otherwise than sent", "done");
        let (first, rest): (Vec<_>, Vec<_>) =
            State::ALL.into_iter().partition(|state| state.needs_attention());
        let tile = |state| {
            let (word, class) = words::state(state);
            (totals.in_state(state), word, class)
        };
        let rest = rest.into_iter().map(tile).chain([stored]);
        let tiles = first.into_iter().map(tile).chain(rows).chain(rest);
        Ok(tiles.filter(|(count, ..)| *count > 0).collect())
    }

    /// The page down to what the set is. The body stays open.
    fn head(
        &self,
        info: &SetInfo,
        digest: Option<Digest>,
        totals: &Totals,
        late: u64,
        undone: &Undone,
    ) -> Result<Markup, BulkError> {
        let (decisions, approval) = (self.decisions()?, self.approval()?);
        let of = |kind| decisions.iter().filter(move |it| it.kind == kind);
        let title = words::title(info.kind);
        let rows = self.count("SELECT count(*) FROM rows")?;
        let (list, repeats) = (self.list_totals()?, totals.repeats());
        let tiles = self.tiles(info, totals, late)?;
        Ok(html! {
            (page::begin(page::SET, title))
            ul.tiles {
                @for (count, word, class) in &tiles { li { b class=(class) { (count) } (word) } }
                @if tiles.is_empty() { li { b { "0" } "nothing to do" } }
            }
            @for by in &undone.by { (undone_by(by, undone)) }
            dl data-set=(page::identity(info)) {
                @if let Some(source) = &info.source { dt { "From the list" } dd { (foreign(source)) } }
                @if let Some(undone) = &info.undo_of {
                    dt { "Takes back" } dd { (foreign(&undone.display().to_string())) }
                }
                dt { "Tenant" } dd { (info.site.tenant()) }
                dt { "Server" } dd { (foreign(info.site.environment())) }
                @if let Some(at) = info.created_at {
                    dt { "Planned" }
                    dd {
                        (words::time(at))
                        @if let Some(user) = &info.planned_by { " by " (foreign(user)) }
                    }
                }
                @if let Some(at) = info.known_at { dt { "Contacts as of" } dd { (words::time(at)) } }
                @if rows > 0 { dt { "Rows in the list" } dd { (rows) } }
                @if let Some(ListTotals { values, found, .. }) = list {
                    dt { "Different numbers and addresses" }
                    dd { (values) " in the list, " (found) " of them found" }
                }
                @if repeats > 0 {
                    dt { "Contacts" }
                    dd {
                        (totals.all()) ", each counted once above; "
                        @if repeats == 1 { "once a later row is" }
                        @else { (repeats) " times a later row is" }
                        " about one of them again, and shows the outcome of the first"
                    }
                }
                @match digest {
                    Some(digest) => { dt { "Digest" } dd { code { (digest.short()) } } }
                    None => { dt { "Digest" } dd { "none: written by version 0.1" } }
                }
                dt { "Approved" }
                @match &approval {
                    Some(approval) => dd {
                        (decision(approval))
                        @if of(DecisionKind::Applied).any(|applied| applied.at <= approval.at) {
                            "; it had been applied before: " (changes(approval)) " were open then"
                        }
                    },
                    None => dd { "by nobody, as it is now" },
                }
                @for dropped in of(DecisionKind::Dropped) {
                    dt { "Taken out" } dd { (changes(dropped)) ", " (decision(dropped)) }
                }
                @for applied in of(DecisionKind::Applied) {
                    dt { "Applied" }
                    dd { (decision(applied)) "; " (changes(applied)) " were open then" }
                }
                @if !info.options.is_empty() {
                    dt { "Chosen" } dd { (foreign(&info.options.join("; "))) }
                }
                dt { "Versions" }
                dd {
                    @if let Some(version) = &info.version { "planned by " (foreign(version)) ", " }
                    "page by " (env!("CARGO_PKG_VERSION"))
                }
            }
            @for note in &info.notes { p.note { (foreign(note)) } }
        })
    }
}

/// What others know of a set.
type Known<'k> = (&'k UndoneChanges, &'k Deadline<'k>, &'k [LeftOut], &'k Remarks<'k>);

fn in_states(of: impl Fn(State) -> bool) -> Selection {
    Selection::states(State::ALL.into_iter().filter(|state| of(*state)))
}

/// The entries of a list.
struct Listed {
    attention: Section,
    nowhere: Section,
    others: Section,
    /// How many entries missed their day, and how that is counted.
    late: u64,
    counted: String,
}

impl Listed {
    fn new(counted: &str) -> Self {
        let section = |heading| Section::new(heading, ["", ""]);
        Self {
            attention: section("Needs attention"),
            nowhere: section("Found nowhere"),
            others: section("Entry by entry"),
            late: 0,
            counted: counted.to_owned(),
        }
    }

    fn add(&mut self, entry: &Entry) {
        self.late += u64::from(entry.late.is_some());
        let is_nowhere = entry.found.is_empty()
            && entry.row.as_ref().is_some_and(|row| row.state != Some(State::Already));
        let section = match () {
            () if entry.needs_attention() => &mut self.attention,
            () if is_nowhere => &mut self.nowhere,
            () => &mut self.others,
        };
        section.add(|| markup::entry(entry, &self.counted));
    }

    fn sections(self) -> [Section; 3] {
        [self.attention, self.others, self.nowhere]
    }
}

/// What else happened to the records, as far as the page has room for it.
struct Told<'a> {
    past: Past<'a>,
    section: Section,
    notes: Vec<String>,
}

impl<'a> Told<'a> {
    fn of(past: Past<'a>) -> Self {
        Self { past, section: Section::new(past::HEADING, past::TABLE), notes: Vec::new() }
    }

    /// Takes all events, and hands each to `each` with the name of its owner.
    fn take(
        &mut self,
        set: &ChangeSet,
        mut each: impl FnMut(&PastEvent, Option<&Named>) -> Result<(), BulkError>,
    ) -> Result<(), BulkError> {
        for event in &mut self.past.events {
            let unread =
                |e| BulkError::file(set.path(), "told what else happened to its records", e);
            let event = event.map_err(unread)?;
            let named = set.named(&event.record)?;
            each(&event, named.as_ref())?;
            self.section.add(|| past::row(&event, named.as_ref()));
        }
        self.notes.extend(&mut self.past.notes);
        Ok(())
    }

    fn markup(&self, rest: &Markup) -> Markup {
        html! {
            (self.section.markup(rest))
            @if self.section.is_empty() {
                h2 { (past::HEADING) }
                p { "Nothing, as far as is known." }
            }
            @for note in &self.notes { p { small { (foreign(note)) } } }
        }
    }
}

struct Page<'a, W: Write> {
    set: &'a ChangeSet,
    out: W,
}

impl<W: Write> Page<'_, W> {
    fn write(&mut self, markup: &Markup) -> Result<(), BulkError> {
        let written = self.out.write_all(markup.0.as_bytes());
        written.map_err(|e| self.unwritten(e))
    }

    fn unwritten(&self, error: io::Error) -> BulkError {
        BulkError::file(self.set.path(), "written as a page", error)
    }
}

/// How many changes a decision is about.
fn changes(decision: &Decision) -> Markup {
    html! { (decision.changes) @if decision.changes == 1 { " change" } @else { " changes" } }
}

/// Who decided, when and why.
fn decision(decision: &Decision) -> Markup {
    html! {
        (words::time(decision.at)) " by " (foreign(&decision.who()))
        @if let Some(reason) = &decision.reason { ": " (foreign(reason)) }
    }
}

/// What is beside the page, and how to see that it is still the same.
fn about_evidence(beside: Option<&Beside<'_>>) -> Markup {
    html! {
        @if let Some(Beside { name, lines, sha256 }) = beside {
            p.note {
                "All of it is also in the file " code { (foreign(name)) } ", in " (lines)
                @if *lines == 1 { " line" } @else { " lines" } " of CSV. Its SHA-256 is "
                code { (sha256) } "; " code { "sha256sum" } " (" code { "shasum -a 256" }
                " on a Mac, " code { "certutil -hashfile" } " on Windows) prints the same for as long \
                 as nobody has changed the file."
            }
        }
    }
}

/// Where everything is of which a section shows a part.
fn rest(beside: Option<&Beside<'_>>) -> Markup {
    html! {
        @match beside {
            Some(Beside { name, .. }) => { "All are in " code { (foreign(name)) } "." }
            None => {
                "All are in the CSV file that " code { "crm report SET --html FILE" }
                " writes beside its page."
            }
        }
    }
}

/// What is due and cannot be set.
fn out(left_out: &[LeftOut]) -> Section {
    let mut section = Section::new(left_out::HEADING, left_out::TABLE);
    left_out.iter().for_each(|left| section.add(|| left_out::row(left)));
    section
}

/// The records of the service that could not be read.
fn unreadable(info: &SetInfo) -> Section {
    let about = "<p>Nothing is planned for these, since nobody can say what they hold.</p><ul>";
    let mut section = Section::new("Records that cannot be read", [about, "</ul>"]);
    for record in &info.unreadable {
        section.add(|| html! { li { (foreign(record)) } });
    }
    section
}

/// What another set has undone of this one.
fn undone_by(by: &UndoneBy, undone: &Undone) -> Markup {
    let all = undone.changes() + undone.standing;
    html! {
        p.note {
            b.bad { (by.changes) " of " (all) }
            @if all == 1 { " change that was done has been undone" }
            @else { " changes that were done have been undone" }
            @if let Some(at) = by.at { ", " (words::time(at)) ", by " }
            code { (foreign(&by.name())) } "."
            @for told in by.otherwise() { " " b.bad { (told) } "." }
        }
    }
}

/// What reading back the set came to.
fn read_back(verification: &Verification) -> Markup {
    let Verification { as_done, unread, undone, .. } = verification;
    let no_longer_so = verification.no_longer_so();
    html! {
        p.note {
            "Read back " (words::time(verification.at)) ": " (as_done) " of " (verification.all())
            @if verification.all() == 1 { " change" } @else { " changes" } " still as done"
            @if no_longer_so > 0 { ", " b.bad { (no_longer_so) } " no longer" }
            @if *unread > 0 { ", " b.bad { (unread) } " could not be read" }
            @if *undone > 0 { ", " b.bad { (undone) } " undone" }
            "."
        }
    }
}
