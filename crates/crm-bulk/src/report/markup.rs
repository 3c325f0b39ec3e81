//! How a page shows the data of a set.

use std::{borrow::Cow, collections::BTreeSet};

use crm_contacts::Difference;
use maud::{Markup, html};

use super::{
    entry::{Entry, Late, Place},
    words,
};
use crate::{
    set::{Change, NO_SUCH_VALUE, State, Stored},
    visible,
};

/// What is around the rows of a table of changes.
pub(super) const TABLE: [&str; 2] = [
    "<table class=\"even\"><thead><tr><th>Contact<th>Number or address<th>Change<th>Outcome</thead><tbody>",
    "</tbody></table>",
];

/// What is around the items of a list.
pub(super) const LIST: [&str; 2] = ["<ul>", "</ul>"];

/// How many places of one entry a page shows: more than people and businesses have.
const PLACES: usize = 100;

/// How many characters of a text a page shows. A number or an address is shorter, and longer memos
/// and cells are hardly read here.
const CHARACTERS: usize = 2_000;

/// A row of a table of changes.
pub(super) fn change(place: &Place) -> Markup {
    let change = &place.change;
    html! {
        tr {
            td data-label="Contact" { (whose(place)) }
            td data-label="Number or address" { (value(change)) }
            td data-label="Change" { (difference(change)) }
            td data-label="Outcome" { (outcome(place)) }
        }
    }
}

/// Whose contact it is: by name, with the ids below; before it the number of the change, by which it
/// is taken out of the set.
fn whose(place: &Place) -> Markup {
    let ids = words::place(&place.change.target);
    html! {
        (place.change.id) ". "
        @match &place.named {
            Some(named) => { b { (foreign(&named.to_string())) } br; small { (ids) } }
            None => (ids),
        }
    }
}

/// A row of the input that asks for no change.
pub(super) fn row_left_out(number: u64, line: u64, message: Option<&str>) -> Markup {
    html! {
        li {
            "Row " (number) " (line " (line) ")"
            @if let Some(message) = message { ": " (foreign(message)) }
        }
    }
}

