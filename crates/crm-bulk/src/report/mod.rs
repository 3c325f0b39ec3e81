//! One page for people: what a set changes, and what became of it.

mod words;

use std::io::{self, Write};

use jiff::civil::Date;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use rusqlite::Row;

use crate::{
    clock,
    error::BulkError,
    input::{DateOrder, InputFormat, cells, read_date},
    set::{Change, Digest, Image, SetInfo, SetKind, State, Totals},
    store::{ChangeSet, Selection, file::ChangeColumns},
    verify::{KeptFinding, Verification},
    visible,
};

const STYLE: &str = include_str!("page.css");

/// How many changes of a kind the page lists one by one; the totals count all.
const LISTED: u32 = 5_000;

/// What a reader should look at first.
const ATTENTION: [State; 5] =
    [State::Failed, State::Unknown, State::Drifted, State::Conflict, State::NotFound];

impl ChangeSet {
    /// Writes one self-contained HTML page: totals, what changes from what to what, and the
    /// outcomes; for opt-outs also the evidence, entry by entry. The page loads nothing from the
    /// network, reads well on a phone and on paper, and contains numbers and addresses in clear
    /// text.
    ///
    /// # Errors
    ///
    /// [`BulkError::Altered`] if the set is not what was planned, or a failure to read the set or
    /// to write.
    pub fn report(&self, out: impl Write) -> Result<(), BulkError> {
        let mut page = Page { set: self, out: io::BufWriter::new(out) };
        let digest = self.known_digest()?;
        let (info, totals) = (self.info()?, self.totals()?);
        let rows = self.count("SELECT count(*) FROM rows")?;
        let (unmatched, invalid) = (self.unmatched_rows()?, self.invalid_rows()?);
        page.write(&head(&info, digest, &totals, rows, unmatched, invalid))?;
        if let Some(verification) = self.verification()? {
            page.write(&read_back(&verification))?;
        }
        match info.kind {
            SetKind::OptOut | SetKind::OptIn => page.entries()?,
            _ => {
                page.differences(&totals)?;
                page.rows_left_out()?;
            }
        }
        page.write(&unreadable(&info))?;
        page.write(&html! {
            footer {
                p {
                    "Numbers and addresses on this page are personal data: keep it as you keep \
                     your customers' files."
                }
            }
        })?;
        page.out.write_all(b"</body></html>\n").map_err(|e| page.unwritten(e))?;
        page.out.flush().map_err(|e| page.unwritten(e))
    }
}

struct Page<'a, W: Write> {
    set: &'a ChangeSet,
    out: W,
}

/// The page down to the totals. The body stays open.
fn head(
    info: &SetInfo,
    digest: Option<Digest>,
    totals: &Totals,
    rows: u64,
    unmatched: u64,
    invalid: u64,
) -> Markup {
    let title = words::title(info.kind);
    html! {
        (DOCTYPE)
        (PreEscaped("<html lang=\"en\">"))
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            title { (title) }
            style { (PreEscaped(STYLE)) }
        }
        (PreEscaped("<body>"))
        h1 { (title) }
        dl {
            @if let Some(source) = &info.source { dt { "From the list" } dd { (foreign(source)) } }
            @if let Some(undone) = &info.undo_of {
                dt { "Takes back" } dd { (foreign(&undone.display().to_string())) }
            }
            dt { "Tenant" } dd { (info.site.tenant()) }
            dt { "Server" } dd { (foreign(info.site.environment())) }
            @if let Some(at) = info.created_at { dt { "Planned" } dd { (words::time(at)) } }
            @if let Some(at) = info.known_at { dt { "Contacts as of" } dd { (words::time(at)) } }
            @if rows > 0 { dt { "Rows in the list" } dd { (rows) } }
            @match digest {
                Some(digest) => { dt { "Digest" } dd { code { (digest.short()) } } }
                None => { dt { "Digest" } dd { "none: written by version 0.1" } }
            }
        }
        h2 { "In all" }
        ul.tiles {
            @for state in State::ALL {
                @let count = totals.in_state(state);
                @let (word, class) = words::state(state);
                @if count > 0 { li { b class=(class) { (count) } (word) } }
            }
            @if unmatched > 0 { li { b.bad { (unmatched) } "rows found nowhere" } }
            @if invalid > 0 { li { b.bad { (invalid) } "rows wrong, left out" } }
            @if info.look_at > 0 { li { b.bad { (info.look_at) } "records to look at" } }
            @if !info.unreadable.is_empty() {
                li { b.bad { (info.unreadable.len()) } "records cannot be read" }
            }
            @if totals.all() == 0 { li { b { "0" } "nothing to do" } }
        }
        @for note in &info.notes { p.note { (foreign(note)) } }
    }
}

