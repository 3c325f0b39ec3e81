//! One page for people: what a set changes, and what became of it; and beside it all of that as CSV.

mod entry;
mod evidence;
mod hashed;
mod markup;
#[doc(hidden)]
pub mod page;
mod received;
mod section;
mod words;

use std::io::{self, Write};

use maud::{Markup, html};

use self::{
    entry::{Entry, Place},
    evidence::{Beside, Evidence},
    markup::foreign,
    section::Section,
};
use crate::{
    error::BulkError,
    set::{Decision, DecisionKind, Digest, SetInfo, SetKind, State, Totals},
    store::{ChangeSet, Selection},
    undone::{Undone, UndoneBy},
    verify::Verification,
};

impl ChangeSet {
    /// Writes one self-contained HTML page: totals, what changes from what to what, and the
    /// outcomes; for opt-outs also the evidence, entry by entry. What needs attention comes first.
    /// The page loads nothing from the network, reads well on a phone and on paper, and contains
    /// numbers and addresses in clear text.
    ///
    /// The page stays below a megabyte, however large the set is: each section says how many of its
    /// entries are shown. [`report_with_evidence`](Self::report_with_evidence) writes all of them.
    ///
    /// # Errors
    ///
    /// [`BulkError::Altered`] if the set is not what was planned, or a failure to read the set or
    /// to write.
    pub fn report(&self, page: impl Write) -> Result<(), BulkError> {
        self.write_report(page, None::<(io::Sink, &str)>)
    }

    /// Writes the page of [`report`](Self::report), and everything that it is about as CSV into a
    /// second file: each row of the input with each place where it was found, each change with its
    /// ids, what it makes different, its state, trace id and time, and what reading back found to be
    /// no longer so. The page names that file as `name` and states its SHA-256, so that it can be
    /// shown later that the two belong together.
    ///
    /// The evidence is written first: put it in place before the page.
    ///
    /// ```no_run
    /// use crm_bulk::{AtomicWriter, BulkError, ChangeSet};
    ///
    /// # fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut evidence = AtomicWriter::create("june.html.csv".as_ref())?;
    /// let mut page = AtomicWriter::create("june.html".as_ref())?;
    /// let set = ChangeSet::open("june.crm")?;
    /// set.report_with_evidence(&mut page, &mut evidence, "june.html.csv")?;
    /// evidence.finish()?;
    /// page.finish()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The same errors as `report`.
    pub fn report_with_evidence(
        &self,
        page: impl Write,
        evidence: impl Write,
        name: &str,
    ) -> Result<(), BulkError> {
        self.write_report(page, Some((evidence, name)))
    }

    fn write_report(
        &self,
        page: impl Write,
        evidence: Option<(impl Write, &str)>,
    ) -> Result<(), BulkError> {
        let digest = self.known_digest()?;
        let (info, totals) = (self.info()?, self.totals()?);
        let mut listed = matches!(info.kind, SetKind::OptOut | SetKind::OptIn).then(Listed::new);
        let beside = match evidence {
            Some((out, name)) => Some(self.write_evidence(out, name, &info, listed.as_mut())?),
            None => {
                if let Some(listed) = &mut listed {
                    entry::for_each(self, |entry| {
                        listed.add(&entry);
                        Ok(())
                    })?;
                }
                None
            }
        };
        let late = listed.as_ref().map_or(0, |listed| listed.late);
        let sections = match listed {
            Some(listed) => listed.sections().into(),
            None => self.changes_in_sections(&totals)?,
        };
        let mut page = Page { set: self, out: io::BufWriter::new(page) };
        page.write(&self.head(&info, digest, &totals, late)?)?;
        page.write(&about_evidence(beside.as_ref()))?;
        if let Some(verification) = self.verification()? {
            page.write(&read_back(&verification))?;
        }
        let rest = rest(beside.as_ref());
        for section in sections.iter().chain([&unreadable(&info)]) {
            page.write(&section.markup(&rest))?;
        }
        page.write(&page::end())?;
        page.out.flush().map_err(|e| page.unwritten(e))
    }