/// An entry of a list of opt-outs, and what became of it.
pub(super) fn entry(entry: &Entry, counted: &str) -> Markup {
    let row = entry.row.as_ref();
    let cells = row.into_iter().flat_map(|row| &row.cells);
    let known = cells.filter(|(_, cell)| !cell.trim().is_empty());
    let state = row.and_then(|row| row.state);
    let message = row.and_then(|row| row.message.as_deref());
    let found = &entry.found;
    let shown = &found[..found.len().min(PLACES)];
    // What the lines above say of all of them needs no column.
    let is_due = !has_one_day(entry) || shown.iter().any(|place| place.late().is_some());
    let traced = shown.iter().any(|place| place.change.outcome.trace_id.is_some());
    html! {
        h3 {
            @for (at, (name, cell)) in known.enumerate() {
                @if at > 0 { " · " }
                small { (foreign(name)) ": " } (foreign(cell))
            }
        }
        @match entry.late {
            Some(Late::Done(day, days)) => { p.bad { "Late: done on " (day) ", " (words::late(days)) "." } }
            Some(Late::Overdue(days)) => {
                p.bad { "Late: not all of it is done; " (words::late(days)) " by now." }
            }
            None => {}
        }
        @if let Some(due) = &entry.due {
            p {
                small {
                    @if has_one_day(entry) { "To be done by " (due.day) }
                    @else { "To be done by the day of each copy, the first of them " (due.day) }
                    " (" (counted) ")."
                }
            }
            @for why in whys(entry) { p { small { (foreign(why)) } } }
        }
        @if state == Some(State::Failed) {
            p.bad {
                "Left out, since the row is wrong"
                @if let Some(row) = row { " (line " (row.line) ")" }
                @if let Some(message) = message { ": " (foreign(message)) }
            }
        } @else if state == Some(State::Already) {
            p { "Left alone" @if let Some(message) = message { ": " (foreign(message)) } }
        } @else if found.is_empty() {
            p.bad {
                "Not found anywhere."
                @if let Some(message) = message.filter(|message| *message != NO_SUCH_VALUE) {
                    br;
                    small { (foreign(message)) }
                }
            }
        } @else {
            @if let Some(message) = message { p.bad { (foreign(message)) } }
            table.even {
                thead {
                    tr {
                        th { "Found at" } th { "Written as" } th { "Change" } th { "Outcome" }
                        th { "When" }
                        @if is_due { th { "To be done by" } }
                        @if traced { th { "Trace id" } }
                    }
                }
                tbody {
                    @for place in shown {
                        @let change = &place.change;
                        tr {
                            td data-label="Found at" { (whose(place)) }
                            td data-label="Written as" { (value(change)) }
                            td data-label="Change" { (difference(change)) }
                            td data-label="Outcome" { (outcome(place)) }
                            td data-label="When" {
                                @if let Some(at) = change.outcome.at { time { (words::time(at)) } }
                            }
                            @if is_due {
                                td data-label="To be done by" {
                                    @for (at, (due, late)) in place.days.iter().enumerate() {
                                        @if at > 0 { br; }
                                        (last_day(due.of.as_deref(), &due.day.to_string()))
                                        @if let Some(late) = late {
                                            br; b.bad { (words::late(late.days())) }
                                        }
                                    }
                                }
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
            @if shown.len() < found.len() {
                p {
                    "The first " (shown.len()) " of " (found.len()) " places are shown here; all are \
                     in the CSV file."
                }
            }
        }
    }
}

/// Whether all places of an entry are to be done by the same day.
fn has_one_day(entry: &Entry) -> bool {
    let mut days = entry.found.iter().flat_map(|place| {
        let without = place.days.is_empty().then_some(None);
        place.days.iter().map(|(due, _)| Some(due.day)).chain(without)
    });
    let first = days.next();
    days.all(|day| Some(day) == first)
}

/// Why the days of an entry are no others, each sentence once.
fn whys(entry: &Entry) -> BTreeSet<&str> {
    let of_entry = entry.due.iter().filter(|_| entry.found.is_empty());
    let of_places = entry.found.iter().flat_map(|place| &place.days).map(|(due, _)| due);
    let dues = of_places.chain(of_entry);
    dues.filter_map(|due| due.why.as_deref()).collect()
}

/// A last day, and for which messages it is.
pub(super) fn last_day(of: Option<&str>, day: &str) -> Markup {
    html! { @if let Some(of) = of { (foreign(of)) ": " } (day) }
}

/// A text of the data, of a file or of the service: what nobody would see is written out, and its
/// direction does not reach the words around it.
#[must_use]
pub fn foreign(text: &str) -> Markup {
    html! { bdi { (visible(&shortened(text))) } }
}

/// The beginning of a long text, and how much longer it is.
fn shortened(text: &str) -> Cow<'_, str> {
    let Some((end, _)) = text.char_indices().nth(CHARACTERS) else {
        return text.into();
    };
    let (shown, rest) = text.split_at(end);
    format!("{shown} … and {} more characters", rest.chars().count()).into()
}

/// The number or address as it is now.
fn value(change: &Change) -> Markup {
    html! { @if let Some(value) = change.value() { (foreign(value)) } }
}

/// What is done to a contact as a whole, and old and new, member by member.
fn difference(change: &Change) -> Markup {
    html! {
        @if let Some(whole) = words::whole(change) { ins { (whole) } br; }
        (members(&change.members()))
        @if let Some(why) = &change.why { br; small { (foreign(why)) } }
    }
}

/// Old and new, member by member.
pub(super) fn members(members: &[Difference]) -> Markup {
    html! {
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

/// How the service stored a value that it was sent otherwise.
fn stored_as(stored: Stored<'_>) -> Markup {
    html! {
        @if stored.is_same { small { "stored as " (foreign(stored.value)) } }
        @else { small.bad { "stored as " (foreign(stored.value)) ", which is another one" } }
    }
}

fn outcome(place: &Place) -> Markup {
    let Place { change, finding, undone_by, .. } = place;
    let (word, class) = words::state(change.outcome.state);
    html! {
        span class=(class) { (word) }
        @match (place.caution(), &change.caution) {
            (Some(caution), _) => { br; small.bad { (foreign(caution)) } }
            (None, Some(caution)) => { br; small { "Was to be looked at first: " (foreign(caution)) } }
            (None, None) => {}
        }
        @if let Some(stored) = change.stored() { br; (stored_as(stored)) }
        @if let Some(message) = &change.outcome.message { br; small { (foreign(message)) } }
        @if let Some(remark) = &place.remark { br; small.bad { (foreign(remark)) } }
        @if let Some(set) = undone_by {
            br;
            small.bad {
                "Undone by " (foreign(set))
                @if let Some(restored) = &place.restored { ": " (foreign(&restored.to_string())) }
            }
        }
        @if let Some(finding) = finding {
            br;
            small.bad { "Read back " (words::time(finding.at)) ": " (foreign(&finding.difference)) }
        }
    }
}