impl<W: Write> Page<'_, W> {
    fn write(&mut self, markup: &Markup) -> Result<(), BulkError> {
        let written = self.out.write_all(markup.0.as_bytes());
        written.map_err(|e| self.unwritten(e))
    }

    fn raw(&mut self, html: &str) -> Result<(), BulkError> {
        self.write(&PreEscaped(html.to_owned()))
    }

    fn unwritten(&self, error: io::Error) -> BulkError {
        BulkError::file(self.set.path(), "written as a page", error)
    }

    /// What needs attention, then everything else.
    fn differences(&mut self, totals: &Totals) -> Result<(), BulkError> {
        let rest: Vec<_> = State::ALL
            .into_iter()
            .filter(|state| !ATTENTION.contains(state) && *state != State::Already)
            .collect();
        let sections = [("Needs attention", ATTENTION.to_vec()), ("Changes", rest)];
        for (heading, states) in sections {
            let count: u64 = states.iter().map(|state| totals.in_state(*state)).sum();
            if count == 0 {
                continue;
            }
            self.write(&html! {
                h2 { (heading) }
                @if count > u64::from(LISTED) {
                    p { "The first " (LISTED) " of " (count) "." }
                }
            })?;
            self.raw("<table><thead><tr><th>Contact<th>Number or address<th>Change<th>Outcome</thead><tbody>")?;
            let set = self.set;
            for change in set.changes(&Selection::states(states).limit(LISTED)) {
                let change = change?;
                self.write(&html! {
                    tr {
                        td data-label="Contact" { (words::place(&change.target)) }
                        td data-label="Number or address" { (value(&change)) }
                        td data-label="Change" { (difference(&change)) }
                        td data-label="Outcome" { (outcome(&change, set.finding(change.id)?.as_ref())) }
                    }
                })?;
            }
            self.raw("</tbody></table>")?;
        }
        Ok(())
    }

    /// The rows that ask for no change: wrong, or about a value that no contact has.
    fn rows_left_out(&mut self) -> Result<(), BulkError> {
        let database = &self.set.database;
        let sql = "SELECT row, line, message FROM rows WHERE state IS NOT NULL
            ORDER BY row LIMIT ?";
        let rows = database.rows(sql, [LISTED], |row| {
            let (number, line): (u64, u64) = (row.get("row")?, row.get("line")?);
            Ok((number, line, row.get::<_, Option<String>>("message")?))
        })?;
        if rows.is_empty() {
            return Ok(());
        }
        self.write(&html! {
            h2 { "Rows without a change" }
            ul {
                @for (number, line, message) in rows {
                    li {
                        "Row " (number) " (line " (line) ")"
                        @if let Some(message) = message { ": " (foreign(&message)) }
                    }
                }
            }
        })
    }

    /// The evidence: each entry of the list with every place where it was found.
    fn entries(&mut self) -> Result<(), BulkError> {
        self.write(&html! { h2 { "Entry by entry" } })?;
        let (format, header) = (self.set.format()?, self.set.header()?);
        let received = Received::of(self.set)?;
        let add = |found: &mut Vec<Change>, at: &ChangeColumns, row: &Row<'_>| {
            found.push(at.read(row)?);
            Ok(())
        };
        let set = self.set;
        set.each_row(ChangeColumns::NAMES, ChangeColumns::of, add, |row, found: Vec<Change>| {
            let cells = read_cells(format, &header, row.data);
            let found = found.into_iter().map(|change| {
                let finding = set.finding(change.id)?;
                Ok((change, finding))
            });
            let entry = Entry {
                received: received.date(&cells),
                left: row.state == Some(State::Already),
                cells,
                wrong: row.state == Some(State::Failed),
                message: row.message,
                found: found.collect::<Result<_, BulkError>>()?,
            };
            self.write(&markup(&entry))
        })
    }
}

/// Which columns of a list have the date on which a wish came in, as the plan read them.
struct Received {
    columns: Vec<String>,
    order: DateOrder,
}

impl Received {
    fn of(set: &ChangeSet) -> Result<Self, BulkError> {
        let columns = set.database.meta("received_columns")?;
        let order = set.database.meta("date_order")?;
        let columns = columns.and_then(|json| serde_json::from_str(&json).ok());
        Ok(Self { columns: columns.unwrap_or_default(), order: DateOrder::named(order.as_deref()) })
    }

    fn date(&self, cells: &[(String, String)]) -> Option<Date> {
        let is_date = |(header, _): &&(String, String)| self.columns.contains(header);
        let dates = cells.iter().filter(is_date);
        let mut dates = dates.filter_map(|(_, cell)| {
            let other = match self.order {
                DateOrder::Mdy => DateOrder::Dmy,
                DateOrder::Dmy => DateOrder::Mdy,
            };
            let today = clock::today();
            let read = |order| read_date(cell, order, today);
            read(self.order).or_else(|_| read(other)).ok()
        });
        dates.next()
    }
}

