//! The contact methods of people.

use std::{collections::BTreeMap, pin::pin};

use crm_contacts::{ContactsError, ContactsService};
use crm_mirror::{Snapshot, keys::Keys};
use crm_models::{
    ContactMethod, ContactMethodFilter, ContactMethodSort, PreferenceType, Sort, UnreadableRecord,
};
use crm_transport::Transport;
use crm_values::PhoneReader;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{listed::Found, search::Search};
use crate::{
    current,
    error::BulkError,
    set::{Action, MethodImage, Outcome, State, Target, speaks_of_marketing},
    store::file::{Draft, Planned},
};

/// How many contact methods' preferences are read at once; the transport keeps the rate.
pub(super) const CALLS_AT_ONCE: usize = 8;
/// The largest page that the API returns.
const PAGE: i32 = 5_000;

/// The names of the preferences to set. They are not documented, so they are taken from the
/// API: those that speak of marketing, or all that are on or off.
pub(super) fn chosen(
    types: &[PreferenceType],
    every_flag: bool,
    notes: &mut Vec<String>,
) -> Vec<String> {
    let is_flag = |kind: &&PreferenceType| kind.data_type.eq_ignore_ascii_case("Bool");
    let chosen: Vec<_> = types
        .iter()
        .filter(|kind| every_flag || speaks_of_marketing(&kind.name))
        .filter(is_flag)
        .map(|kind| kind.name.clone())
        .collect();
    let passed_over: Vec<_> = types
        .iter()
        .filter(|kind| (every_flag || speaks_of_marketing(&kind.name)) && !is_flag(kind))
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
            "No preference of contact methods is about marketing, so people's contact methods \
             were left alone. The API knows: {}.",
            known.join(", ")
        ));
    }
    chosen
}

/// Plans the contact methods of people.
pub(super) async fn methods<T: Transport>(
    service: &ContactsService<T>,
    mirror: &Snapshot,
    draft: &Draft,
    search: &mut Search<'_>,
    reader: PhoneReader,
    wanted: &BTreeMap<String, bool>,
) -> Result<(), BulkError> {
    if wanted.is_empty() || search.listed.is_empty {
        return Ok(());
    }
    let known_at = mirror.complete_at()?;
    // Not those of an earlier update than the one that brought the contacts.
    if mirror.people_known_at()?.is_some_and(|at| at >= known_at) {
        mirror.for_each_method(|method, keys| search.note_found(&method, &keys))?;
    } else {
        // A fixed order and nothing in between, because records added or removed meanwhile move the
        // pages.
        let in_order = ContactMethodFilter::new().sort(Sort::ascending(ContactMethodSort::Id));
        let all = service.people().contact_methods(in_order);
        let mut pages = all.page_size(PAGE).set_aside().pages();
        while let Some(page) = pages.try_next().await? {
            for method in page.data {
                search.note_found(&method, &Keys::of(&method.value, reader))?;
            }
            search.note_unreadable(page.unreadable, reader)?;
        }
    }
    let read = async |method| preferences(service, method).await;
    let mut last = None;
    loop {
        let some = search.methods_behind(last)?;
        let Some(newest) = some.last() else {
            return Ok(());
        };
        last = Some(newest.id);
        let mut read = pin!(stream::iter(some).map(read).buffered(CALLS_AT_ONCE));
        while let Some(found) = read.try_next().await? {
            let (method, image) = match found {
                Some(Ok(read)) => read,
                Some(Err(unreadable)) => {
                    search.note_unreadable([unreadable], reader)?;
                    continue;
                }
                None => continue,
            };
            let met = is_met(&image, wanted);
            let state = if met { State::Already } else { State::Planned };
            let places = match search.listed.find(&Keys::of(&method.value, reader))? {
                Found::Same(places) => places,
                Found::LookAt(_) | Found::None => continue,
            };
            for place in places {
                draft.add_change(&Planned {
                    row: search.note_method(place)?,
                    target: target(&method),
                    action: &Action::MethodPreferences(wanted.clone()),
                    before: Some(image.clone().into()),
                    outcome: Outcome::new(state),
                })?;
            }
        }
    }
}

/// Reads the preferences of a contact method; none if it was deleted since it was listed.
pub(super) async fn preferences<T: Transport>(
    service: &ContactsService<T>,
    method: ContactMethod,
) -> Result<Option<Result<(ContactMethod, MethodImage), UnreadableRecord>>, BulkError> {
    let image = MethodImage {
        contact_type: method.contact_type.clone(),
        value: method.value.clone(),
        preferences: BTreeMap::new(),
    };
    match current::method(service, method.contact_id, method.id, image).await {
        Ok(image) => Ok(Some(Ok((method, image)))),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error @ ContactsError::Unreadable { .. }) => {
            let record = serde_json::to_string(&method).unwrap_or_default();
            let reason = format!("its preferences: {error}");
            Ok(Some(Err(UnreadableRecord::new(0, reason, record))))
        }
        Err(error) => Err(BulkError::from(error)),
    }
}

/// Whether a contact method is as wanted already.
pub(super) fn is_met(image: &MethodImage, wanted: &BTreeMap<String, bool>) -> bool {
    wanted.iter().all(|(name, on)| image.preferences.get(name) == Some(&Some(*on)))
}

impl Search<'_> {
    /// Keeps a contact method that has a value of the list, and notes one that may have.
    fn note_found(&self, method: &ContactMethod, keys: &Keys) -> Result<(), BulkError> {
        match self.listed.find(keys)? {
            Found::Same(_) => self.keep_method(method),
            Found::LookAt(places) => self.note_near(places, &target(method).to_string()),
            Found::None => Ok(()),
        }
    }
}

pub(super) fn target(method: &ContactMethod) -> Target {
    Target::Method { person: method.contact_id, method: method.id }
}