    fn write_evidence<'a>(
        &self,
        out: impl Write,
        name: &'a str,
        info: &SetInfo,
        mut listed: Option<&mut Listed>,
    ) -> Result<Beside<'a>, BulkError> {
        let unwritten = |e| BulkError::file(self.path(), "written as evidence", e);
        let mut evidence = Evidence::begin(out).map_err(unwritten)?;
        entry::for_each(self, |entry| {
            if let Some(listed) = &mut listed {
                listed.add(&entry);
            }
            evidence.add(&entry).map_err(unwritten)
        })?;
        let mut unreadable = info.unreadable.iter();
        unreadable.try_for_each(|record| evidence.add_unreadable(record)).map_err(unwritten)?;
        evidence.finish(name).map_err(unwritten)
    }

    /// What needs attention, the rows that ask for no change, and then everything else.
    fn changes_in_sections(&self, totals: &Totals) -> Result<Vec<Section>, BulkError> {
        let rest = |state: State| !state.needs_attention() && state != State::Already;
        let first = self.changes_in("Needs attention", State::needs_attention, totals)?;
        Ok(vec![first, self.rows_left_out()?, self.changes_in("Changes", rest, totals)?])
    }

    fn changes_in(
        &self,
        heading: &'static str,
        of: impl Fn(State) -> bool,
        totals: &Totals,
    ) -> Result<Section, BulkError> {
        let mut section = Section::new(heading, markup::TABLE);
        let is_verified = self.verification()?.is_some();
        let states = State::ALL.into_iter().filter(|state| of(*state));
        for change in self.changes(&Selection::states(states)) {
            let place = Place::of(self, change?, is_verified)?;
            section.add(|| markup::change(&place));
            if section.is_full() {
                break;
            }
        }
        section.set_all(totals.count(of));
        Ok(section)
    }

    /// The rows that ask for no change: wrong, or about a value that no contact has.
    fn rows_left_out(&self) -> Result<Section, BulkError> {
        let mut section = Section::new("Rows without a change", markup::LIST);
        let sql =
            "SELECT row, line, message FROM rows WHERE state IS NOT NULL ORDER BY row LIMIT ?";
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
        let rows = [
            (late, "entries late", "bad"),
            (self.unmatched_rows()?, "rows found nowhere", "bad"),
            (self.invalid_rows()?, "rows wrong, left out", "bad"),
            (info.look_at, "records to look at", "bad"),
            (info.unreadable.len() as u64, "records cannot be read", "bad"),
        ];
        let (first, rest): (Vec<_>, Vec<_>) =
            State::ALL.into_iter().partition(|state| state.needs_attention());
        let tile = |state| {
            let (word, class) = words::state(state);
            (totals.in_state(state), word, class)
        };
        let tiles = first.into_iter().map(tile).chain(rows).chain(rest.into_iter().map(tile));
        Ok(tiles.filter(|(count, ..)| *count > 0).collect())
    }

    /// The page down to what the set is. The body stays open.
    fn head(
        &self,
        info: &SetInfo,
        digest: Option<Digest>,
        totals: &Totals,
        late: u64,
    ) -> Result<Markup, BulkError> {
        let (decisions, approval) = (self.decisions()?, self.approval()?);
        let of = |kind| decisions.iter().filter(move |it| it.kind == kind);
        let (title, undone) = (words::title(info.kind), self.undone()?);
        let rows = self.count("SELECT count(*) FROM rows")?;
        let tiles = self.tiles(info, totals, late)?;
        Ok(html! {
            (page::begin(title))
            ul.tiles {
                @for (count, word, class) in &tiles { li { b class=(class) { (count) } (word) } }
                @if tiles.is_empty() { li { b { "0" } "nothing to do" } }
            }
            @for by in &undone.by { (undone_by(by, &undone)) }
            dl {
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
                @match digest {
                    Some(digest) => { dt { "Digest" } dd { code { (digest.short()) } } }
                    None => { dt { "Digest" } dd { "none: written by version 0.1" } }
                }
                dt { "Approved" }
                @match &approval {
                    Some(approval) => dd { (decision(approval)) },
                    None => dd { "by nobody, as it is now" },
                }
                @for dropped in of(DecisionKind::Dropped) {
                    dt { "Taken out" } dd { (changes(dropped)) ", " (decision(dropped)) }
                }
                @for applied in of(DecisionKind::Applied) {
                    dt { "Applied" }
                    dd { (changes(applied)) " open, " (decision(applied)) }
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

/// The entries of a list.
struct Listed {
    attention: Section,
    nowhere: Section,
    others: Section,
    /// How many entries missed their day.
    late: u64,
}

impl Listed {
    fn new() -> Self {
        let section = |heading| Section::new(heading, ["", ""]);
        Self {
            attention: section("Needs attention"),
            nowhere: section("Found nowhere"),
            others: section("Entry by entry"),
            late: 0,
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
        section.add(|| markup::entry(entry));
    }

    fn sections(self) -> [Section; 3] {
        [self.attention, self.others, self.nowhere]
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
    let name = by.set.file_name().unwrap_or_default().to_string_lossy();
    html! {
        p.note {
            b.bad { (by.changes) " of " (undone.changes() + undone.standing) }
            " changes that were done have been undone"
            @if let Some(at) = by.at { ", " (words::time(at)) ", by " }
            code { (foreign(&name)) } "."
        }
    }
}

/// What reading back the set came to.
fn read_back(verification: &Verification) -> Markup {
    let Verification { as_done, unread, .. } = verification;
    let no_longer_so = verification.no_longer_so();
    html! {
        p.note {
            "Read back " (words::time(verification.at)) ": " (as_done) " of " (verification.all())
            @if verification.all() == 1 { " change" } @else { " changes" } " still as done"
            @if no_longer_so > 0 { ", " b.bad { (no_longer_so) } " no longer" }
            @if *unread > 0 { ", " b.bad { (unread) } " could not be read" }
            "."
        }
    }
}
