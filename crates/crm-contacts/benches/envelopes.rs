//! What reading and writing an envelope costs, counted: instructions and allocations per item,
//! by the models and by plain serde_json derives of the same members.
//!
//! ```text
//! cargo bench -p crm-contacts --bench envelopes
//! ```
//!
//! The plain structs know one form of an item. The models also read the forms before May 2026
//! and nulls, and keep what they do not know of a type.

mod count;

use std::{env, error::Error, hint::black_box, process::ExitCode};

use count::Counter;
use crm_models::{
    BookingContact, Contact, ContactMethod, ContactRelationship, ExportBatch, ExportedContact,
    LocationId, OwnedContact, Page, Person,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

type BenchResult<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ENVELOPES: [&str; 7] = [
    "contacts",
    "location contacts",
    "location export",
    "booking contacts",
    "people",
    "contact methods",
    "relationships",
];
const SIZES: [usize; 3] = [50, 500, 5_000];

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["run", what, envelope, size, times] => run(what, envelope, size, times),
        _ => compare(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("envelopes: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Counts everything and prints the table.
fn compare() -> BenchResult<()> {
    if !count::available() {
        return Ok(());
    }
    println!(
        "{:<18} {:>6} | {:>7} {:>7} {:>6} | {:>7} {:>7} {:>6} | {:>8} {:>8}",
        "per item",
        "items",
        "reading",
        "plain",
        "ratio",
        "writing",
        "plain",
        "ratio",
        "allocs",
        "plain"
    );
    for envelope in ENVELOPES {
        for size in SIZES {
            let instructions = |what| per_item(Counter::Instructions, what, envelope, size);
            let allocations = |what| per_item(Counter::Allocations, what, envelope, size);
            let (read, read_plain) = (instructions("read")?, instructions("read-plain")?);
            let (write, write_plain) = (instructions("write")?, instructions("write-plain")?);
            println!(
                "{envelope:<18} {size:>6} | {read:>7.0} {read_plain:>7.0} {:>6.3} | {write:>7.0} \
                 {write_plain:>7.0} {:>6.3} | {:>8.2} {:>8.2}",
                read / read_plain,
                write / write_plain,
                allocations("read")?,
                allocations("read-plain")?,
            );
        }
    }
    Ok(())
}

/// The difference between once and several times, per item.
fn per_item(counter: Counter, what: &str, envelope: &str, size: usize) -> BenchResult<f64> {
    let count = |times: &str| {
        let size = size.to_string();
        count::count(counter, ["run", what, envelope, &size, times])
    };
    Ok((count("5")? - count("1")?) as f64 / (4 * size) as f64)
}

fn run(what: &str, envelope: &str, size: &str, times: &str) -> BenchResult<()> {
    let (what, plain) = match what.strip_suffix("-plain") {
        Some(what) => (what, true),
        None => (what, false),
    };
    let bytes = serde_json::to_vec(&made(envelope, size.parse()?))?;
    let times = times.parse()?;
    match (envelope, plain) {
        ("contacts", false) => work::<Page<Contact>>(what, &bytes, times),
        ("contacts", true) => work::<plain::Page<plain::Contact>>(what, &bytes, times),
        ("location contacts", false) => work::<Page<OwnedContact<LocationId>>>(what, &bytes, times),
        ("location contacts", true) => {
            work::<plain::Page<plain::OwnedContact>>(what, &bytes, times)
        }
        ("location export", false) => {
            work::<ExportBatch<ExportedContact<LocationId>>>(what, &bytes, times)
        }
        ("location export", true) => {
            work::<plain::ExportBatch<plain::OwnedContact>>(what, &bytes, times)
        }
        ("booking contacts", false) => work::<Page<BookingContact>>(what, &bytes, times),
        ("booking contacts", true) => {
            work::<plain::Page<plain::BookingContact>>(what, &bytes, times)
        }
        ("people", false) => work::<Page<Person>>(what, &bytes, times),
        ("people", true) => work::<plain::Page<plain::Person>>(what, &bytes, times),
        ("contact methods", false) => work::<Page<ContactMethod>>(what, &bytes, times),
        ("contact methods", true) => work::<plain::Page<plain::ContactMethod>>(what, &bytes, times),
        ("relationships", false) => work::<Page<ContactRelationship>>(what, &bytes, times),
        ("relationships", true) => {
            work::<plain::Page<plain::ContactRelationship>>(what, &bytes, times)
        }
        _ => Err("no such envelope".into()),
    }
}

/// Reads or writes so many times.
fn work<T: DeserializeOwned + Serialize>(what: &str, bytes: &[u8], times: u32) -> BenchResult<()> {
    if what == "read" {
        for _ in 0..times {
            black_box(serde_json::from_slice::<T>(black_box(bytes))?);
        }
    } else {
        let value: T = serde_json::from_slice(bytes)?;
        for _ in 0..times {
            black_box(serde_json::to_vec(black_box(&value))?);
        }
    }
    Ok(())
}

/// An envelope with so many items of usual content.
fn made(envelope: &str, size: usize) -> Value {
    let items: Vec<_> = (1..=size).map(|number| item(envelope, number)).collect();
    match envelope {
        "location export" => json!({
            "hasMore": true, "continueFrom": "2kQ9cXVhY2s6MTcyNDk", "data": items,
        }),
        _ => json!({ "page": 1, "pageSize": size, "hasMore": true, "data": items }),
    }
}

fn item(envelope: &str, number: usize) -> Value {
    let modified = format!("2026-05-{:02}T16:04:{:02}.4827193Z", number % 28 + 1, number % 60);
    let created = "2025-11-02T09:15:00Z";
    let value = format!("818555{:04}", number % 10_000);
    let key = format!("7b2d9f10-4e6a-4c58-b310-{number:012}");
    let mut item = match envelope {
        "booking contacts" => json!({ "memo": "Gate code 4411", "modifiedOn": modified }),
        "people" => json!({
            "id": key, "referenceId": number.to_string(), "name": "Dana O'Neil",
            "title": "Office manager", "isArchived": false, "createdOn": created,
            "createdBy": 41, "modifiedOn": modified, "modifiedBy": 42,
        }),
        "contact methods" => json!({
            "id": key, "contactId": key, "referenceId": null, "memo": "Reception",
            "createdOn": created, "createdBy": 41, "modifiedOn": modified, "modifiedBy": 42,
        }),
        "relationships" => json!({
            "id": key, "relatedEntityId": 2001, "typeName": "Location",
            "typeSlug": "location", "createdOn": created, "createdBy": 41,
        }),
        _ => json!({
            "memo": "Gate code 4411", "modifiedOn": modified, "createdOn": created,
            "phoneSettings": { "phoneNumber": value, "doNotText": false },
            "preferences": {
                "jobRemindersEnabled": true, "marketingUpdatesEnabled": false,
                "invoiceStatementNotification": false, "invoiceNotification": true,
                "statementNotification": false,
            },
        }),
    };
    if envelope.contains("contact") || envelope == "location export" {
        item["type"] = "MobilePhone".into();
        item["value"] = value.into();
        if item.get("id").is_none() {
            item["id"] = number.into();
        }
    }
    if envelope.starts_with("location") {
        item["locationId"] = (number / 4 + 1).into();
    }
    if envelope == "location export" {
        item["active"] = true.into();
    }
    item
}

/// The same members with nothing but derives.
mod plain {
    use crm_models::{
        ContactId, ContactMethodId, ContactType, LocationId, PersonId, PhoneSettings,
        RelatedEntityId, RelationshipId, Timestamp, UserId,
    };
    use serde::{Deserialize, Serialize};

    macro_rules! plain {
        ($(struct $name:ident$(<$item:ident>)? { $($body:tt)* })*) => {$(
            #[derive(Serialize, Deserialize)]
            #[serde(rename_all = "camelCase")]
            pub struct $name$(<$item>)? { $($body)* }
        )*};
    }

    plain! {
        struct Page<T> {
            page: i32,
            page_size: i32,
            has_more: bool,
            total_count: Option<i32>,
            data: Vec<T>,
        }
        struct ExportBatch<T> {
            has_more: bool,
            continue_from: Option<String>,
            data: Vec<T>,
        }
        struct Contact {
            id: ContactId,
            #[serde(rename = "type")]
            contact_type: ContactType,
            value: String,
            memo: Option<String>,
            phone_settings: Option<PhoneSettings>,
            modified_on: Timestamp,
            created_on: Option<Timestamp>,
            preferences: Option<Preferences>,
        }
        struct Preferences {
            job_reminders_enabled: bool,
            marketing_updates_enabled: bool,
            invoice_statement_notification: bool,
            invoice_notification: bool,
            statement_notification: bool,
        }
        struct OwnedContact {
            location_id: LocationId,
            id: ContactId,
            #[serde(rename = "type")]
            contact_type: ContactType,
            value: String,
            memo: Option<String>,
            phone_settings: Option<PhoneSettings>,
            modified_on: Timestamp,
            created_on: Option<Timestamp>,
            preferences: Option<Preferences>,
            active: Option<bool>,
        }
        struct BookingContact {
            id: ContactId,
            #[serde(rename = "type")]
            contact_type: ContactType,
            value: String,
            memo: Option<String>,
            modified_on: Timestamp,
        }
        struct Person {
            id: PersonId,
            reference_id: Option<String>,
            name: Option<String>,
            title: Option<String>,
            is_archived: bool,
            created_on: Timestamp,
            created_by: UserId,
            modified_on: Timestamp,
            modified_by: UserId,
        }
        struct ContactMethod {
            id: ContactMethodId,
            contact_id: PersonId,
            reference_id: Option<String>,
            #[serde(rename = "type")]
            contact_type: ContactType,
            value: String,
            memo: Option<String>,
            created_on: Timestamp,
            created_by: UserId,
            modified_on: Timestamp,
            modified_by: UserId,
        }
        struct ContactRelationship {
            id: RelationshipId,
            related_entity_id: RelatedEntityId,
            type_name: String,
            type_slug: String,
            created_on: Timestamp,
            created_by: UserId,
        }
    }
}
