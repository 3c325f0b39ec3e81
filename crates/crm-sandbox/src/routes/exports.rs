//! The export feeds: every record, deleted ones included, in the order of their last changes.

use std::marker::PhantomData;

use http::Method;
use rusqlite::Connection;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    contacts::{
        answer::{ContactResponse, Exported},
        contract::Contract,
    },
    envelope::{About, Envelope},
};
use crate::{
    clock::TICKS_PER_SECOND,
    operation::{Call, Operation, Reply},
    parameter::{Kind, Parameter},
    path::Path,
    problem::Problem,
    settings::{Repeats, Settings},
    store::{
        contacts::{self, StoredContact},
        select::Select,
    },
    time_text,
};

/// What sets one feed apart from the others.
pub(super) trait Feed: 'static {
    const ID: &'static str;
    const PATH: Path<()>;
    /// The letter with which its tokens begin.
    const LETTER: char;
    /// The columns of its order: as many of those of a [`Place`] as tell its records apart.
    const ORDER: &'static [&'static str];
    type Record;
    type Answer: Serialize;
    type Schema: ToSchema;

    fn select() -> Select<Self::Record>;
    fn place(record: &Self::Record) -> Place;
    /// Returns the record of a place, as it is now.
    fn at(db: &Connection, place: &Place) -> rusqlite::Result<Option<Self::Record>>;
    fn answer(record: Self::Record, settings: &Settings) -> Self::Answer;
}

/// The feed of the contacts of one kind of owner.
struct Contacts<O>(PhantomData<O>);

impl<O: Contract> Feed for Contacts<O> {
    const ID: &'static str = O::FEED_ID;
    const PATH: Path<()> = O::FEED;
    const LETTER: char = O::LETTER;
    // Ids are unique per owner only.
    const ORDER: &'static [&'static str] = &["modified_on", "id", "owner_id"];
    type Record = StoredContact;
    type Answer = ContactResponse;
    type Schema = Exported<O>;

    fn select() -> Select<StoredContact> {
        contacts::select::<O>()
    }

    fn place(contact: &StoredContact) -> Place {
        let modified_on = contact.modified_on.clone();
        Place { modified_on, id: contact.id, owner: contact.owner_id }
    }

    fn at(db: &Connection, place: &Place) -> rusqlite::Result<Option<StoredContact>> {
        contacts::find_any::<O>(db, place.owner, place.id)
    }

    fn answer(contact: StoredContact, settings: &Settings) -> ContactResponse {
        let active = contact.active;
        ContactResponse::new(contact, settings).with_owner(O::MEMBER).with_active(active)
    }
}

pub(super) fn operations<O: Contract>() -> Vec<Operation> {
    vec![operation::<Contacts<O>>()]
}

/// Returns the operation of a feed.
pub(super) fn operation<F: Feed>() -> Operation {
    Operation::new(Method::GET, F::ID, F::PATH, export::<F>)
        .query(&[
            Parameter::new("from", Kind::Text),
            Parameter::new("includeRecentChanges", Kind::Boolean),
        ])
        .answer::<Batch<F::Schema>>()
        .refusals(&[400])
}

/// One answer of a feed.
type Batch<T> = Envelope<AboutBatch, T>;

/// Where the feed continues after a batch.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AboutBatch {
    has_more: bool,
    continue_from: String,
}

impl About for AboutBatch {
    const NAME: &'static str = "ExportResponse_Of_";
}

