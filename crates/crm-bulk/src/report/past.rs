//! What else happened to the records of a set, as whoever keeps other sets and single writes knows it.

use std::{fmt, io};

use crm_contacts::Difference;
use crm_models::Timestamp;
use maud::{Markup, html};

use super::{
    markup::{foreign, members},
    words,
};
use crate::set::{Named, Target};

/// Something that happened to a record of a set, before it or after it, and not by the set itself: by
/// another set, by a single write, or by somebody else. A [`Report`](crate::Report) tells it.
///
/// ```
/// use crm_bulk::{OwnerId, PastEvent, Target};
/// use crm_models::CustomerId;
///
/// let owner = OwnerId::from(CustomerId::new(1_001)?);
/// let record = Target::Contact { owner, contact: Some(4_001.try_into()?) };
/// let mut event = PastEvent::new(record, "update", "crm customer-contacts update");
/// event.at = Some("2026-11-29T08:00:00Z".parse()?);
/// event.by = Some("dana".to_owned());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PastEvent {
    /// The record.
    pub record: Target,
    /// When it happened, or was first seen to have happened.
    pub at: Option<Timestamp>,
    /// When the record was last seen as before, where nobody knows more exactly.
    pub since: Option<Timestamp>,
    /// Who did it.
    pub by: Option<String>,
    /// What was done: `update`, `create` or `delete`.
    pub action: String,
    /// What from and to.
    pub members: Vec<Difference>,
    /// What became of it, for example `done`.
    pub state: String,
    /// By which set or command, for people.
    pub through: String,
    /// The trace id of the service's answer.
    pub trace_id: Option<String>,
    /// Whether it has been undone since; `None` where nobody knows.
    pub undone: Option<bool>,
}

impl PastEvent {
    /// An event of which nothing is known but this.
    #[must_use]
    pub fn new(record: Target, action: impl Into<String>, through: impl Into<String>) -> Self {
        Self {
            record,
            at: None,
            since: None,
            by: None,
            action: action.into(),
            members: Vec::new(),
            state: String::new(),
            through: through.into(),
            trace_id: None,
            undone: None,
        }
    }
}

/// What else happened to the records of a set, one after another, and what could not be looked at.
pub(super) struct Past<'a> {
    pub(super) events: Box<dyn Iterator<Item = io::Result<PastEvent>> + 'a>,
    pub(super) notes: Box<dyn Iterator<Item = String> + 'a>,
}

impl fmt::Debug for Past<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Past").finish_non_exhaustive()
    }
}

pub(super) const HEADING: &str = "What else happened to these contacts";

/// What is around the rows of events.
pub(super) const TABLE: [&str; 2] = [
    "<table class=\"even\"><thead><tr><th>Contact<th>When<th>Change<th>By</thead><tbody>",
    "</tbody></table>",
];

/// By what people recognize a contact.
const RECOGNIZED_BY: [&str; 3] = ["type", "value", "memo"];

/// A contact that came or went as a whole: by what people recognize it; the rest folds out.
fn whole(what: &str, all: &[Difference]) -> Markup {
    let is_known = |member: &Difference| RECOGNIZED_BY.contains(&&*member.field);
    let text = |member: &Difference| member.before.clone().or_else(|| member.after.clone());
    let by: Vec<_> = all.iter().filter(|it| is_known(it)).filter_map(text).collect();
    let rest: Vec<_> = all.iter().filter(|it| !is_known(it)).cloned().collect();
    html! {
        ins { (what) }
        @for text in &by { br; (foreign(text)) }
        @if !rest.is_empty() {
            details { summary { small { (rest.len()) " more" } } (members(&rest)) }
        }
    }
}

/// A row of the table of events.
pub(super) fn row(event: &PastEvent, named: Option<&Named>) -> Markup {
    let ids = words::place(&event.record);
    html! {
        tr {
            td data-label="Contact" {
                @match named {
                    Some(named) => { b { (foreign(&named.to_string())) } br; small { (ids) } }
                    None => (ids),
                }
            }
            td data-label="When" {
                @if let Some(since) = event.since { "after " time { (words::time(since)) } br; "until " }
                @if let Some(at) = event.at { time { (words::time(at)) } }
            }
            td data-label="Change" {
                @match event.action.as_str() {
                    "create" => (whole("new contact", &event.members)),
                    "delete" => (whole("contact deleted", &event.members)),
                    _ => (members(&event.members)),
                }
            }
            td data-label="By" {
                (foreign(&event.through))
                @if let Some(by) = &event.by { ", " (foreign(by)) }
                br;
                small {
                    (foreign(&event.state))
                    @if event.undone == Some(true) { ", undone since" }
                    @if let Some(id) = &event.trace_id { ", " (foreign(id)) }
                }
            }
        }
    }
}
