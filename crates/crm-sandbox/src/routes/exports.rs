//! The export feeds of contacts: every record, deleted ones included, in the
//! order of their last changes.

use http::Method;
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
    problem::Problem,
    settings::Repeats,
    store::contacts::{self, StoredContact},
    time_text,
};

pub(super) fn operations<O: Contract>() -> Vec<Operation> {
    let feed = Operation::new(Method::GET, O::FEED_ID, O::FEED, export::<O>)
        .query(&[
            Parameter::new("from", Kind::Text),
            Parameter::new("includeRecentChanges", Kind::Boolean),
        ])
        .answer::<Batch<Exported<O>>>()
        .refusals(&[400]);
    vec![feed]
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

fn export<O: Contract>(call: &Call<'_>, (): ()) -> Result<Reply, Problem> {
    let start = Position::read::<O>(call.query.text("from"))?;
    let recent = call.query.get("includeRecentChanges")?.unwrap_or(false);
    let size = call.settings.export_page_size.max(1);

    let lag = i64::from(call.settings.export_lag) * TICKS_PER_SECOND;
    let visible = (!recent).then(|| time_text::from_ticks(call.clock.ticks() - lag));
    let mut records = contacts::select::<O>()
        .filter("modified_on <= ?", visible)
        // Ids are unique per owner only.
        .order(&["modified_on", "id", "owner_id"])
        .after(start.values())
        .first(call.db, size.saturating_add(1))?;
    let has_more = records.len() > size as usize;
    records.truncate(size as usize);

    let end = records.last().map_or_else(|| start.clone(), Position::of);
    let repeats = match call.settings.export_repeats {
        Repeats::Recent => recent,
        Repeats::Always => true,
        Repeats::Never => false,
    };
    // The contract names this as the price of recent changes: records repeat between calls.
    if repeats && !records.is_empty() {
        let last_given = contacts::find_any::<O>(call.db, start.owner, start.id)?
            .filter(|contact| contact.modified_on == start.modified_on);
        records.splice(0..0, last_given);
    }
    let show = |contact: StoredContact| {
        let active = contact.active;
        ContactResponse::new(contact, call.settings).with_owner(O::MEMBER).with_active(active)
    };
    Reply::json(&Batch {
        about: AboutBatch { has_more, continue_from: end.token::<O>() },
        data: records.into_iter().map(show).collect(),
    })
}

/// A place in a feed: everything up to this record was given, the record included.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Position {
    modified_on: String,
    id: i64,
    owner: i64,
}

impl Position {
    /// Returns the place before every record that changed at a time or later.
    fn before(modified_on: String) -> Self {
        Self { modified_on, id: i64::MIN, owner: i64::MIN }
    }

    fn of(contact: &StoredContact) -> Self {
        Self { modified_on: contact.modified_on.clone(), id: contact.id, owner: contact.owner_id }
    }

    /// Reads `from`, which is absent or empty, a date, a date-time or a token.
    fn read<O: Contract>(from: Option<&str>) -> Result<Self, Problem> {
        let (text, _) = split_token(from.unwrap_or_default());
        if text.is_empty() {
            return Ok(Self::before(time_text::UNKNOWN.to_owned()));
        }
        time_text::from_date(text)
            .or_else(|| time_text::from_rfc3339(text))
            .map(Self::before)
            .or_else(|| Self::from_token::<O>(text))
            .ok_or_else(|| Problem::field("from", "it is neither a date nor a token of this feed"))
    }

    /// Returns the token, which clients take as it is: the letter of the feed and three numbers in
    /// hexadecimal.
    fn token<O: Contract>(&self) -> String {
        let ticks = time_text::to_ticks(&self.modified_on).unwrap_or_default();
        let [ticks, id, owner] = [ticks, self.id, self.owner].map(i64::cast_unsigned);
        format!("{}{ticks:016x}{id:016x}{owner:016x}", letter::<O>())
    }

    fn from_token<O: Contract>(text: &str) -> Option<Self> {
        let numbers = text.strip_prefix(letter::<O>())?;
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

    fn values(&self) -> Vec<rusqlite::types::Value> {
        vec![self.modified_on.clone().into(), self.id.into(), self.owner.into()]
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

fn letter<O: Contract>() -> char {
    O::NOUN.chars().next().unwrap_or('x')
}
