//! What the service says now of each copy.

use std::time::SystemTime;

use crm_bulk::speaks_of_marketing;
use crm_contacts::{ContactsError, Owner};
use crm_models::{ContactId, ContactPreferences, CustomerId, LocationId, Timestamp};
use crm_values::{PhoneReader, Readings};

use super::told::{Found, Now};
use crate::{desk::Place, session::Session};

/// Asks the service for each place, one after another.
pub(super) async fn ask(
    session: &Session<'_>,
    places: &[Place],
    asked: &str,
    reader: PhoneReader,
) -> Vec<Option<Now>> {
    let mut told = Vec::new();
    for place in places {
        let answer = read(session, place).await;
        let at = Timestamp::from(SystemTime::now());
        let now = |found, detail| Some(Now { at, found, detail, flags: None });
        told.push(match answer {
            Ok(Some(Read { value, .. })) if !is_same(&value, asked, reader) => {
                now(Found::AnotherValue, Some(value))
            }
            Ok(Some(Read { marketing, flags, .. })) => {
                let found = match marketing {
                    Some(true) => Found::Marketing,
                    Some(false) => Found::NoMarketing,
                    None => Found::NotTold,
                };
                Some(Now { at, found, detail: None, flags })
            }
            Ok(None) => now(Found::Unread, Some("its ids cannot be read".to_owned())),
            Err(error) if error.is_not_found() => now(Found::Gone, None),
            Err(error) => now(Found::Unread, Some(error.to_string())),
        });
    }
    told
}

/// What the service has of a place.
struct Read {
    value: String,
    /// Whether it receives marketing, if that is told.
    marketing: Option<bool>,
    /// What a contact receives.
    flags: Option<ContactPreferences>,
}

async fn read(session: &Session<'_>, place: &Place) -> Result<Option<Read>, ContactsError> {
    let Place { owner_kind, owner_id, contact_id, .. } = place;
    match owner_kind.as_str() {
        "customer" => of_owner(session, owner_id.parse::<CustomerId>().ok(), contact_id).await,
        "location" => of_owner(session, owner_id.parse::<LocationId>().ok(), contact_id).await,
        _ => {
            let (Ok(person), Ok(method)) = (owner_id.parse(), contact_id.parse()) else {
                return Ok(None);
            };
            let method = session.service.person(person).method(method);
            let value = method.get().await?.value;
            let preferences = method.preferences().await?.into_iter();
            let flags = preferences.filter(|preference| speaks_of_marketing(&preference.name));
            let flags: Vec<_> = flags.filter_map(|preference| preference.as_bool()).collect();
            let marketing = (!flags.is_empty()).then(|| flags.contains(&true));
            Ok(Some(Read { value, marketing, flags: None }))
        }
    }
}

async fn of_owner<O: Owner>(
    session: &Session<'_>,
    owner: Option<O>,
    contact: &str,
) -> Result<Option<Read>, ContactsError> {
    let Some((owner, contact)) = owner.zip(contact.parse::<ContactId>().ok()) else {
        return Ok(None);
    };
    let contact = session.service.owner(owner).find(contact).await?;
    let flags = contact.preferences;
    let marketing = flags.map(|flags| flags.marketing_updates_enabled);
    Ok(Some(Read { value: contact.value, marketing, flags }))
}

fn is_same(one: &str, other: &str, reader: PhoneReader) -> bool {
    let key = |text| Readings::of(text, reader).ok().map(|readings| readings.key().to_owned());
    one == other || key(one).is_some_and(|one| key(other) == Some(one))
}