/// A row of a list of opt-outs and what became of it.
struct Entry {
    /// When its wish came in.
    received: Option<Date>,
    /// Whether its status says that nothing is to be done.
    left: bool,
    cells: Vec<(String, String)>,
    /// It was left out.
    wrong: bool,
    message: Option<String>,
    /// Each place, and what reading back found to be no longer so.
    found: Vec<(Change, Option<KeptFinding>)>,
}

/// The cells of a row; one that could not be taken apart is shown as it was.
fn read_cells(format: InputFormat, header: &[String], data: String) -> Vec<(String, String)> {
    let cells = cells(format, header, &data);
    if cells.is_empty() { vec![("row".to_owned(), data)] } else { cells }
}

fn markup(entry: &Entry) -> Markup {
    let known = entry.cells.iter().filter(|(_, cell)| !cell.trim().is_empty());
    let received = entry.received;
    let due = received.and_then(|day| words::business_days_after(day, words::BUSINESS_DAYS));
    let found = &entry.found;
    let traced = found.iter().any(|(change, _)| change.outcome.trace_id.is_some());
    html! {
        h3 {
            @for (at, (name, cell)) in known.enumerate() {
                @if at > 0 { " · " }
                small { (foreign(name)) ": " } (foreign(cell))
            }
        }
        @if let Some(due) = due {
            p {
                small {
                    "To be done by " (due) " (" (words::BUSINESS_DAYS)
                    " business days after it was received; public holidays are not taken into account)."
                }
            }
        }
        @if entry.wrong {
            p.bad {
                "Left out, since the row is wrong"
                @if let Some(message) = &entry.message { ": " (foreign(message)) }
            }
        } @else if entry.left {
            p { "Left alone" @if let Some(message) = &entry.message { ": " (foreign(message)) } }
        } @else if found.is_empty() {
            p.bad {
                "Not found anywhere."
                @if let Some(message) = &entry.message { br; small { (foreign(message)) } }
            }
        } @else {
            @if let Some(message) = &entry.message { p.bad { (foreign(message)) } }
            table {
                thead {
                    tr {
                        th { "Found at" } th { "Written as" } th { "Change" } th { "Outcome" }
                        th { "When" }
                        @if traced { th { "Trace id" } }
                    }
                }
                tbody {
                    @for (change, finding) in found {
                        tr {
                            td data-label="Found at" { (words::place(&change.target)) }
                            td data-label="Written as" { (value(change)) }
                            td data-label="Change" { (difference(change)) }
                            td data-label="Outcome" { (outcome(change, finding.as_ref())) }
                            td data-label="When" {
                                @if let Some(at) = change.outcome.at { time { (words::time(at)) } }
                            }
                            @if traced {
                                td data-label="Trace id" {
                                    @if let Some(id) = &change.outcome.trace_id { (foreign(id)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The records of the service that could not be read.
fn unreadable(info: &SetInfo) -> Markup {
    html! {
        @if !info.unreadable.is_empty() {
            h2 { "Records that cannot be read" }
            p { "Nothing is planned for these, since nobody can say what they hold." }
            ul { @for record in &info.unreadable { li { (foreign(record)) } } }
        }
    }
}

/// A text of the data, of a file or of the service: what nobody would see is written out, and its
/// direction does not reach the words around it.
fn foreign(text: &str) -> Markup {
    html! { bdi { (visible(text)) } }
}

/// The number or address as it is now.
fn value(change: &Change) -> Markup {
    let image = change.before.as_ref().or(change.after.as_ref());
    html! { @if let Some(value) = image.map(Image::value) { (foreign(value)) } }
}

/// Old and new, member by member.
fn difference(change: &Change) -> Markup {
    let members = change.members();
    html! {
        @if let Some(whole) = words::whole(change) { ins { (whole) } br; }
        @for (at, member) in members.iter().enumerate() {
            @if at > 0 { br; }
            (foreign(&member.field)) ": "
            @match &member.before {
                Some(old) if old.is_empty() => {}
                Some(old) => { del { (foreign(old)) } " → " }
                None => {}
            }
            ins { @match &member.after { Some(new) => (foreign(new)), None => "(removed)" } }
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

fn outcome(change: &Change, finding: Option<&KeptFinding>) -> Markup {
    let (word, class) = words::state(change.outcome.state);
    html! {
        span class=(class) { (word) }
        @if let Some(message) = &change.outcome.message { br; small { (foreign(message)) } }
        @if let Some(finding) = finding {
            br;
            small.bad { "Read back " (words::time(finding.at)) ": " (foreign(&finding.difference)) }
        }
    }
}