fn export<F: Feed>(call: &Call<'_>, (): ()) -> Result<Reply, Problem> {
    let start = Place::read::<F>(call.query.text("from"))?;
    let recent = call.query.get("includeRecentChanges")?.unwrap_or(false);
    let size = call.settings.export_page_size.max(1);

    let lag = i64::from(call.settings.export_lag) * TICKS_PER_SECOND;
    let visible = (!recent).then(|| time_text::from_ticks(call.clock.ticks() - lag));
    let mut records = F::select()
        .filter("modified_on <= ?", visible)
        .order(F::ORDER)
        .after(start.values::<F>())
        .first(call.db, size.saturating_add(1))?;
    let has_more = records.len() > size as usize;
    records.truncate(size as usize);

    let end = records.last().map_or_else(|| start.clone(), F::place);
    let repeats = match call.settings.export_repeats {
        Repeats::Recent => recent,
        Repeats::Always => true,
        Repeats::Never => false,
    };
    // The contract names this as the price of recent changes: records repeat between calls.
    if repeats && !records.is_empty() {
        let last_given = F::at(call.db, &start)?.filter(|record| F::place(record) == start);
        records.splice(0..0, last_given);
    }
    Reply::json(&Batch {
        about: AboutBatch { has_more, continue_from: end.token::<F>() },
        data: records.into_iter().map(|record| F::answer(record, call.settings)).collect(),
    })
}

/// A place in a feed: everything up to this record was given, the record included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) modified_on: String,
    pub(super) id: i64,
    /// The owner of a contact; 0 in the feeds of owners.
    pub(super) owner: i64,
}

impl Place {
    /// Returns the place before every record that changed at a time or later.
    fn before(modified_on: String) -> Self {
        Self { modified_on, id: i64::MIN, owner: i64::MIN }
    }

    /// Reads `from`, which is absent or empty, a date, a date-time or a token.
    fn read<F: Feed>(from: Option<&str>) -> Result<Self, Problem> {
        let (text, _) = split_token(from.unwrap_or_default());
        if text.is_empty() {
            return Ok(Self::before(time_text::UNKNOWN.to_owned()));
        }
        time_text::from_date(text)
            .or_else(|| time_text::from_rfc3339(text))
            .map(Self::before)
            .or_else(|| Self::from_token::<F>(text))
            .ok_or_else(|| Problem::field("from", "it is neither a date nor a token of this feed"))
    }

    /// Returns the token, which clients take as it is: the letter of the feed and three numbers in
    /// hexadecimal.
    fn token<F: Feed>(&self) -> String {
        let ticks = time_text::to_ticks(&self.modified_on).unwrap_or_default();
        let [ticks, id, owner] = [ticks, self.id, self.owner].map(i64::cast_unsigned);
        format!("{}{ticks:016x}{id:016x}{owner:016x}", F::LETTER)
    }

    fn from_token<F: Feed>(text: &str) -> Option<Self> {
        let numbers = text.strip_prefix(F::LETTER)?;
        let number =
            |range| u64::from_str_radix(numbers.get(range)?, 16).ok().map(u64::cast_signed);
        let whole = numbers.len() == 48 && numbers.bytes().all(|b| b.is_ascii_hexdigit());
        whole.then_some(())?;
        Some(Self {
            modified_on: time_text::from_ticks(number(0..16)?),
            id: number(16..32)?,
            owner: number(32..48)?,
        })
    }

    fn values<F: Feed>(&self) -> Vec<rusqlite::types::Value> {
        let mut values = vec![self.modified_on.clone().into(), self.id.into(), self.owner.into()];
        values.truncate(F::ORDER.len());
        values
    }
}

/// Answers a batch without records, whose token was never given before and stands for the same
/// place as the one that was sent.
pub(crate) fn empty_batch(call: &Call<'_>) -> Result<Reply, Problem> {
    let (place, _) = split_token(call.query.text("from").unwrap_or_default());
    let continue_from = format!("{place}{MARK}{:016x}", fastrand::u64(..));
    let about = AboutBatch { has_more: true, continue_from };
    Reply::json(&Batch::<()> { about, data: Vec::new() })
}

/// The character before the part of a token that makes it new and has no meaning.
const MARK: char = '~';

/// Splits a token of a feed from what an empty batch appended to it.
fn split_token(token: &str) -> (&str, &str) {
    token.split_at(token.find(MARK).unwrap_or(token.len()))
}
